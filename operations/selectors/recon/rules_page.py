"""The rules of reconciliation as people read them: what may differ, what a break stops, what others call our things.

Tolerances and policies are for everybody who is shown runs; the names others use tell accounts and orders of every desk, so
they, and what waits for a second person, are for who sees totals (``reconciliation.selectors.seeing``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from operations.domain.effect import EffectLine
from reconciliation.domain.feed_changes import terms_as_text
from reconciliation.domain.rule_changes import SCOPES, VALUES, RuleChange
from reconciliation.models import BreakPolicy, Feed, FeedVersion, OutsideName, Tolerance
from reconciliation.selectors.rule_changes import KIND, RuleEffect, effect_of, standing, text_of
from reconciliation.selectors.rules import list_names, list_policies, list_tolerances
from reconciliation.selectors.seeing import sees_totals

Row = Tolerance | BreakPolicy | OutsideName


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule in force. ``key`` names it; ``waiting_id`` is the request that would change it, where one waits."""

    row: Row
    key: str
    waiting_id: UUID | None

    @property
    def typed(self) -> dict[str, str]:
        """Its scope and values as a form carries them."""
        rule = self.key.partition(":")[0]
        return {name: text_of(getattr(self.row, name)) for name in (*SCOPES[rule], *VALUES[rule])}


@dataclass(frozen=True, slots=True)
class FeedLine:
    """What is agreed about a feed. ``version`` 0: as it was seeded."""

    code: str
    key: str
    version: int
    typed: dict[str, str]
    waiting_id: UUID | None


@dataclass(frozen=True, slots=True)
class RulesPage:
    """Everything in force. ``feeds`` are as they stand now, also where then is asked for.

    ``names`` and ``waiting`` (summary and id of every request) are None for who may not see them.
    """

    tolerances: list[RuleLine]
    policies: list[RuleLine]
    names: list[RuleLine] | None
    waiting: list[tuple[UUID, str]] | None
    feeds: list[FeedLine]

    def typed(self, key: str) -> tuple[str, dict[str, str]]:
        """The rule of that key to change it: which of the three, and its text; nothing for an unknown one."""
        for line in (*self.tolerances, *self.policies, *(self.names or ())):
            if line.key == key:
                return key.partition(":")[0], line.typed
        for feed in self.feeds:
            if feed.key == key:
                return "feed", {"code": feed.code, **feed.typed}
        return "", {}


def get_rules_page(actor: Principal, *, at: datetime | None = None) -> RulesPage:
    """As they stand, or as they stood at ``at``; what waits is of now, so of then nothing is said of it. Seven statements at most."""
    whole = sees_totals(actor)
    waiting = list(AuthorisationRequest.objects.filter(kind=KIND, state__in=OPEN).order_by("created_at", "id"))
    waiting = waiting if whole and at is None else []
    ids = {one.subject_id: one.id for one in waiting}

    def lines(rule: str, rows: Sequence[Row]) -> list[RuleLine]:
        keys = [":".join([rule, *(str(getattr(row, name)) for name in SCOPES[rule])]) for row in rows]
        return [RuleLine(row, key, ids.get(key)) for row, key in zip(rows, keys, strict=True)]

    return RulesPage(
        tolerances=lines("tolerance", list_tolerances(at=at)),
        policies=lines("policy", list_policies(at=at)),
        names=lines("name", list_names(at=at)) if whole else None,
        waiting=[(one.id, one.summary) for one in waiting] if whole else None,
        feeds=_feeds(ids),
    )


def list_feed_lines() -> list[FeedLine]:
    """Every feed with its terms and the request that would change it; three statements."""
    waiting = AuthorisationRequest.objects.filter(kind=KIND, state__in=OPEN, subject_type="recon_rule")
    return _feeds(dict(waiting.values_list("subject_id", "id")))


def _feeds(waiting: Mapping[str, UUID]) -> list[FeedLine]:
    """Every feed with its terms; two statements."""
    versions: dict[str, int] = {}
    for code, version in FeedVersion.objects.order_by("version").values_list("code", "version"):
        versions[code] = version
    rows = Feed.objects.order_by("code").values()
    return [
        FeedLine(
            row["code"], f"feed:{row['code']}", versions.get(row["code"], 0),
            terms_as_text({**row, "market": row["market_id"]}), waiting.get(f"feed:{row['code']}"),
        )
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class RulePreview:
    """What a change would do: the rule of now beside it, and how many open breaks it moves."""

    key: str
    version: int
    fields: tuple[EffectLine, ...]
    effect: RuleEffect

    @property
    def changes(self) -> bool:
        return any(line.changes for line in self.fields)


def preview_change(change: RuleChange, *, at: datetime) -> RulePreview:
    """By a dry run over the open breaks of now, or over the files of the last days; nothing is kept."""
    version, now = standing(change)
    fields = tuple(
        EffectLine(name.replace("_", " "), now.get(name, "none"), value) for name, value in change.value.items()
    )
    return RulePreview(change.subject, version, fields, effect_of(change, at=at))
