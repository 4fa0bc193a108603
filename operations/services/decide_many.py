"""Decide several requests of one kind with one word: each in a transaction of its own, each with its own outcome.

An approval of many is only for what would go through as it is: one that would not, by a dry run of now, is left as it was
and says why. A refusal of one never touches another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authorisation.domain.four_eyes import APPROVE, require_verdict
from authorisation.domain.principal import Principal
from authorisation.selectors import get_request
from kernel.errors import Invalid, OmsError
from operations.approving import KINDS
from operations.services.try_decision import try_decision

MOST = 20
LEFT, REFUSED = "left", "refused"


@dataclass(frozen=True, slots=True)
class One:
    """A request to decide, and the hash of what was looked at."""

    authorisation_id: UUID
    payload_hash: str


@dataclass(frozen=True, slots=True)
class OneDecided:
    """``outcome`` is that of a single decision; ``left`` when it was not even tried, ``refused`` when it was and failed."""

    authorisation_id: UUID
    outcome: str
    sentence: str
    code: str = ""


def decide_many(
    *, actor: Principal, at: datetime, kind: str, items: Sequence[One], verdict: str, reason_code: str, reason: str
) -> tuple[OneDecided, ...]:
    """The outcome of each, in the order given. Not to be called inside a transaction: each is kept when it is made.

    Raises Invalid VERDICT_INVALID or MANY_INVALID (none, more than 20, one twice, a kind nobody decides here); then
    nothing changed.
    """
    require_verdict(verdict, reason_code, reason)
    known = KINDS.get(kind)
    if known is None or not items or len(items) > MOST or len({one.authorisation_id for one in items}) < len(items):
        raise Invalid("MANY_INVALID", f"Choose between 1 and {MOST} requests of one kind, each once.")
    done = []
    for one in items:
        try:
            done.append(_decide_one(one, actor, at, kind, verdict, reason_code, reason))
        except OmsError as error:
            done.append(OneDecided(one.authorisation_id, REFUSED, error.sentence, error.code))
    return tuple(done)


def _decide_one(
    one: One, actor: Principal, at: datetime, kind: str, verdict: str, reason_code: str, reason: str
) -> OneDecided:
    if get_request(actor, one.authorisation_id, at=at).facts.kind != kind:
        return OneDecided(one.authorisation_id, LEFT, "It is of another kind.", "OTHER_KIND")
    if verdict == APPROVE:
        why_not = try_decision(actor=actor, at=at, authorisation_id=one.authorisation_id, payload_hash=one.payload_hash)
        if why_not:
            return OneDecided(one.authorisation_id, LEFT, why_not, "NOT_GREEN")
    result = KINDS[kind].decide(
        actor=actor, at=at, authorisation_id=one.authorisation_id, verdict=verdict, reason_code=reason_code,
        reason=reason, payload_hash=one.payload_hash,
    )  # fmt: skip
    return OneDecided(one.authorisation_id, result.outcome, result.sentence)
