"""Play a script: people, venue, wire and crashes first, with every promise checked after every step; then heal and converge.

Within ``ROUNDS`` rounds of an undisturbed session our books must be the venue's. Raises :class:`Wrong` otherwise.
"""

from __future__ import annotations

from collections.abc import Callable

from venues.simulation import acts, checks, healing
from venues.simulation.broken import Broken
from venues.simulation.choices import draw, word
from venues.simulation.course import Course
from venues.simulation.house import Crash, House
from venues.simulation.pure_house import PureHouse
from venues.simulation.script import PX, QTY, Script, Step

ROUNDS = 5
HEALING = 1_000_000
_PLUMB = word("plumb")
BATCHES = (1, 2, 100)


class Wrong(Exception):
    """A promise was broken. ``step`` is the id of the step after which it was seen, or HEALING and the round."""

    def __init__(self, step: int, why: str) -> None:
        super().__init__(why)
        self.step = step
        self.why = why


class Play(Course):
    """One run of one script against one house."""

    def run(self, watch: Callable[[Play, int], None] | None = None) -> None:
        """The whole script; returns when all is well. ``watch`` is called after each step, with its id."""
        step_id = 0
        try:
            for step in self.script.steps:
                step_id = step.id
                self._run_step(step)
                if watch is not None:
                    watch(self, step_id)
            for number in range(ROUNDS):
                step_id = HEALING + number
                healed = healing.heal(self, step_id, number)
                if watch is not None:
                    watch(self, step_id)
                if healed:
                    break
            checks.require_truth(self)
        except Wrong:
            raise
        except Broken as broken:
            raise Wrong(step_id, str(broken)) from broken
        except Exception as error:  # whatever the core raises is a finding too
            raise Wrong(step_id, f"{type(error).__name__}: {error}") from error

    def _run_step(self, step: Step) -> None:
        self.tick += 1
        self.venue.begin(step.id)
        match step.who:
            case "us":
                self._we(step)
            case "venue":
                self._venue(step)
            case _:
                self._wire(step)
        self._plumb(draw(self.world.seed, _PLUMB, step.id))
        self.learn()
        checks.require_promises(self)

    # The three who act

    def _we(self, step: Step) -> None:
        index = step.order
        match step.verb:
            case "capture":
                name = self.house.capture(index, self.tick)
                terms = self.world.terms[index]
                self._took(name, step, f"we enter order {index}: {terms}")
                if name:
                    self.asked[name] = (terms.qty, terms.px)
            case "replace":
                terms = self.world.terms[index]
                qty = max(terms.qty * (600 + step.a) // 1000 // QTY, 1) * QTY
                px = terms.px + (step.b % 21 - 10) * PX // 10 if terms.px is not None else None
                name = self.house.replace(index, qty, px, self.tick)
                self._took(name, step, f"we ask to replace order {index}: {qty} at {px}")
                if name:
                    self.asked[name] = (qty, px)
            case "cancel":
                self._took(self.house.cancel(index, self.tick), step, f"we ask to cancel order {index}")
            case "silence":
                self.ask()
            case _:
                self._crash(step.a)

    def _took(self, name: str | None, step: Step, sentence: str) -> None:
        if name:
            self.labels[name] = (step.order, step.id)
        self.note(f"{sentence} -> {'refused by our door' if name is None else name or 'completed here'}")

    def _venue(self, step: Step) -> None:
        said = len(self.venue.said)
        acts.act(self.venue, step.verb, self.venue.orders.get(step.order), step.a, step.b)
        if len(self.venue.said) == said:
            self.note(f"the venue has nothing to {step.verb} on order {step.order}")

    def _wire(self, step: Step) -> None:
        match step.verb:
            case "cut":
                self.note("the connection is cut")
                self.wire.cut()
            case "join":
                self.join()
            case "reset" if self.world.traits.resets:
                self.note("numbers start again")
                self.wire.transmit(self.venue.said, self.tick)
                self.wire.reset(self.tick)
                self.house.begin_epoch(self.wire.epoch)
            case "resend":
                self.store(self.wire.resend())

    def _crash(self, choice: int) -> None:
        """Our process dies at one of six places, and comes back."""
        place = choice % 6
        self.note(f"we crash at place {place}")
        try:
            if place == 0:
                self.house.hand_over(self.tick, "before_commit")
            elif place == 1:
                self.house.hand_over(self.tick, "after_commit")
            elif place == 2:
                self.send(self.house.hand_over(self.tick, "after_send") if self.wire.connected else [])
            elif place == 3:
                self.wire.lost(self.wire.arrivals(self.tick))
            else:
                self.house.consume(100, self.tick, "before_commit" if place == 4 else "after_commit")
        except Crash:
            pass
        self.wire.transmit(self.venue.said, self.tick)
        self.wire.cut()
        self.house.restart(self.tick)

    # What goes on all the time

    def _plumb(self, bits: int) -> None:
        if not self.wire.connected and bits >> 10 & 3 == 0:
            self.join()
        if bits & 7 < 5 and self.wire.connected:
            self.send(self.house.hand_over(self.tick, ""))
        if bits >> 3 & 3:
            self.venue_reads()
        self.deliver()
        if bits >> 5 & 3:
            self.house.consume(BATCHES[(bits >> 7) % 3], self.tick, "")


def play(script: Script, house: House | None = None, say: Callable[[str], None] | None = None) -> Play:
    """Run the script, against the pure house unless another is given; raises Wrong."""
    run = Play(script, house if house is not None else PureHouse(script.world), say)
    run.run()
    return run
