"""A change of what may differ, of what a break stops, or of what others call our things: its shape, and its name. Pure.

A rule is named by its scope; a change is the next version of it, or none at all when another came first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from kernel.errors import Invalid
from kernel.numbers import plain
from reconciliation.domain.effects import Stands
from reconciliation.domain.feed_changes import CODE, TERMS, Known, wrong_terms
from reconciliation.domain.records import RECONCILED

SCOPES: dict[str, tuple[str, ...]] = {
    "tolerance": ("kind", "source", "field", "currency"),
    "policy": ("kind", "category"),
    "name": ("source", "what", "theirs"),
    "feed": ("code",),
}
VALUES: dict[str, tuple[str, ...]] = {
    "tolerance": ("amount",),
    "policy": ("effect", "above", "escalate_after_s"),
    "name": ("ours",),
    "feed": tuple(TERMS),
}
EFFECTS = ("nothing", *(word.value for word in Stands if word not in (Stands.NOTHING, Stands.TOOTHLESS)))
CATEGORIES = (
    "missing_internal", "missing_external", "status", "quantity", "price", "fee", "duplicate_suspect", "timing",
)  # fmt: skip
FIELDS = (
    "price",
    "fee",
    "amount",
    "qty",
    "seconds",
    "patience",
    "suspect_count",
    "suspect_share",
    "write_off",
    "start_hold",
)
THINGS = ("account", "instrument", "order", "execution")
LONGEST_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class RuleChange:
    """``rule`` is tolerance, policy, name or feed; ``scope`` names the one, ``value`` is what it becomes, all as text."""

    rule: str
    scope: Mapping[str, str]
    value: Mapping[str, str]

    @property
    def subject(self) -> str:
        """The rule's name: ``policy:executions:price``."""
        return ":".join([self.rule, *(self.scope[name] for name in SCOPES[self.rule])])


def read_change(rule: str, said: Mapping[str, Any], *, known: Known | None = None) -> RuleChange:
    """The change somebody entered; ``known`` is needed for a feed. Raises Invalid RULE_INVALID, by field."""
    if rule not in SCOPES:
        raise Invalid("RULE_INVALID", "A rule is a tolerance, a policy, a name or a feed.", {"rule": ["Unknown."]})
    scope = {name: str(said.get(name, "")).strip() for name in SCOPES[rule]}
    value = {name: str(said.get(name, "")).strip() for name in VALUES[rule]}
    wrong = {**_wrong_scope(rule, scope), **_wrong_value(rule, value)}
    if rule == "feed":
        wrong |= wrong_terms(value, known or Known((), ()))
    if wrong:
        raise Invalid("RULE_INVALID", "The rule cannot be read.", {name: [why] for name, why in wrong.items()})
    for name in ("amount", "above"):
        if name in value:
            value[name] = plain(Decimal(value[name]))
    return RuleChange(rule, scope, value)


def _wrong_scope(rule: str, scope: Mapping[str, str]) -> dict[str, str]:
    if rule == "feed":
        return {} if CODE.fullmatch(scope["code"]) else {"code": "Capital letters, digits and -, 2 to 24 of them."}
    known = {"kind": [kind.value for kind in RECONCILED], "category": CATEGORIES, "field": FIELDS, "what": THINGS}
    wrong = {
        name: f"One of {', '.join(known[name])}." for name in scope if name in known and scope[name] not in known[name]
    }
    if rule == "tolerance" and scope["currency"] and len(scope["currency"]) != 3:
        wrong["currency"] = "ISO 4217, or empty."
    if rule == "tolerance" and scope["field"] == "write_off" and not scope["currency"]:
        wrong["currency"] = "Money is written off by currency."
    if rule == "name":
        wrong |= {name: "Say it." for name in ("source", "theirs") if not scope[name]}
    return wrong


def _wrong_value(rule: str, value: Mapping[str, str]) -> dict[str, str]:
    wrong = {
        name: "A number from zero on." for name in ("amount", "above") if name in value and not _is_amount(value[name])
    }
    if "effect" in value and value["effect"] not in EFFECTS:
        wrong["effect"] = f"One of {', '.join(EFFECTS)}."
    late = value.get("escalate_after_s", "1")
    if not late.isascii() or not late.isdecimal() or not 0 < int(late) <= LONGEST_S:
        wrong["escalate_after_s"] = "Seconds, at most 30 days."
    if len(value.get("ours", "")) > 64:
        wrong["ours"] = "At most 64 characters."
    return wrong


def _is_amount(text: str) -> bool:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return False
    return value.is_finite() and 0 <= value < Decimal(10) ** 16 and value == round(value, 8)
