"""What releasing an order or an amend would do, by a dry run of now: leaves, exposure, cash, limits, and what came since.

The checks are those the decision itself would run. An amend acts on the leaves alone; what has been filled stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Max, Sum
from django.utils import timezone

from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from kernel.fix import OrdType, Side, TimeInForce
from kernel.numbers import Money
from operations.domain.effect import Effect, EffectLine, MarketClose
from operations.domain.numbers import NONE, grouped, signed
from operations.domain.rows import ORD_TYPE_WORDS, SIDE_WORDS, TIME_IN_FORCE_WORDS
from operations.domain.shown import growing
from orders.domain.judging import verdict_of
from orders.models import Execution, OrderRequest
from orders.services.preview_decision import DecisionPreview, preview_decision
from refdata.selectors import get_market_clock
from risk.domain.answers import CheckAnswer, Verdict
from risk.domain.checks.closeness import Closeness
from risk.domain.limit_change import KIND_WORDS

MOST_LIMITS = 4
IRREVERSIBLE = "A fill cannot be taken back."
_FIELDS = {
    "order_qty": "Quantity",
    "price": "Limit",
    "stop_px": "Stop",
    "ord_type": "Type",
    "time_in_force": "Time in force",
    "expire_date": "End date",
    "min_qty": "Least quantity",
    "max_floor": "Shown quantity",
    "account": "Account",
    "symbol": "Instrument",
}
_WORKED = {
    Verdict.PASS: "passes",
    Verdict.ACKNOWLEDGE: "asks for a reason",
    Verdict.AUTHORISE: "needs a second person",
    Verdict.REFUSE: "refuses",
}


def describe_order_request(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """The effect of a request that waits. Raises Conflict AUTHORISATION_CLOSED when its order request does not."""
    request = OrderRequest.objects.select_related("order__listing").get(id=UUID(facts.subject_id))
    preview = preview_decision(at=at, request_id=request.id)
    listing, asked = request.order.listing, preview.asked
    is_new = preview.working is None
    value = preview.asked_value
    price = asked.get("price") or asked.get("stop_px")
    terms = f"{grouped(asked['order_qty'])}{f' @ {grouped(price, 2)}' if price else ' at market'}"
    about = "" if price else "about "
    return Effect(
        headline=_headline(request, preview, price),
        button=terms if value is None else f"{terms}, {about}{grouped(growing(value), 2)} {listing.currency}",
        lines=(*_figures(preview, listing.currency, Side(asked["side"])), *_limits(preview.closeness)),
        fields=tuple(_fields(preview.working, asked, listing.price_unit)),
        checks=preview.checks,
        obstacle=preview.obstacle,
        irreversible=IRREVERSIBLE,
        value=Money(value, listing.currency) if value is not None else None,
        market=market_close(listing.market_id, at),
        since=(*_since(request, facts.created_at, is_new=is_new), *_answered_otherwise(request.checks, preview.checks)),
    )


def _headline(request: OrderRequest, preview: DecisionPreview, price: str | None) -> str:
    """``BUY 48,000 BARC.L @ 233.00 GBX reaches XLON: 46,000 of it still to trade``."""
    listing, asked = request.order.listing, preview.asked
    at_price = f"@ {grouped(price, 2)} {listing.price_unit}" if price else "at market"
    what = f"{SIDE_WORDS[Side(asked['side'])]} {grouped(asked['order_qty'])} {listing.symbol} {at_price}"
    if preview.working is None:
        return f"{what} reaches {listing.market_id}"
    return f"{what} replaces what works on {listing.market_id}: {grouped(preview.leaves_after)} would still trade"


def _figures(preview: DecisionPreview, currency: str, side: Side) -> tuple[EffectLine, ...]:
    before, after = preview.exposure_before, preview.exposure_after
    leaves = preview.leaves_after - preview.leaves_before
    grows = None if before is None or after is None else after - before
    sign = 1 if side.is_buy else -1
    position = preview.position
    lines = (
        EffectLine(
            "Leaves", grouped(preview.leaves_before), grouped(preview.leaves_after), "what may still trade",
            change=signed(leaves), drifts=True,
        ),
        EffectLine(
            f"Exposure, {currency}", _money(before), _money(after), "leaves at the price they are valued at",
            change=signed(growing(grows), 2), may_grow=growing(after),
        ),
        EffectLine(
            f"May still be spent, {currency}", _money(preview.cash_before), _money(preview.cash_after),
            "what it holds back is held already", drifts=True,
        ),
    )  # fmt: skip
    if position is None:
        return lines
    traded = grouped(position + sign * preview.leaves_after)
    return (*lines, EffectLine("Position, if all of it trades", grouped(position), traded, drifts=True))


def _limits(found: Sequence[Closeness]) -> Iterable[EffectLine]:
    """The limits it comes closest to; one that cannot be reckoned is named with what is missing."""
    for item in found[:MOST_LIMITS]:
        label = f"{KIND_WORDS[item.kind]} of {item.place}"
        if item.before is None or item.after is None:
            yield EffectLine(label, NONE, NONE, item.missing, drifts=True)
            continue
        of = f"{grouped(growing(item.after))} of {grouped(item.hard)}"
        yield EffectLine(label, f"{item.before / item.hard:.0%}", f"{item.after / item.hard:.0%}", of, drifts=True)


def _fields(working: Mapping[str, Any] | None, asked: Mapping[str, Any], unit: str) -> Iterable[EffectLine]:
    """What is asked for against what works now; a new order has nothing that works."""
    for name, label in _FIELDS.items():
        now, then = (working or {}).get(name), asked.get(name)
        if now in (None, "") and then in (None, ""):
            continue
        priced = name in ("price", "stop_px")
        yield EffectLine(
            f"{label}, {unit}" if priced else label,
            _shown(name, now),
            _shown(name, then),
            change=_change(now, then, 2 if priced else 0) if priced or name.endswith("qty") else "",
        )


def _shown(name: str, value: Any) -> str:
    if value in (None, ""):
        return NONE
    if name == "ord_type":
        return ORD_TYPE_WORDS[OrdType(value)]
    if name == "time_in_force":
        return TIME_IN_FORCE_WORDS[TimeInForce(value)]
    if name in ("price", "stop_px"):
        return grouped(value, 2)
    return grouped(value) if name in ("order_qty", "min_qty", "max_floor") else str(value)


def _change(now: Any, then: Any, places: int) -> str:
    """``+28,000 (+140%)``; empty where there is nothing to compare."""
    if now in (None, "") or then in (None, "") or now == then:
        return ""
    before, after = Decimal(now), Decimal(then)
    part = f" ({signed(round(100 * (after - before) / before, 2).normalize())}%)" if before else ""
    return f"{signed(after - before, places)}{part}"


def _since(request: OrderRequest, asked_at: datetime, *, is_new: bool) -> Iterable[str]:
    """What was filled after it was asked for. A new order has not been to the market."""
    if is_new:
        return
    filled = Execution.objects.filter(order_id=request.order_id, received_at__gt=asked_at, exec_type="F").aggregate(
        qty=Sum("last_qty"), at=Max("received_at")
    )
    if filled["qty"]:
        when = timezone.localtime(filled["at"])
        yield f"{grouped(filled['qty'])} filled since it was asked, the last at {when:%H:%M:%S %Z}."


def _answered_otherwise(stored: Sequence[Mapping[str, Any]], now: Sequence[CheckAnswer]) -> Iterable[str]:
    """Checks that answer better or worse than when it was asked."""
    before = {item["code"]: item for item in stored}
    for answer in now:
        was = verdict_of(before.get(answer.code))
        if answer.verdict is not was:
            said = f": {answer.sentence}" if answer.sentence else ""
            name = answer.code.replace("_", " ").capitalize()
            yield f"{name} {_WORKED[answer.verdict]} now, and {_WORKED[was]} when it was asked{said}"


def market_close(mic: str, at: datetime) -> MarketClose:
    """When the market closes: today's session while it lasts, else the next one's."""
    clock = get_market_clock(mic)
    session = clock.session(at)
    closes_at = session.close_at if session is not None and session.close_at > at else None
    return MarketClose(mic, clock.phase(at).value.replace("_", " "), closes_at)


def _money(value: Decimal | None) -> str:
    return grouped(growing(value), 2)
