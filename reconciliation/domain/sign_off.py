"""Whether somebody may sign a run off: take note, as a second person, of what it left open. Pure.

The second person started nothing and decided nothing in it, sees every break of it, and states what was read. What was read
is held to a digest: when a break has moved since, there is something else to take note of.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from kernel.canonical import payload_hash
from kernel.errors import Conflict, Invalid, NotPermitted, OmsError
from reconciliation.domain import transitions as moves

SHORTEST, LONGEST = 10, 1_000
SIGNABLE = (moves.DONE, moves.SUSPECT)


@dataclass(frozen=True, slots=True)
class SignOffFacts:
    """``starters`` and ``hands`` are people: who began the run, and who had a hand in a break of it; ``open_digest`` is
    over what is open now; ``sees_all``: no break of it is hidden from who signs."""

    state: str
    signed: bool
    starters: frozenset[int]
    hands: frozenset[int]
    sees_all: bool
    open_digest: str


def refusal(facts: SignOffFacts, people: frozenset[int]) -> OmsError | None:
    """Why these people (the signer, and whom it acts for) may not sign the run off now; None when they may."""
    if facts.state not in SIGNABLE:
        return Conflict("RUN_NOT_ENDED", "Only a run that compared everything is signed off.")
    if facts.signed:
        return Conflict("RUN_SIGNED", "The run is signed off already.")
    if people & facts.starters:
        return NotPermitted("SIGNED_BY_STARTER", "You started the run: a second person signs it off.")
    if people & facts.hands:
        return NotPermitted(
            "SIGNED_BY_HAND",
            "You had a hand in a break of this run: somebody who repaired and decided nothing signs it off.",
        )
    if not facts.sees_all:
        return NotPermitted(
            "RUN_NOT_ALL_SEEN", "Some breaks of this run are not yours to see, so you cannot sign for them."
        )
    return None


def require_statement(facts: SignOffFacts, *, statement: str, digest: str) -> None:
    """Raises Invalid STATEMENT_INVALID, Conflict RUN_CHANGED."""
    if not SHORTEST <= len(statement.strip()) <= LONGEST:
        sentence = f"State what you read and take note of, in {SHORTEST} to {LONGEST:,} characters."
        raise Invalid("STATEMENT_INVALID", sentence, {"statement": [sentence]})
    if digest != facts.open_digest:
        raise Conflict("RUN_CHANGED", "What is open has changed since you read it. Read it again, then sign.")


def digest_of_open(breaks: Iterable[tuple[UUID, str, str]]) -> str:
    """Over id, state and exposure of each open break: the same for the same breaks, in whatever order."""
    return payload_hash({"open": sorted([str(pk), state, exposure] for pk, state, exposure in breaks)})
