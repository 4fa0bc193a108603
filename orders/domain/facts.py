"""Everything known about one order, and what its row keeps of it (``Order.facts``).

``requests`` is what we sent, ``facts`` what the venue said in the venue's order, ``state`` what they amount to (always
``walk(requests, facts)``; kept so that one more report costs one step).

The row keeps the requests, the state without its executions, and ``behind``: a few marks of the facts it sums up. The
facts themselves are in the journal, one ReportApplied each, the executions in their table. So one more report costs the
same whether it is the order's tenth or its ten-thousandth. What a sum cannot decide (a report that is late, or looks back
at executions) is decided with all facts read again: ``orders.domain.fold.needs_all`` says when.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple, get_type_hints

from kernel.fix import ExecType, MsgType, OrdStatus
from kernel.numbers import ZERO, plain
from orders.domain.report import Report
from orders.domain.state import Answer, Exec, Fact, Note, RequestFact, State
from orders.domain.walk import INFERRED_EXPIRY, start, walk

VERSION = 2


class Behind(NamedTuple):
    """Marks of facts that are summed up in a state: how many, the place of the last, the latest trading day any names.

    ``seen`` are the identities of those that made no execution (the others are in the executions' table); ``loose`` says
    that one of them would be read differently if a request it speaks of were sent after it.
    """

    number: int = 0
    place: tuple[str, int] = ("", 0)
    latest: str = ""
    seen: tuple[str, ...] = ()
    loose: bool = False


NOTHING = Behind()


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """The facts about one order: those in hand in ``facts``, those only summed up in ``behind``."""

    requests: tuple[RequestFact, ...]
    facts: tuple[Fact, ...]
    state: State
    behind: Behind = NOTHING

    @property
    def whole(self) -> bool:
        """Whether every fact is in hand."""
        return not self.behind.number

    @property
    def count(self) -> int:
        """How many facts there are."""
        return self.behind.number + len(self.facts)

    @property
    def latest(self) -> str:
        """The latest trading day the venue has named, as ISO text; empty before its first word."""
        return max((self.behind.latest, *(fact.trade_date for fact in self.facts)))


NO_FACTS = OrderFacts((), (), start(()))


def facts_of_reports(requests: Sequence[RequestFact], reports: Iterable[Report]) -> OrderFacts:
    """All facts read at once: what folding the reports one after another leaves, at the cost of one walk."""
    kept: dict[str, Fact] = {}
    for report in reports:
        fact = fact_of(report)
        known = kept.get(fact.identity)
        if known is None or fact.place < known.place:
            kept[fact.identity] = fact
    facts = tuple(sorted(kept.values(), key=lambda fact: (fact.epoch, fact.seq, fact.identity)))
    return OrderFacts(tuple(requests), facts, walk(requests, facts))


def summed(facts: OrderFacts) -> OrderFacts:
    """The same with every fact behind: what the row keeps."""
    if not facts.facts:
        return OrderFacts(facts.requests, (), facts.state._replace(execs=()), facts.behind)
    behind, names = facts.behind, {request.cl_ord_id for request in facts.requests} | {""}
    executed = {execution.identity for execution in facts.state.execs}
    marks = Behind(
        number=facts.count,
        place=facts.facts[-1].place,
        latest=facts.latest,
        seen=behind.seen + tuple(fact.identity for fact in facts.facts if fact.identity not in executed),
        loose=behind.loose or any(_speaks_of_unknown(fact, names) for fact in facts.facts),
    )
    return OrderFacts(facts.requests, (), facts.state._replace(execs=()), marks)


def _speaks_of_unknown(fact: Fact, names: set[str]) -> bool:
    """It names a request we have not sent, or answers that one is pending without naming it."""
    if not {fact.cl_ord_id, fact.orig_cl_ord_id, fact.asked_for} <= names:
        return True
    return fact.kind == "I" and fact.said in ("6", "E")


def fact_of(report: Report) -> Fact:
    """The part of a report that may ever decide something."""
    is_reject = report.msg_type != MsgType.EXECUTION_REPORT
    kind = "R" if is_reject or report.exec_type is None else report.exec_type.value
    if report.inferred:
        kind = INFERRED_EXPIRY
    venue_order_id = report.venue_order_id or ""
    return Fact(
        epoch=report.position.epoch,
        seq=report.position.seq,
        identity=report.identity,
        kind=kind,
        said=_said(report),
        cl_ord_id=report.cl_ord_id or "",
        orig_cl_ord_id=report.orig_cl_ord_id or "",
        exec_id=report.exec_id,
        exec_ref_id=report.exec_ref_id,
        # A cancel reject for an unknown order says NONE; that is no name.
        venue_order_id="" if venue_order_id == "NONE" else venue_order_id,
        order_qty=report.order_qty,
        price=report.price,
        stop_px=report.stop_px,
        last_qty=report.last_qty,
        last_px=report.last_px,
        cum_qty=report.cum_qty,
        leaves_qty=report.leaves_qty,
        code=report.restatement_reason if report.exec_type is ExecType.RESTATED else report.reject_code,
        text=report.text,
        trade_date=report.trade_date.isoformat(),
        resend="Y" if report.poss_resend else "",
        asked_for=report.asked_for,
    )


def facts_until(facts: OrderFacts, place: tuple[str, int]) -> OrderFacts:
    """What was known of the order where the venue's stream stood at ``place`` (epoch, MsgSeqNum), that message included.

    All facts must be in hand.
    """
    kept = tuple(fact for fact in facts.facts if fact.place <= place)
    return facts if len(kept) == len(facts.facts) else OrderFacts(facts.requests, kept, walk(facts.requests, kept))


def _said(report: Report) -> str:
    if report.ord_status is None:
        return ""
    # Replaced is an OrdStatus in 4.2 only, lower than PartiallyFilled: New, under changed terms.
    return OrdStatus.NEW.value if report.ord_status is OrdStatus.REPLACED else report.ord_status.value


def facts_to_json(facts: OrderFacts) -> dict[str, Any]:
    """Plain JSON types, decimals as text, what is empty left out: the form of the row, whatever is in hand."""
    kept = summed(facts)
    told: dict[str, Any] = {"v": VERSION, "requests": [_row(request) for request in kept.requests]}
    if kept.behind.number:
        told["state"] = _state_to_json(kept.state)
        told["behind"] = _row(kept.behind)
    return told


def facts_from_json(data: Mapping[str, Any]) -> OrderFacts:
    """The inverse of :func:`facts_to_json`, all facts behind; an empty mapping is an order of which nothing is known.

    Version 1 kept every fact, and all come back in hand. Raises ValueError for a version this code does not know.
    """
    if not data:
        return NO_FACTS
    if data.get("v") not in (1, VERSION):
        raise ValueError(f"facts of version {data.get('v')!r} cannot be read by version {VERSION}")
    requests = tuple(_request(row) for row in data["requests"])
    if data["v"] == 1:
        facts = tuple(_fact(row) for row in data["facts"])
        return OrderFacts(requests, facts, walk(requests, facts))
    if "behind" not in data:
        return OrderFacts(requests, (), start(requests))
    number, place, latest, seen, loose = _padded(data["behind"], 5)
    behind = Behind(number, (place[0], place[1]), latest or "", tuple(seen or ()), bool(loose))
    return OrderFacts(requests, (), _state_from_json(data["state"]), behind)


def _state_to_json(state: State) -> dict[str, Any]:
    """The fields that are not as in an empty state, by name: constraints of the table read them too."""
    told = {}
    for name, value, empty in zip(State._fields, state, _EMPTY, strict=True):
        if value != empty:
            told[name] = _plain(value)
    return told


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return plain(value)
    return [_row(item) for item in value] if isinstance(value, tuple) else value


def _state_from_json(data: Mapping[str, Any]) -> State:
    return State(**{name: read(value) if (read := _READ[name]) else value for name, value in data.items()})


def _row(value: Sequence[object]) -> list[object]:
    row = [plain(v) if isinstance(v, Decimal) else list(v) if isinstance(v, tuple) else v for v in value]
    while row and row[-1] in _ABSENT:
        row.pop()
    return row


_ABSENT: tuple[object, ...] = ("", None, False, [])


def _request(row: Sequence[Any]) -> RequestFact:
    kind, cl_ord_id, orig, order_qty, price, stop_px, time_in_force = _padded(row, 7)
    return RequestFact(
        kind, cl_ord_id, orig or None, _number(order_qty), _number(price), _number(stop_px), time_in_force
    )


def _fact(row: Sequence[Any]) -> Fact:
    c = _padded(row, len(Fact._fields))
    text = [value or "" for value in c]
    return Fact(
        text[0],
        int(c[1]),
        text[2],
        text[3],
        text[4],
        text[5],
        text[6],
        text[7],
        text[8],
        text[9],
        _number(c[10]),
        _number(c[11]),
        _number(c[12]),
        _number(c[13]) or ZERO,
        _number(c[14]) or ZERO,
        _number(c[15]),
        _number(c[16]),
        text[17],
        text[18],
        text[19],
        text[20],
        text[21],
    )


def _padded(row: Sequence[Any], width: int) -> list[Any]:
    return [*row, *([None] * (width - len(row)))]


def _number(value: str | None) -> Decimal | None:
    return None if value is None or value == "" else Decimal(value)


def _pairs(rows: Sequence[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((first, second) for first, second in rows)


def _answers(rows: Sequence[Sequence[str]]) -> tuple[Answer, ...]:
    return tuple(Answer(*row) for row in rows)


def _notes(rows: Sequence[Sequence[Any]]) -> tuple[Note, ...]:
    return tuple(Note(*(part or "" for part in _padded(row, len(Note._fields)))) for row in rows)


def _facts(rows: Sequence[Sequence[Any]]) -> tuple[Fact, ...]:
    return tuple(_fact(row) for row in rows)


# How a field of the state comes back from JSON, by its type; a field of a type that is not here cannot be kept.
_BY_TYPE: dict[object, Callable[[Any], Any] | None] = {
    str: None,
    str | None: None,
    bool: None,
    Decimal: Decimal,
    Decimal | None: Decimal,
    tuple[tuple[str, str], ...]: _pairs,
    tuple[Answer, ...]: _answers,
    tuple[Fact, ...]: _facts,
    tuple[Note, ...]: _notes,
    tuple[Exec, ...]: None,  # never kept: executions have their own table
}
_EMPTY = State()
_READ = {name: _BY_TYPE[kind] for name, kind in get_type_hints(State).items()}
