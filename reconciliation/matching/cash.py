"""Cash of a bank against ours: what each matter moved on the day, and balances as of it.

A bank books a trade on the day it settles, and everything else on the day we did (``trade_cash``). Matters of the days beside it are
loaded too: an entry valued on another day is the same entry.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from kernel.numbers import ZERO
from reconciliation.domain.cash_days import of_the_day, tell_other_days
from reconciliation.domain.cash_matching import OurBalance, OurCash, TheirBalance, TheirEntry, judge_cash
from reconciliation.matching.comparing import MOST_JUDGED, Compared, Rows, Task
from reconciliation.matching.names import find_accounts, load_alternates
from reconciliation.matching.trade_cash import TRADE_CASH

BESIDE = timedelta(days=7)
MOST_READ = 4 * MOST_JUDGED
"""Entries are read one by one: a statement of a day has fewer than these, or it is no statement of a day."""
_TAKEN_OVER = frozenset({"opening", "statement"})
"""What a balance of theirs set and no entry of theirs names: the bank does not list it, and is not asked to."""
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{2,}")
_NAME = re.compile(r"(?=.*\d)(?=.*[A-Za-z]).{6,}")
"""A word of a narrative that can be a reference: some length, letters and digits. An amount or a word is none."""

_MATTERS = f"""
WITH {TRADE_CASH}
SELECT b.account_id, a.code AS account, b.currency, b.dated, b.matter::text AS matter, b.amount, b.cost,
       coalesce(x.exec_id, u.name, 'A-' || l.number, k.name, b.event::text) AS ref, x.id AS execution_id, o.id AS order_id,
       coalesce(o.ref, k.name) AS order_ref, x.exec_ref_id, x.event_at, b.recorded_at, b.kind, b.events,
       j.payload ->> 'withdrawal_id' AS withdrawal_id,
       EXISTS (SELECT FROM accounts_suspenseaccount s WHERE s.account_id = b.account_id) AS suspense,
       ARRAY(SELECT r.cl_ord_id FROM orders_orderrequest r WHERE r.order_id = o.id AND r.cl_ord_id IS NOT NULL) AS cl_ord_ids,
       ARRAY(SELECT name FROM allocations_allocation t
               LEFT JOIN allocations_settlementinstruction i ON i.allocation_id = t.id
              CROSS JOIN LATERAL (VALUES ('A-' || t.number), (i.ref)) AS named(name)
              WHERE name IS NOT NULL AND (t.id = b.by_allocation OR t.block_id = b.by_block AND t.account_id = b.account_id)) AS names
  FROM by_trade b
  JOIN accounts_tradingaccount a ON a.id = b.account_id
  LEFT JOIN orders_execution x ON x.id = b.execution_id
  LEFT JOIN orders_unknownorder u ON u.id = b.order_id
  LEFT JOIN allocations_allocation l ON l.id = b.by_allocation
  LEFT JOIN LATERAL (SELECT 'B-' || number AS name FROM allocations_block WHERE id = coalesce(b.by_block, l.block_id)) k ON true
  LEFT JOIN LATERAL (SELECT f.order_id FROM allocations_blockfill f JOIN allocations_block d ON d.id = f.block_id AND d.kind = 'direct'
                      WHERE f.block_id = b.by_block LIMIT 1) f ON true
  LEFT JOIN orders_order o ON o.id = coalesce(x.order_id, b.order_id, f.order_id)
  LEFT JOIN journal_event j ON j.id = b.event AND j.kind = 'WithdrawalBooked'
 WHERE NOT EXISTS (SELECT FROM accounts_canaryaccount c WHERE c.account_id = b.account_id)
 ORDER BY a.code, b.currency, b.dated, 8, b.matter
"""  # noqa: S608
_BALANCES = """
SELECT b.account_id, a.code, b.currency,
       coalesce(sum(b.amount) FILTER (WHERE b.layer = 'settled' AND b.trade_date <= %(as_of)s), 0),
       coalesce(sum(b.amount) FILTER (WHERE b.layer <> 'settled' AND b.settlement_date <= %(as_of)s), 0),
       coalesce(sum(b.amount) FILTER (WHERE b.layer = 'settled' AND b.trade_date <= %(as_of)s AND b.recorded_at > %(cut)s), 0),
       coalesce(sum(b.amount) FILTER (WHERE b.layer <> 'settled' AND b.settlement_date <= %(as_of)s AND b.recorded_at > %(cut)s), 0)
  FROM accounts_booking b JOIN accounts_tradingaccount a ON a.id = b.account_id
 WHERE b.currency <> '' AND NOT EXISTS (SELECT FROM accounts_canaryaccount c WHERE c.account_id = b.account_id)
 GROUP BY b.account_id, a.code, b.currency
HAVING coalesce(sum(b.amount) FILTER (WHERE b.layer = 'settled' AND b.trade_date <= %(as_of)s), 0) <> 0
    OR coalesce(sum(b.amount) FILTER (WHERE b.layer <> 'settled' AND b.settlement_date <= %(as_of)s), 0) <> 0
