"""A person's word about a price in doubt: it is good, or the last good one stands. With a reason, kept as an event."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from journal.bulk import one_transaction, update_rows
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from journal.services.set_anomaly import set_anomaly
from kernel.errors import Conflict, Invalid, NotFound, Refused
from kernel.ids import new_id
from kernel.numbers import plain
from refdata.domain.judging import Held
from refdata.domain.quality import Quality
from refdata.locks import lock_prices
from refdata.models import ReferencePrice
from refdata.permissions import JUDGE_PRICE
from refdata.selectors.prices import find_priced_listings_by_id, find_tick
from refdata.services._write_prices import price_anomaly, settled

_FIELDS = (
    "last", "bid", "ask", "bid_size", "ask_size", "priced_at", "tick", "quality", "suspicion", "doubted_last",
    "doubted_at", "doubted_tick", "witnesses",
)  # fmt: skip


def settle_price_doubt(
    *, actor: Principal, at: datetime, listing_id: UUID, tick_id: UUID, believe: bool, reason: str
) -> None:
    """End the doubt about tick ``tick_id``, the one the person looked at.

    Raises NotPermitted, NotFound (LISTING_UNKNOWN), Invalid (REASON_MISSING), Conflict (PRICE_NOT_IN_DOUBT when it no
    longer is, or another tick is doubted by now), Refused (TICK_UNUSABLE when the tick holds no price above zero).
    """
    actor.require(JUDGE_PRICE, "Only operations and risk may say whether a price in doubt is good.")
    if not reason.strip():
        raise Invalid("REASON_MISSING", "Say why the price is good or not.", {"reason": ["Say why."]})
    with one_transaction():
        listing = find_priced_listings_by_id([listing_id]).get(listing_id)
        held = lock_prices([listing_id]).get(listing_id)
        if listing is None or held is None:
            raise NotFound("LISTING_UNKNOWN", "There is no such listing with a price.", {"listing_id": str(listing_id)})
        if held.quality is not Quality.SUSPECT or held.doubted_tick != tick_id:
            raise Conflict("PRICE_NOT_IN_DOUBT", f"Another price of {listing.symbol} holds by now. Look again.")
        now = _believed(held, tick_id) if believe else _dismissed(held)
        update_rows(
            ReferencePrice,
            [(listing_id, *(getattr(now, name) for name in _FIELDS))],
            key=("listing_id",),
            fields=_FIELDS,
        )
        payload = {
            "symbol": listing.symbol,
            "believed": believe,
            "reason": reason.strip(),
            "tick": str(tick_id),
            "doubt": held.suspicion,
            "last_before": plain(held.last),
            "last_after": plain(now.last),
        }
        append_to_stream(drafts=[_event(listing_id, actor, at, payload)], at=at)
        said = f"{'Believed' if believe else 'Dismissed'} by {actor.actor}: {reason.strip()}"
        matter = price_anomaly(listing, held, doubt=held.suspicion, said=held.doubted_last, source=held.source)
        set_anomaly(anomaly=settled(matter, said), wrong=False, actor=actor.actor, at=at)


def _dismissed(held: Held) -> Held:
    return replace(
        held,
        quality=Quality.GOOD,
        suspicion="",
        doubted_last=None,
        doubted_at=None,
        doubted_tick=None,
        witnesses=0,
    )


def _believed(held: Held, tick_id: UUID) -> Held:
    tick = find_tick(tick_id)
    value = tick.last if tick is not None else None
    if tick is None or value is None or value <= 0:
        raise Refused("TICK_UNUSABLE", "The doubted tick holds no last price above zero; it cannot be believed.")
    crossed = tick.bid is not None and tick.ask is not None and tick.bid > tick.ask
    quoted = not crossed and all(side is None or side > 0 for side in (tick.bid, tick.ask))
    return replace(
        _dismissed(held),
        last=value,
        bid=tick.bid if quoted else None,
        ask=tick.ask if quoted else None,
        bid_size=tick.bid_size if quoted else None,
        ask_size=tick.ask_size if quoted else None,
        priced_at=max(tick.made_at if tick.made_at <= tick.received_at else tick.received_at, held.priced_at),
        tick=tick_id,
    )


def _event(listing_id: UUID, actor: Principal, at: datetime, payload: dict[str, object]) -> EventDraft:
    event_id = new_id()
    return EventDraft(
        id=event_id,
        stream=f"price:{listing_id}",
        kind="PriceDoubtSettled",
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=event_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload=payload,
    )
