"""The promises. Those of every moment are measured against what the venue has told us so far, those of the end against all it did.

Figures are worked out here from the venue's whole numbers; nothing of our own arithmetic is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

from venues.simulation.broken import require
from venues.simulation.course import Course
from venues.simulation.house import OrderView, RequestView
from venues.simulation.script import PX, Terms
from venues.simulation.truth import VenueOrder, average, cents, cents_up, owed_for_a_day

REFERENCE_PX, COLLAR_PER_CENT = 100, 105
OPEN_STATES = frozenset({"released", "handed_over", "unknown"})
# A repeat under a new number has lost its place: what is late or contradicts itself cannot be told from it then.
FALSE_AFTER_RESET = frozenset({"LATE_TRADE", "CONTRADICTION", "CORRECTED_BUST", "DUPLICATE_REJECTED"})


def require_promises(course: Course) -> None:
    """What holds at every moment, whatever has not been heard yet."""
    heard = (len(course.told), len(course.stored), len(course.venue.said), course.wire.connected)
    cash = stock = hold_cash = hold_stock = Decimal(0)
    for index in range(len(course.world.terms)):
        view = course.house.look(index)
        if view is None:
            continue
        if course.checked.get(index) != (view, heard):
            _require_order(course, index, view)
            course.checked[index] = (view, heard)
        cash, stock = cash + view.cash - view.fees, stock + view.stock
        hold_cash, hold_stock = hold_cash + view.hold_cash, hold_stock + view.hold_stock
    money = course.house.money()
    _same("cash of the account", money.cash, cash)
    _same("stock of the account", money.stock, stock)
    _same("cash reserved", money.cash_reserved, hold_cash)
    _same("stock reserved", money.stock_reserved, hold_stock)


def _require_order(course: Course, index: int, view: OrderView) -> None:
    terms, order = course.world.terms[index], course.venue.orders.get(index)
    _require_shape(index, view)
    _require_hold(course, index, terms, view)
    _require_fees(index, terms, view)
    _require_word(course, index, view, order)
    if order is None:
        require(not view.executions, f"order {index} never reached the venue and has executions")
        return
    _require_executions(course, terms, view, order)
    sure = (order.acked == "0" or order.rejected) and not order.shown_late
    if sure and course.told.issuperset(order.reports) and not _repeats_wait(course):
        _require_figures(course, terms, view, order)  # all is told: nothing is left to wait for


def _repeats_wait(course: Course) -> bool:
    """After a reset what was told is told again, and means nothing until the last of it is read."""
    all_read = course.wire.idle and course.house.worked() == len(course.stored)
    return course.world.traits.resets and not all_read


def _require_shape(index: int, view: OrderView) -> None:
    room = max((view.order_qty or Decimal(0)) - view.cum_qty, Decimal(0))
    require(
        view.leaves_qty in (0, room),
        f"order {index}: leaves {view.leaves_qty} of {view.order_qty}, {view.cum_qty} done",
    )
    require(view.is_open or not view.leaves_qty, f"order {index} is over and has leaves")
    if view.ord_status in ("4", "C"):
        require(not view.leaves_qty, f"order {index} ended with leaves")
    if view.ord_status == "2":
        require(
            view.cum_qty >= (view.order_qty or 0), f"order {index} is Filled with {view.cum_qty} of {view.order_qty}"
        )
    if view.ord_status == "1":
        require(view.cum_qty > 0, f"order {index} is PartiallyFilled with nothing executed")
    _same(f"order {index}: cum_qty", view.cum_qty, sum((qty for qty, _ in view.executions), Decimal(0)))
    over = view.order_qty is not None and view.cum_qty > view.order_qty
    require(
        view.overfilled == over == ("OVERFILL" in view.anomalies),
        f"order {index}: over-filled and silent, or the reverse",
    )


def _require_hold(course: Course, index: int, terms: Terms, view: OrderView) -> None:
    wishes = [(view.leaves_qty, view.price)]
    for request in view.requests:
        if request.kind == "replace" and request.state in OPEN_STATES:
            wanted, limit = course.asked[request.cl_ord_id]
            wishes.append((_decimal(wanted, 2) - view.cum_qty, _decimal(limit, 8) if limit is not None else None))
    cash = stock = 0
    for qty, px in wishes if view.is_open or view.ord_status == "2" else ():
        units = _whole(qty, 2)
        if units is None:
            return  # a split was read before the change of quantity it builds on; see _is_guessing
        if units > 0 and terms.side == "1":
            at = _whole(px, 8) if px is not None else None
            at = at if at is not None else REFERENCE_PX * PX * COLLAR_PER_CENT // 100
            cash = max(cash, cents_up(units, at, terms.divisor) + owed_for_a_day([(units, at)], terms))
        elif units > 0 and terms.side == "2":
            stock = max(stock, units)
    _same(f"order {index}: cash held", view.hold_cash, _decimal(cash, 2))
    _same(f"order {index}: stock held", view.hold_stock, _decimal(stock, 2))


def _require_fees(index: int, terms: Terms, view: OrderView) -> None:
    """Each trade date is charged for what is executed of it, however it came about."""
    by_day: dict[date, list[tuple[int, int]]] = {}
    for (qty, px), day in zip(view.booked, view.days, strict=True):
        units, at = _whole(qty, 2), _whole(px, 8)
        if units is None or at is None:
            return  # finer than hundredths: corrected after a split, or see _is_guessing
        by_day.setdefault(day, []).append((units, at))
    owed = sum(owed_for_a_day(trades, terms) for trades in by_day.values())
    _same(f"order {index}: fees", view.fees, _decimal(owed, 2))


def _require_word(course: Course, index: int, view: OrderView, order: VenueOrder | None) -> None:
    """No answer without the venue's word, and none that the venue never gave."""
    first = view.requests[0]
    for request in view.requests:
        if request.state == "accepted":
            if request.kind == "cancel" and first.state == "withdrawn":
                continue
            given = order is not None and (
                order.acked == "0" or order.taken_back
                if request.kind == "new"
                # Refused because the order was canceled before: asked again, the venue shows it canceled, as we wished.
                else order.answers.get(request.cl_ord_id) == "accepted"
                or (request.kind == "cancel" and order.dead == "4")
            )
            require(given, f"order {index}: the venue never accepted {request.cl_ord_id}")
        elif request.state == "rejected":
            require(_refused(course, request, order), f"order {index}: the venue never rejected {request.cl_ord_id}")
        elif request.state == "unknown":
            require(
                "REQUEST_UNKNOWN" in view.anomalies,
                f"order {index}: {request.cl_ord_id} is unknown and nobody was told",
            )
        elif request.state == "released":
            require(
                request.cl_ord_id not in course.sent,
                f"order {index}: {request.cl_ord_id} was sent and is not on record",
            )