"""


def compare(cursor: Any, task: Task) -> Compared:
    """All a statement says against all that moved, and every balance."""
    cursor.execute(f"SELECT count(*) FROM {task.table}")  # noqa: S608
    (external,) = cursor.fetchone()
    if external > MOST_READ:
        return Compared(0, external, 0, unjudged=external)
    cursor.execute(f"SELECT * FROM {task.table} ORDER BY line")  # noqa: S608
    rows = of_the_day(Rows(cursor).dicts(), task.as_of)
    alternates = load_alternates(cursor, task.source)
    accounts = find_accounts(cursor, {row["account"] for row in rows}, alternates)
    entries = [_entry(row, accounts, alternates.executions) for row in rows if row["record"] == "entry"]
    dated = [(_balance(row, accounts), row["as_of"]) for row in rows if row["record"] != "entry"]
    balances = [row for row, _as_of in dated]
    parameters = {"as_of": task.as_of, "first": task.as_of - BESIDE, "last": task.as_of + BESIDE, "cut": _until(task)}
    cursor.execute(_MATTERS, parameters)
    matters = [_matter(row, task) for row in Rows(cursor).dicts()]
    cursor.execute(_BALANCES, parameters)
    books = [OurBalance(*row) for row in cursor.fetchall()]
    only = {"what": frozenset([*([""] if entries else []), *(["balance"] if balances else [])])}
    if task.partial:
        spoken_of = set(accounts.values())
        matters = [one for one in matters if one.account_id in spoken_of]
        books = [one for one in books if one.account_id in spoken_of]
        only["account"] = frozenset([*accounts, *(one.account for one in books)])
    with_entries = bool(entries)
    judged = judge_cash(matters, entries, balances, books, rules=task.rules, with_entries=with_entries)
    tell_other_days(dated, books, task.as_of, judged)
    expected = sum(one.expected for one in matters) if with_entries else 0
    told = {(row.account_id, row.currency) for row in balances}
    internal = (
        expected + judged.beyond + sum((book.account_id, book.currency) in told or not with_entries for book in books)
    )
    sums = _sums(matters if with_entries else [], entries, books, balances)
    return Compared(internal, external, judged.matched, judged.findings, only=only, sums=sums)


def _sums(
    matters: list[OurCash], entries: list[TheirEntry], books: list[OurBalance], balances: list[TheirBalance]
) -> dict[str, tuple[Decimal, Decimal]]:
    """By currency what the entries of the day and the balances at its end come to; of ours what had to settle is in it."""
    mine = [(f"entries {one.currency}", one.amount) for one in matters if one.expected]
    mine += [(f"balances {one.currency}", one.settled + one.due) for one in books if balances]
    said = [(f"entries {one.currency}", one.amount) for one in entries]
    said += [(f"balances {one.currency}", one.amount) for one in balances]
    found = {name: [ZERO, ZERO] for name, _ in (*mine, *said)}
    for side, amounts in enumerate((mine, said)):
        for name, amount in amounts:
            found[name][side] += amount
    return {name: (ours, theirs) for name, (ours, theirs) in sorted(found.items())}


def _until(task: Task) -> datetime | None:
    """The moment up to which a file of a day that goes on can know of it; None of a day that was over when the file was made."""
    until = task.cut_at or task.came_at
    return until if until is not None and until.date() == task.as_of else None


def _matter(row: dict[str, Any], task: Task) -> OurCash:
    names = {
        row["ref"],
        row["exec_ref_id"],
        str(row["execution_id"] or ""),
        row["withdrawal_id"],
        *row["events"],
        *row["names"],
    }
    names -= {"", None}
    happened = row["event_at"] or row["recorded_at"]
    until = _until(task)
    after_cut = until is not None and happened > until
    return OurCash(
        key=f"{row['account_id']}:{row['currency']}:{row['matter']}:{row['dated']}:{row['ref']}",
        account_id=row["account_id"],
        account=row["account"],
        currency=row["currency"],
        amount=row["amount"],
        value_date=row["dated"],
        ref=row["ref"],
        refs=frozenset(names),
        group=row["order_ref"] or "",
        groups=frozenset([row["order_ref"], *row["cl_ord_ids"]]) - {None},
        kind=row["kind"],
        cost=row["cost"],
        expected=row["dated"] == task.as_of and not after_cut and row["kind"] not in _TAKEN_OVER,
        order_id=row["order_id"],
        execution_id=row["execution_id"],
        at=happened,
        note="It lies in suspense: nobody has accepted it yet." if row["suspense"] else "",
    )


def _entry(row: dict[str, Any], accounts: dict[str, Any], executions: dict[str, str]) -> TheirEntry:
    ref = row["our_ref"] or ""
    told = [word for word in _WORD.findall(row["narrative"] or "") if _NAME.search(word)]
    words = dict.fromkeys([ref, *_WORD.findall(ref), *told])
    words |= dict.fromkeys(executions[word] for word in list(words) if word in executions)
    return TheirEntry(
        line=row["line"],
        account=row["account"],
        currency=row["currency"],
        amount=row["amount"],
        entry_ref=row["entry_ref"] or "",
        our_ref=ref,
        words=tuple(word for word in words if word),
        value_date=row["value_date"],
        account_id=accounts.get(row["account"]),
        narrative=row["narrative"] or "",
    )


def _balance(row: dict[str, Any], accounts: dict[str, Any]) -> TheirBalance:
    return TheirBalance(
        row["line"], row["account"], row["currency"], row["amount"], accounts.get(row["account"]), row["opening"]
    )
