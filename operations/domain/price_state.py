"""In what state a price is shown: one pure function of the price, the market's phase and the house's marks of age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from kernel.numbers import plain
from operations.domain.shown_status import ENDED, REFUSED, UNKNOWN, WAITING, WORKING, ShownStatus
from refdata.domain.listing_facts import ListingFacts
from refdata.domain.quality import Quality


class PriceState(StrEnum):
    """What a price is good for now."""

    GOOD = "good"
    CLOSED = "closed"
    STALE = "stale"
    UNUSABLE = "unusable"
    SUSPECT = "suspect"
    MISSING = "missing"


SHOWN: dict[PriceState, ShownStatus] = {
    PriceState.GOOD: ShownStatus("live", WORKING, "Live"),
    PriceState.CLOSED: ShownStatus("ended", ENDED, "Market closed"),
    PriceState.STALE: ShownStatus("waiting", WAITING, "Stale"),
    PriceState.UNUSABLE: ShownStatus("refused", REFUSED, "Too old"),
    PriceState.SUSPECT: ShownStatus("unknown", UNKNOWN, "Suspect"),
    PriceState.MISSING: ShownStatus("refused", REFUSED, "Missing"),
}
MEANING: dict[PriceState, str] = {
    PriceState.GOOD: "The feed speaks and nothing is in doubt.",
    PriceState.CLOSED: "The market is closed; the age of the price is not counted.",
    PriceState.STALE: "The feed is silent: every order needs a second person.",
    PriceState.UNUSABLE: "The feed is silent for too long: orders without a limit are refused, others need a second person.",
    PriceState.SUSPECT: "The latest tick is doubted: orders without a limit are refused, others need a second person.",
    PriceState.MISSING: "There is no price: orders without a limit are refused.",
}
NEEDS_EYES = frozenset({PriceState.STALE, PriceState.UNUSABLE, PriceState.SUSPECT, PriceState.MISSING})


@dataclass(frozen=True, slots=True)
class AgeMarks:
    """Seconds of silence above which a price is stale, and too old. None: no mark is set, and no price is usable."""

    warn: Decimal | None
    hard: Decimal | None


def state_of(listing: ListingFacts, marks: AgeMarks, at: datetime) -> PriceState:
    """The state of the listing's price at ``at``: the worst that is true of it."""
    price = listing.price
    if price is None or price.quality is Quality.MISSING:
        return PriceState.MISSING
    if price.quality is Quality.SUSPECT:
        return PriceState.SUSPECT
    if not listing.phase.is_open:
        return PriceState.CLOSED
    age = price.age_s(at)
    if marks.hard is None or age > marks.hard:
        return PriceState.UNUSABLE
    return PriceState.STALE if age > (marks.warn if marks.warn is not None else marks.hard) else PriceState.GOOD


def price_answer(listing: ListingFacts, state: PriceState, at: datetime) -> dict[str, Any]:
    """The price as programs read it: figures as text in ``price_unit``."""
    price = listing.price
    answer: dict[str, Any] = {
        "symbol": listing.symbol,
        "isin": listing.isin,
        "mic": listing.mic,
        "price_unit": listing.price_unit,
        "currency": listing.currency,
        "state": state.value,
        "market_phase": listing.phase.value,
    }
    if price is None:
        return answer
    figures = {name: getattr(price, name) for name in ("last", "bid", "ask", "bid_size", "ask_size", "previous_close")}
    return (
        answer
        | {name: None if value is None else plain(value) for name, value in figures.items()}
        | {
            "venue_phase": price.phase,
            "quality": price.quality.value,
            "doubt": price.suspicion,
            "doubted_last": None if price.doubted_last is None else plain(price.doubted_last),
            "age_s": price.age_s(at),
            "priced_at": price.priced_at.isoformat(),
            "source": price.source,
            "tick": None if price.tick is None else str(price.tick),
        }
    )
