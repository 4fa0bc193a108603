"""Open and change trading accounts as a file of the client system says, set-based, inside the caller's transaction.

``open_loaded`` gives an empty ``accounts_loaded`` for the caller to fill with the rows it found sound (``line`` is its own; a row that
says nothing new may be left out); ``load_accounts`` opens what is new and changes what differs, nothing else is written. Nobody is
deleted: an account that is missing is the caller's matter. Who may do more than before is the caller's matter too (a second person);
``tighten_states`` does at once what takes something away.

Told by few large events (``AccountsLoaded`` in ``feed:<file>``: ``opened`` rows of account and base currency, ``changed`` rows of
account, field, before, after), and by an ``AccountStateSet`` of its own for every account whose state changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson

from accounts.locks import lock_loaded
from accounts.models import StatementPart
from accounts.permissions import require_booking_process
from accounts.services._statement_sql import ROWS_A_PART
from authorisation.domain.principal import Principal
from journal.bulk import insert_rows, raw_cursor
from journal.domain.chain import Canonical, EventDraft
from journal.notify import notify
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id

PARTS_A_WRITE = 20
LOADED, STATE_SET = "AccountsLoaded", "AccountStateSet"
_SEVERITY = "array_position(ARRAY['active', 'reduce_only', 'frozen', 'closed']::text[], {}::text)"
STRICTER = f"{_SEVERITY.format('l.state')} > {_SEVERITY.format('a.state')}"
"""Whether row ``l`` of ``accounts_loaded`` lets account ``a`` do less than it may now."""
LOOSER = f"{_SEVERITY.format('l.state')} < {_SEVERITY.format('a.state')}"


@dataclass(frozen=True, slots=True)
class AccountFile:
    """Which file, and as of when."""

    load_id: UUID
    file_id: UUID
    source: str
    cut_at: datetime
    day: date
    reason: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many accounts came and how many changed."""

    opened: int
    changed: int


ID_OF_NEW = "encode(substring(sha256(convert_to(%(load)s::text || ':' || code, 'UTF8')) FOR 16), 'hex')::uuid"
"""The id of an account that load ``%(load)s`` opens by this ``code``: known before it is there, for files that are read beside."""
_TABLE = """
CREATE TEMP TABLE accounts_loaded (
    account_id uuid NOT NULL, is_new boolean NOT NULL, code varchar(24) NOT NULL, name varchar(120) NOT NULL,
    client_code varchar(24) NOT NULL, client_name varchar(120) NOT NULL, lei varchar(20) NOT NULL, group_id bigint NOT NULL,
    base_currency varchar(3) NOT NULL, state varchar(12) NOT NULL, account_class varchar(24) NOT NULL,
    short_allowed boolean NOT NULL, line bigint) ON COMMIT DROP
"""
_FIELDS = ("name", "group_id", "state", "account_class", "short_allowed")
DIFFERS = " OR ".join(f"l.{name} IS DISTINCT FROM a.{name}" for name in _FIELDS)
"""Whether row ``l`` of ``accounts_loaded`` says otherwise than account ``a``."""
_TOLD = ", ".join(f"('{name}', a.{name}::text, l.{name}::text)" for name in _FIELDS)
_CHANGES = f"""
CREATE TEMP TABLE accounts_change ON COMMIT DROP AS
SELECT account_id, field, before, after, (row_number() OVER (ORDER BY account_id, field) - 1)::int / {ROWS_A_PART} AS part
  FROM (SELECT account_id, 'opened' AS field, '' AS before, base_currency::text AS after FROM accounts_loaded WHERE is_new
         UNION ALL
        SELECT l.account_id, f.field, f.before, f.after
          FROM accounts_loaded l JOIN accounts_tradingaccount a ON a.id = l.account_id
         CROSS JOIN LATERAL (VALUES {_TOLD}) f (field, before, after)
         WHERE f.before IS DISTINCT FROM f.after) told
"""  # noqa: S608
_CLIENTS = """
INSERT INTO accounts_client (id, code, name, lei, active)
SELECT gen_random_uuid(), client_code, coalesce(nullif(max(client_name), ''), client_code), max(lei), true
  FROM accounts_loaded WHERE is_new GROUP BY client_code ON CONFLICT (code) DO NOTHING
"""
_OPEN = """
INSERT INTO accounts_tradingaccount (id, code, name, client_id, group_id, base_currency, state, short_allowed, account_class,
                                     opens_currencies, version)
SELECT l.account_id, l.code, l.name, c.id, l.group_id, l.base_currency, l.state, l.short_allowed, l.account_class, false, 1
  FROM accounts_loaded l JOIN accounts_client c ON c.code = l.client_code WHERE l.is_new
"""
_CASH = """
INSERT INTO accounts_cashbalance (account_id, currency, settled, pending, reserved)
SELECT account_id, base_currency, 0, 0, 0 FROM accounts_loaded WHERE is_new ORDER BY account_id
"""
_CHANGE = f"""
UPDATE accounts_tradingaccount a SET name = l.name, group_id = l.group_id, state = l.state, account_class = l.account_class,
       short_allowed = l.short_allowed, version = a.version + 1
  FROM accounts_loaded l WHERE l.account_id = a.id AND NOT l.is_new AND ({DIFFERS})
"""  # noqa: S608
_TIGHTEN = f"""
UPDATE accounts_tradingaccount a SET state = l.state, version = a.version + 1
  FROM accounts_loaded l WHERE l.account_id = a.id AND NOT l.is_new AND {STRICTER}
"""  # noqa: S608
_HISTORY = """
INSERT INTO accounts_historicaltradingaccount (id, code, name, base_currency, state, short_allowed, account_class,
       opens_currencies, version, client_id, group_id, history_date, history_change_reason, history_type)
SELECT a.id, a.code, a.name, a.base_currency, a.state, a.short_allowed, a.account_class, a.opens_currencies, a.version,
       a.client_id, a.group_id, %(at)s, left(%(reason)s, 100), CASE WHEN a.version = 1 THEN '+' ELSE '~' END
  FROM accounts_tradingaccount a WHERE a.id IN (SELECT account_id FROM accounts_change)
"""
_STATES = "SELECT account_id, before, after FROM accounts_change WHERE field = 'state' ORDER BY account_id"
_PARTS = """
SELECT part, '[' || coalesce(string_agg(format('["%%s","%%s"]', account_id, after), ',' ORDER BY account_id)
                             FILTER (WHERE field = 'opened'), '') || ']',
       coalesce(jsonb_agg(jsonb_build_array(account_id, field, before, after) ORDER BY account_id, field)
                FILTER (WHERE field <> 'opened'), '[]')::text,
       min(account_id::text)::uuid, max(account_id::text)::uuid
  FROM accounts_change WHERE part BETWEEN %s AND %s GROUP BY part ORDER BY part
"""


