"""What a file says otherwise than the one that was applied last of its kind and source: rows that are new, changed or gone.

One full join of both as staged, by the names as they are written and before any rule: what a sender changed, whatever our books
say. Lines that both have are left out of it where that is known and neither says two things of one (``_last_file``). ``intake_since``
(word, line, line_before, named, was, now) holds every such row until commit; its counts and first rows are kept with the intake, the
others come from the kept files again (``list_changes``).
"""

from __future__ import annotations

from typing import Any

from reconciliation.domain import intake_states as states
from reconciliation.models import Intake
from reconciliation.services._last_file import LastFile
from reconciliation.staging import Staged

KEPT = 20
"""Rows of each word that are kept with the intake."""
NEW, CHANGED, GONE = "new", "changed", "gone"
_KEYS = {
    "accounts": ("account",),
    "cash": ("account", "currency"),
    "holdings": ("account", "isin", "symbol", "mic"),
    "open_orders": ("cl_ord_id", "venue_order_id"),
}
_ALWAYS = ("account", "currency")
"""Columns that no row of any kind may leave empty."""
_FIGURES = {
    "accounts": (
        "client", "client_name", "lei", "name", "account_group", "base_currency", "state", "account_class",
        "short_allowed",
    ),
    "cash": ("amount",),
    "holdings": ("qty",),
    "open_orders": ("ord_status", "order_qty", "cum_qty", "leaves_qty", "price"),
}  # fmt: skip
_NUMBERS = frozenset({"amount", "qty", "order_qty", "cum_qty", "leaves_qty", "price"})
_COUNTS = "SELECT word, count(*) FROM intake_since GROUP BY word"
_ROWS = "SELECT word, line, line_before, named, was, now FROM intake_since WHERE word = %s ORDER BY coalesce(line, line_before) LIMIT %s"


def last_applied(intake: Intake) -> Intake | None:
    """What was applied last of its kind and source."""
    applied = Intake.objects.filter(kind=intake.kind, source=intake.source, state=states.APPLIED)
    return applied.select_related("file").order_by("-cut_at", "-created_at", "-id").first()


def compare_with_last(
    cursor: Any, intake: Intake, now: Staged, last: LastFile, *, clean: bool
) -> tuple[dict[str, Any], Staged]:
    """Fill ``intake_since``; counts and first rows as the intake keeps them, and the staged rows of the file before that may be
    gone. ``clean``: no row of the file breaks a rule."""
    whole = clean and last.intake.refused == 0  # then no row is there twice
    table, before = (last.new_lines, last.differing) if whole else (now.table, last.whole)
    fill_since(cursor, intake.kind, table, before.table, names=now.columns | before.columns, whole=whole)
    cursor.execute(_COUNTS)
    counts = dict(cursor.fetchall())
    rows = [row for word in (GONE, NEW, CHANGED) for row in rows_since(cursor, word, KEPT)]
    new, changed, gone = (int(counts.get(word, 0)) for word in (NEW, CHANGED, GONE))
    since = {
        "file_id": str(last.intake.file_id),
        "file": last.intake.file.name,
        "day": last.intake.day.isoformat(),
        NEW: new,
        CHANGED: changed,
        GONE: gone,
        "same": max(_balances(cursor, intake.kind, now) - new - changed, 0),
        "rows": rows,
    }
    return since, before


def _balances(cursor: Any, kind: str, now: Staged) -> int:
    """Rows that are compared: of cash its balances, entries are of their day."""
    if kind != "cash":
        return now.rows
    cursor.execute(f"SELECT count(*) FROM {now.table} WHERE coalesce(record, 'balance') = 'balance'")  # noqa: S608
    return int(cursor.fetchall()[0][0])


def fill_since(cursor: Any, kind: str, now: str, before: str, *, names: frozenset[str], whole: bool) -> None:
    """``names``: columns that either file has. ``whole``: neither says two things of one; else the first of them stands."""
    keys = [name for name in _KEYS[kind] if name in names]
    figures = [name for name in _FIGURES[kind] if name in names] or list(_FIGURES[kind][:1])
    same = " AND ".join(f"{_key('n', name)} = {_key('b', name)}" for name in keys)
    shown = " || ' ' || ".join(f"coalesce(n.{name}, b.{name}, '')" for name in keys)
    differs = " OR ".join(f"n.{name} IS DISTINCT FROM b.{name}" for name in figures)
    cursor.execute("DROP TABLE IF EXISTS intake_since")
    cursor.execute(
        f"""
        CREATE TEMP TABLE intake_since ON COMMIT DROP AS
        SELECT CASE WHEN b.line IS NULL THEN '{NEW}' WHEN n.line IS NULL THEN '{GONE}' ELSE '{CHANGED}' END AS word,
               n.line, b.line AS line_before, trim({shown}) AS named,
               CASE WHEN b.line IS NOT NULL THEN {_told("b", "n", figures)} END AS was,
               CASE WHEN n.line IS NOT NULL THEN {_told("n", "b", figures)} END AS now
          FROM {_side(now, kind, keys, whole)} n FULL JOIN {_side(before, kind, keys, whole)} b ON {same}
         WHERE n.line IS NULL OR b.line IS NULL OR {differs}
        """  # noqa: S608
    )


def rows_since(cursor: Any, word: str, most: int) -> list[list[Any]]:
    """Word, line, line before, name, and what it was and is; by line."""
    cursor.execute(_ROWS, [word, most])
    return [list(row) for row in cursor.fetchall()]


def only_before(cursor: Any, before: Staged) -> str:
    """A table of the rows that were in the file before and are not in this one: few. After ``fill_since``."""
    cursor.execute("DROP TABLE IF EXISTS intake_left")
    cursor.execute(
        f"CREATE TEMP TABLE intake_left ON COMMIT DROP AS SELECT b.* FROM {before.table} b "  # noqa: S608
        f"WHERE b.line IN (SELECT line_before FROM intake_since WHERE word = '{GONE}')"
    )
    return "intake_left"


def _key(side: str, name: str) -> str:
    return f"{side}.{name}" if name in _ALWAYS else f"coalesce({side}.{name}, '')"


def _side(table: str, kind: str, keys: list[str], whole: bool) -> str:
    balances = " WHERE coalesce(record, 'balance') = 'balance'" if kind == "cash" else ""
    if whole and not balances:
        return table
    if whole:
        return f"(SELECT * FROM {table}{balances})"  # noqa: S608
    by = ", ".join(keys)
    return f"(SELECT DISTINCT ON ({by}) * FROM {table}{balances} ORDER BY {by}, line)"  # noqa: S608


def _told(one: str, other: str, figures: list[str]) -> str:
    """The one figure as it stands; of several those that differ, each with its name."""
    if len(figures) == 1:
        return _figure(one, figures[0])
    parts = [
        f"CASE WHEN {other}.line IS NULL OR {one}.{name} IS DISTINCT FROM {other}.{name} "
        f"THEN '{name} ' || coalesce({_figure(one, name)}, '–') END"
        for name in figures
    ]
    return f"concat_ws(', ', {', '.join(parts)})"


def _figure(side: str, name: str) -> str:
    return f"trim_scale({side}.{name})::text" if name in _NUMBERS else f"{side}.{name}"
