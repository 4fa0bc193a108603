"""Limits, the rulebook, and whatever stops trading."""

from risk.models.limits import DailyUsage, Limit, LimitUsage, OrderUsage, RateBucket, RateMark
from risk.models.rules import Collar, ConductPolicy, Mandate, Restriction, Rule, Rulebook
from risk.models.scopes import POSITION, Scope, position_scope_id
from risk.models.stops import Block, Breaker, Waiver

__all__ = [
    "POSITION",
    "Block",
    "Breaker",
    "Collar",
    "ConductPolicy",
    "DailyUsage",
    "Limit",
    "LimitUsage",
    "Mandate",
    "OrderUsage",
    "RateBucket",
    "RateMark",
    "Restriction",
    "Rule",
    "Rulebook",
    "Scope",
    "Waiver",
    "position_scope_id",
]
