"""The same act on several exceptions: each by itself, with an outcome each, so that one that moved holds up no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import Invalid, OmsError
from operations.services._exception_acts import Acted
from operations.services.assign_exception import assign_exception
from operations.services.close_exception import close_exception
from operations.services.label_exception import label_exception
from operations.services.snooze_exception import snooze_exception
from operations.services.take_exception import take_exception

MOST = 200
ASKED_TWICE = 10
"""More than this many at once want their count typed (L3)."""
TOGETHER: dict[str, Callable[..., Acted]] = {
    "take": take_exception,
    "assign": assign_exception,
    "label": label_exception,
    "snooze": snooze_exception,
    "close": close_exception,
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one item: ``code`` is empty when it was done."""

    item_id: UUID
    sentence: str
    code: str = ""


def act_on_exceptions(
    *,
    actor: Principal,
    at: datetime,
    act: str,
    items: Sequence[tuple[UUID, int]],
    typed: int | None,
    terms: Mapping[str, Any],
) -> tuple[Outcome, ...]:
    """The outcome of each in the order given. Not to be called inside a transaction: each is kept when it is made.

    ``items`` are ids with the versions seen. Raises Invalid MANY_INVALID, COUNT_NOT_TYPED; then nothing changed.
    """
    if act not in TOGETHER or not 1 <= len(items) <= MOST or len({item_id for item_id, _ in items}) < len(items):
        raise Invalid("MANY_INVALID", f"Choose between 1 and {MOST} exceptions, each once, and what to do with them.")
    if len(items) > ASKED_TWICE and typed != len(items):
        sentence = f"Type {len(items)} to say that you mean all of them."
        raise Invalid("COUNT_NOT_TYPED", sentence, {"typed": [sentence]})
    outcomes = []
    for item_id, version in items:
        try:
            done = TOGETHER[act](actor=actor, at=at, item_id=item_id, version=version, **terms)
            outcomes.append(Outcome(item_id, done.sentence))
        except OmsError as error:
            outcomes.append(Outcome(item_id, error.sentence, error.code))
    return tuple(outcomes)