def open_loaded(cursor: Any) -> None:
    """An empty ``accounts_loaded`` until commit."""
    cursor.execute("DROP TABLE IF EXISTS accounts_loaded, accounts_change")
    cursor.execute(_TABLE)


def count_changes(cursor: Any) -> Loaded:
    """What the loaded rows would open and change, on the accounts of now."""
    cursor.execute("DROP TABLE IF EXISTS accounts_change")
    cursor.execute(_CHANGES)
    cursor.execute(
        "SELECT count(DISTINCT account_id) FILTER (WHERE field = 'opened'), count(DISTINCT account_id) FILTER (WHERE field <> 'opened') "
        "FROM accounts_change"
    )
    opened, changed = cursor.fetchall()[0]
    return Loaded(opened, changed)


def load_accounts(*, actor: Principal, at: datetime, file: AccountFile) -> Loaded:
    """Open and change them. For our own processes, on behalf of whoever accepted the file."""
    require_booking_process(actor)
    with raw_cursor(binary=True) as cursor:
        lock_loaded()
        loaded = count_changes(cursor)
        cursor.execute(_CLIENTS)
        cursor.execute(_OPEN)
        cursor.execute(_CASH)
        cursor.execute(_CHANGE)
        _record(cursor, actor, at, file)
    return loaded


def tighten_states(*, actor: Principal, at: datetime, file: AccountFile) -> int:
    """Set at once the states that let accounts do less; how many. The rest of the file is left alone."""
    require_booking_process(actor)
    with raw_cursor(binary=True) as cursor:
        lock_loaded()
        cursor.execute("DROP TABLE IF EXISTS accounts_change")
        cursor.execute(
            "CREATE TEMP TABLE accounts_change ON COMMIT DROP AS SELECT l.account_id, 'state' AS field, a.state::text AS before, "  # noqa: S608
            f"l.state::text AS after, (row_number() OVER (ORDER BY l.account_id) - 1)::int / {ROWS_A_PART} AS part "
            f"FROM accounts_loaded l JOIN accounts_tradingaccount a ON a.id = l.account_id WHERE NOT l.is_new AND {STRICTER}"
        )
        tightened = int(cursor.rowcount)
        cursor.execute(_TIGHTEN)
        if tightened:
            _record(cursor, actor, at, file)
    return tightened


def _record(cursor: Any, actor: Principal, at: datetime, file: AccountFile) -> None:
    """History rows and events of ``accounts_change``."""
    cursor.execute(_HISTORY, {"at": at, "reason": file.reason})
    cursor.execute("SELECT max(part) FROM accounts_change")
    last = cursor.fetchall()[0][0]
    if last is None:
        return
    for start in range(0, last + 1, PARTS_A_WRITE):
        cursor.execute(_PARTS, [start, start + PARTS_A_WRITE - 1])
        drafts, parts = [], []
        for part, opened, changed, first, final in cursor.fetchall():
            told = {"part": part, "opened": Canonical(opened), "changed": orjson.loads(changed)}
            draft = _draft(f"feed:{file.file_id}", LOADED, actor, at, file, told)
            drafts.append(draft)
            parts.append(
                (draft.id, file.load_id, file.file_id, file.source, "accounts", file.cut_at, first, final, at)
            )  # fmt: skip
        append_to_stream(drafts=drafts, at=at, wake=False)
        insert_rows(StatementPart, parts)
    cursor.execute(_STATES)
    for drafts in _in_slices(
        [
            _draft(
                f"account:{account_id}", STATE_SET, actor, at, file,
                {"account_id": str(account_id), "before": before, "state": after, "reason": file.reason},
            )
            for account_id, before, after in cursor.fetchall()
        ]
    ):  # fmt: skip
        append_to_stream(drafts=drafts, at=at, wake=False)
    notify()


def _in_slices(drafts: list[EventDraft]) -> Iterator[list[EventDraft]]:
    for start in range(0, len(drafts), 1000):
        yield drafts[start : start + 1000]


def _draft(
    stream: str, kind: str, actor: Principal, at: datetime, file: AccountFile, told: dict[str, Any]
) -> EventDraft:
    return EventDraft(
        id=new_id(),
        stream=stream,
        kind=kind,
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=file.load_id,
        event_at=file.cut_at,
        received_at=at,
        business_date=file.day,
        payload={"file_id": str(file.file_id), "source": file.source, "cut_at": file.cut_at.isoformat(), **told},
    )
