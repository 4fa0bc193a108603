"""What a check may answer, and which answer wins.

PASS < ACKNOWLEDGE (the dealer's own reason) < AUTHORISE (a second person) < REFUSE (nobody). The worst wins and all
are kept. Off the desk nobody sits in front of a question, so there ACKNOWLEDGE becomes AUTHORISE unless the payload
already carries the acknowledgement. More than five questions at once are a second person's, whoever acknowledged them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

from kernel.canonical import jsonable


class Verdict(IntEnum):
    """The four answers in rising order of severity."""

    PASS = 0
    ACKNOWLEDGE = 1
    AUTHORISE = 2
    REFUSE = 3

    @property
    def word(self) -> str:
        """As stored and shown: ``pass``, ``acknowledge``, ``authorise``, ``refuse``."""
        return _WORDS[self]


_WORDS = tuple(verdict.name.lower() for verdict in Verdict)


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """A dealer's own reason for going on in spite of one check."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """One check's answer with the facts it saw. ``reason`` is the dealer's, where the answer was acknowledged."""

    code: str
    verdict: Verdict
    sentence: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """All answers of one run in registry order, and the worst of them once acknowledgements are counted."""

    answers: tuple[CheckAnswer, ...]
    worst: Verdict

    def with_verdict(self, verdict: Verdict) -> tuple[CheckAnswer, ...]:
        """The answers that said ``verdict``."""
        return tuple(answer for answer in self.answers if answer.verdict is verdict)

    @property
    def sentence(self) -> str:
        """The sentences of the worst answers, or the empty text when everything passed."""
        return " ".join(answer.sentence for answer in self.with_verdict(self.worst)) if self.worst else ""


MOST_WARNINGS = 5
"""More questions than these nobody reads one by one: a second person answers them, whatever the dealer acknowledged."""


def judge(answers: Iterable[CheckAnswer], *, acknowledgements: Sequence[Acknowledgement], on_desk: bool) -> Judgement:
    """Count acknowledgements in and pick the worst answer."""
    answers = list(answers)
    given = {item.code: item.reason for item in acknowledgements if item.reason.strip()}
    too_many = sum(answer.verdict is Verdict.ACKNOWLEDGE for answer in answers) > MOST_WARNINGS
    kept: list[CheckAnswer] = []
    worst = Verdict.PASS
    for answer in answers:
        final = answer
        weight = answer.verdict
        if weight is Verdict.ACKNOWLEDGE:
            if too_many:
                final = replace(answer, verdict=Verdict.AUTHORISE, reason=given.get(answer.code, ""))
                weight = Verdict.AUTHORISE
            elif answer.code in given:
                final, weight = replace(answer, reason=given[answer.code]), Verdict.PASS
            elif not on_desk:
                final, weight = replace(answer, verdict=Verdict.AUTHORISE), Verdict.AUTHORISE
        kept.append(final)
        worst = max(worst, weight)
    return Judgement(answers=tuple(kept), worst=worst)


def answer_to_json(answer: CheckAnswer) -> dict[str, Any]:
    """Plain JSON for storage; a check that passed keeps only what it saw."""
    stored: dict[str, Any] = {"code": answer.code, "verdict": answer.verdict.word}
    if answer.facts:
        stored["facts"] = jsonable(answer.facts)
    if answer.sentence:
        stored["sentence"] = answer.sentence
    if answer.reason:
        stored["reason"] = answer.reason
    return stored


def answer_from_json(stored: Mapping[str, Any]) -> CheckAnswer:
    """The answer as stored; decimals in ``facts`` stay text."""
    return CheckAnswer(
        code=stored["code"],
        verdict=Verdict[stored["verdict"].upper()],
        sentence=stored.get("sentence", ""),
        facts=stored.get("facts", {}),
        reason=stored.get("reason", ""),
    )
