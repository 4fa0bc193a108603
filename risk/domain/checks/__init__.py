"""The registry: every check in the order in which people read the answers, under a version that is kept with each run."""

from __future__ import annotations

from collections.abc import Sequence

from risk.domain.answers import Acknowledgement, CheckAnswer, Judgement, judge
from risk.domain.checks.base import Check
from risk.domain.checks.collar import PriceCollar
from risk.domain.checks.conduct import (
    EconomicDuplicate,
    MandateEligibility,
    RestrictedList,
    RuleTable,
    SelfTrade,
    rule_answers,
)
from risk.domain.checks.gates import (
    AccountOverdrawn,
    AccountState,
    NoStandingBlock,
    OperatorPermission,
    ServiceSendRight,
    TradingSwitchedOn,
)
from risk.domain.checks.limits import OrderNotionalLimit, OrderQuantityLimit
from risk.domain.checks.limits_position import (
    AdvShareLimit,
    ConcentrationLimit,
    PositionQuantityLimit,
    PositionValueLimit,
)
from risk.domain.checks.limits_usage import (
    DailyGrossLimit,
    DailyNetLimit,
    OpenNotionalLimit,
    OpenOrdersLimit,
    UsageCheck,
)
from risk.domain.checks.market import InstrumentActive, ListingState, MarketOrderTypes, MarketSession, ShortMarking
from risk.domain.checks.money import BuyingPower, CurrencyHeld, FeesCovered, SellableHoldings
from risk.domain.checks.prices import PriceFreshness, PriceQuality, ReferencePrice
from risk.domain.checks.rates import AccountRate, SourceRate
from risk.domain.checks.shorts import LocateCover
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
from risk.domain.checks.thin import ShareOfVolume, ThinBook
from risk.domain.facts import Facts

REGISTRY_VERSION = "2026-11-26.waivers"

CHECKS: tuple[Check, ...] = (
    TradingSwitchedOn(),
    NoStandingBlock(),
    OperatorPermission(),
    ServiceSendRight(),
    SourceRate(),
    AccountRate(),
    AccountState(),
    AccountOverdrawn(),
    RestrictedList(),
    MandateEligibility(),
    InstrumentActive(),
    ListingState(),
    MarketOrderTypes(),
    MarketSession(),
    ShortMarking(),
    LocateCover(),
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
    ShareOfVolume(),
    ThinBook(),
    OrderQuantityLimit(),
    OrderNotionalLimit(),
    OpenOrdersLimit(),
    OpenNotionalLimit(),
    DailyGrossLimit(),
    DailyNetLimit(),
    PositionQuantityLimit(),
    PositionValueLimit(),
    ConcentrationLimit(),
    AdvShareLimit(),
    FeesCovered(),
    CurrencyHeld(),
    BuyingPower(),
    SellableHoldings(),
    EconomicDuplicate(),
    SelfTrade(),
    RuleTable(),
)
BOUNDARY_CHECKS: tuple[Check, ...] = tuple(check for check in CHECKS if check.at_boundary)
USAGE_CHECKS: tuple[Check, ...] = tuple(check for check in CHECKS if isinstance(check, UsageCheck))
"""The checks whose facts others may change while an order is judged: asked again once the sums are locked."""
DELAYED_CHECKS: tuple[Check, ...] = tuple(check for check in CHECKS if check.at_boundary or check.when_delayed)
RULES: dict[str, str] = {check.code: check.rule for check in CHECKS}
"""Rule text by code, for screens and the catalogue."""

__all__ = [
    "BOUNDARY_CHECKS",
    "CHECKS",
    "REGISTRY_VERSION",
    "RULES",
    "Check",
    "run_boundary_checks",
    "run_checks",
    "usage_still_allows",
]


def run_checks(facts: Facts, *, acknowledgements: Sequence[Acknowledgement] = (), on_desk: bool) -> Judgement:
    """Every check on the same facts, then every rule of the table; none is skipped because another refused."""
    answers = [check.answer(facts) for check in CHECKS]
    return judge(answers + rule_answers(facts), acknowledgements=acknowledgements, on_desk=on_desk)


def run_boundary_checks(facts: Facts, *, delayed: bool = False) -> tuple[CheckAnswer, ...]:
    """The checks that are run once more right before the wire. Only a refusal counts there: what needed a person had one.

    For an order that was ``delayed`` those of its price too: the market it was judged by has gone on.
    """
    checks = DELAYED_CHECKS if delayed else BOUNDARY_CHECKS
    return (*(check.answer(facts) for check in checks), *rule_answers(facts, only_refusals=True))


def usage_still_allows(facts: Facts, answers: Sequence[CheckAnswer]) -> bool:
    """Whether, on the usage of ``facts``, no usage check answers worse than it did in ``answers``."""
    before = {answer.code: answer.verdict for answer in answers}
    return all(check.answer(facts).verdict <= before[check.code] for check in USAGE_CHECKS)
