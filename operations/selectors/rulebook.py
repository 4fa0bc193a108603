"""The rulebook as people read it: each entry in words, whether it holds now, and what waits for a second person about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from operations.selectors.rule_changes import condition_words
from operations.selectors.scopes import scope_names
from risk.models import Collar, ConductPolicy, Mandate, Restriction, Rule
from risk.permissions import SEE_RESTRICTIONS
from risk.rulebook import get_rulebook
from risk.rulebook.entries import KIND

MOST = 500
IN_FORCE, TO_COME, ENDED = "in force", "to come", "ended"


@dataclass(frozen=True, slots=True)
class Dates:
    """From and until, and which of the three states that is at a time."""

    effective_from: datetime
    effective_until: datetime | None
    state: str


@dataclass(frozen=True, slots=True)
class RuleRow:
    """One rule in words. ``waiting`` is the request about it that nobody has decided yet."""

    rule: Rule
    scope: str
    conditions: tuple[str, ...]
    dates: Dates
    waiting: UUID | None


@dataclass(frozen=True, slots=True)
class RestrictionRow:
    """One entry of the restricted or watch list, with why: for compliance alone."""

    restriction: Restriction
    scope: str
    dates: Dates
    waiting: UUID | None


@dataclass(frozen=True, slots=True)
class RulebookView:
    """Everything on the page. ``restrictions`` is None for whoever may not see them; ``version`` None: no readable book."""

    version: int | None
    rules: tuple[RuleRow, ...]
    restrictions: tuple[RestrictionRow, ...] | None
    mandates: tuple[tuple[str, Mandate], ...]
    collars: tuple[Collar, ...]
    policy: ConductPolicy | None


def get_rulebook_view(actor: Principal, *, at: datetime) -> RulebookView:
    """The book with everything in it, what ended included, rules in force first."""
    rules = list(Rule.objects.order_by("code")[:MOST])
    mandates = list(Mandate.objects.order_by("scope", "scope_id")[:MOST])
    sees = SEE_RESTRICTIONS in actor.rights
    restrictions = list(Restriction.objects.order_by("-reference")[:MOST]) if sees else []
    pairs = [(row.scope, row.scope_id) for row in rules]
    pairs += [(row.scope, row.scope_id) for row in mandates]
    pairs += [(row.scope, row.scope_id) for row in restrictions]
    names = scope_names(pairs)
    waiting = dict(AuthorisationRequest.objects.filter(kind=KIND, state__in=OPEN).values_list("subject_id", "id"))
    rows = [
        RuleRow(
            rule,
            names[rule.scope, rule.scope_id],
            tuple(condition_words(item) for item in rule.conditions),
            dates_of(rule.effective_from, rule.effective_until, at),
            waiting.get(f"rule:{rule.code}"),
        )
        for rule in rules
    ]
    listed = [
        RestrictionRow(
            row,
            names[row.scope, row.scope_id],
            dates_of(row.effective_from, row.effective_until, at),
            waiting.get(f"restriction:{row.id}"),
        )
        for row in restrictions
        if row.approved_at is not None or f"restriction:{row.id}" in waiting
    ]
    book = get_rulebook()
    return RulebookView(
        version=book.version if book is not None else None,
        rules=tuple(sorted(rows, key=lambda row: (_ORDER[row.dates.state], row.rule.code))),
        restrictions=tuple(sorted(listed, key=lambda row: _ORDER[row.dates.state])) if sees else None,
        mandates=tuple((names[row.scope, row.scope_id], row) for row in mandates),
        collars=tuple(Collar.objects.order_by("asset_class", "phase")),
        policy=ConductPolicy.objects.first(),
    )


_ORDER = {IN_FORCE: 0, TO_COME: 1, ENDED: 2}


def dates_of(start: datetime, end: datetime | None, at: datetime) -> Dates:
    """The dates with the state they amount to."""
    state = TO_COME if start > at else ENDED if end is not None and end <= at else IN_FORCE
    return Dates(start, end, state)


def rule_as_typed(code: str) -> dict[str, Any]:
    """A rule as its form shows it, empty for none of that code."""
    rule = Rule.objects.filter(code=code).first()
    if rule is None:
        return {"conditions": []}
    name = scope_names([(rule.scope, rule.scope_id)])[rule.scope, rule.scope_id]
    shown: dict[str, Any] = {
        field: getattr(rule, field)
        for field in (
            "code",
            "title",
            "scope",
            "verdict",
            "sentence",
            "source",
            "owner",
            "effective_from",
            "effective_until",
        )
    }
    return shown | {
        "name": "" if rule.scope == "firm" else name.removeprefix(f"{rule.scope} "),
        "reason": rule.reason,
        "conditions": [_typed(item) for item in rule.conditions],
    }


def _typed(item: Mapping[str, Any]) -> dict[str, str]:
    return {"fact": item["fact"], "op": item["op"], "values": ", ".join(item["values"])}
