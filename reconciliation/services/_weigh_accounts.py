"""A staged file of the client system weighed against our accounts: what is new, what changes, what a person must accept.

``accounts_loaded`` holds the accounts that would be opened or changed. Where a row breaks a rule ``intake_row`` holds all rows, each with
the rule it breaks; a file in which all is well is not stored a second time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from accounts.services.load_accounts import ID_OF_NEW, LOOSER, AccountFile, count_changes, open_loaded
from reconciliation.domain.intake_rules import LINES_KEPT, Issue, issue
from reconciliation.models import Intake
from reconciliation.services._intake_rows import broken_rules
from reconciliation.services._last_file import LastFile
from reconciliation.services._since_last import GONE, compare_with_last, only_before
from reconciliation.staging import Staged

_HAS_SOMETHING = """
(EXISTS (SELECT FROM accounts_cashbalance c WHERE c.account_id = {0} AND (c.settled <> 0 OR c.pending <> 0 OR c.reserved <> 0))
 OR EXISTS (SELECT FROM accounts_holding h WHERE h.account_id = {0} AND (h.settled <> 0 OR h.pending <> 0 OR h.short <> 0))
 OR EXISTS (SELECT FROM orders_order o WHERE o.account_id = {0} AND o.is_open))
"""
_FOUND = f"""
WITH account_names AS (
     SELECT DISTINCT ON (theirs) theirs, ours FROM reconciliation_outsidename
      WHERE source = %(source)s AND what = 'account' ORDER BY theirs, version DESC
), without_money AS (
     SELECT account_id FROM accounts_suspenseaccount UNION SELECT account_id FROM accounts_canaryaccount
), classes AS (
     SELECT 'standard' AS account_class UNION SELECT account_class FROM accounts_feeschedule UNION
     SELECT DISTINCT account_class FROM accounts_tradingaccount
), found AS (
     SELECT s.*, coalesce(n.ours, s.account) AS code, a.id AS account_id, g.id AS group_id, a.name AS name_before,
            a.state AS state_before, a.group_id AS group_before, a.account_class AS class_before, a.short_allowed AS short_before,
            a.base_currency AS currency_before, c.code AS client_before, {{again}} AS again
       FROM {{staged}} s
       LEFT JOIN account_names n ON n.theirs = s.account AND n.ours <> ''
       LEFT JOIN accounts_tradingaccount a ON a.code = coalesce(n.ours, s.account)
       LEFT JOIN accounts_client c ON c.id = a.client_id
       LEFT JOIN accounts_accountgroup g ON g.code = s.account_group
), loaded AS (
SELECT line, account_id, account AS named, code, name, client, client_name, lei, group_id, base_currency, state,
       coalesce(account_class, class_before, 'standard') AS account_class, short_allowed = 'yes' AS short_allowed,
       CASE WHEN again THEN 'ROW_TWICE'
            WHEN (state, group_id) IS DISTINCT FROM (state_before, group_before)
                 AND account_id IN (SELECT account_id FROM without_money) THEN 'ACCOUNT_HAS_NO_MONEY'
            WHEN length(code) > 24 THEN 'ACCOUNT_UNKNOWN'
            WHEN state NOT IN ('active', 'reduce_only', 'frozen', 'closed') THEN 'STATE_UNKNOWN'
            WHEN group_id IS NULL THEN 'GROUP_UNKNOWN'
            WHEN account_class IS NOT NULL AND account_class NOT IN (SELECT account_class FROM classes) THEN 'CLASS_UNKNOWN'
            WHEN currency_before <> base_currency THEN 'CURRENCY_CHANGED'
            WHEN client_before <> client THEN 'CLIENT_CHANGED'
            WHEN state_before = 'closed' AND state <> 'closed' THEN 'ACCOUNT_REOPENED'
            WHEN state = 'closed' AND state_before <> 'closed' AND {_HAS_SOMETHING.format("account_id")} THEN 'CLOSED_WITH_MONEY'
            END AS rule,
       name_before, state_before, group_before, class_before, short_before
  FROM found
)
"""  # noqa: S608
_ROWS = f"CREATE TEMP TABLE {{into}} ON COMMIT DROP AS {_FOUND} SELECT * FROM loaded"  # noqa: S608
_WANT = f"""
INSERT INTO accounts_loaded
SELECT coalesce(account_id, {ID_OF_NEW}), account_id IS NULL, code, name, client, coalesce(client_name, ''),
       coalesce(lei, ''), group_id, base_currency, state, account_class, short_allowed, line
  FROM {{rows}}
 WHERE rule IS NULL AND (account_id IS NULL OR (name, state, group_id, account_class, short_allowed)
                         IS DISTINCT FROM (name_before, state_before, group_before, class_before, short_before))
"""  # noqa: S608
_COUNTED = """
SELECT count(*) FILTER (WHERE rule IS NULL), count(*) FILTER (WHERE rule IS NOT NULL),
       count(*) - count(DISTINCT account_id) - count(DISTINCT code) FILTER (WHERE account_id IS NULL)
  FROM {rows}
