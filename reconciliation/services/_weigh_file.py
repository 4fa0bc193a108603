"""A staged file weighed against our books: what of it cannot be used, what it would change, what a person must accept.

Inside the caller's transaction. Afterwards ``accounts_move`` holds what would be booked; whoever does not want it rolls back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, LiteralString

import orjson

from accounts.services.book_statement import (
    Statement,
    Weighed,
    open_statement,
    weigh_in_one_pass,
    weigh_statement,
)
from kernel.numbers import plain
from reconciliation.domain.intake_rules import (
    JUMP,
    LINES_KEPT,
    TOTAL_JUMP,
    TOTAL_JUMP_SHARE,
    Issue,
    Severity,
    issue,
)
from reconciliation.formats.problems import Problems
from reconciliation.models import Intake, Tolerance
from reconciliation.services._intake_rows import (
    ACCOUNTS,
    broken_rules,
    give_memory,
    lines_where,
    read_rows,
    read_rows_before,
    rows_of,
)
from reconciliation.services._last_file import LastFile
from reconciliation.services._since_last import GONE, compare_with_last, only_before
from reconciliation.services._weigh_accounts import weigh_account_rows
from reconciliation.services._weigh_orders import weigh_order_rows
from reconciliation.staging import Staged

ROWS = {"cash": "accounts_wanted", "holdings": "accounts_wanted", "accounts": "intake_row", "open_orders": "intake_row"}
"""Where the rows of a kind stand afterwards, each with its line and the rule it breaks."""


@dataclass(frozen=True, slots=True)
class Found:
    """What came of weighing a file: records in it, balances that change and that do not, rows left out; ``since``: what it says
    otherwise than the file before."""

    rows: int
    changed: int
    unchanged: int
    refused: int
    issues: tuple[Issue, ...]
    totals: dict[str, dict[str, str]]
    since: dict[str, Any] = field(default_factory=dict)


def weigh_file(
    cursor: Any, intake: Intake, staged: Staged, before: LastFile | None, *, accounts: str = ACCOUNTS
) -> Found:
    """What the file would do to the books of now. ``before`` is the file that was applied last, where there is one; ``accounts``
    the table of those whose balances it may tell."""
    give_memory(cursor)
    if intake.kind == "accounts":
        issues, changed, unchanged, since = weigh_account_rows(cursor, intake, staged, before)
        issues = [*_of_reader(staged.problems), *issues]
        refused = sum(one.count for one in issues if one.severity is Severity.ERROR)
        return Found(staged.rows + staged.counted.refused, changed, unchanged, refused, tuple(issues), {}, since)
    if intake.kind == "open_orders":
        since = compare_with_last(cursor, intake, staged, before, clean=False)[0] if before is not None else {}
        issues, agreeing = weigh_order_rows(cursor, staged)
        issues = [*_of_reader(staged.problems), *issues]
        refused = staged.counted.refused
        return Found(staged.rows + refused, 0, agreeing, refused, tuple(issues), {}, since)
    return weigh_balances(cursor, intake, staged, before, accounts)


def statement_of(intake: Intake) -> Statement:
    """The intake as accounts takes it."""
    return Statement(intake.id, intake.file_id, intake.source, intake.kind, intake.cut_at, intake.day)


def weigh_balances(cursor: Any, intake: Intake, staged: Staged, before: LastFile | None, accounts: str) -> Found:
    """Cash or holdings."""
    statement = statement_of(intake)
    open_statement(statement)
    rows = rows_of(
        cursor, staged.table, intake.kind, columns=staged.columns, source=intake.source, day=intake.day, accounts=accounts
    )  # fmt: skip
    weighed = None if staged.counted.refused else weigh_in_one_pass(statement, rows)
    stored = weighed is None
    if stored:
        read_rows(cursor, rows)
    issues = [*_of_reader(staged.problems), *(broken_rules(cursor, "accounts_wanted") if stored else ())]
    refused = sum(one.count for one in issues)
    issues += _entries(cursor, staged, intake, stored=stored)
    since: dict[str, Any] = {}
    if before is not None:
        since, last = compare_with_last(cursor, intake, staged, before, clean=refused == 0)
        if since[GONE]:
            if not stored:
                read_rows(cursor, rows)
            weighed, stored = None, True
            left, day = only_before(cursor, last), before.intake.day
            read_rows_before(
                cursor,
                rows_of(cursor, left, intake.kind, columns=last.columns, source=intake.source, day=day),
            )
            issues += _gone(cursor, intake, whole=refused == 0)
    if weighed is None:
        weighed = weigh_statement(statement)

    if weighed.older:
        issues.append(issue("CUT_OLDER", weighed.older))
    table, named = ("accounts_wanted", "named") if stored else (staged.table, "account AS named")
    names = f"SELECT line, {named} FROM {table}"  # noqa: S608
    issues += _told(cursor, intake, weighed, names)
    totals = {name: {key: plain(value) for key, value in figures.items()} for name, figures in weighed.totals.items()}
    return Found(
        rows=staged.rows + staged.counted.refused,
        changed=weighed.changed,
        unchanged=weighed.balances - weighed.changed,
        refused=refused + weighed.older,
        issues=tuple(issues),
        totals=totals,
        since=since,
    )


def _of_reader(problems: Problems) -> list[Issue]:
    """What the reader left out, by code."""
    first = {one.code: one for one in reversed(problems.kept)}
    return [
        Issue(
            code, Severity.ERROR, first[code].column, first[code].sentence, count,
            tuple((one.line, one.sentence) for one in problems.kept if one.code == code)[:LINES_KEPT],
        )
        for code, count in sorted(problems.counts.items())
    ]  # fmt: skip


def _entries(cursor: Any, staged: Staged, intake: Intake, *, stored: bool) -> Iterable[Issue]:
    """What the file says beside balances, and balances below zero. ``stored``: its rows are, some of them with a rule."""
    if intake.kind != "cash":
        return
    cursor.execute(f"SELECT count(*) FROM {staged.table} WHERE record <> 'balance'")  # noqa: S608
    if entries := cursor.fetchall()[0][0]:
        yield issue("NOT_A_BALANCE", entries)
    table, named = ("accounts_wanted WHERE rule IS NULL", "named") if stored else (staged.table, "account")
    where = "AND" if stored else "WHERE coalesce(record, 'balance') = 'balance' AND"
    cursor.execute(
        f"SELECT count(*), (array_agg(line ORDER BY line))[1:{LINES_KEPT}], "  # noqa: S608
        f"(array_agg({named} || ' ' || amount ORDER BY line))[1:{LINES_KEPT}] FROM {table} {where} amount < 0"
    )
    count, lines, shown = cursor.fetchall()[0]
    if count:
        yield issue("CASH_NEGATIVE", count, zip(lines, shown, strict=True))


_GONE_ACCOUNTS = f"""
SELECT count(*), (array_agg(a.code ORDER BY a.code))[1:{LINES_KEPT}] FROM accounts_tradingaccount a
 WHERE a.id IN (SELECT account_id FROM intake_before WHERE rule IS NULL EXCEPT
                SELECT account_id FROM accounts_wanted WHERE account_id IS NOT NULL)
   AND (EXISTS (SELECT FROM accounts_cashbalance c WHERE c.account_id = a.id AND (c.settled <> 0 OR c.pending <> 0))
     OR EXISTS (SELECT FROM accounts_holding h WHERE h.account_id = a.id AND (h.settled <> 0 OR h.pending <> 0))
     OR EXISTS (SELECT FROM orders_order o WHERE o.account_id = a.id AND o.is_open))
