"""The rows of a staged file with what they are about in our books, and the rule each one breaks: one statement a kind.

A file in which all is well is compared with the books as the query goes over it; else its rows go into ``accounts_wanted``
(account_id, what, amount, line, named, rule), which lives until commit. A row with a rule is left out; what a row says is never
changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any, LiteralString

from accounts.services.book_statement import StatementQuery
from kernel.numbers import MINOR_PLACES
from reconciliation.domain.intake_rules import LINES_KEPT, Issue, issue

_NAMES = """
WITH account_names AS (
     SELECT DISTINCT ON (theirs) theirs, ours FROM reconciliation_outsidename
      WHERE source = %(source)s AND what = 'account' ORDER BY theirs, version DESC
), instrument_names AS (
     SELECT DISTINCT ON (theirs) theirs, ours FROM reconciliation_outsidename
      WHERE source = %(source)s AND what = 'instrument' ORDER BY theirs, version DESC
), without_money AS (
     SELECT account_id FROM accounts_suspenseaccount UNION SELECT account_id FROM accounts_canaryaccount
)
"""
ACCOUNTS = "accounts_tradingaccount"
_ACCOUNT_NAMED = "LEFT JOIN account_names n ON n.theirs = s.account AND n.ours <> ''"
_ISIN_NAMED = "LEFT JOIN instrument_names m ON m.theirs = s.isin AND m.ours <> ''"
_SYMBOL_NAMED = """
       LEFT JOIN instrument_names y ON y.theirs = s.symbol AND y.ours <> ''
       LEFT JOIN refdata_instrument d ON d.isin = y.ours
"""
_LISTED = """
       LEFT JOIN refdata_listing v ON s.mic IS NOT NULL AND v.market_id = s.mic AND v.venue_symbol = s.symbol
       LEFT JOIN refdata_listing t ON t.symbol = s.symbol
"""
_ACCOUNT = """
       LEFT JOIN {accounts} a ON a.code = {account}
"""
_MONEYLESS = "amount <> 0 AND account_id IN (SELECT account_id FROM without_money)"
_FINE = " ".join(f"WHEN '{currency}' THEN {places}" for currency, places in sorted(MINOR_PLACES.items()))
# Nearly all records are balances: said so that the planner sees it, who would look a few up one by one.
_CASH = f"""
{_NAMES}, found AS (
     SELECT s.line, a.id AS account_id, s.account, s.currency AS what, s.amount, s.as_of, a.state
       FROM {{staged}} s {{account_named}} {_ACCOUNT}
      WHERE s.record IS NULL OR s.record = 'balance'
)
SELECT account_id, what::varchar(3) AS what, amount, line, account AS named,
       CASE WHEN account_id IS NULL THEN 'ACCOUNT_UNKNOWN' WHEN {_MONEYLESS} THEN 'ACCOUNT_HAS_NO_MONEY'
            WHEN as_of IS NOT NULL AND as_of <> %(day)s THEN 'DAY_DIFFERS'
            WHEN state = 'closed' AND amount <> 0 THEN 'ACCOUNT_CLOSED'
            WHEN amount %% CASE what {_FINE} ELSE 0.01 END <> 0 THEN 'AMOUNT_TOO_FINE' END AS rule
  FROM found
"""  # noqa: S608
_HOLDINGS = f"""
{_NAMES}, found AS (
     SELECT s.line, a.id AS account_id, s.account, s.qty AS amount, s.as_of, a.state,
            s.isin IS NOT NULL AND i.id IS NULL AS isin_unknown, i.id AS by_isin, {{by_symbol}} AS by_symbol
       FROM {{staged}} s {{account_named}} {_ACCOUNT} {{isin_named}}
       LEFT JOIN refdata_instrument i ON i.isin = {{isin}} {{symbol_named}} {{listed}}
), whatever AS (
     SELECT *, coalesce(by_isin, by_symbol) AS what FROM found
)
SELECT account_id, what, amount, line, account AS named,
       CASE WHEN account_id IS NULL THEN 'ACCOUNT_UNKNOWN' WHEN {_MONEYLESS} THEN 'ACCOUNT_HAS_NO_MONEY'
            WHEN isin_unknown OR what IS NULL THEN 'INSTRUMENT_UNKNOWN'
            WHEN by_isin <> by_symbol THEN 'INSTRUMENT_CONTRADICTS'
            WHEN as_of IS NOT NULL AND as_of <> %(day)s THEN 'DAY_DIFFERS'
            WHEN amount < 0 THEN 'HOLDING_NEGATIVE'
            WHEN state = 'closed' AND amount <> 0 THEN 'ACCOUNT_CLOSED' END AS rule
  FROM whatever
