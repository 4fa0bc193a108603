"""Put on record what a lender has promised for short sales of one account in one instrument."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts.locks import lock_money
from accounts.models import Locate
from accounts.permissions import require_locate_keeper
from authorisation.domain.principal import Principal
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.errors import Conflict, Invalid
from kernel.ids import new_id
from kernel.numbers import QTY_PLACES, plain

MAX_REF, MAX_LENDER = 64, 80


def record_locate(
    *,
    actor: Principal,
    at: datetime,
    account_id: UUID,
    instrument_id: UUID,
    ref: str,
    qty: Decimal,
    lender: str,
    expires_at: datetime,
) -> UUID:
    """The locate's id; the same terms again give the same locate. ``ref`` is what short orders of the account name.

    Raises NotPermitted RIGHT_MISSING, Invalid LOCATE_INVALID, Conflict LOCATE_EXISTS (the name is taken by other terms).
    """
    require_locate_keeper(actor)
    ref, lender = ref.strip(), lender.strip()
    _require_shape(ref, qty, lender, expires_at, at)
    with transaction.atomic():
        lock_money(account_ids=[account_id], instrument_ids=())
        known = Locate.objects.filter(account_id=account_id, ref=ref).first()
        if known is not None:
            same = (known.instrument_id, known.qty, known.lender, known.expires_at) == (
                instrument_id,
                qty,
                lender,
                expires_at,
            )
            if same:
                return known.id
            raise Conflict("LOCATE_EXISTS", f"The account has a locate {ref} with other terms.", {"ref": ref})
        locate_id, event_id = new_id(), new_id()
        payload = {
            "account_id": str(account_id),
            "locate_id": str(locate_id),
            "ref": ref,
            "instrument_id": str(instrument_id),
            "qty": plain(qty),
            "lender": lender,
            "expires_at": expires_at.isoformat(),
        }
        draft = EventDraft(
            id=event_id,
            stream=f"account:{account_id}",
            kind="LocateRecorded",
            actor=actor.actor,
            on_behalf_of=actor.on_behalf_of,
            correlation_id=event_id,
            event_at=at,
            received_at=at,
            business_date=at.date(),
            payload=payload,
        )
        append_to_stream(drafts=[draft], at=at)
        Locate.objects.create(
            id=locate_id,
            account_id=account_id,
            ref=ref,
            instrument_id=instrument_id,
            qty=qty,
            lender=lender,
            expires_at=expires_at,
            event_id=event_id,
            recorded_at=at,
        )
        return locate_id


def _require_shape(ref: str, qty: Decimal, lender: str, expires_at: datetime, at: datetime) -> None:
    faults: dict[str, list[str]] = {}
    if not ref or len(ref) > MAX_REF or not ref.isprintable():
        faults["ref"] = [f"1 to {MAX_REF} printable characters."]
    if not lender or len(lender) > MAX_LENDER or not lender.isprintable():
        faults["lender"] = [f"1 to {MAX_LENDER} printable characters."]
    if not qty.is_finite() or qty <= 0 or qty > Decimal(10) ** 12 or qty != qty.quantize(QTY_PLACES):
        faults["qty"] = ["A number of units above zero."]
    if expires_at.tzinfo is None or expires_at <= at:
        faults["expires_at"] = ["A time with its zone that is still to come."]
    if faults:
        raise Invalid("LOCATE_INVALID", next(iter(faults.values()))[0], faults)