"""  # noqa: S608
_GONE_BALANCES = """
SELECT b.account_id, b.what, b.named FROM intake_before b
 WHERE b.rule IS NULL AND b.amount <> 0
   AND b.account_id IN (SELECT account_id FROM accounts_wanted)
   AND NOT EXISTS (SELECT FROM accounts_wanted r WHERE r.account_id = b.account_id AND r.what = b.what)
"""


def _gone(cursor: Any, intake: Intake, *, whole: bool) -> Iterable[Issue]:
    """What was in the file before and is not now. Of an account that is there, a holding that is not is zero: a registry
    lists what somebody has. Not so where rows were left out: one of them may have been it. Cash that is not told is untold."""
    cursor.execute(_GONE_ACCOUNTS)
    count, codes = cursor.fetchall()[0]
    if count:
        yield issue("ACCOUNT_GONE", count, [(0, code) for code in codes])
    cursor.execute(f"CREATE TEMP TABLE intake_gone ON COMMIT DROP AS {_GONE_BALANCES}")
    gone = cursor.rowcount
    if gone and intake.kind == "holdings" and whole:
        cursor.execute(
            "INSERT INTO accounts_wanted (account_id, what, amount) SELECT account_id, what, 0 FROM intake_gone"
        )
    if gone:
        cursor.execute(f"SELECT named, what::text FROM intake_gone ORDER BY 1, 2 LIMIT {LINES_KEPT}")  # noqa: S608
        yield issue("BALANCE_GONE", gone, [(0, f"{named} {what}") for named, what in cursor.fetchall()])
    cursor.execute("DROP TABLE intake_gone")


def _told(cursor: Any, intake: Intake, weighed: Weighed, names: LiteralString) -> Iterable[Issue]:
    """What of the changes a person must accept, or hear of."""
    by_currency, otherwise = tolerances(intake, "jump", JUMP)
    values = {
        "by": orjson.dumps({name: str(amount) for name, amount in by_currency.items()}).decode(),
        "rest": otherwise,
    }
    jump = "coalesce((%(by)s::jsonb ->> m.what::text)::numeric, %(rest)s::numeric)"
    condition = f"m.settled <> 0 AND abs(m.difference - m.moved) > {jump}"
    yield from lines_where(cursor, "BALANCE_JUMPS", condition, values, names=names)
    yield from lines_where(cursor, "BELOW_HELD", "m.available + m.difference - m.moved < 0", names=names)
    by_currency, otherwise = tolerances(intake, "jump_total", TOTAL_JUMP)
    for name, figures in weighed.totals.items():
        change, had = abs(figures["unexplained"]), abs(figures["before"])
        if had and change > by_currency.get(name, otherwise) and change > had * TOTAL_JUMP_SHARE:
            text = f"{name} {plain(figures['before'])} → {plain(figures['after'])}"
            yield replace(issue("TOTAL_JUMPS", 1, [(0, text)]))


def tolerances(intake: Intake, field: str, otherwise: dict[str, Decimal]) -> tuple[dict[str, Decimal], Decimal]:
    """By currency, and for all others: the newest versions of this source, else of any, else the house's own."""
    found: dict[str, Decimal] = {}
    rows = Tolerance.objects.filter(kind=intake.kind, field=field, source__in=("", intake.source))
    for row in rows.order_by("source", "version"):
        found[row.currency] = row.amount
    return found, found.pop("", otherwise[intake.kind])
