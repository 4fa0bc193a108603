"""A draft rule or limit judged on what past decisions saw: what it would have answered, or why nobody can tell.

One kept request at a time, pure. Dates of the draft do not count: it is tried as if it had stood then. A draft that another
scope's orders meet, or that only took risk away, is not concerned with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from risk.domain.answers import CheckAnswer, Verdict
from risk.domain.checks.base import Check
from risk.domain.checks.collar import PRICE_COLLAR, PriceCollar
from risk.domain.checks.conduct import answer_of
from risk.domain.checks.limits import ORDER_NOTIONAL, ORDER_QTY, OrderNotionalLimit, OrderQuantityLimit
from risk.domain.checks.limits_position import (
    AdvShareLimit,
    ConcentrationLimit,
    PositionQuantityLimit,
    PositionValueLimit,
)
from risk.domain.checks.limits_usage import DailyGrossLimit, DailyNetLimit, OpenNotionalLimit, OpenOrdersLimit
from risk.domain.checks.prices import PRICE_AGE, PriceFreshness
from risk.domain.facts import Facts, LimitFact
from risk.domain.kept_facts import facts_of
from risk.domain.rulebook.entries import RuleEntry
from risk.domain.usage import COUNTED_KINDS, POSITION_KINDS, usage_key

Draft = RuleEntry | LimitFact
_USAGE = (
    OpenOrdersLimit(),
    OpenNotionalLimit(),
    DailyGrossLimit(),
    DailyNetLimit(),
    PositionQuantityLimit(),
    PositionValueLimit(),
    ConcentrationLimit(),
    AdvShareLimit(),
)
_CHECKS: dict[str, Check] = {
    ORDER_QTY: OrderQuantityLimit(),
    ORDER_NOTIONAL: OrderNotionalLimit(),
    PRICE_COLLAR: PriceCollar(),
    PRICE_AGE: PriceFreshness(),
    **{check.kind: check for check in _USAGE},
}


@dataclass(frozen=True, slots=True)
class Tried:
    """``verdict`` is None where the draft is not concerned; ``missing`` says why nobody can judge."""

    verdict: Verdict | None
    sentence: str = ""
    missing: str = ""


def try_draft(draft: Draft, kept: Mapping[str, Any] | None) -> Tried:
    """What the draft would have answered to one kept decision."""
    if kept is None:
        return Tried(None, missing="what it saw was not kept")
    try:
        facts = facts_of(kept)
    except (KeyError, TypeError, ValueError, ArithmeticError):
        return Tried(None, missing="what it saw was kept by another version")
    if not facts.adds_risk:
        return Tried(None)
    return _try_rule(draft, facts) if isinstance(draft, RuleEntry) else _try_limit(draft, facts)


def _try_rule(rule: RuleEntry, facts: Facts) -> Tried:
    if rule.pair not in facts.conduct.pairs:
        return Tried(None)
    return _tried(answer_of(rule, facts))


def _try_limit(limit: LimitFact, facts: Facts) -> Tried:
    if (limit.scope, limit.scope_id) not in facts.conduct.pairs:
        return Tried(None)
    if limit.kind == ORDER_NOTIONAL and limit.currency != facts.listing.currency:
        return Tried(None)
    if limit.kind in COUNTED_KINDS and usage_key(limit.scope, limit.scope_id) not in {
        usage.key for usage in facts.usage.scopes
    }:
        return Tried(None, missing="its scope was not counted then")
    if limit.kind in POSITION_KINDS and facts.usage.position is None:
        return Tried(None, missing="the position was not read then")
    return _tried(_CHECKS[limit.kind].answer(replace(facts, limits=(limit,))))


def _tried(answer: CheckAnswer | None) -> Tried:
    if answer is None:
        return Tried(None)
    return Tried(answer.verdict, answer.sentence)
