"""What a change of the rules of post-trade, or an accepted difference, would do once approved: a dry run on the facts of now."""

from __future__ import annotations

from datetime import datetime

from allocations.domain import transitions as moves
from allocations.domain.buying_in import SUBJECT as BUY_IN
from allocations.domain.claiming import SUBJECT as CLAIM
from allocations.domain.confirm_rules import VALUES, RuleChange
from allocations.domain.matching import WORDS
from allocations.domain.schemes import SCHEME
from allocations.models import Confirmation
from allocations.selectors.confirm_rules import standing
from allocations.services.decide_post_trade_rules import MISMATCH
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from operations.domain.effect import Effect, EffectLine
from operations.selectors.buy_in_effects import describe_buy_in
from operations.selectors.claim_effects import describe_claim
from operations.selectors.scheme_effects import describe_scheme


def describe_post_trade_rules(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """The rule or scheme of now beside the one asked for, the step of a buy-in, or the differences that would be affirmed."""
    if facts.subject_type == SCHEME:
        return describe_scheme(actor, facts, at)
    if facts.subject_type == BUY_IN:
        return describe_buy_in(facts)
    if facts.subject_type == CLAIM:
        return describe_claim(facts, at)
    return _mismatch(facts) if facts.subject_type == MISMATCH else _rule(facts)


def _rule(facts: RequestFacts) -> Effect:
    told = facts.payload
    change = RuleChange(told["rule"], told["scope"], told["value"])
    version, before = standing(change)
    fields = tuple(
        EffectLine(name.replace("_", " ").capitalize(), before.get(name, "nothing laid down"), change.value[name])
        for name in VALUES[change.rule]
    )
    return Effect(
        headline=f"{facts.summary}. Reason: {told['reason']}",
        button=f"change {change.subject}",
        fields=fields,
        obstacle="" if version == told["version"] else "The rule was changed since this was asked.",
    )


def _mismatch(facts: RequestFacts) -> Effect:
    told = facts.payload
    row = Confirmation.objects.get(pk=told["confirmation"])
    stands = row.state == moves.MISMATCHED and row.differences == told["differences"]
    lines = tuple(_difference(row_of) for row_of in row.differences)
    return Effect(
        headline=f"{facts.summary}. Reason: {told['reason']}",
        button=f"affirm {told['ref']} with {len(row.differences)} differences",
        lines=(*lines, EffectLine("Confirmation", row.state, moves.AFFIRMED if stands else row.state)),
        warnings=("Our books stay as they are: settlement will show the difference.",),
        obstacle="" if stands else f"{told['ref']} no longer differs as it did when this was asked.",
        irreversible="The counterparty is told that we affirm; only another agreement with it undoes that.",
    )


def _difference(told: list[str]) -> EffectLine:
    name, ours, theirs, away, may = told
    note = f"differs by {away}, allowed {may}" if away else ""
    return EffectLine(WORDS.get(name, name).capitalize(), f"ours {ours}", f"theirs {theirs}", note)