"""
# Nothing of it is stored but what would be opened or changed.
_ONE_PASS = f"""
{_FOUND}, rows AS MATERIALIZED (SELECT * FROM loaded), kept AS ({_WANT.format(rows="rows")}) {_COUNTED.format(rows="rows")}
"""  # noqa: S608
_MORE = {
    "STATE_LOOSENED": (LOOSER, "a.state || ' → ' || l.state"),
    "SHORT_ALLOWED": ("l.short_allowed AND NOT a.short_allowed", "'short'"),
    "GROUP_CHANGED": ("l.group_id <> a.group_id", "'group'"),
}
_GONE = f"""
SELECT {_HAS_SOMETHING.format("a.id")} AS has, count(*), (array_agg(a.code ORDER BY a.code))[1:{LINES_KEPT}]
  FROM accounts_tradingaccount a
 WHERE a.id IN (SELECT account_id FROM intake_before EXCEPT SELECT account_id FROM intake_row) GROUP BY 1
"""  # noqa: S608


def read_account_rows(cursor: Any, staged: str, intake: Intake, *, into: str = "intake_row") -> None:
    """Make ``intake_row`` (or another table) of the staged file."""
    cursor.execute(f"DROP TABLE IF EXISTS {into}")
    again = "count(*) OVER (PARTITION BY coalesce(n.ours, s.account)) > 1"
    cursor.execute(_ROWS.format(staged=staged, into=into, again=again), {"source": intake.source})
    cursor.execute(f"ANALYZE {into}")


def _load_sound(cursor: Any, intake: Intake, staged: Staged) -> int | None:
    """Fill ``accounts_loaded`` in one pass; how many rows can be used. None where one breaks a rule or an account is said twice."""
    if staged.counted.refused:
        return None
    open_loaded(cursor)
    values = {"source": intake.source, "load": intake.id}
    cursor.execute(_ONE_PASS.format(staged=staged.table, again="false"), values)
    usable, broken, twice = cursor.fetchall()[0]
    return None if broken or twice else usable


def _load_what_is_sound(cursor: Any, intake: Intake, staged: Staged) -> tuple[int, list[Issue]]:
    """The same by way of ``intake_row``, and what is wrong with the other rows."""
    read_account_rows(cursor, staged.table, intake)
    open_loaded(cursor)
    cursor.execute(_WANT.format(rows="intake_row"), {"load": intake.id})
    cursor.execute(_COUNTED.format(rows="intake_row"))
    return cursor.fetchall()[0][0], broken_rules(cursor, "intake_row")


def weigh_account_rows(
    cursor: Any, intake: Intake, staged: Staged, before: LastFile | None
) -> tuple[list[Issue], int, int, dict[str, Any]]:
    """Issues, accounts that would be opened or changed, those in the file that stay as they are, and the difference to the file
    before."""
    issues: list[Issue] = []
    usable = _load_sound(cursor, intake, staged)
    clean = usable is not None
    if usable is None:
        usable, issues = _load_what_is_sound(cursor, intake, staged)
    cursor.execute("ANALYZE accounts_loaded")
    since, last = (
        compare_with_last(cursor, intake, staged, before, clean=clean) if before is not None else ({}, None)
    )  # fmt: skip
    loaded = count_changes(cursor)
    if loaded.changed:
        issues += _to_accept(cursor)
    if last is not None and since[GONE]:
        if clean:
            read_account_rows(cursor, staged.table, intake)
        read_account_rows(cursor, only_before(cursor, last), intake, into="intake_before")
        issues += _gone(cursor)
    changed = loaded.opened + loaded.changed
    return issues, changed, usable - changed, since


def _to_accept(cursor: Any) -> Iterable[Issue]:
    """What of the changes a person must say yes to."""
    for code, (condition, shown) in _MORE.items():
        cursor.execute(
            f"SELECT count(*), (array_agg(l.line ORDER BY l.line))[1:{LINES_KEPT}], "  # noqa: S608
            f"(array_agg(l.code || ' ' || {shown} ORDER BY l.line))[1:{LINES_KEPT}] FROM accounts_loaded l "
            f"JOIN accounts_tradingaccount a ON a.id = l.account_id WHERE {condition}"
        )
        count, lines, values = cursor.fetchall()[0]
        if count:
            yield issue(code, count, zip(lines, values, strict=True))


def _gone(cursor: Any) -> Iterable[Issue]:
    cursor.execute(_GONE)
    for has_something, count, codes in cursor.fetchall():
        yield issue("ACCOUNT_GONE" if has_something else "ACCOUNT_MISSING", count, [(0, code) for code in codes])


def account_file_of(intake: Intake) -> AccountFile:
    """The intake as accounts takes it."""
    reason = f"{intake.file.name} of {intake.source or 'the client system'}, {intake.day}"
    return AccountFile(intake.id, intake.file_id, intake.source, intake.cut_at, intake.day, reason)
