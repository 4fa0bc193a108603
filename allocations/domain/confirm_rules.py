"""Changes of what may differ between two sides, of how we confirm with whom, of when instructions leave and of what a fail costs: shape
and names. Pure.

A rule is named by its scope; a change is the next version of it, or none at all when another came first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from allocations.domain.leaving import LEAVES
from allocations.domain.matching import ANY, TOLERATED
from allocations.domain.penalties import MOST_BPS
from allocations.domain.terms import BROKER, BUY_SIDE, BY_HAND, FILE, FIX
from kernel.errors import Invalid
from kernel.numbers import plain
from refdata.domain.identifiers import is_mic
from refdata.domain.import_rows import ASSET_CLASSES

TOLERANCE, TERMS, SENDING, PENALTY = "tolerance", "counterparty_terms", "sending", "penalty_rate"
SCOPES: dict[str, tuple[str, ...]] = {
    TOLERANCE: ("counterparty", "field", "currency"),
    TERMS: ("counterparty",),
    SENDING: ("account", "mic"),
    PENALTY: ("mic", "asset_class"),
}
VALUES: dict[str, tuple[str, ...]] = {
    TOLERANCE: ("amount", "bps", "auto_affirm"),
    TERMS: ("role", "channel", "confirms_direct"),
    SENDING: ("leaves", "valid_from"),
    PENALTY: ("bps", "valid_from", "source"),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "field": (*TOLERATED, ANY),
    "role": (BUY_SIDE, BROKER),
    "channel": (FIX, FILE, BY_HAND),
    "auto_affirm": ("yes", "no"),
    "confirms_direct": ("yes", "no"),
    "leaves": LEAVES,
    "asset_class": tuple(sorted(ASSET_CLASSES)),
}
LONGEST_SOURCE = 200
_PARTY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,23}")


@dataclass(frozen=True, slots=True)
class RuleChange:
    """``scope`` names the rule, ``value`` is what it becomes, all as text."""

    rule: str
    scope: Mapping[str, str]
    value: Mapping[str, str]

    @property
    def subject(self) -> str:
        """The rule's name: ``tolerance:SIM1:net:GBP``."""
        return ":".join([self.rule, *(self.scope[name] for name in SCOPES[self.rule])])

    @property
    def words(self) -> str:
        """What it becomes, as a summary tells it."""
        return ", ".join(f"{name.replace('_', ' ')} {text}" for name, text in self.value.items())


def read_change(rule: str, said: Mapping[str, Any]) -> RuleChange:
    """The change somebody entered. Raises Invalid RULE_INVALID, by field."""
    if rule not in SCOPES:
        raise Invalid(
            "RULE_INVALID",
            "A rule is a tolerance, the terms of a counterparty, when instructions leave, or what a day of a fail costs.",
            {"rule": ["Unknown."]},
        )
    scope = {name: str(said.get(name, "")).strip() for name in SCOPES[rule]}
    empty = {} if rule == PENALTY else _EMPTY  # nothing said of a rate is not that it is nothing
    value = {name: str(said.get(name, "")).strip() or empty.get(name, "") for name in VALUES[rule]}
    wrong = {name: [why] for name, text in (scope | value).items() if (why := _wrong(rule, name, text))}
    if (
        rule == TOLERANCE
        and not wrong
        and scope["field"] == ANY
        and (Decimal(value["amount"]) or Decimal(value["bps"]))
    ):
        wrong["amount"] = ["What affirms by itself has no amount."]
    if rule == TOLERANCE and not wrong and scope["field"] != ANY and value["auto_affirm"] == "yes":
        wrong["auto_affirm"] = ["Of all fields together: choose *."]
    if wrong:
        raise Invalid("RULE_INVALID", "The rule cannot be read.", wrong)
    for name in ("amount", "bps"):
        if name in value:
            value[name] = plain(Decimal(value[name]))
    return RuleChange(rule, scope, value)


_EMPTY = {"amount": "0", "bps": "0", "auto_affirm": "no", "confirms_direct": "no"}


def _wrong(rule: str, name: str, text: str) -> str:
    if name in CHOICES and text not in CHOICES[name]:
        return f"One of {', '.join(CHOICES[name])}."
    if (
        rule == PENALTY
        and name == "bps"
        and not (text and _is_amount(text) and Decimal(text) <= MOST_BPS and _has_four(text))
    ):
        return f"Basis points a day, from 0 to {MOST_BPS}, with at most 4 decimals."
    if rule == PENALTY and name == "mic" and not is_mic(text):
        return "A market is a MIC of four."
    if name == "source" and not 1 <= len(text) <= LONGEST_SOURCE:
        return f"Whose word it is, in 1 to {LONGEST_SOURCE} characters."
    if name in ("amount", "bps") and not _is_amount(text):
        return "A number from zero on."
    if name == "counterparty" and not (_PARTY.fullmatch(text) or (rule == TOLERANCE and not text)):
        return "The name of a counterparty of at most 24 letters, digits, dots and dashes."
    if name == "account" and text and not _PARTY.fullmatch(text):
        return "The code of an account, or empty."
    if name == "mic" and text and not is_mic(text):
        return "A market is a MIC of four, or empty for any."
    if name == "valid_from" and not _is_day(text):
        return "A day is written 2026-11-24."
    if name == "currency" and text and not re.fullmatch(r"[A-Z]{3}", text):
        return "ISO 4217, or empty."
    return ""


def _is_day(text: str) -> bool:
    try:
        return len(text) == len("2026-11-24") and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _has_four(text: str) -> bool:
    return Decimal(text) == round(Decimal(text), 4)


def _is_amount(text: str) -> bool:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return False
    return value.is_finite() and 0 <= value < Decimal(10) ** 14 and value == round(value, 8)
