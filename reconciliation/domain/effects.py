"""What an unresolved break stops: from its policy and what it is about to what must stand, and for how long it may. Pure.

Invariants: a break that only suspect or unfinished runs have seen imposes nothing (a doubted file never stops trading); one
that is accepted as a difference in time, or closed, stops nothing; what cannot be valued counts as above every mark.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from reconciliation.domain import transitions as moves


class Stands(StrEnum):
    """What stands because of a break (``Break.effect``). The first is nothing; the last says that nothing could."""

    NOTHING = ""
    ACCOUNT = "block_account"
    INSTRUMENT = "block_instrument"
    CANCELING = "cancel_working"
    RECOVERY = "recovery"
    EXISTING = "allow_existing"
    TOOTHLESS = "nobody_to_block"


SENTENCES: dict[Stands, str] = {
    Stands.NOTHING: "It stops nothing.",
    Stands.ACCOUNT: "New risk is stopped for the account.",
    Stands.INSTRUMENT: "New risk is stopped for the account in the instrument.",
    Stands.CANCELING: "New risk is stopped for the account in the instrument, and the working order is asked to end.",
    Stands.RECOVERY: "New risk is stopped on the markets of the session, and the venue is asked about every open question.",
    Stands.EXISTING: "What exists may be worked and changed; new orders of the account in the instrument are stopped.",
    Stands.TOOTHLESS: "Its policy stops something, and nobody can tell whose account or which session it is.",
}


@dataclass(frozen=True, slots=True)
class Policy:
    """The version in force for a kind and category. ``above``: exposure up to which it does nothing."""

    effect: str
    above: Decimal
    escalate_after_s: int


NO_POLICY = Policy("nothing", Decimal(0), 86_400)


@dataclass(frozen=True, slots=True)
class BreakFacts:
    """A break as far as its policy asks. ``trusted``: a finished run that nobody doubts has seen it; ``reachable``: its order or
    source names a session of ours."""

    state: str
    effect: str
    trusted: bool
    exposure: Decimal | None
    account_id: UUID | None
    instrument_id: UUID | None
    reachable: bool


def must_stand(policy: Policy, facts: BreakFacts) -> Stands:
    """What must stand because of the break now."""
    if facts.state != moves.OPEN:
        return Stands.NOTHING
    if not facts.trusted:
        return Stands(facts.effect)  # a doubted file neither stops anything nor lets anything go
    within = facts.exposure is not None and abs(facts.exposure) <= policy.above
    if policy.effect == "nothing" or (within and policy.above > 0):
        return Stands.NOTHING
    wanted = Stands(policy.effect)
    if wanted is Stands.RECOVERY:
        return wanted if facts.reachable else Stands.TOOTHLESS
    if facts.account_id is None:
        return Stands.TOOTHLESS
    if wanted is not Stands.ACCOUNT and facts.instrument_id is None:
        return Stands.ACCOUNT  # not known in what: then in nothing
    return wanted


def escalates_at(policy: Policy, *, found_at: datetime) -> datetime:
    """From when on an open break is told as high: our own clock, from when we found it."""
    return found_at + timedelta(seconds=policy.escalate_after_s)
