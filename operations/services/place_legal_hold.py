"""Place a legal hold: what it is about becomes the records it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import KEEP_RECORDS, Principal
from journal.domain.retention import HoldTerms
from journal.services.place_hold import place_hold
from kernel.errors import Invalid
from orders.models import Order
from orders.permissions import can_see
from refdata.models import Listing

KINDS = {
    "everything": "Everything",
    "order": "An order",
    "instrument": "An instrument",
    "account": "An account",
    "person": "A person",
}
MAX_TEXT = 500


@dataclass(frozen=True, slots=True)
class HoldAsked:
    """A hold as somebody asks for it. ``to_at`` None: until it is released."""

    matter: str
    reason: str
    subject_kind: str
    subject: str
    from_at: datetime
    to_at: datetime | None = None


def place_legal_hold(*, actor: Principal, at: datetime, hold: HoldAsked) -> UUID:
    """The id of the hold; it keeps from now on what has not been removed yet.

    An order or an instrument narrows what is kept of prices to its symbol; an account or a person does not. Raises
    NotPermitted RIGHT_MISSING, Invalid HOLD_INVALID with a sentence a field.
    """
    actor.require(KEEP_RECORDS, "Your role may not place legal holds.")
    faults = _faults(hold)
    symbols = () if faults else _symbols(actor, hold, faults)
    if faults:
        raise Invalid("HOLD_INVALID", "The hold cannot be placed so.", faults)
    return place_hold(
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        at=at,
        matter=hold.matter.strip(),
        reason=hold.reason.strip(),
        subject_kind=hold.subject_kind,
        subject=hold.subject.strip(),
        terms=HoldTerms(hold.from_at, hold.to_at, symbols),
    )


def _faults(hold: HoldAsked) -> dict[str, list[str]]:
    faults: dict[str, list[str]] = {}
    if not 0 < len(hold.matter.strip()) <= 120:
        faults["matter"] = ["Name the matter, in at most 120 characters."]
    if not 0 < len(hold.reason.strip()) <= MAX_TEXT:
        faults["reason"] = [f"Say why, in at most {MAX_TEXT} characters."]
    if hold.subject_kind not in KINDS:
        faults["subject_kind"] = ["Choose what it is about."]
    elif hold.subject_kind != "everything" and not 0 < len(hold.subject.strip()) <= 120:
        faults["subject"] = ["Name what it is about."]
    if hold.to_at is not None and hold.to_at <= hold.from_at:
        faults["to_at"] = ["It must end after it begins."]
    return faults


def _symbols(actor: Principal, hold: HoldAsked, faults: dict[str, list[str]]) -> tuple[str, ...]:
    name = hold.subject.strip()
    if hold.subject_kind == "order":
        found = Order.objects.filter(ref=name).values("desk_id", "account__group_id", "instrument_snapshot").first()
        if found and can_see(actor, desk_id=found["desk_id"], group_id=found["account__group_id"]):
            return (str(found["instrument_snapshot"]["symbol"]),)
        faults["subject"] = ["There is no such order that you may see."]
    elif hold.subject_kind == "instrument":
        if Listing.objects.filter(symbol=name).exists():
            return (name,)
        faults["subject"] = ["No instrument has this symbol."]
    return ()
