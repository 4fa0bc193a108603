"""Executions of a file against ours: one full join finds what does not agree at first sight, the rest is judged by names.

The join is on ExecID and the name of the order that the file gives most often. Where a record was met twice by that name,
all that met it are judged one by one, so that no repetition is ever dropped. A field the file leaves empty differs
from nothing. Where most lines are known to agree before the file is read (`known_trades`), the join is of what is left.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kernel.collecting import no_collecting
from kernel.numbers import ZERO
from reconciliation.domain.trade_matching import judge_trades
from reconciliation.domain.trade_records import TheirTrade, tell
from reconciliation.matching.causes import load_causes
from reconciliation.matching.comparing import MOST_JUDGED, Compared, Task, in_failed_transaction
from reconciliation.matching.known import Known
from reconciliation.matching.known_trades import keep_namesakes, keep_not_met
from reconciliation.matching.trade_lines import CHARGES
from reconciliation.matching.trade_rows import load_our_trades, load_their_trades, load_unknown_trades

_OURS = """
SELECT x.id, x.exec_id, x.cl_ord_id, o.venue_order_id, x.side, x.effective_qty, x.effective_px, x.event_at, x.trade_date,
       x.settlement_date, l.symbol, l.venue_symbol, l.market_id AS mic, l.currency, n.isin, a.code AS account, m.time_zone{figures}
  FROM orders_execution x
  JOIN orders_order o ON o.id = x.order_id
  JOIN refdata_listing l ON l.id = o.listing_id
  JOIN refdata_instrument n ON n.id = l.instrument_id
  JOIN refdata_market m ON m.mic = l.market_id
  JOIN accounts_tradingaccount a ON a.id = o.account_id {charges}
 WHERE x.trade_date = %(as_of)s AND (%(markets)s::text[] IS NULL OR l.market_id = ANY(%(markets)s))
"""
# What a row says against ours; a fragment is used only where the file says something in that column at all.
_AGREES = {
    "cl_ord_id": "e.cl_ord_id = x.cl_ord_id",
    "venue_order_id": "e.venue_order_id = x.venue_order_id",
    "side": "e.side = x.side",
    "isin": "e.isin = x.isin",
    "symbol": "e.symbol IN (x.symbol, x.venue_symbol)",
    "mic": "e.mic = x.mic",
    "account": "e.account = x.account",
    "currency": "e.currency = x.currency",
    "settlement_date": "e.settlement_date = x.settlement_date",
    "transact_time": "e.transact_time BETWEEN x.event_at - %(apart)s::interval AND x.event_at + %(apart)s::interval",
    "commission": "e.commission = x.commission",
    "fees": "e.fees = x.fees",
}
_DATED = "coalesce(e.trade_date, (e.transact_time AT TIME ZONE x.time_zone)::date) = x.trade_date"
_ALWAYS = ("e.exec_type = 'trade'", "e.last_qty = x.effective_qty", "e.last_px = x.effective_px")
_COLUMNS = (*_AGREES, "trade_date")
_ORDER_NAMES = ("cl_ord_id", "venue_order_id")
_COUNT = """
SELECT count(*), count(*) FILTER (WHERE {in_time}), coalesce(sum(x.effective_qty) FILTER (WHERE {in_time}), 0),
       coalesce(sum(x.effective_qty), 0)
  FROM orders_execution x
 WHERE x.trade_date = %(as_of)s
   AND (%(markets)s::text[] IS NULL OR EXISTS (
        SELECT FROM orders_order o JOIN refdata_listing l ON l.id = o.listing_id
         WHERE o.id = x.order_id AND l.market_id = ANY(%(markets)s)))