"""  # noqa: S608
_SQL = {"cash": _CASH, "holdings": _HOLDINGS}
_BROKEN = f"""
SELECT rule, count(*), (array_agg(line ORDER BY line))[1:{LINES_KEPT}], (array_agg(named ORDER BY line))[1:{LINES_KEPT}]
  FROM {{rows}} WHERE rule IS NOT NULL GROUP BY rule ORDER BY rule
"""  # noqa: S608


_TWICE = """
UPDATE {into} r SET rule = 'ROW_TWICE'
  FROM (SELECT account_id, what FROM {into} WHERE account_id IS NOT NULL AND what IS NOT NULL
         GROUP BY account_id, what HAVING count(*) > 1) t
 WHERE t.account_id = r.account_id AND t.what = r.what AND (r.rule IS NULL OR r.rule NOT IN ('ACCOUNT_HAS_NO_MONEY', 'DAY_DIFFERS'))
"""
WORK_MEMORY = "128MB"


def rows_of(
    cursor: Any, staged: str, kind: str, *, columns: frozenset[str], source: str, day: date, accounts: str = ACCOUNTS
) -> StatementQuery:
    """What the rows of a table like that of a file are about. ``accounts``: a table of id, code and state.

    Only what the file makes necessary is looked up: names that were declared for its source, symbols where it has them.
    """
    cursor.execute("SELECT DISTINCT what FROM reconciliation_outsidename WHERE source = %s", [source])
    named = {what for (what,) in cursor.fetchall()}
    symbols, instruments = "symbol" in columns, "instrument" in named
    by_symbol = [
        *(["v.instrument_id", "t.instrument_id"] if symbols else []),
        *(["d.id"] if symbols and instruments else []),
    ]
    query = _SQL[kind].format(
        staged=staged,
        account_named=_ACCOUNT_NAMED if "account" in named else "",
        accounts=accounts,
        account="coalesce(n.ours, s.account)" if "account" in named else "s.account",
        isin_named=_ISIN_NAMED if instruments else "",
        isin="coalesce(m.ours, s.isin)" if instruments else "s.isin",
        symbol_named=_SYMBOL_NAMED if symbols and instruments else "",
        listed=_LISTED if symbols else "",
        by_symbol=f"coalesce({', '.join(by_symbol)})" if by_symbol else "NULL::uuid",
    )
    return StatementQuery(query, {"source": source, "day": day})


def read_rows(cursor: Any, rows: StatementQuery) -> None:
    """Fill ``accounts_wanted``, which is empty."""
    cursor.execute(
        f"INSERT INTO accounts_wanted (account_id, what, amount, line, named, rule) {rows.text}",
        rows.values,
    )
    cursor.execute("ANALYZE accounts_wanted (account_id, what, rule)")
    cursor.execute(_TWICE.format(into="accounts_wanted"))


def read_rows_before(cursor: Any, rows: StatementQuery) -> None:
    """Make ``intake_before`` of rows that another file had."""
    cursor.execute("DROP TABLE IF EXISTS intake_before")
    cursor.execute(f"CREATE TEMP TABLE intake_before ON COMMIT DROP AS {rows.text}", rows.values)
    cursor.execute(_TWICE.format(into="intake_before"))


def give_memory(cursor: Any) -> None:
    """Whole files are joined and counted: until commit this session may use more for it, and looks less long at what it has."""
    cursor.execute(f"SET LOCAL work_mem = '{WORK_MEMORY}'")
    cursor.execute("SET LOCAL default_statistics_target = 10")  # three thousand rows tell the planner enough


def broken_rules(cursor: Any, rows: str) -> list[Issue]:
    """What is wrong with rows, rule by rule."""
    cursor.execute(_BROKEN.format(rows=rows))
    return [issue(code, count, zip(lines, values, strict=True)) for code, count, lines, values in cursor.fetchall()]


def lines_where(
    cursor: Any, code: str, condition: LiteralString, values: dict[str, Any] | None = None, *, names: LiteralString
) -> Iterable[Issue]:
    """The issue of a rule over ``accounts_move m``, or nothing. ``names``: a query of lines and how the file names them."""
    cursor.execute(f"SELECT count(*) FROM accounts_move m WHERE {condition}", values or {})  # noqa: S608
    count = cursor.fetchall()[0][0]
    if not count:
        return []
    cursor.execute(
        "SELECT coalesce(m.line, 0), coalesce(n.named, '') || ' ' || m.what || ' ' || trim_scale(m.difference - m.moved) "  # noqa: S608
        f"FROM (SELECT * FROM accounts_move m WHERE {condition} ORDER BY m.line LIMIT {LINES_KEPT}) m "
        f"LEFT JOIN ({names}) n ON n.line = m.line ORDER BY m.line",
        values or {},
    )
    return [issue(code, count, cursor.fetchall())]
