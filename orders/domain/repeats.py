"""Which facts tell something again that was told before: asked of the set of facts, never of the order of arrival."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from orders.domain.state import Fact


def without_resends(facts: Sequence[Fact]) -> Sequence[Fact]:
    """The facts that say something for the first time. Only a flagged report is ever taken for a repetition.

    A venue whose numbers start again repeats in its own order what may not have arrived. One of a run of repetitions
    that was never heard before thus happened before those after it that were: there it is read, not at its new number.
    """
    if not any(fact.resend for fact in facts):
        return facts
    told: dict[object, Fact] = {}
    first: list[Fact] = []
    unheard: list[Fact] = []  # of the run of repetitions being read; they stand at the end of ``first``
    for fact in facts:
        known = told.setdefault(fact.said_before_as, fact)
        if not fact.resend or (unheard and unheard[0].epoch != fact.epoch):
            unheard = []
        if not fact.resend:
            first.append(fact)
        elif known is fact:
            unheard.append(fact)
            first.append(fact)
        elif unheard and known.epoch < fact.epoch:
            del first[len(first) - len(unheard) :]
            place = first.index(known)
            first[place:place] = unheard
            unheard = []
    return first


def is_told_again(fact: Fact, earlier: Iterable[Fact]) -> bool:
    """Whether ``fact``, which stands after ``earlier``, repeats one of them."""
    return bool(fact.resend) and any(other.said_before_as == fact.said_before_as for other in earlier)
