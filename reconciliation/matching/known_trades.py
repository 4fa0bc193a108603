"""Our executions as the lines that the file would have of them, so that only what it says otherwise is staged and compared.

While the file is read every execution of its day comes from the books as a line in the file's own spelling (`trade_lines`). A
line that is one of these says what we have, to the last character, so it agrees: it is counted and gone. What is left is compared
as if it were all: ours that the file does not have, the lines that are none of ours, and everything that bears a name of any of
these, on both sides. So names that are repeated, busted or corrected are judged with all that belongs to them, and to leave out
the rest changes no finding.

A record that lacks something which the file says, or has a value that no file of ours may have, is written as no line of it and is
one of those left. Where the first lines agree with too few of ours, or too much is left, the file is read whole.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from datetime import date
from functools import partial
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from reconciliation.domain.records import COLUMNS, Column, Kind
from reconciliation.formats.known_lines import KnownLines, TooManyUnknown
from reconciliation.formats.problems import BadValue
from reconciliation.formats.spelling import Spelling, spelling_of
from reconciliation.formats.values import reader_of
from reconciliation.formats.words import TRADE
from reconciliation.matching.comparing import MOST_JUDGED, Task
from reconciliation.matching.known import Known
from reconciliation.matching.trade_lines import OURS, TradeLine, lines_of

MOST_HELD: Final = 1_500_000
"""Lines of ours that are met at most. A day with more is read whole."""
_CHUNK: Final = 2_000
_FIRST: Final = itemgetter(0)
_NEAR = "AND x.id IN (SELECT id FROM recon_near)"
_NAMED = f"SELECT x.id, x.exec_id, x.cl_ord_id, o.venue_order_id {OURS}"
_LISTED = "SELECT l.id, n.isin, l.market_id, l.currency FROM refdata_listing l JOIN refdata_instrument n ON n.id = l.instrument_id"


def load_known(cursor: Any, path: Path, kind: Kind, *, as_of: date, markets: tuple[str, ...]) -> Known | None:
    """Ours of the day in the spelling of the file, to be met when it is read; None where that is no gain.

    Raises FileProblem as the reader would.
    """
    spelling = spelling_of(path, kind) if kind is Kind.EXECUTIONS else None
    if spelling is None:
        return None
    parameters = {"as_of": as_of, "markets": list(markets) or None, "unreadable": _unreadable(cursor)}
    for line in lines_of(spelling, unreadable=bool(parameters["unreadable"])):
        if _agrees(cursor, spelling, line, parameters):
            lines = KnownLines(
                partial(_written, cursor, line, parameters),
                delimiter=spelling.delimiter,
                width=len(spelling.columns),
                is_clean=spelling.is_clean,
                most=MOST_JUDGED,
            )
            return Known(lines, line.one, line.ours, parameters, spelling)
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


def _agrees(cursor: Any, spelling: Spelling, line: TradeLine, parameters: Mapping[str, Any]) -> bool:
    """Whether at least half of the sample are lines of ours."""
    names = spelling.cells("exec_id")
    cursor.execute(
        f"SELECT {line.one} {line.ours} AND x.exec_id = ANY(%(names)s)",
        {**parameters, "names": names},
    )
    ours = {row[0] for row in cursor.fetchall()}
    return 2 * sum(one in ours for one in spelling.sample) >= len(spelling.sample)


def _written(cursor: Any, line: TradeLine, parameters: Mapping[str, Any]) -> Generator[list[str | None]]:
    """Each of ours as a line, while the server writes the next. Raises TooManyUnknown where they are too many."""
    records = 0
    with closing(cursor.stream(line.all, parameters, size=_CHUNK)) as rows:
        while chunk := list(map(_FIRST, islice(rows, _CHUNK))):
            records += len(chunk)
            if records > MOST_HELD:
                raise TooManyUnknown
            yield chunk


def keep_not_met(cursor: Any, known: Known) -> None:
    """Into ``recon_near`` what of ours the file does not have once each. Raises TooManyUnknown where what is left of ours are not
    as many as were met: where several of ours are one line, or the books have moved since."""
    lines = known.lines
    place = known.spelling.place("exec_id")
    assert place is not None, "every row has one"
    whole = [line for line in lines.not_met if line.count(lines.delimiter) == lines.between]
    names = [line.split(lines.delimiter, place + 1)[place] for line in whole]
    cursor.execute(
        f"INSERT INTO recon_near SELECT x.id {known.ours} AND x.exec_id = ANY(%(names)s) AND {known.line} = ANY(%(lines)s)",
        {**known.parameters, "names": names, "lines": whole},
    )
    kept = cursor.rowcount
    if lines.unwritten or len(whole) < len(lines.not_met):
        cursor.execute(
            f"INSERT INTO recon_near SELECT id FROM (SELECT x.id, {known.line} AS line {known.ours}) y "  # noqa: S608
            "WHERE line IS NULL OR line = ANY(%(lines)s)",
            {**known.parameters, "lines": list(lines.not_met.difference(whole))},
        )
        kept += cursor.rowcount
    if lines.met + kept != lines.written + lines.unwritten:
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
    cursor.execute(f"SELECT {known.line} {known.ours} {_NEAR}", known.parameters)
    return known.lines.found(row[0] for row in cursor.fetchall())
