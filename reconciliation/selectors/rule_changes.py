"""What a change of a rule would do: the rule of now beside it, and how many open breaks it opens, closes or lets stop something."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import available_timezones

from django.db.models import Max

from kernel.numbers import plain
from reconciliation.domain import transitions as moves
from reconciliation.domain.effects import NO_POLICY, Policy, must_stand
from reconciliation.domain.feed_changes import Known, terms_as_text, typed_terms
from reconciliation.domain.repairs import number
from reconciliation.domain.rule_changes import RuleChange
from reconciliation.models import Break, BreakPolicy, Feed, FeedVersion, OutsideName, Tolerance
from reconciliation.selectors.effects import facts_of, session_groups, trusted_among
from reconciliation.selectors.feed_trials import Trial, try_terms
from reconciliation.selectors.rules import policies_in_force
from refdata.models import Market

KIND = "recon_rules"
MODELS: dict[str, type[Tolerance] | type[BreakPolicy] | type[OutsideName]] = {
    "tolerance": Tolerance,
    "policy": BreakPolicy,
    "name": OutsideName,
}


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """``agree``: open breaks the change would let agree; ``stop``, ``let_go``: those that would stop something, or no longer.

    Of a feed: its files of the last days as they are judged ``now`` (None: a new feed) and as they would be ``then``.
    """

    agree: int = 0
    stop: int = 0
    let_go: int = 0
    now: Trial | None = None
    then: Trial | None = None


def standing(change: RuleChange) -> tuple[int, dict[str, str]]:
    """The version of the rule that stands (0: none), and its values as text."""
    if change.rule == "feed":
        return standing_feed(change.scope["code"])
    rows = MODELS[change.rule]._default_manager.filter(**change.scope)
    version = rows.aggregate(newest=Max("version"))["newest"]
    if version is None:
        return 0, {}
    row = rows.get(version=version)
    return int(version), {name: text_of(getattr(row, name)) for name in change.value}


def standing_feed(code: str) -> tuple[int, dict[str, str]]:
    """The version of a feed's terms (0: as seeded, or no feed) and the terms as text; none of an unknown feed."""
    version = FeedVersion.objects.filter(code=code).aggregate(newest=Max("version"))["newest"] or 0
    columns = Feed.objects.filter(pk=code).values().first()
    return version, terms_as_text({**columns, "market": columns["market_id"]}) if columns else {}


def known_places() -> Known:
    """Markets and zones that a feed may name."""
    return Known(frozenset(Market.objects.values_list("mic", flat=True)), available_timezones())


def feed_of(code: str, terms: Mapping[str, str]) -> Feed:
    """A feed of these terms, not kept."""
    columns = typed_terms(terms)
    return Feed(code=code, market_id=columns.pop("market"), **columns)


def effect_of(change: RuleChange, *, at: datetime) -> RuleEffect:
    """By a dry run over the open breaks of now, or over the files of the last days."""
    if change.rule == "feed":
        code = change.scope["code"]
        now = Feed.objects.filter(pk=code).first()
        then = try_terms(feed_of(code, change.value), code=code, at=at)
        return RuleEffect(now=try_terms(now, code=code, at=at) if now else None, then=then)
    if change.rule == "policy":
        return _policy_effect(change)
    if change.rule == "tolerance":
        return RuleEffect(agree=_agreeing(change))
    theirs = change.scope["theirs"]
    rows = Break.objects.filter(source=change.scope["source"]).exclude(state=moves.CLOSED)
    said = [item for item in rows.iterator() if theirs in {str(value) for value in item.theirs.values()}]
    return RuleEffect(agree=len(said))


def _policy_effect(change: RuleChange) -> RuleEffect:
    now = policies_in_force().get((change.scope["kind"], change.scope["category"]), NO_POLICY)
    then = Policy(change.value["effect"], Decimal(change.value["above"]), int(change.value["escalate_after_s"]))
    rows = list(Break.objects.filter(**change.scope).exclude(state=moves.CLOSED).defer("ours", "theirs", "candidates"))
    groups, trusted, stop, let_go = session_groups(), trusted_among(rows), 0, 0
    for item in rows:
        facts = facts_of(item, groups, trusted)
        before, after = bool(must_stand(now, facts)), bool(must_stand(then, facts))
        stop, let_go = stop + (after and not before), let_go + (before and not after)
    return RuleEffect(stop=stop, let_go=let_go)


def _agreeing(change: RuleChange) -> int:
    """Breaks of which every difference is in this field, and within what the mark would be."""
    scope, amount = change.scope, Decimal(change.value["amount"])
    rows = Break.objects.filter(kind=scope["kind"]).exclude(state=moves.CLOSED)
    if scope["source"]:
        rows = rows.filter(source=scope["source"])
    names = {"fees", "commission", "fee"} if scope["field"] == "fee" else {scope["field"]}

    def fits(one: Mapping[str, Any]) -> bool:
        return one.get("field") in names and abs(number(one.get("difference"))) <= amount

    return sum(
        bool(item.differences) and all(fits(one) for one in item.differences)
        for item in rows.iterator(chunk_size=500)
        if not scope["currency"] or scope["currency"] == item.exposure_currency
    )


def text_of(value: object) -> str:
    """A scope or value of a rule as a change carries it."""
    return plain(value) if isinstance(value, Decimal) else str(value)
