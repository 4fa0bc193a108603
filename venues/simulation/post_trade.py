"""Post-trade messages between hand-over and counterparty, played by seed: kills at every step, texts not stored, cut lines, gaps.

The counterparty is the truth: it alone knows what came. *Ours* is whatever plays our side: the rules in memory (``PureOutbox``), or the
services on the tables (``simulation_database.post_trade``); both must end alike. Promised at every moment: a name comes unflagged at
most once and at most twice in all, and nothing is sent again that an answer, or a stored text that was not asked for again, shows to
have left. Promised at the end: what was released has come, or a person was told.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import IntEnum
from typing import Protocol

from venues.domain.post_trade_fate import Copy, Evidence, Fate, is_asked_for, judge
from venues.simulation.choices import below, word

STEPS, HEAL_ROUNDS = 14, 8


class Outbox(Protocol):
    """Our side, as the gateway sees it. Names are those of messages."""

    def release(self, names: Sequence[str]) -> None:
        """To be sent."""

    def hand_over(self) -> list[str]:
        """All that waits, in order: durable when this returns."""

    def mark_left(self, names: Sequence[str]) -> None:
        """The engine took them, and their texts are stored."""

    def store(self, name: str, number: int, *, flagged: bool) -> None:
        """The recorder stored the text of one that left."""

    def hear_answer(self, name: str) -> None:
        """The counterparty says that it has it."""

    def hear_request(self, begin: int) -> None:
        """The counterparty asks for all numbers from ``begin`` on."""

    def settle(self) -> list[str]:
        """Once more, flagged: durable when this returns."""

    def told(self) -> set[str]:
        """About which a person was told."""


@dataclass(slots=True)
class _Known:
    """One message as our rules know it."""

    left: bool = False
    answered: bool = False
    again: bool = False
    told: bool = False
    copies: list[tuple[int, int, bool]] = field(default_factory=list)  # when, number, flagged


class PureOutbox:
    """The rules of ``domain.post_trade_fate`` with the bookkeeping of the services around them."""

    def __init__(self) -> None:
        self._waiting: list[str] = []
        self._known: dict[str, _Known] = {}
        self._requests: list[tuple[int, int]] = []
        self._settled = 0
        self._clock = 0

    def release(self, names: Sequence[str]) -> None:
        self._waiting += names

    def hand_over(self) -> list[str]:
        names, self._waiting = self._waiting, []
        self._known |= {name: _Known() for name in names}
        return names

    def mark_left(self, names: Sequence[str]) -> None:
        for name in names:
            self._known[name].left = True

    def store(self, name: str, number: int, *, flagged: bool) -> None:
        self._clock += 1
        self._known[name].copies.append((self._clock, number, flagged))

    def hear_answer(self, name: str) -> None:
        self._known[name].answered = True

    def hear_request(self, begin: int) -> None:
        self._clock += 1
        self._requests.append((self._clock, begin))

    def settle(self) -> list[str]:
        fresh, self._settled = self._requests[self._settled :], len(self._requests)
        again = []
        for name, known in self._known.items():
            lost = any(_asked(copy, fresh) for copy in known.copies) and not known.answered
            if known.told or (known.left and not lost):
                continue
            fate = judge(self.evidence(known)).fate
            known.left, known.told = fate is Fate.LEFT, fate is Fate.NOBODY_KNOWS
            if fate is Fate.AGAIN:
                known.again = True
                again.append(name)
        return again

    def evidence(self, known: _Known) -> Evidence:
        """What the rules are given of it."""
        copies = [Copy(copy[1], copy[2], _asked(copy, self._requests)) for copy in known.copies]
        return Evidence(known.answered, copies, known.again, timedelta(0), takes=True)

    def told(self) -> set[str]:
        return {name for name, known in self._known.items() if known.told}


def _asked(copy: tuple[int, int, bool], requests: Collection[tuple[int, int]]) -> bool:
    at, number, _ = copy
    return any(later > at and is_asked_for(number, begin=begin, end=0) for later, begin in requests)


class Hit(IntEnum):
    """What happens while a batch leaves. What a killed process gave to its socket arrives; a cut line loses it."""

    NOTHING = 0
    KILLED_BEFORE_MARK = 1
    KILLED_AFTER_MARK = 2
    CUT = 3


class Broken(Exception):
    """A promise does not hold."""


@dataclass(slots=True)
class _Party:
    """The counterparty, and the line to it: what came, and which number it expects."""

    expects: int = 1
    came: list[tuple[str, bool]] = field(default_factory=list)
    answered: set[str] = field(default_factory=set)


class Course:
    """One seed against one outbox."""

    def __init__(self, seed: int, ours: Outbox) -> None:
        self._seed = seed
        self._ours = ours
        self._party = _Party()
        self._number = 1
        self._released: list[str] = []
        self._proven: set[str] = set()
        self._step = 0

    def play(self) -> tuple[tuple[str, bool], ...]:
        """What the counterparty got, in order. Raises Broken."""
        for self._step in range(STEPS):
            self._round(disturbed=True)
        for self._step in range(STEPS, STEPS + HEAL_ROUNDS):
            self._round(disturbed=False)
        came = {name for name, _ in self._party.came}
        forgotten = sorted(set(self._released) - came - self._ours.told())
        if forgotten:
            raise Broken(f"{forgotten[0]} never came and nobody was told")
        return tuple(self._party.came)

    def _draw(self, what: str, count: int) -> int:
        """A number below ``count``."""
        return below(count, self._seed, word("post_trade"), self._step, word(what))

    def _round(self, *, disturbed: bool) -> None:
        """A logon, what it brings, what is settled, what is handed over; each may be cut short by a kill."""
        self._log_on()
        self._answer(all_of_them=not disturbed)
        if not self._send(self._ours.settle(), flagged=True, disturbed=disturbed, what="again"):
            return
        if disturbed:
            names = [f"M{len(self._released) + n}" for n in range(self._draw("release", 4))]
            self._released += names
            self._ours.release(names)
        self._send(self._ours.hand_over(), flagged=False, disturbed=disturbed, what="new")

    def _log_on(self) -> None:
        """Numbers that the counterparty misses are asked for, and filled by a gap: what left under them is lost."""
        if self._number > self._party.expects:
            self._ours.hear_request(self._party.expects)
            self._party.expects = self._number

    def _answer(self, *, all_of_them: bool) -> None:
        for name, _ in self._party.came:
            if name not in self._party.answered and (all_of_them or not self._draw(f"answer-{name}", 3)):
                self._party.answered.add(name)
                self._proven.add(name)
                self._ours.hear_answer(name)

    def _send(self, names: Sequence[str], *, flagged: bool, disturbed: bool, what: str) -> bool:
        """How far it came; False: what follows in this round does not happen."""
        again = sorted(set(names) & self._proven) if flagged else []
        if again:
            raise Broken(f"{again[0]} is sent again, and it had left")
        hit = Hit(self._draw(f"hit-{what}", len(Hit))) if disturbed and names else Hit.NOTHING
        sent = arrive = stored = len(names)
        if hit in (Hit.KILLED_BEFORE_MARK, Hit.CUT):
            sent = arrive = stored = self._draw(f"sent-{what}", len(names) + 1)
        killed = hit in (Hit.KILLED_BEFORE_MARK, Hit.KILLED_AFTER_MARK)
        if hit is Hit.CUT or (killed and self._draw(f"cut-{what}", 2)):
            arrive = self._draw(f"arrive-{what}", sent + 1)
        if killed:
            stored = self._draw(f"stored-{what}", sent + 1)
        for place, name in enumerate(names[:sent]):
            number, self._number = self._number, self._number + 1
            if place < arrive:
                self._arrive(name, flagged)
                self._party.expects = number + 1
            if place < stored:
                self._ours.store(name, number, flagged=flagged)
                self._proven |= {name} if place < arrive else set()
        if hit is not Hit.KILLED_BEFORE_MARK:
            self._ours.mark_left(names[:stored])
        return hit is Hit.NOTHING

    def _arrive(self, name: str, flagged: bool) -> None:
        self._party.came.append((name, flagged))
        copies = [one for one in self._party.came if one[0] == name]
        if copies not in ([(name, False)], [(name, True)], [(name, False), (name, True)]):
            raise Broken(f"{name} came as {[flag for _, flag in copies]}")