""".format(in_time="%(cut)s::timestamptz IS NULL OR x.event_at <= %(cut)s")


_LEFT = " AND x.id IN (SELECT id FROM recon_near)"
_UNITS_LEFT = "SELECT coalesce(sum(effective_qty), 0) FROM orders_execution WHERE id IN (SELECT id FROM recon_near)"


@dataclass(frozen=True, slots=True)
class _Sides:
    """What is joined: ``said`` in how many lines each column says something, ``ours`` how many records those are that ``only``
    leaves; by ``name`` of the order. The whole file has ``external`` rows, and its trades come to ``units``.
    """

    said: Mapping[str, int]
    ours: int
    name: str
    external: int
    units: Decimal
    only: str = ""


@dataclass(frozen=True, slots=True)
class _Join:
    """How often lines and records of ours met: pairs, and those on each side that met nobody."""

    met: int
    lines_alone: int
    ids_alone: int


def compare(cursor: Any, task: Task) -> Compared:
    """All the file says of executions against all we have of its day. Makes and drops tables of the session."""
    parameters = {
        "as_of": task.as_of,
        "markets": list(task.markets) or None,
        "cut": task.cut_at,
        "apart": f"{task.rules.of('seconds')} seconds",
    }
    cursor.execute(_COUNT, parameters)
    of_day, expected, units, units_of_day = cursor.fetchone()
    cursor.execute("CREATE TEMP TABLE recon_lines (line bigint)")
    cursor.execute("CREATE TEMP TABLE recon_ids (id uuid)")
    cursor.execute("CREATE TEMP TABLE recon_near (id uuid)")
    try:
        known = task.known
        sides = _whole(cursor, task, of_day) if known is None else _left(cursor, task, known, units_of_day)
        found = _look(cursor, task, sides, parameters)
        _gather(cursor, task, sides, parameters, found)
        with no_collecting():
            return _judge(cursor, task, sides, expected=expected, units=units)
    finally:
        if not in_failed_transaction(cursor):
            cursor.execute("DROP TABLE IF EXISTS recon_lines, recon_ids, recon_near")


def _whole(cursor: Any, task: Task, of_day: int) -> _Sides:
    """All of both sides."""
    said, units = _columns_said(cursor, task)
    return _Sides(said, of_day, _name(said), said["line"], units)


def _left(cursor: Any, task: Task, known: Known, units_of_day: Decimal) -> _Sides:
    """What is left of both sides once the lines are gone that are known, with everything that bears a name of it."""
    keep_not_met(cursor, known)
    cursor.execute(_UNITS_LEFT)
    units_met = units_of_day - cursor.fetchone()[0]
    said, units = _columns_said(cursor, task)
    met = known.lines.met
    in_all = {name: count + met * (known.spelling.place(name) is not None) for name, count in said.items()}
    in_all["line"] = external = said["line"] + met
    name = _name(in_all)
    lines = keep_namesakes(cursor, known, task, name, versions=bool(said["versions"]))
    known.lines.forget()
    if lines:
        assert task.add is not None, "whoever leaves lines out can put them in"
        task.add(lines)
        said, _ = _columns_said(cursor, task)
    cursor.execute("SELECT count(DISTINCT id) FROM recon_near")
    return _Sides(said, cursor.fetchone()[0], name, external, units + units_met, _LEFT)


def _name(said: Mapping[str, int]) -> str:
    """The name of the order that the file gives most often; none where most lines have none."""
    name = max(_ORDER_NAMES, key=lambda column: said[column])
    return name if said[name] * 2 > said["line"] else ""


def _columns_said(cursor: Any, task: Task) -> tuple[dict[str, int], Decimal]:
    """In how many rows each column says something (``versions``: how many are busts and corrections); units of the trades."""
    names = ["line", *_COLUMNS]
    counts = ", ".join(f"count({name})" for name in names)
    cursor.execute(
        f"SELECT {counts}, count(*) FILTER (WHERE exec_type <> 'trade'), "  # noqa: S608
        f"coalesce(sum(last_qty) FILTER (WHERE exec_type = 'trade'), 0) FROM {task.table}"
    )
    *numbers, units = cursor.fetchone()
    return dict(zip([*names, "versions"], numbers, strict=True)), units


def _look(cursor: Any, task: Task, sides: _Sides, parameters: dict[str, Any]) -> _Join:
    """Keep what does not agree at first sight, in one pass over both sides that holds nothing else."""
    said, name = sides.said, sides.name
    told = [text for column, text in _AGREES.items() if said[column] and column != name]
    if said["trade_date"] or said["transact_time"]:
        told.append(_DATED)
    agrees = " AND ".join([*_ALWAYS, *(f"coalesce({text}, true)" for text in told)])
    priced = bool(said["commission"] or said["fees"])
    ours = (
        _OURS.format(charges=CHARGES if priced else "", figures=", c.commission, c.fees" if priced else "") + sides.only
    )
    cursor.execute(
        f"""
        WITH j AS (
            SELECT e.line, x.id, ({agrees}) IS TRUE AS agrees FROM {task.table} e FULL JOIN ({ours}) x ON {_on(name)}
        ), seen AS MATERIALIZED (
            SELECT count(*) FILTER (WHERE line IS NOT NULL AND id IS NOT NULL) AS met,
                   count(*) FILTER (WHERE id IS NULL) AS lines_alone, count(*) FILTER (WHERE line IS NULL) AS ids_alone,
                   array_agg(line) FILTER (WHERE NOT agrees AND line IS NOT NULL) AS lines,
                   array_agg(id) FILTER (WHERE NOT agrees AND id IS NOT NULL) AS ids
              FROM j
        ), lines AS (
            INSERT INTO recon_lines SELECT DISTINCT unnest(lines) FROM seen
        ), ids AS (
            INSERT INTO recon_ids SELECT DISTINCT unnest(ids) FROM seen
        )
        SELECT met, lines_alone, ids_alone FROM seen
        """,  # noqa: S608
        parameters,
    )
    return _Join(*cursor.fetchone())


def _gather(cursor: Any, task: Task, sides: _Sides, parameters: dict[str, Any], found: _Join) -> None:
    """Add what busts and corrections of the file are about, and every pair of a line or record that was met more than once.

    Each that met somebody met one alone exactly if there are as many pairs; where there are more, repeated names are looked
    for by a hash of them: one that collides is judged without need, and no repetition is missed.
    """
    ours, name = _OURS.format(charges="", figures="") + sides.only, sides.name
    if found.met > sides.said["line"] - found.lines_alone:  # names that are repeated with us
        hashed = _hash("x", name)
        cursor.execute(
            f"WITH twice AS MATERIALIZED (SELECT {hashed} AS h FROM ({ours}) x GROUP BY 1 HAVING count(*) > 1), "  # noqa: S608
            f"again AS MATERIALIZED (SELECT x.id, x.exec_id, x.cl_ord_id, x.venue_order_id FROM ({ours}) x "
            f"WHERE {hashed} IN (SELECT h FROM twice)), kept AS (INSERT INTO recon_ids SELECT id FROM again) "
            f"INSERT INTO recon_lines SELECT e.line FROM {task.table} e JOIN again x ON {_on(name)}",
            parameters,
        )
    wanted = []
    if found.met > sides.ours - found.ids_alone:  # names that are repeated in the file
        hashed = _hash("e", name)
        wanted.append(
            f"SELECT e.line FROM {task.table} e WHERE {hashed} IN ("  # noqa: S608
            f"SELECT {hashed} FROM {task.table} e GROUP BY 1 HAVING count(*) > 1)"
        )
    if sides.said["versions"]:
        wanted.append(
            f"SELECT e.line FROM {task.table} e WHERE e.exec_id IN ("  # noqa: S608
            f"SELECT coalesce(v.exec_ref_id, v.exec_id) FROM {task.table} v WHERE v.exec_type <> 'trade')"
        )
    if wanted:
        cursor.execute(f"INSERT INTO recon_lines {' UNION '.join(wanted)}")
        cursor.execute("ANALYZE recon_lines")
        cursor.execute(
            f"INSERT INTO recon_ids SELECT x.id FROM ({ours}) x "  # noqa: S608
            f"JOIN (SELECT * FROM {task.table} WHERE line IN (SELECT line FROM recon_lines)) e ON {_on(name)}",
            parameters,
        )


def _hash(side: str, name: str) -> str:
    """Of the names by which records are joined; NULL where one of them is missing, as it joins nobody."""
    exec_id = f"{side}.exec_id"
    return (
        f"hashtextextended({exec_id}, hashtextextended({side}.{name}, 0))"
        if name
        else f"hashtextextended({exec_id}, 0)"
    )


def _on(name: str) -> str:
    return "e.exec_id = x.exec_id" + (f" AND e.{name} = x.{name}" if name else "")


def _judge(cursor: Any, task: Task, sides: _Sides, *, expected: int, units: Decimal) -> Compared:
    """``units``: of ours that are expected."""
    cursor.execute("SELECT (SELECT count(DISTINCT line) FROM recon_lines), (SELECT count(DISTINCT id) FROM recon_ids)")
    lines, ids = cursor.fetchone()
    if max(lines, ids) > MOST_JUDGED:
        return Compared(expected, sides.external, max(expected - ids, 0), unjudged=max(lines, ids))
    theirs = load_their_trades(cursor, task)
    ours = load_our_trades(cursor, task, theirs)
    unknown = load_unknown_trades(cursor, task)
    judged = judge_trades([*ours, *unknown], theirs, rules=task.rules, causes=load_causes(cursor, task))
    doubtful = sum(one.expected and not one.agreed for one in ours)
    internal = expected + sum(one.expected for one in unknown) + judged.beyond
    ours_in_all = units + sum((one.qty for one in unknown if one.expected), ZERO)
    sums = {"qty": (ours_in_all, _their_units(sides.units, theirs))}
    return Compared(internal, sides.external, expected - doubtful + judged.matched, judged.findings, sums=sums)


def _their_units(plainly: Decimal, judged: Sequence[TheirTrade]) -> Decimal:
    """What the file comes to once its busts and corrections are applied; these and their trades are among the judged."""
    as_said = sum((one.qty for one in judged if one.kind == "trade"), ZERO)
    return sum((one.qty for one in tell(judged)), plainly - as_said)
