"""Subscriptions of other systems as people see them, and what letting one out would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from authorisation.models import Desk, User
from kernel.errors import Invalid
from operations.domain.effect import Effect, EffectLine
from outbound.domain.contracts import CONTRACTS
from outbound.domain.draft import Draft, draft_of
from outbound.domain.transitions import ACTIVE, ENDED
from outbound.models import Subscription
from outbound.selectors.subscriptions import (
    Lag,
    count_held,
    desks_heard_by,
    find_lag,
    health_of,
    list_subscriptions,
)
from outbound.services.decide_webhook import obstacle_to


@dataclass(frozen=True, slots=True)
class WebhookLine:
    """A subscription and how it does: ``word`` and ``family`` say it in one look."""

    subscription: Subscription
    lag: Lag
    waiting: int
    dead: int
    word: str
    family: str
    kinds: str
    desks: str


def list_webhooks(*, at: datetime) -> list[WebhookLine]:
    """Every subscription, those that have ended last."""
    desks = dict(Desk.objects.values_list("id", "code"))
    return [webhook_line(one, desks=desks, at=at) for one in list_subscriptions()]


def webhook_line(subscription: Subscription, *, desks: Mapping[int, str], at: datetime) -> WebhookLine:
    """One subscription."""
    waiting, dead = count_held(subscription.pk)
    runs = subscription.state == ACTIVE
    lag = find_lag(subscription, at=at) if runs else Lag(0, 0.0)
    word, family = str(subscription.state), {ACTIVE: "done", ENDED: "ended"}.get(str(subscription.state), "waiting")
    if runs and health_of(subscription).is_open:
        word, family = "takes nothing", "refused"
    elif runs and dead:
        word, family = "gave up some", "refused"
    kinds, named = ", ".join(subscription.kinds), ", ".join(desks.get(one, "?") for one in subscription.desks)
    return WebhookLine(
        subscription, lag, waiting, dead, word, family, kinds or "all", named or "all that its account sees"
    )


def read_draft(data: Mapping[str, str], kinds: list[str], desks: list[str]) -> Draft:
    """The subscription as typed; raises Invalid WEBHOOK_INVALID for an account or a desk that is none."""
    codes = dict(Desk.objects.filter(code__in=desks).values_list("code", "id"))
    if set(desks) - set(codes):
        raise Invalid("WEBHOOK_INVALID", "There is no such desk.", {"desks": ["Choose desks of the list."]})
    user = User.objects.filter(username=data.get("user", "")).first()
    return Draft(
        name=data.get("name", "").strip(),
        url=data.get("url", "").strip(),
        user_id=user.pk if user else 0,
        kinds=tuple(sorted(kinds)),
        desks=tuple(sorted(codes.values())),
    )


def read_event_ids(text: str) -> tuple[UUID, ...]:
    """Ids between blanks or commas; raises Invalid REPLAY_INVALID."""
    try:
        return tuple(UUID(part) for part in text.replace(",", " ").split())
    except ValueError as problem:
        raise Invalid("REPLAY_INVALID", "These are not ids of events.", {"events": ["Ids of events."]}) from problem


def describe_webhook(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """Where which events of whom would go, and what keeps it from being opened now."""
    draft = draft_of(facts.payload)
    user = User.objects.filter(pk=draft.user_id).first()
    name = user.username if user else "an account that is gone"
    hears = desks_heard_by(draft.user_id) or frozenset()
    desks = sorted(Desk.objects.filter(pk__in=draft.desks or hears).values_list("code", flat=True))
    obstacle = obstacle_to(draft)
    everything = f"all {len(CONTRACTS)} kinds, and kinds that come later"
    lines = (
        EffectLine("Sent to", "nothing", draft.url, note="A public name over TLS; redirects are not followed."),
        EffectLine("Heard as", "—", name, note="What this account may not see is not sent; its end ends the sending."),
        EffectLine("Desks", "none", ", ".join(desks) or "none"),
        EffectLine("Kinds of events", "none", ", ".join(draft.kinds) or everything),
        EffectLine("Why", "—", str(facts.payload["reason"])),
    )
    warnings = [obstacle] if obstacle else []
    warnings.append("What has been sent cannot be taken back.")
    return Effect(
        headline=f"Events of the house leave it, signed, for {draft.url}, as {draft.name}.",
        button=f"Let events out to {draft.name}",
        lines=lines,
        warnings=tuple(warnings),
    )
