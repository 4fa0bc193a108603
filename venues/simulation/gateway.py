"""Our way out in the pure run: claim, look once more, prove the hand-over, commit, and only then send.

Mirrors ``mark_handed_over``, ``record_hand_over``, ``refuse_intent`` and ``mark_silent``.
"""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from orders.domain import fold
from orders.domain.applying import OrderRow, RequestRow, unknown_key
from orders.domain.facts import summed
from orders.domain.lineage import Departing, Departure, Link
from orders.domain.state import RequestFact
from venues.adapters.base import SentMessage
from venues.domain.fix_codec import Fields, format_message, join
from venues.domain.messages import IntentKind, OutboundIntent, terms_from_message
from venues.simulation import doors
from venues.simulation.books import Books, Intent, moment, whole_facts
from venues.simulation.house import Crash

ENDED_BY_US = frozenset({"refused", "declined", "lapsed", "withdrawn"})


class DoubleHandOver(Exception):
    """The key of the hand-over table: a ClOrdID is given to the engine at most once."""


def hand_over(books: Books, tick: int, crash: str) -> list[str]:
    """What the engine is given, raw. The hand-over is committed before anything is."""
    claimed = sorted(books.waiting, key=lambda intent: intent.adds_risk)
    unsent = {intent.order_id for intent in claimed if intent.kind == "new"}
    departing = {intent.order_id: _departing(books, intent.order_id) for intent in claimed}
    leaving: list[tuple[Intent, Departure, Fields]] = []
    staying = []
    for intent in claimed:
        order = departing[intent.order_id]
        departure = order.departure(intent.cl_ord_id)
        if departure is None or not _may_leave(books, intent, unsent):
            staying.append(intent)
            continue
        try:
            fields = books.adapter.map_outbound(_outbound(intent, departure, tick))
        except ValueError:  # nothing would be left of the order: the message cannot be made
            staying.append(intent)
            continue
        order.left(intent.cl_ord_id, departure)
        leaving.append((intent, departure, fields))
    if crash == "before_commit" and leaving:
        raise Crash
    record(books, leaving)
    books.waiting[:] = staying
    if crash == "after_commit" and leaving:
        raise Crash
    if not crash:
        # What may not leave is ended after the rest has left, each in a transaction of its own.
        books.waiting.clear()
        for intent in staying:
            _end_here(books, intent)
    return [numbered(books, fields) for _, _, fields in leaving]


def record(books: Books, leaving: list[tuple[Intent, Departure, Fields]]) -> None:
    """The proof that these are being given to the engine, and the facts that we asked for it: one commit."""
    for intent, departure, fields in leaving:
        if intent.cl_ord_id in books.hand_overs:
            raise DoubleHandOver(intent.cl_ord_id)
        books.hand_overs[intent.cl_ord_id] = join(fields)
        order = books.orders[intent.order_id]
        books.origs[intent.cl_ord_id] = departure.orig_cl_ord_id
        asked = request_fact(intent, departure.orig_cl_ord_id)
        known = whole_facts(books, order.id) if fold.reads_anew(order.facts, asked) else order.facts
        facts = summed(fold.request_sent(known, asked))
        _move(books, order._replace(facts=facts), intent.request_id, "handed_over")


def ask(books: Books, tick: int) -> list[str]:
    """Everything handed over and unanswered is unknown; the venue is asked for it, oldest first."""
    raws = []
    for order_id, requests in books.requests.items():
        for request in tuple(requests):
            if request.state == "handed_over":
                books.matters[order_id][unknown_key(request.cl_ord_id)] = "REQUEST_UNKNOWN"
                _move(books, books.orders[order_id], request.id, "unknown")
            elif request.state != "unknown":
                continue
            raws.append(numbered(books, _question(books, request, tick)))
    return raws


def numbered(books: Books, fields: Fields) -> str:
    """The message as the engine makes it, under the next number; what left is on record with it."""
    msg_type = fields[0][1]
    number = books.next_out
    books.next_out += 1
    name = next((value for tag, value in fields if tag == 11), "")
    books.sent[books.epoch, number] = SentMessage(msg_type, name)
    header = ((34, str(number)), (49, "OMS"), (56, "VENUE"))
    return format_message(books.adapter.capabilities.begin_string, (fields[0], *header, *fields[1:]))


def request_fact(intent: Intent, orig: str | None) -> RequestFact:
    """What we send, as the core knows it."""
    if intent.kind == "cancel":
        return RequestFact("cancel", intent.cl_ord_id, orig)
    message = intent.message
    price = message["price"]
    return RequestFact(
        kind=intent.kind,
        cl_ord_id=intent.cl_ord_id,
        orig_cl_ord_id=orig,
        order_qty=Decimal(message["order_qty"]),
        price=Decimal(price) if price is not None else None,
        stop_px=None,
        time_in_force=message["time_in_force"],
    )


def _may_leave(books: Books, intent: Intent, unsent: set[UUID]) -> bool:
    """The last look: may the order still work, and is a cancel about one that was sent?"""
    if intent.kind == "cancel":
        return intent.order_id not in unsent
    return doors.may_work(books, books.orders[intent.order_id])


def _departing(books: Books, order_id: UUID) -> Departing:
    order = books.orders[order_id]
    return Departing(
        working=order.cl_ord_id,
        venue_order_id=order.venue_order_id,
        cum_qty=order.cum_qty,
        rules=books.adapter.capabilities.rules(books.adapter.mapping),
        links=[
            Link(r.kind, r.state, r.cl_ord_id, books.origs.get(r.cl_ord_id), place)
            for place, r in enumerate(books.requests[order_id], start=1)
        ],
    )


def _outbound(intent: Intent, departure: Departure, tick: int) -> OutboundIntent:
    return OutboundIntent(
        kind=IntentKind(intent.kind),
        cl_ord_id=intent.cl_ord_id,
        orig_cl_ord_id=departure.orig_cl_ord_id or "",
        venue_order_id=departure.venue_order_id or "",
        terms=terms_from_message(intent.message),
        transact_time=moment(tick),
        cum_qty=departure.cum_qty,
    )


def _question(books: Books, request: RequestRow, tick: int) -> Fields:
    order = books.orders[request.order_id]
    message = books.messages[books.requests[order.id][0].cl_ord_id]
    return books.adapter.map_outbound(
        OutboundIntent(
            kind=IntentKind.STATUS,
            cl_ord_id=request.cl_ord_id,
            orig_cl_ord_id="",
            venue_order_id=order.venue_order_id or "",
            terms=terms_from_message(message),
            transact_time=moment(tick),
        )
    )


def _end_here(books: Books, intent: Intent) -> None:
    """Not to be sent: refused, or a cancel that completes here because its order had not been sent either."""
    order, request = books.orders[intent.order_id], _find(books, intent)
    if request.state in ENDED_BY_US or request.state == "accepted":
        return
    if intent.kind == "cancel":
        doors.complete_here(books, order, request)
        return
    _move(books, order, request.id, "refused")
    doors.set_hold(books, books.orders[order.id])


def _move(books: Books, order: OrderRow, request_id: UUID, state: str) -> None:
    requests = books.requests[order.id]
    for place, request in enumerate(requests):
        if request.id == request_id:
            requests[place] = request._replace(state=state)
    doors.show_request_state(books, order)


def _find(books: Books, intent: Intent) -> RequestRow:
    return next(request for request in books.requests[intent.order_id] if request.id == intent.request_id)
