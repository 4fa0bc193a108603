"""Rules of post-trade as they stand (tolerances, terms, when instructions leave, what a fail costs), each at its newest version."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import models

from allocations.domain.confirm_rules import PENALTY, SENDING, TERMS, TOLERANCE, VALUES, RuleChange
from allocations.models import CounterpartyTerms, MatchTolerance, PenaltyRate, SendingRule
from kernel.numbers import plain

MODELS: dict[str, type[models.Model]] = {
    TOLERANCE: MatchTolerance,
    TERMS: CounterpartyTerms,
    SENDING: SendingRule,
    PENALTY: PenaltyRate,
}


def list_tolerances() -> list[MatchTolerance]:
    """The newest version of each, narrowest counterparty last."""
    rows = MatchTolerance.objects.order_by("counterparty", "field", "currency", "-version")
    return list(rows.distinct("counterparty", "field", "currency"))


def list_terms() -> list[CounterpartyTerms]:
    """The newest version of each counterparty's."""
    return list(CounterpartyTerms.objects.order_by("counterparty", "-version").distinct("counterparty"))


def standing(change: RuleChange) -> tuple[int, dict[str, str]]:
    """Version and values of the rule as it stands; 0 and nothing where there is none."""
    row = MODELS[change.rule]._default_manager.filter(**change.scope).order_by("-version").first()
    if row is None:
        return 0, {}
    return row.version, {name: _text(getattr(row, name)) for name in VALUES[change.rule]}  # type: ignore[attr-defined]


def typed(value: Mapping[str, str]) -> dict[str, Any]:
    """The values as the tables keep them."""
    return {name: _READ[name](text) if name in _READ else text for name, text in value.items()}


_READ: dict[str, Any] = {
    "amount": Decimal, "bps": Decimal, "auto_affirm": lambda text: text == "yes", "confirms_direct": lambda text: text == "yes",
    "valid_from": date.fromisoformat,
}  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return plain(value) if isinstance(value, Decimal) else str(value)
