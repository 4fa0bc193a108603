"""Everything known about one order, and its JSON form (``Order.facts``).

``requests`` is what we sent, ``facts`` what the venue said in the venue's order, ``state`` what they amount to
(always ``walk(requests, facts)``; kept so that one more report costs one step). The JSON holds requests and facts
only: a row that was tampered with can thus never disagree with itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kernel.fix import ExecType, MsgType, OrdStatus
from kernel.numbers import ZERO, plain
from orders.domain.report import Report
from orders.domain.state import Fact, RequestFact, State
from orders.domain.walk import INFERRED_EXPIRY, start, walk

VERSION = 1


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """The facts about one order. Two are equal when their requests and facts are, whatever the order of arrival."""

    requests: tuple[RequestFact, ...]
    facts: tuple[Fact, ...]
    state: State


NO_FACTS = OrderFacts((), (), start(()))


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
    """What was known of the order where the venue's stream stood at ``place`` (epoch, MsgSeqNum), that message included."""
    kept = tuple(fact for fact in facts.facts if fact.place <= place)
    return facts if len(kept) == len(facts.facts) else OrderFacts(facts.requests, kept, walk(facts.requests, kept))


def _said(report: Report) -> str:
    if report.ord_status is None:
        return ""
    # Replaced is an OrdStatus in 4.2 only, lower than PartiallyFilled: New, under changed terms.
    return OrdStatus.NEW.value if report.ord_status is OrdStatus.REPLACED else report.ord_status.value


def facts_to_json(facts: OrderFacts) -> dict[str, Any]:
    """Plain JSON types: decimals as text, one list a fact with empty fields at its end left off."""
    return {
        "v": VERSION,
        "requests": [_row(r) for r in facts.requests],
        "facts": [_row(f) for f in facts.facts],
    }


def facts_from_json(data: Mapping[str, Any]) -> OrderFacts:
    """The inverse of :func:`facts_to_json`; an empty mapping is an order of which nothing is known.

    Raises ValueError for a version this code does not know.
    """
    if not data:
        return NO_FACTS
    if data.get("v") != VERSION:
        raise ValueError(f"facts of version {data.get('v')!r} cannot be read by version {VERSION}")
    requests = tuple(_request(row) for row in data["requests"])
    facts = tuple(_fact(row) for row in data["facts"])
    return OrderFacts(requests, facts, walk(requests, facts))


def _row(value: Sequence[object]) -> list[object]:
    row = [plain(v) if isinstance(v, Decimal) else v for v in value]
    while row and row[-1] in ("", None):
        row.pop()
    return row


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