def _refused(course: Course, request: RequestView, order: VenueOrder | None) -> bool:
    if request.cl_ord_id in course.venue.refusals:
        return True
    if order is None:
        return False
    # Until the acceptance is heard, a cancel under the new ClOrdID reads as "ended instead of replaced".
    ended_instead = bool(order.dead) and request.kind == "replace"
    # A status answer "Rejected" under the name of a request: the order lives without it, if at all.
    return ended_instead or order.rejected


def _require_executions(course: Course, terms: Terms, view: OrderView, order: VenueOrder) -> None:
    """What is executed is what we were told of, each execution to the last hundredth; nothing else is."""
    told = _told(course, order)
    if _is_guessing(order, told) or (order.changes and _repeats_wait(course)):
        return
    want = sorted((_decimal(qty, 2), _decimal(px if qty else 0, 8)) for qty, px in order.executed(told.__contains__))
    got = sorted(view.executions)
    require(got == want, f"order {order.index}: executions {_shown(got)}, told of {_shown(want)}")
    cash, stock = _worth(order.executed_since(told.__contains__), terms)
    _same(f"order {order.index}: cash moved", view.cash, cash)
    _same(f"order {order.index}: stock moved", view.stock, stock)


def _told(course: Course, order: VenueOrder) -> set[int]:
    """Reports of this order that can have been applied: one by OrderID alone waits until another has named the order."""
    words = [(n, course.venue.said[n].words) for n in order.reports if n in course.told]
    named = any(w.cl_ord_id and w.order_id for _, w in words)
    return {number for number, w in words if named or w.cl_ord_id}


def _is_guessing(order: VenueOrder, told: set[int]) -> bool:
    """A change of quantity or a split was told before something it builds on: sums are right again when that comes."""
    latest = max((number for number in order.changes if number in told), default=-1)
    return any(number not in told for number in order.reports if number < latest)


def _worth(executions: Sequence[tuple[tuple[int, int], Fraction]], terms: Terms) -> tuple[Decimal, Decimal]:
    """(cash, stock) moved by these executions: a buy pays, a sale is paid, in shares of the day of each trade."""
    cash = sum(cents(qty, px, terms.divisor) for (qty, px), _ in executions)
    stock = sum((Fraction(qty) / factor for (qty, _), factor in executions), Fraction(0))
    sign = -1 if terms.side == "1" else 1
    return _decimal(sign * cash, 2), _decimal(-sign * round(stock * 10**6), 8)


