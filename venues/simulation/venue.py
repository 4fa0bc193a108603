"""The venue: takes raw messages, decides by stable keys, keeps the truth, and says what it did.

It obeys FIX where FIX is clear and does what venues do where it is not. What it says about an order goes to ``said``;
how that reaches us is the wire's matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from venues.simulation.choices import draw, word
from venues.simulation.messages import Words, read, units
from venues.simulation.script import PX, QTY, World
from venues.simulation.truth import Asked, Happening, Trade, VenueOrder

TOO_LATE, UNKNOWN_ORDER, DUPLICATE = "0", "1", "6"
_RECEIPT, _NAME, _SAID = word("receipt"), word("name"), word("said")


class Saying(NamedTuple):
    """A message of the venue before it is sent: ``number`` is its place in all the venue said, ``key`` its stable key."""

    number: int
    words: Words
    key: tuple[int, int]


class Venue:
    """``labels`` (filled by whoever plays the script) name each ClOrdID by order and step, the same in every house."""

    def __init__(self, world: World, labels: Mapping[str, tuple[int, int]]) -> None:
        self.world = world
        self.labels = labels
        self.day = 1
        self.orders: dict[int, VenueOrder] = {}
        self.by_name: dict[str, VenueOrder] = {}
        self.said: list[Saying] = []
        self.refusals: set[str] = set()  # ClOrdIDs the venue said no to, or does not know
        self.foreign: list[int] = []
        self._step = 0
        self._nth = 0

    def begin(self, step: int) -> None:
        """What is said from now on is said in this step."""
        self._step, self._nth = step, 0

    # Reading

    def receive(self, raw: str) -> None:
        """One message that has come over the wire."""
        values = read(raw)
        match values[35]:
            case "D":
                self._new(values)
            case "F" | "G":
                self._change(values)
            case "H":
                self._asked_status(values)
            case other:
                raise ValueError(f"the venue was sent a message of type {other}")

    def _new(self, values: Mapping[int, str]) -> None:
        name = values[11]
        known = self.by_name.get(name)
        if known is not None:
            if not known.rejected and known.acked == "0":
                self.reject_duplicate(known)
            return
        index, label = self.labels[name]
        order = VenueOrder(
            name=f"V{self.world.seed}-{index}",
            index=index,
            new_cl_ord_id=name,
            cl_ord_id=name,
            side=values[54],
            tif=values.get(59, "0"),
            qty=units(values[38], QTY),
            px=units(values[44], PX) if 44 in values else None,
        )
        self.orders[index] = self.by_name[name] = order
        fate = draw(self.world.seed, _RECEIPT, label) % 100
        if fate < 55:
            self.acknowledge(order)
        elif fate < 67:
            order.acked = "A"
            self.say(order, "A")
        elif fate < 72:
            self.reject(order)
        elif fate < 75:
            self._reject_by_number(order, name, values[34])

    def _change(self, values: Mapping[int, str]) -> None:
        name, orig = values[11], values.get(41, "")
        cancel = values[35] == "F"
        order = self.by_name.get(orig)
        label = self.labels[name][1]
        asked = Asked(
            kind="cancel" if cancel else "replace",
            cl_ord_id=name,
            orig=orig,
            qty=0 if cancel else units(values[38], QTY),
            px=None if cancel or 44 not in values else units(values[44], PX),
            label=label,
        )
        if order is None:
            self.refusals.add(name)
            self.put(Words("R", "8", "NONE", name, orig, reason=UNKNOWN_ORDER, leaves=1 if cancel else 2, day=self.day))
            return
        if name in self.by_name:
            return
        self.by_name[name] = order
        in_line = {order.cl_ord_id, *(one.cl_ord_id for one in order.waiting)}
        if not self.world.traits.lenient and orig not in in_line:
            self.refuse(order, asked, UNKNOWN_ORDER)
            return
        if order.over:
            self.refuse(order, asked)
            return
        fate = draw(self.world.seed, _RECEIPT, label) % 100
        if fate < 4:
            order.answers[name] = "rejected"
            self.refusals.add(name)
            self.put(Words("s", "", "", reason=values[34], day=self.day), order)
            return
        order.waiting.append(asked)
        if self.world.traits.pends:
            kind = "6" if cancel else "E"
            order.pending.append((name, kind))
            self.say(order, kind, cl_ord_id=name, orig=order.cl_ord_id)
        if fate < 50:
            self.answer(order, asked)
        elif fate < 65:
            self.refuse(order, asked)

    def _asked_status(self, values: Mapping[int, str]) -> None:
        """What it holds unanswered it shows as pending, whether it had reported that or not."""
        name, question = values[11], values.get(790, "")
        order = self.by_name.get(name)
        if order is None:
            self.refusals.add(name)
            words = Words("I", "8", "NONE", name, exec_id="0", reason=UNKNOWN_ORDER, day=self.day, question=question)
            self.put(words)
            return
        for kind, code in (("cancel", "6"), ("replace", "E")):
            held = [asked.cl_ord_id for asked in order.waiting if asked.kind == kind]
            if held and not order.pending:
                order.pending.append((name if name in held else held[0], code))
                order.shown_late = True
        self.say(order, "I", cl_ord_id=name, exec_id="0", question=question)

    def _reject_by_number(self, order: VenueOrder, name: str, number: str) -> None:
        order.rejected = True
        order.shown_late = self.world.traits.resets  # repeated under new numbers it names nothing
        order.answers[name] = "rejected"
        self.refusals.add(name)
        self.put(Words("j", "", "", reason=number, day=self.day), order)

    # Deciding

    def acknowledge(self, order: VenueOrder) -> None:
        self._lives(order)
        self.say(order, "0")

    def reject(self, order: VenueOrder) -> None:
        """Reject the order itself, acknowledged or not."""
        order.rejected = True
        order.pending.clear()
        order.stopped = order.suspended = False
        order.answers[order.new_cl_ord_id] = "rejected"
        self.refusals.add(order.new_cl_ord_id)
        self.say(order, "8", cl_ord_id=order.new_cl_ord_id, reason="99")
        self._refuse_waiting(order)

    def reject_duplicate(self, order: VenueOrder) -> None:
        number = self.say(order, "8", cl_ord_id=order.new_cl_ord_id, reason=DUPLICATE)
        order.expected.append((number, "DUPLICATE_REJECTED"))

    def answer(self, order: VenueOrder, asked: Asked, *, bundle: bool = False) -> None:
        """Do what was asked where that is still possible, else refuse it."""
        filled = 0 < order.qty <= order.cum
        if order.over or (filled and (asked.kind == "cancel" or not self.world.traits.lenient)):
            self.refuse(order, asked)
            return
        order.waiting.remove(asked)
        order.answers[asked.cl_ord_id] = "accepted"
        self._unpend(order, asked.cl_ord_id)
        self._lives(order)
        before = order.cl_ord_id
        if asked.kind == "cancel":
            order.cancel_name = asked.cl_ord_id
            self.end(order, "4", cl_ord_id=asked.cl_ord_id, orig=before)
            return
        leaves = self.world.adapter == "fix44-leaves"
        # Less than is executed asks to stop; what was executed beyond the order stays beyond it.
        order.qty = max(order.cum + asked.qty if leaves else asked.qty, min(order.cum, order.qty))
        order.px = asked.px if asked.px is not None else order.px
        order.cl_ord_id = asked.cl_ord_id
        whole = order.qty == asked.qty and not leaves
        terse = self.world.traits.terse and not leaves
        if bundle and whole and order.leaves and not order.suspended and not order.done_on:
            self.trade(order, max(order.leaves // 2, 1), cl_ord_id=order.cl_ord_id, orig=before)
        else:
            order.changes.append(self.say(order, "5", cl_ord_id=asked.cl_ord_id, orig=before, terse=terse))

    def refuse(self, order: VenueOrder, asked: Asked, code: str = TOO_LATE) -> None:
        """A cancel reject (35=9), with a status that is not always to be believed."""
        if asked in order.waiting:
            order.waiting.remove(asked)
        self.refusals.add(asked.cl_ord_id)
        order.answers[asked.cl_ord_id] = "rejected"
        self._unpend(order, asked.cl_ord_id)
        misleads = draw(self.world.seed, _SAID, asked.label) % 5 == 0
        self.put(
            Words(
                kind="R",
                said="8" if misleads else order.status(self.day),
                order_id=order.name,
                cl_ord_id=asked.cl_ord_id,
                orig=order.cl_ord_id,
                reason=code,
                leaves=1 if asked.kind == "cancel" else 2,
                day=self.day,
            ),
            order,
        )

    def end(self, order: VenueOrder, dead: str, *, cl_ord_id: str = "", orig: str = "") -> None:
        """Cancel or expire it, asked or not; whatever else was asked for is refused."""
        self._lives(order)
        order.dead = dead
        order.pending.clear()
        order.stopped = order.suspended = False
        order.done_on = 0
        self.say(order, dead, cl_ord_id=cl_ord_id, orig=orig)
        self._refuse_waiting(order)

    def trade(self, order: VenueOrder, qty: int, *, better: int = 0, cl_ord_id: str = "", orig: str = "") -> int:
        """Execute ``qty`` at the limit or ``better`` hundredths under it; the number of the report."""
        exec_id, price = self.enter_trade(order, qty, better)
        number = self.say(order, "F", cl_ord_id=cl_ord_id, orig=orig, exec_id=exec_id, last=(qty, price))
        order.trades[-1].numbers.append(number)
        order.history.append(Happening(number, "trade", len(order.trades) - 1, qty, price))
        return number

    def enter_trade(self, order: VenueOrder, qty: int, better: int) -> tuple[str, int]:
        """A trade in the books, nothing said of it; its ExecID and price."""
        self._lives(order)
        base = order.px if order.px is not None else 100 * PX
        px = base - better * PX // 100 if order.side == "1" else base + better * PX // 100
        exec_id = self.exec_id(order)
        order.trades.append(Trade(qty, px, [exec_id]))
        if not order.pending and order.cum < order.qty:
            order.stopped = False  # the guarantee is used; while another status hides it, it is taken to stand
        return exec_id, px

    def settle(self) -> None:
        """Leave nothing open between us: acknowledge what lives, answer what was asked."""
        for order in self.orders.values():
            if not order.over and order.acked != "0":
                self.acknowledge(order)
            for asked in tuple(order.waiting):
                if asked in order.waiting:
                    self.answer(order, asked)

    # Saying

    def exec_id(self, order: VenueOrder) -> str:
        """ExecID of a trade, bust or correction by the venue's habit."""
        if self.world.traits.same_exec_id:
            return f"X{order.index}"
        if self.world.traits.reuses_exec_ids:
            return str(1 + len(order.history))
        return f"E{len(self.said)}"

    def say(
        self,
        order: VenueOrder,
        kind: str,
        *,
        cl_ord_id: str = "",
        orig: str = "",
        exec_id: str = "",
        ref: str = "",
        last: tuple[int, int] = (0, 0),
        reason: str = "",
        said: str = "",
        question: str = "",
        terse: bool = False,
    ) -> int:
        """An execution report about the order as it stands now; returns its number."""
        name = cl_ord_id or order.cl_ord_id
        chance = draw(self.world.seed, _NAME, self._step, self._nth) % 100
        if chance < self.world.traits.anonymous and order.named and not cl_ord_id:
            name = orig = ""
        order.named = True
        return self.put(
            Words(
                kind=kind,
                said=said or order.status(self.day),
                order_id=order.name,
                cl_ord_id=name,
                orig=orig,
                exec_id=exec_id or f"R{len(self.said)}",
                ref=ref,
                side=order.side,
                order_qty=None if terse else order.qty,
                px=None if terse else order.px,
                last_qty=last[0],
                last_px=last[1],
                cum=order.cum,
                leaves=order.leaves,
                reason=reason,
                day=self.day,
                question=question,
            ),
            order,
        )

    def put(self, words: Words, about: VenueOrder | None = None) -> int:
        """One more message; returns its number."""
        number = len(self.said)
        if about is not None:
            about.reports.append(number)
        self.said.append(Saying(number, words, (self._step, self._nth)))
        self._nth += 1
        return number

    def _lives(self, order: VenueOrder) -> None:
        order.acked = "0"
        order.answers.setdefault(order.new_cl_ord_id, "accepted")

    def _unpend(self, order: VenueOrder, name: str) -> None:
        order.pending = [pair for pair in order.pending if pair[0] != name]

    def _refuse_waiting(self, order: VenueOrder) -> None:
        for asked in tuple(order.waiting):
            self.refuse(order, asked)
