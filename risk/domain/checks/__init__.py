"""The registry: every check in the order in which people read the answers, under a version that is kept with each run."""

from __future__ import annotations

from collections.abc import Sequence

from risk.domain.answers import Acknowledgement, CheckAnswer, Judgement, judge
from risk.domain.checks.base import Check
from risk.domain.checks.gates import (
    AccountOverdrawn,
    AccountState,
    NoStandingBlock,
    OperatorPermission,
    ServiceSendRight,
    TradingSwitchedOn,
)
from risk.domain.checks.limits import OrderNotionalLimit, OrderQuantityLimit
from risk.domain.checks.market import InstrumentActive, ListingState, MarketOrderTypes, MarketSession, ShortMarking
from risk.domain.checks.money import BuyingPower, SellableHoldings
from risk.domain.checks.prices import PriceCollar, PriceFreshness, PriceQuality, ReferencePrice
from risk.domain.checks.terms import (
    ExpiryDate,
    FieldNotReplaceable,
    LotSize,
    MinimumAndDisplayedQuantity,
    PriceStep,
    QuantityAboveExecuted,
    ReplaceOutstanding,
    ReplaceTooSoon,
    StopPrice,
)
from risk.domain.facts import Facts

REGISTRY_VERSION = "2026-11-26"

CHECKS: tuple[Check, ...] = (
    TradingSwitchedOn(),
    NoStandingBlock(),
    OperatorPermission(),
    ServiceSendRight(),
    AccountState(),
    AccountOverdrawn(),
    InstrumentActive(),
    ListingState(),
    MarketOrderTypes(),
    MarketSession(),
    ShortMarking(),
    PriceStep(),
    LotSize(),
    MinimumAndDisplayedQuantity(),
    ExpiryDate(),
    StopPrice(),
    ReplaceOutstanding(),
    FieldNotReplaceable(),
    ReplaceTooSoon(),
    QuantityAboveExecuted(),
    ReferencePrice(),
    PriceFreshness(),
    PriceQuality(),
    PriceCollar(),
    OrderQuantityLimit(),
    OrderNotionalLimit(),
    BuyingPower(),
    SellableHoldings(),
)
BOUNDARY_CHECKS: tuple[Check, ...] = tuple(check for check in CHECKS if check.at_boundary)
RULES: dict[str, str] = {check.code: check.rule for check in CHECKS}
"""Rule text by code, for screens and the catalogue."""

__all__ = ["BOUNDARY_CHECKS", "CHECKS", "REGISTRY_VERSION", "RULES", "Check", "run_boundary_checks", "run_checks"]


def run_checks(facts: Facts, *, acknowledgements: Sequence[Acknowledgement] = (), on_desk: bool) -> Judgement:
    """Every check on the same facts; none is skipped because another refused."""
    return judge([check.answer(facts) for check in CHECKS], acknowledgements=acknowledgements, on_desk=on_desk)


def run_boundary_checks(facts: Facts) -> tuple[CheckAnswer, ...]:
    """The checks that are run once more right before the wire. Only a refusal counts there: what needed a person had one."""
    return tuple(check.answer(facts) for check in BOUNDARY_CHECKS)