# The end


def require_truth(course: Course) -> None:
    """After healing our books are the venue's, and whatever it contradicted itself about is open before a person."""
    for index, terms in enumerate(course.world.terms):
        view = course.house.look(index)
        if view is None:
            continue
        order = course.venue.orders.get(index)
        if order is None:
            _require_never_there(index, view)
            continue
        _require_figures(course, terms, view, order)
        _require_answers(course, view, order)
        _require_matters(course, view, order)
    wanted = set()
    if any(number in course.told for number in course.venue.foreign):
        wanted.add("UNKNOWN_ORDER")
    matters = course.house.open_matters()
    require(
        matters - {"MESSAGE_REFUSED_BY_VENUE"} == wanted, f"open matters {sorted(matters)}, expected {sorted(wanted)}"
    )


def _require_never_there(index: int, view: OrderView) -> None:
    first = view.requests[0]
    require(not view.leaves_qty and not view.is_open, f"order {index} never reached the venue and is open")
    require(
        first.state in ("rejected", "withdrawn"), f"order {index} never reached the venue; its NEW is {first.state}"
    )


def _require_figures(course: Course, terms: Terms, view: OrderView, order: VenueOrder) -> None:
    name = f"order {order.index}"
    status = order.status(course.venue.day)
    require(view.ord_status == status, f"{name}: OrdStatus {view.ord_status}, at the venue {status}")
    _same(f"{name}: order_qty", view.order_qty, _decimal(order.qty, 2))
    _same(f"{name}: cum_qty", view.cum_qty, _decimal(order.cum, 2))
    _same(f"{name}: leaves_qty", view.leaves_qty, _decimal(order.leaves, 2))
    _same(f"{name}: avg_px", view.avg_px, _decimal(average(order.notional, order.cum), 10))
    _same(f"{name}: price", view.price, _decimal(order.px, 8) if order.px is not None else None)
    require(view.cl_ord_id == order.cl_ord_id, f"{name}: works as {view.cl_ord_id}, at the venue {order.cl_ord_id}")
    want = sorted((_decimal(t.qty, 2), _decimal(t.px if t.qty else 0, 8)) for t in order.trades)
    require(
        sorted(view.executions) == want,
        f"{name}: executions {_shown(sorted(view.executions))}, at the venue {_shown(want)}",
    )
    cash, stock = _worth([((t.qty, t.px), t.factor) for t in order.trades], terms)
    _same(f"{name}: cash moved", view.cash, cash)
    _same(f"{name}: stock moved", view.stock, stock)


def _require_answers(course: Course, view: OrderView, order: VenueOrder) -> None:
    """Every request has the venue's answer, or is openly unknown where the numbers under it were thrown away."""
    for request in view.requests:
        if request.state in ("refused", "withdrawn"):
            continue
        given = order.answers.get(request.cl_ord_id, "rejected")
        if request.state == "unknown" and course.world.traits.resets:
            continue
        require(
            request.state == given, f"order {order.index}: {request.cl_ord_id} is {request.state}, the venue {given} it"
        )


def _require_matters(course: Course, view: OrderView, order: VenueOrder) -> None:
    """Each contradiction is open, and nothing else is."""
    wanted = {kind for _, kind in order.expected}
    if order.cum > order.qty:
        wanted.add("OVERFILL")
    found = set(view.anomalies)
    if course.world.traits.resets:
        found = (found - FALSE_AFTER_RESET) | (wanted & FALSE_AFTER_RESET)
        if any(request.state == "unknown" for request in view.requests):
            found.discard("REQUEST_UNKNOWN")
    require(found == wanted, f"order {order.index}: open matters {sorted(found)}, expected {sorted(wanted)}")


def _same(what: str, got: Decimal | None, want: Decimal | None) -> None:
    require(got == want, f"{what} is {got}, should be {want}")


def _decimal(value: int, places: int) -> Decimal:
    return Decimal(value).scaleb(-places)


def _whole(value: Decimal, places: int) -> int | None:
    whole = int(value.scaleb(places))
    return whole if value == _decimal(whole, places) else None


def _shown(pairs: list[tuple[Decimal, Decimal]]) -> str:
    return "[" + ", ".join(f"{qty} at {px}" for qty, px in pairs) + "]"
