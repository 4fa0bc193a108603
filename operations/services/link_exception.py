"""Link an exception to what it has to do with: an order, a break, another exception, an approval."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from authorisation.selectors import get_request
from kernel.errors import Invalid, NotFound
from operations.selectors.frame import visible_exceptions
from operations.services._exception_acts import Acted, acting, told
from operations.services._exception_events import LINKED
from orders.selectors import visible_orders

KINDS = {"order": "Order", "break": "Break", "exception": "Exception", "approval": "Approval"}
MOST = 20


def link_exception(*, actor: Principal, at: datetime, item_id: UUID, version: int | None, kind: str, key: str) -> Acted:
    """``key`` is a reference or id of something the actor may see. Raises as ``acting``, Invalid LINK_INVALID."""
    with acting(actor=actor, at=at, item_id=item_id, version=version) as item:
        link = {"kind": kind, "key": _found(actor, kind, key.strip()[:120], at)}
        if link not in item.links:
            if len(item.links) >= MOST:
                raise _wrong(f"At most {MOST} links an item.")
            item.links = [*item.links, link]
        return told(
            item,
            LINKED,
            {"link": kind, "key": link["key"]},
            actor=actor,
            at=at,
            sentence=f"Linked to {kind} {link['key']}.",
        )


def _found(actor: Principal, kind: str, key: str, at: datetime) -> str:
    """The key by which everybody finds it again."""
    if kind not in KINDS or not key:
        raise _wrong(f"Link one of: {', '.join(KINDS)}.")
    if kind == "order":
        ref = visible_orders(actor).filter(ref=key.upper()).values_list("ref", flat=True).first()
        if ref is None:
            raise _wrong("There is no such order that you may see.")
        return str(ref)
    if kind == "break":
        return key
    try:
        found = UUID(key)
    except ValueError as error:
        raise _wrong("That is not an id.") from error
    if kind == "exception" and not visible_exceptions(actor).filter(pk=found).exists():
        raise _wrong("There is no such exception that you may see.")
    if kind == "approval":
        try:
            get_request(actor, found, at=at)
        except NotFound as error:
            raise _wrong("There is no such approval that you may see.") from error
    return str(found)


def _wrong(sentence: str) -> Invalid:
    return Invalid("LINK_INVALID", sentence, {"key": [sentence]})
