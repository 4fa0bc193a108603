"""What a change of the rulebook would do, for the page of whoever decides: each figure of now beside each of then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from kernel.texts import utc_text
from operations.domain.effect import Effect, EffectLine
from orders.selectors.restricted import count_working
from risk.domain.vocabulary import VOCABULARY
from risk.models import Restriction
from risk.permissions import SEE_RESTRICTIONS
from risk.rulebook.entries import as_entry, standing

NOTHING = "—"


def describe_rule_change(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """Field by field against what stands now; what has changed since it was asked is a warning."""
    asked = facts.payload
    if asked["about"] == "restriction":
        return _restriction(actor, asked)
    row = standing(asked["about"], asked["entry"])
    before, after = as_entry(asked["about"], row), asked["entry"]
    version = getattr(row, "version", 0) if row is not None else 0
    warnings = []
    moved = version != facts.subject_version
    if asked["action"] == "set":
        names = [name for name in after if before is None or before.get(name) != after[name]]
        lines = [
            EffectLine(_label(name), _shown(name, before and before.get(name)), _shown(name, after[name]))
            for name in names
        ]
    elif asked["action"] == "end":
        lines = [
            EffectLine(
                "In force until",
                _shown("effective_until", (before or {}).get("effective_until")),
                "the moment you approve",
            )
        ]
    else:
        lines = [EffectLine(asked["name"], "stands", "removed")]
        warnings.append("Where no other entry applies, what it allows is refused.")
    return Effect(
        headline=f"{_VERBS[asked['action']]} {asked['name']}",
        button=f"{_VERBS[asked['action']].lower()} {asked['name']}",
        lines=(*lines, *trial_lines(asked.get("trial"))),
        warnings=tuple(warnings),
        obstacle="It was changed since this was asked: an approval will not be applied." if moved else "",
    )


_VERBS = {"set": "Lay down", "end": "End", "remove": "Remove"}


def _restriction(actor: Principal, asked: Mapping[str, Any]) -> Effect:
    row = Restriction.objects.get(id=asked["restriction_id"])
    working = count_working(row)
    ends = asked["action"] == "end"
    lines = [
        EffectLine("On the list", "yes" if ends else "no", "no" if ends else f"yes, {row.get_list_display().lower()}"),
        EffectLine("From", NOTHING, utc_text(row.effective_from)),
        EffectLine("Until", NOTHING, utc_text(row.effective_until) if row.effective_until else "no end"),
    ]
    if not ends and row.list == Restriction.List.RESTRICTED:
        sweep = row.get_sweep_display().lower()
        lines.append(
            EffectLine("Working orders it concerns", f"{working:,}", sweep, "when it comes into force", drifts=True)
        )
    if SEE_RESTRICTIONS in actor.rights:
        lines += [EffectLine("Source", NOTHING, row.source), EffectLine("Reason", NOTHING, row.reason)]
    warnings = ("The desk sees only that it is restricted, and the reference.",) if row.list == "restricted" else ()
    verb = "Take off the list" if ends else f"Put on the {row.list} list"
    return Effect(
        f"{verb}: {asked['name']} ({asked['reference']})", f"{verb.lower()}: {asked['name']}", tuple(lines), warnings
    )


def trial_lines(trial: Mapping[str, Any] | None) -> list[EffectLine]:
    """What it would have done to past orders, where that was tried before it was asked for."""
    if not trial:
        return [EffectLine("Tried on past orders", NOTHING, "not tried")]
    judged = f"{trial['judged']:,} of {trial['requests']:,} orders of {trial['days']} days"
    return [
        EffectLine(f"Would have been {word}", NOTHING, f"{trial[key]:,}", judged)
        for key, word in (("refuse", "refused"), ("authorise", "held"), ("acknowledge", "asked about"))
    ]


def _label(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _shown(name: str, value: Any) -> str:
    if value in (None, "", []):
        return NOTHING
    if name == "conditions":
        return "; ".join(condition_words(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {amount}" for key, amount in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def condition_words(item: Mapping[str, Any]) -> str:
    """A stored condition as people read it: ``Quantity above 10,000 units``."""
    fact = VOCABULARY.get(item["fact"])
    title, unit = (fact.title, fact.unit) if fact is not None else (item["fact"], "")
    is_choice = fact is not None and bool(fact.choices)
    values = [value.replace("_", " ") if is_choice else value for value in item["values"]]
    return f"{title} {item['op']} {', '.join(values)} {unit}".strip()
