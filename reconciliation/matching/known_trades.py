"""Our executions as the lines that the file would have of them, so that only what it says otherwise is staged and compared.

Before the file is read: every execution of its day, written in the file's own spelling (`formats.spelling`). A line that is
one of these says what we have, to the last character, so it agrees: it is counted and gone. What is left is compared as if it
were all: ours that the file did not have, the lines that are none of ours, and everything that bears a name of any of these,
on both sides. So names that are repeated, busted or corrected are judged with all that belongs to them, and to leave out the
rest changes no finding.

A record that lacks something which the file says, or has a value that no file of ours may have, is not written and is one of
those left. Where the first lines agree with too few of ours, or too much is left, the file is read whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Final

from reconciliation.domain.records import COLUMNS, Column, Kind, Type
from reconciliation.formats.known_lines import KnownLines, TooManyUnknown
from reconciliation.formats.problems import BadValue
from reconciliation.formats.spelling import Spelled, Spelling, spelling_of
from reconciliation.formats.values import reader_of
from reconciliation.formats.words import TRADE
from reconciliation.matching.comparing import MOST_JUDGED, Task, in_failed_transaction
from reconciliation.matching.known import Known

MOST_HELD: Final = 1_500_000
"""Lines of ours that are held at once, of about 200 bytes each. A day with more is read whole."""
_CHUNK: Final = 2_000
_SHARED_OUT: Final = ("parallel_tuple_cost", "parallel_setup_cost", "min_parallel_table_scan_size")
_TEXTS: Final = {
    "exec_id": "x.exec_id",
    "cl_ord_id": "x.cl_ord_id",
    "venue_order_id": "o.venue_order_id",
    "account": "a.code",
    "isin": "n.isin",
    "symbol": "l.symbol",
    "mic": "l.market_id",
    "currency": "l.currency",
}
_OTHERS: Final = {
    "side": "CASE WHEN x.side BETWEEN '0' AND '9' THEN x.side END",
    "exec_type": f"'{TRADE}'",
    "last_qty": "x.effective_qty",
    "last_px": "x.effective_px",
    "trade_date": "x.trade_date",
    "settlement_date": "x.settlement_date",
    "transact_time": "x.event_at AT TIME ZONE 'UTC'",
}
_UNITS: Final = {0: "second", 3: "milliseconds"}
_DIGITS: Final = {0: "", 3: ".MS", 6: ".US"}
_OURS = """
  FROM orders_execution x
  JOIN orders_order o ON o.id = x.order_id
  JOIN refdata_listing l ON l.id = o.listing_id
  JOIN refdata_instrument n ON n.id = l.instrument_id
  JOIN refdata_market m ON m.mic = l.market_id
  JOIN accounts_tradingaccount a ON a.id = o.account_id
 WHERE x.trade_date = %(as_of)s AND (%(markets)s::text[] IS NULL OR l.market_id = ANY(%(markets)s))
