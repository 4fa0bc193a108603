"""Put a corporate action on record as its source told it. Nothing follows from it before a second person has said yes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import Conflict, Invalid
from kernel.ids import new_id
from refdata.domain.action_terms import ActionTerms, faults_of, terms_to_json
from refdata.models import CorporateAction, CorporateActionVersion, Listing
from refdata.services._actions import record_action, require_asker


def announce_action(
    *,
    actor: Principal,
    at: datetime,
    symbol: str,
    terms: ActionTerms,
    source: str,
    reference: str,
    reason: str = "",
) -> UUID:
    """Record it under ``source`` and ``reference``; the market of ``symbol`` says which conventions hold. Returns its id.

    Raises NotPermitted RIGHT_MISSING, Invalid ACTION_INVALID, Conflict ACTION_KNOWN; then nothing is kept.
    """
    require_asker(actor)
    listing = require_listing(symbol)
    require_terms(terms)
    _require_source(source, reference)
    with transaction.atomic():
        if CorporateAction.objects.filter(source=source.strip(), reference=reference.strip()).exists():
            sentence = f"{source} has told of {reference} already: correct that notice instead."
            raise Conflict("ACTION_KNOWN", sentence, {"reference": reference})
        action = CorporateAction.objects.create(
            id=new_id(),
            instrument=listing.instrument,
            listing=listing,
            kind=terms.kind.value,
            source=source.strip(),
            reference=reference.strip(),
            ex_date=terms.ex_date,
            created_at=at,
            updated_at=at,
        )
        write_version(action, terms, actor=actor, at=at, reason=reason)
        payload = {
            "instrument_id": str(action.instrument_id),
            "listing_id": str(listing.id),
            "source": action.source,
            "reference": action.reference,
            "terms": terms_to_json(terms),
        }
        record_action(action, "CorporateActionAnnounced", actor=actor, at=at, payload=payload)
    return action.id


def require_listing(symbol: str) -> Listing:
    """The listing of that symbol. Raises Invalid ACTION_INVALID."""
    listing = Listing.objects.select_related("instrument").filter(symbol=symbol.strip().upper()).first()
    if listing is None:
        raise _invalid({"symbol": f"No listing is called {symbol.strip()[:24]!r}."})
    return listing


def require_terms(terms: ActionTerms) -> None:
    """Raise Invalid ACTION_INVALID with a sentence for every field that is wrong."""
    faults = faults_of(terms)
    if faults:
        raise _invalid(faults)


def write_version(action: CorporateAction, terms: ActionTerms, *, actor: Principal, at: datetime, reason: str) -> None:
    """Keep the terms as the action's version."""
    CorporateActionVersion.objects.create(
        action=action,
        number=action.version,
        terms=terms_to_json(terms),
        reason=reason.strip(),
        entered_by=actor.actor,
        entered_at=at,
    )


def _require_source(source: str, reference: str) -> None:
    faults = {}
    for name, value, width in (("source", source, 40), ("reference", reference, 64)):
        if not value.strip() or len(value.strip()) > width:
            faults[name] = f"Give the {name}, in at most {width} characters."
    if faults:
        raise _invalid(faults)


def _invalid(faults: dict[str, str]) -> Invalid:
    return Invalid("ACTION_INVALID", "The notice is not complete.", {name: [text] for name, text in faults.items()})
