"""A person closes an exception with a cause: of a kind that a person settles, or whose matter no longer stands."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from journal.selectors.anomalies import is_raised
from kernel.errors import Invalid, Refused
from operations.domain.exception_kinds import CAUSES
from operations.models import ExceptionItem
from operations.permissions import require_closing
from operations.services._exception_acts import Acted, acting, own, told, wanted_text
from operations.services._exception_events import CLOSED


def close_exception(
    *, actor: Principal, at: datetime, item_id: UUID, version: int | None, cause: str, text: str
) -> Acted:
    """Its cause code and text are kept. Raised again, the matter is another item.

    Raises as ``acting``, NotPermitted RIGHT_MISSING, Invalid CAUSE_INVALID, TEXT_MISSING, Refused EXCEPTION_OWNED, MATTER_STANDS.
    """
    require_closing(actor)
    if cause not in CAUSES:
        sentence = "Choose what the cause was."
        raise Invalid("CAUSE_INVALID", sentence, {"cause": [sentence]})
    text = wanted_text(text, least=3, name="text", sentence="Say in words how it was settled.")
    with acting(actor=actor, at=at, item_id=item_id, version=version) as item:
        own(item, actor)
        why_not = why_not_closed(item)
        if why_not:
            raise Refused("MATTER_STANDS", why_not)
        item.close()
        item.cause, item.closing_sentence, item.closed_at, item.ended_by_id = cause, text, at, actor.user_id
        item.next_at = item.snoozed_until = None
        payload = {"cause": cause, "text": text, "ended_by": actor.user_id}
        return told(item, CLOSED, payload, actor=actor, at=at, sentence=f"Closed: {CAUSES[cause]}.")


def why_not_closed(item: ExceptionItem) -> str:
    """Why a person may not simply close it; empty when one may."""
    if item.about.by_person or not is_raised(item.dedupe_key):
        return ""
    return "The matter still stands: it ends by itself when it is settled. To end it before is another right."