"""
_NEAR = "AND x.id IN (SELECT id FROM recon_near)"
_NAMED = f"SELECT x.id, x.exec_id, x.cl_ord_id, o.venue_order_id {_OURS}"
_LISTED = "SELECT l.id, n.isin, l.market_id, l.currency FROM refdata_listing l JOIN refdata_instrument n ON n.id = l.instrument_id"
_SAID_THERE = "CASE WHEN (x.event_at AT TIME ZONE m.time_zone)::date = x.trade_date THEN '' END"
_READABLE = "CASE WHEN NOT l.id = ANY(%(unreadable)s) THEN '' END"


def load_known(cursor: Any, path: Path, kind: Kind, *, as_of: date, markets: tuple[str, ...]) -> Known | None:
    """Ours of the day in the spelling of the file; None where that is no gain. Raises FileProblem as the reader would."""
    spelling = spelling_of(path, kind) if kind is Kind.EXECUTIONS else None
    if spelling is None:
        return None
    parameters = {"as_of": as_of, "markets": list(markets) or None, "unreadable": _unreadable(cursor)}
    for line in _lines_of(spelling, unreadable=bool(parameters["unreadable"])):
        if _agrees(cursor, spelling, line, parameters):
            lines = KnownLines(
                delimiter=spelling.delimiter, width=len(spelling.columns), is_clean=spelling.is_clean, most=MOST_JUDGED
            )
            known = Known(lines, line, parameters, spelling)
            return known if _load(cursor, known) else None
    return None


def _unreadable(cursor: Any) -> list[Any]:
    """Listings whose names no reader takes: of these we write no line."""
    cursor.execute(_LISTED)
    columns = {one.name: one for one in COLUMNS[Kind.EXECUTIONS]}
    return [row[0] for row in cursor.fetchall() if not _can_be_read(columns, isin=row[1], mic=row[2], currency=row[3])]


def _can_be_read(columns: Mapping[str, Column], **names: str) -> bool:
    try:
        return all(reader_of(columns[name])(value) == value for name, value in names.items())
    except BadValue:
        return False


def _lines_of(spelling: Spelling, *, unreadable: bool) -> list[str]:
    """A line as SQL, one for each way a listing may be called; none where the file says what we do not write."""
    said = {one.name for one in spelling.columns if one.said}
    if not said <= {*_TEXTS, *_OTHERS}:
        return []
    dated = "trade_date" in said or "transact_time" not in said
    guards = [*([] if dated else [_SAID_THERE]), *([_READABLE] if unreadable else [])]
    symbols = ("l.symbol", "l.venue_symbol") if "symbol" in said else ("",)
    between = f" || '{spelling.delimiter}' || "
    return [" || ".join([between.join(_cell(one, symbol) for one in spelling.columns), *guards]) for symbol in symbols]


def _cell(one: Spelled, symbol: str) -> str:
    """NULL, and with it the whole line, where we have nothing to say in a column in which the file says something."""
    if not one.said:
        return "''"
    if one.name in _TEXTS:
        return f"nullif({symbol if one.name == 'symbol' else _TEXTS[one.name]}, '')"
    value = _OTHERS[one.name]
    if one.type is Type.AMOUNT:
        return _amount(value, one.decimals)
    return _instant(value, one) if one.type is Type.INSTANT else f"({value})::text"


def _amount(value: str, decimals: int | None) -> str:
    if decimals is None:
        return f"trim_scale({value})::text"
    if decimals >= 8:
        return f"{value}::text"
    return f"CASE WHEN {value} = round({value}, {decimals}) THEN round({value}, {decimals})::text END"


def _instant(value: str, one: Spelled) -> str:
    """With as many digits as the file has, where these are all there are."""
    said = {
        digits: f'to_char({value}, \'YYYY-MM-DD"{one.between}"HH24:MI:SS{_DIGITS[digits]}"{one.zone}"\')'
        for digits in one.fractions
    }
    exact = [
        f"WHEN date_trunc('{_UNITS[digits]}', {value}) = {value} THEN {text}"
        for digits, text in said.items()
        if digits in _UNITS
    ]
    whole = said.get(6, "NULL")
    return f"CASE {' '.join(exact)} ELSE {whole} END" if exact else whole


def _agrees(cursor: Any, spelling: Spelling, line: str, parameters: Mapping[str, Any]) -> bool:
    """Whether at least half of the sample are lines of ours."""
    names = spelling.cells("exec_id")
    cursor.execute(
        f"SELECT {line} {_OURS} AND x.exec_id = ANY(%(names)s)",
        {**parameters, "names": names},
    )
    ours = {row[0] for row in cursor.fetchall()}
    return 2 * sum(one in ours for one in spelling.sample) >= len(spelling.sample)


def _load(cursor: Any, known: Known) -> bool:
    """Whether each of ours has a line of its own, and they are not too many. It only reads: so the server may share it out."""
    for name in _SHARED_OUT:
        cursor.execute(f"SET {name} = 0")
    records = 0
    try:
        with closing(cursor.stream(f"SELECT {known.line} {_OURS}", known.parameters, size=_CHUNK)) as rows:
            while records <= MOST_HELD and (chunk := [row[0] for row in islice(rows, _CHUNK)]):
                known.lines.add(chunk)
                records += len(chunk)
    finally:
        if not in_failed_transaction(cursor):
            for name in _SHARED_OUT:
                cursor.execute(f"RESET {name}")
    return len(known.lines) == records <= MOST_HELD


def keep_not_met(cursor: Any, known: Known) -> None:
    """Into ``recon_near`` what of ours the file did not have. Raises TooManyUnknown, also where the books have moved since."""
    lines = known.lines.not_met()
    place = known.spelling.place("exec_id")
    assert place is not None, "every row has one"
    names = [line.split(known.lines.delimiter, place + 1)[place] for line in lines]
    cursor.execute(
        f"INSERT INTO recon_near SELECT x.id {_OURS} AND x.exec_id = ANY(%(names)s) AND {known.line} = ANY(%(lines)s)",
        {**known.parameters, "names": names, "lines": lines},
    )
    kept = cursor.rowcount
    if known.lines.unwritten or known.lines.unclean:
        cursor.execute(
            f"INSERT INTO recon_near SELECT id FROM (SELECT x.id, {known.line} AS line {_OURS}) y "  # noqa: S608
            "WHERE line IS NULL OR line = ANY(%(lines)s)",
            {**known.parameters, "lines": known.lines.unclean},
        )
        kept += cursor.rowcount
    if kept != len(lines) + known.lines.unwritten + len(known.lines.unclean):
        raise TooManyUnknown


def keep_namesakes(cursor: Any, known: Known, task: Task, name: str, *, versions: bool) -> dict[int, str]:
    """Into ``recon_near`` what of ours bears a name of what is left; the lines of these that the file has, by number.

    A name is an ExecID with ``name`` of the order. One that is repeated with us is kept with all that has its ExecID, for it is
    told of there, and where it is of after the cut, for there only what is judged counts. ``versions``: there are busts and
    corrections, which name what they are about.
    """
    names = f"exec_id, {name}" if name else "exec_id"
    wanted = ["SELECT exec_id FROM lost"]
    if task.cut_at is not None:
        wanted.append("SELECT exec_id FROM orders_execution WHERE trade_date = %(as_of)s AND event_at > %(cut)s")
    if versions:
        about = f"SELECT coalesce(exec_ref_id, exec_id) FROM {task.table} WHERE exec_type <> '{TRADE}'"  # noqa: S608
        wanted.append(about)
    cursor.execute("ANALYZE recon_near")
    cursor.execute(
        f"""
        WITH lost AS MATERIALIZED (
            SELECT {names} FROM {task.table} UNION SELECT {names} FROM ({_NAMED} {_NEAR}) y
        ), alike AS MATERIALIZED (
            SELECT *, count(*) OVER (PARTITION BY {names}) AS times FROM ({_NAMED}) x WHERE exec_id IN ({" UNION ".join(wanted)})
        )
        INSERT INTO recon_near
        SELECT id FROM alike JOIN lost USING ({names})
        UNION SELECT id FROM alike WHERE times > 1 {f"AND {name} IS NOT NULL" if name else ""}
        {f"UNION SELECT id FROM alike WHERE exec_id IN ({about})" if versions else ""}
        """,  # noqa: S608
        {**known.parameters, "cut": task.cut_at},
    )
    cursor.execute("ANALYZE recon_near")
    cursor.execute(f"SELECT {known.line} {_OURS} {_NEAR}", known.parameters)
    return known.lines.found(row[0] for row in cursor.fetchall())
