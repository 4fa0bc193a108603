"""A staged file of the client system weighed against our accounts: what is new, what changes, what a person must accept.

``intake_row`` holds its rows with the rule each one breaks, ``accounts_loaded`` those that can be used.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from accounts.services.load_accounts import LOOSER, AccountFile, count_changes, open_loaded
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
_ROWS = f"""
CREATE TEMP TABLE {{into}} ON COMMIT DROP AS
WITH account_names AS (
     SELECT DISTINCT ON (theirs) theirs, ours FROM reconciliation_outsidename
      WHERE source = %(source)s AND what = 'account' ORDER BY theirs, version DESC
), without_money AS (
     SELECT account_id FROM accounts_suspenseaccount UNION SELECT account_id FROM accounts_canaryaccount
), classes AS (
     SELECT 'standard' AS account_class UNION SELECT account_class FROM accounts_feeschedule UNION
     SELECT account_class FROM accounts_tradingaccount
), found AS (
     SELECT s.*, a.id AS account_id, g.id AS group_id, w.account_id IS NOT NULL AS moneyless, a.state AS state_before,
            a.group_id AS group_before,
            a.base_currency AS currency_before, c.code AS client_before, k.account_class IS NULL AS class_unknown,
            coalesce(n.ours, s.account) AS code, count(*) OVER (PARTITION BY coalesce(n.ours, s.account)) AS times
       FROM {{staged}} s
       LEFT JOIN account_names n ON n.theirs = s.account AND n.ours <> ''
       LEFT JOIN accounts_tradingaccount a ON a.code = coalesce(n.ours, s.account)
       LEFT JOIN accounts_client c ON c.id = a.client_id
       LEFT JOIN accounts_accountgroup g ON g.code = s.account_group
       LEFT JOIN without_money w ON w.account_id = a.id
       LEFT JOIN classes k ON k.account_class = coalesce(s.account_class, 'standard')
)
SELECT line, account_id, account AS named, code, name, client, client_name, lei, group_id, base_currency, state, account_class,
       short_allowed = 'yes' AS short_allowed,
       CASE WHEN times > 1 THEN 'ROW_TWICE'
            WHEN moneyless AND (state, group_id) IS DISTINCT FROM (state_before, group_before) THEN 'ACCOUNT_HAS_NO_MONEY'
            WHEN length(code) > 24 THEN 'ACCOUNT_UNKNOWN'
            WHEN state NOT IN ('active', 'reduce_only', 'frozen', 'closed') THEN 'STATE_UNKNOWN'
            WHEN group_id IS NULL THEN 'GROUP_UNKNOWN' WHEN class_unknown THEN 'CLASS_UNKNOWN'
            WHEN currency_before <> base_currency THEN 'CURRENCY_CHANGED'
            WHEN client_before <> client THEN 'CLIENT_CHANGED'
            WHEN state_before = 'closed' AND state <> 'closed' THEN 'ACCOUNT_REOPENED'
            WHEN state = 'closed' AND state_before <> 'closed' AND {_HAS_SOMETHING.format("account_id")} THEN 'CLOSED_WITH_MONEY'
            END AS rule
  FROM found
"""  # noqa: S608
_WANT = """
INSERT INTO accounts_loaded
SELECT coalesce(r.account_id, gen_random_uuid()), r.account_id IS NULL, r.code, r.name, r.client, coalesce(r.client_name, ''),
       coalesce(r.lei, ''), r.group_id, r.base_currency, r.state, coalesce(r.account_class, a.account_class, 'standard'),
       r.short_allowed
  FROM intake_row r LEFT JOIN accounts_tradingaccount a ON a.id = r.account_id WHERE r.rule IS NULL
"""
_MORE = (
    ("STATE_LOOSENED", LOOSER, "a.state || ' → ' || l.state"),
    ("SHORT_ALLOWED", "l.short_allowed AND NOT a.short_allowed", "'short'"),
    ("GROUP_CHANGED", "l.group_id <> a.group_id", "'group'"),
)
_GONE = f"""
SELECT {_HAS_SOMETHING.format("a.id")} AS has, count(*), (array_agg(a.code ORDER BY a.code))[1:{LINES_KEPT}]
  FROM accounts_tradingaccount a
 WHERE a.id IN (SELECT account_id FROM intake_before EXCEPT SELECT account_id FROM intake_row) GROUP BY 1
"""  # noqa: S608


def read_account_rows(cursor: Any, staged: str, intake: Intake, *, into: str = "intake_row") -> None:
    """Make ``intake_row`` (or another table) of the staged file."""
    cursor.execute(f"DROP TABLE IF EXISTS {into}")
    cursor.execute(_ROWS.format(staged=staged, into=into), {"source": intake.source})
    cursor.execute(f"ANALYZE {into}")


def weigh_account_rows(
    cursor: Any, intake: Intake, staged: Staged, before: LastFile | None
) -> tuple[list[Issue], int, int, dict[str, Any]]:
    """Issues, accounts that would be opened or changed, those in the file that stay as they are, and the difference to the file
    before."""
    read_account_rows(cursor, staged.table, intake)
    issues = broken_rules(cursor, "intake_row")
    clean = not issues and not staged.counted.refused
    since, last = (
        compare_with_last(cursor, intake, staged, before, clean=clean) if before is not None else ({}, None)
    )  # fmt: skip
    open_loaded(cursor)
    cursor.execute(_WANT)
    usable = int(cursor.rowcount)
    cursor.execute("ANALYZE accounts_loaded")
    loaded = count_changes(cursor)
    for code, condition, shown in _MORE:
        cursor.execute(
            f"SELECT count(*), (array_agg(r.line ORDER BY r.line))[1:{LINES_KEPT}], "  # noqa: S608
            f"(array_agg(l.code || ' ' || {shown} ORDER BY r.line))[1:{LINES_KEPT}] FROM accounts_loaded l "
            f"JOIN accounts_tradingaccount a ON a.id = l.account_id JOIN intake_row r ON r.account_id = a.id WHERE {condition}"
        )
        count, lines, values = cursor.fetchall()[0]
        if count:
            issues.append(issue(code, count, zip(lines, values, strict=True)))
    if last is not None and since[GONE]:
        left = only_before(cursor, last)
        read_account_rows(cursor, left, intake, into="intake_before")
        issues += _gone(cursor)
    changed = loaded.opened + loaded.changed
    return issues, changed, usable - changed, since


def _gone(cursor: Any) -> Iterable[Issue]:
    cursor.execute(_GONE)
    for has_something, count, codes in cursor.fetchall():
        yield issue("ACCOUNT_GONE" if has_something else "ACCOUNT_MISSING", count, [(0, code) for code in codes])


def account_file_of(intake: Intake) -> AccountFile:
    """The intake as accounts takes it."""
    reason = f"{intake.file.name} of {intake.source or 'the client system'}, {intake.day}"
    return AccountFile(intake.id, intake.file_id, intake.source, intake.cut_at, intake.day, reason)
