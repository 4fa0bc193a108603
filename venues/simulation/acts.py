"""What a venue may do to an order on its own account: one small function a verb. What does not apply does nothing."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from venues.simulation.messages import Words
from venues.simulation.script import PX, QTY
from venues.simulation.truth import Happening, VenueOrder
from venues.simulation.venue import TOO_LATE, Venue

RENEWAL, PARTIAL_DECLINE, CORPORATE_ACTION, REPRICED = "1", "5", "0", "3"
SPLITS = ((2, 1), (4, 1), (1, 2))

Act = Callable[[Venue, VenueOrder, int, int], None]


def act(venue: Venue, verb: str, order: VenueOrder | None, a: int, b: int) -> None:
    """Do it, if there is such an order."""
    if verb == "next_day":
        next_day(venue)
    elif order is not None:
        ACTS[verb](venue, order, a, b)


def _can_trade(order: VenueOrder) -> bool:
    return not (order.over or order.suspended or order.done_on)


def fill(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    """Part of the leaves, in whole units; now and then the first word about the order."""
    if _can_trade(order) and order.leaves:
        qty = max(order.leaves * (a % 700 + 1) // 1000 // QTY * QTY, min(QTY, order.leaves))
        venue.trade(order, qty, better=b % 20)


def fill_all(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    if _can_trade(order) and order.leaves:
        venue.trade(order, order.leaves, better=b % 20)


def overfill(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    """More than was ordered: it happened, whoever is to blame."""
    if _can_trade(order) and order.acked:
        venue.trade(order, order.leaves + (a % 5 + 1) * QTY, better=b % 20)


def late_fill(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    """A trade made before the order ended and reported after."""
    room = order.qty - order.cum
    late = order.dead or (order.done_on and order.is_day)
    if late and not order.rejected and not order.calculated and room > 0:
        qty = room if a % 3 == 0 else max(room * (a + 1) // 1000 // QTY * QTY, min(QTY, room))
        name = order.cancel_name if venue.world.traits.late_name else ""
        number = venue.trade(order, qty, better=b % 20, cl_ord_id=name)
        order.expected.append((number, "LATE_TRADE"))


def empty_trade(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    """A trade report without a quantity."""
    if _can_trade(order) and order.acked == "0" and not order.stopped:
        number = venue.say(order, "F", exec_id=f"N{a}.{len(venue.said)}", last=(0, PX))
        order.expected.append((number, "TRADE_WITHOUT_QTY"))


def bust(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    alive = [place for place, trade in enumerate(order.trades) if not trade.busted]
    if not alive or venue.world.traits.same_exec_id:
        return
    place = alive[a % len(alive)]
    trade = order.trades[place]
    version = 0 if venue.world.traits.refers_back else -1
    own = venue.world.traits.self_reference
    exec_id = trade.exec_ids[-1] if own else venue.exec_id(order)
    qty, px = trade.qty, trade.px
    trade.qty, trade.busted = 0, True
    ref = "" if own else trade.exec_ids[version]
    trade.exec_ids.append(exec_id)
    number = venue.say(order, "H", exec_id=exec_id, ref=ref, last=(qty, px))
    order.history.append(Happening(number, "bust", place, 0, 0, trade.numbers[-1 if own else version]))
    trade.numbers.append(number)


def correct(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    """Another quantity, price or both; corrections of corrections come by themselves."""
    alive = [place for place, trade in enumerate(order.trades) if not trade.busted]
    if not alive or venue.world.traits.same_exec_id:
        return
    place = alive[b % len(alive)]
    trade = order.trades[place]
    version = 0 if venue.world.traits.refers_back else -1
    exec_id, ref = venue.exec_id(order), trade.exec_ids[version]
    if a % 3:
        most = order.qty - order.cum + trade.qty
        wanted = max(trade.qty * (500 + a) // 1000 // QTY * QTY, QTY)
        trade.qty = wanted if a % 10 == 1 else max(min(wanted, most), min(QTY, trade.qty))
    if not a % 3 or a % 7 == 0:
        trade.px += (b % 11 - 5) * PX // 100
    trade.exec_ids.append(exec_id)
    number = venue.say(order, "G", exec_id=exec_id, ref=ref, last=(trade.qty, trade.px))
    order.history.append(Happening(number, "correct", place, trade.qty, trade.px, trade.numbers[version]))
    trade.numbers.append(number)


def amend_first(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    """A bust or a correction that is reported before the trade it is about."""
    traits = venue.world.traits
    if not _can_trade(order) or order.leaves < 4 * QTY or order.stopped or traits.same_exec_id or traits.self_reference:
        return
    qty = order.leaves // (2 * QTY) * QTY
    exec_id, px = venue.enter_trade(order, qty, b % 20)
    place, trade = len(order.trades) - 1, order.trades[-1]
    trade.exec_ids.append(f"P{len(venue.said)}")
    if a % 2:
        trade.qty, trade.busted = 0, True
    else:
        trade.qty = qty - QTY
    first = venue.say(
        order, "H" if a % 2 else "G", exec_id=trade.exec_ids[-1], ref=exec_id, last=(trade.qty or qty, px)
    )
    second = venue.say(order, "F", exec_id=exec_id, last=(qty, px))
    trade.numbers += [second, first]
    order.history.append(Happening(first, "bust" if a % 2 else "correct", place, trade.qty, px, second))
    order.history.append(Happening(second, "trade", place, qty, px))


def correct_busted(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    """A contradiction: the venue corrects what it has withdrawn. The bust stands."""
    busted = [place for place, trade in enumerate(order.trades) if trade.busted]
    if busted and not venue.world.traits.self_reference:
        place = busted[a % len(busted)]
        trade, last = order.trades[place], ((a % 9 + 1) * QTY, PX)
        number = venue.say(order, "G", exec_id=f"C{len(venue.said)}", ref=trade.exec_ids[0], last=last)
        order.expected.append((number, "CORRECTED_BUST"))
        order.history.append(Happening(number, "correct", place, *last, trade.numbers[0]))


def answer(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    """Answer the oldest open request; exchanges bundle the acceptance of a replace with the next fill."""
    if order.waiting:
        venue.answer(order, order.waiting[0], bundle=b % 4 == 0)


def refuse(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    if order.waiting:
        venue.refuse(order, order.waiting[a % len(order.waiting)], TOO_LATE)


def acknowledge(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    if not order.over and order.acked != "0":
        venue.acknowledge(order)


def reject(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    if not order.over and not order.trades and not order.done_on:
        venue.reject(order)


def new_after_reject(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    if order.rejected:
        number = venue.say(order, "0", said="0", cl_ord_id=order.new_cl_ord_id)
        order.expected.append((number, "CONTRADICTION"))
        order.taken_back = True


def reject_duplicate(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    if not order.rejected and order.acked == "0":
        venue.reject_duplicate(order)


def reject_twice(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    """A contradiction: a cancel reject for a request that was carried out."""
    done = [name for name, said in order.answers.items() if said == "accepted" and name != order.new_cl_ord_id]
    if done:
        venue.refusals.add(done[a % len(done)])
        words = Words("R", order.status(venue.day), order.name, done[a % len(done)], order.cl_ord_id, reason=TOO_LATE)
        order.expected.append((venue.put(words._replace(leaves=3, day=venue.day), order), "CONTRADICTION"))


def cancel(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    if not order.over and order.leaves:
        venue.end(order, "4")


def expire(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    if not order.over and order.leaves:
        venue.end(order, "C")


def done_for_day(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    if not order.over and order.acked == "0" and not order.done_on and not order.stopped:
        order.done_on = venue.day
        venue.say(order, "3")


def next_day(venue: Venue) -> None:
    """Day orders expire, what was done for the day and lives on is renewed."""
    for order in venue.orders.values():
        if order.is_day and not order.over and order.leaves:
            venue.end(order, "C")
    venue.day += 1
    for order in venue.orders.values():
        if order.done_on and not order.is_day and not order.over:
            order.done_on = 0
            venue.say(order, "D", reason=RENEWAL)


def calculate(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    if order.is_day and not order.dead and not order.rejected and not order.pending and order.cum >= order.qty:
        order.calculated, order.stopped, order.suspended = True, False, False
        venue.say(order, "B")


def restate_qty(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    """The venue changes the quantity unasked, never below what is executed."""
    if order.over or order.acked != "0" or order.done_on:
        return
    wanted = max(order.qty * (500 + a) // 1000 // QTY * QTY, order.cum, QTY)
    if wanted != order.qty:
        order.qty = wanted
        order.changes.append(venue.say(order, "D", reason=PARTIAL_DECLINE))


def restate_px(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    if order.px is not None and not order.over and order.acked == "0" and not order.done_on:
        order.px += (a % 9 - 4) * PX // 100
        order.changes.append(venue.say(order, "D", reason=REPRICED))


def split(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    """So many new shares for so many old: quantities and prices of order and executions change, nothing is traded."""
    new, old = SPLITS[a % len(SPLITS)]
    even = all(value % old == 0 for value in (order.qty, *(t.qty for t in order.trades)))
    finer = all(value % new == 0 for value in (order.px or 0, *(t.px for t in order.trades)))
    if order.over or order.acked != "0" or order.done_on or not (even and finer):
        return
    for asked in tuple(order.waiting):
        venue.refuse(order, asked)
    order.qty = order.qty * new // old
    order.px = order.px * old // new if order.px is not None else None
    for trade in order.trades:
        trade.qty, trade.px = trade.qty * new // old, trade.px * old // new
        trade.factor *= Fraction(new, old)
    number = venue.say(order, "D", reason=CORPORATE_ACTION)
    order.changes.append(number)
    order.history.append(Happening(number, "split", -1, new, old))


def suspend(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    if not order.over and order.acked == "0" and order.leaves and not order.done_on and not order.stopped:
        order.suspended = True
        venue.say(order, "9")


def reinstate(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    if order.suspended:
        order.suspended = False
        venue.say(order, "0")


def stop(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    """A guarantee of price for the leaves; not a trade."""
    if _can_trade(order) and order.acked == "0" and order.leaves:
        order.stopped = True
        venue.say(order, "7", last=(order.leaves, order.px or 100 * PX))


def status(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    if not (order.waiting or order.rejected):
        venue.say(order, "I", exec_id="0")


def foreign(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    """A trade of somebody else's order with the very economics of ours."""
    words = Words(
        kind="F",
        said="1",
        order_id=f"Z{venue.world.seed}-{a}",
        cl_ord_id=f"Z{venue.world.seed}.{a}" if b % 2 else "",
        exec_id=f"Z{len(venue.said)}",
        side=order.side,
        order_qty=order.qty,
        px=order.px,
        last_qty=order.qty // 2 or 1,
        last_px=order.px or 100 * PX,
        cum=order.qty // 2 or 1,
        leaves=order.qty - order.qty // 2,
        day=venue.day,
    )
    venue.foreign.append(venue.put(words))


def echo(venue: Venue, order: VenueOrder, a: int, b: int) -> None:
    """PendingCancel or PendingReplace once more, for a request that has its answer."""
    answered = [name for name in order.answers if name != order.new_cl_ord_id]
    if answered and not (order.pending or order.rejected):
        name = answered[a % len(answered)]
        venue.say(order, "E" if b % 2 else "6", cl_ord_id=name, orig=order.cl_ord_id)


ACTS: dict[str, Act] = {
    one.__name__: one
    for one in (
        *(fill, fill_all, overfill, late_fill, empty_trade, amend_first, bust, correct, correct_busted, answer, refuse),
        *(acknowledge, reject, new_after_reject, reject_duplicate, reject_twice, cancel, expire, done_for_day),
        *(calculate, restate_qty, restate_px, split, suspend, reinstate, stop, status, foreign, echo),
    )
}
