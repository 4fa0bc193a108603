"""What the page of retention shows, what else says about records that are gone, and effects for a checker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from journal.domain.retention import YEARS_OF_EVIDENCE, class_of
from journal.models import Archive, Event, LegalHold
from journal.selectors.retention import ClassState, get_hold, kept_days, list_archives, list_classes, list_holds
from journal.selectors.seals import find_last_seal
from operations.domain.effect import Effect, EffectLine
from operations.services.ask_hold_release import KIND as HOLD_RELEASE
from operations.services.ask_retention_change import KIND as RETENTION_CHANGE
from refdata.models import PriceTick


@dataclass(frozen=True, slots=True)
class ClassLine:
    """A class of records: what rules it, the oldest that is here, and the request for another time that waits."""

    state: ClassState
    oldest: datetime | None
    waits: str


@dataclass(frozen=True, slots=True)
class HoldLine:
    """A hold and the request for its release that waits."""

    hold: LegalHold
    waits: str


@dataclass(frozen=True, slots=True)
class RetentionPage:
    """All that the page shows."""

    classes: tuple[ClassLine, ...]
    holds: tuple[HoldLine, ...]
    archives: tuple[Archive, ...]
    last_seal: int
    years: int = YEARS_OF_EVIDENCE


def get_retention_page(*, at: datetime) -> RetentionPage:
    """The state of now."""
    waiting = {
        (kind, subject): str(request_id)
        for request_id, kind, subject in AuthorisationRequest.objects.filter(
            kind__in=(HOLD_RELEASE, RETENTION_CHANGE), state__in=OPEN
        ).values_list("id", "kind", "subject_id")
    }
    last = find_last_seal()
    return RetentionPage(
        classes=tuple(
            ClassLine(one, _oldest(one.record_class.name), waiting.get((RETENTION_CHANGE, one.record_class.name), ""))
            for one in list_classes(at=at)
        ),
        holds=tuple(HoldLine(hold, waiting.get((HOLD_RELEASE, str(hold.id)), "")) for hold in list_holds()),
        archives=tuple(list_archives()),
        last_seal=last.terms.number if last else 0,
    )


def _oldest(name: str) -> datetime | None:
    """When the oldest record of a class was made; None where that is not asked."""
    if name == "evidence":
        return Event.objects.order_by("position").values_list("recorded_at", flat=True).first()
    if name == "price_ticks":
        return PriceTick.objects.order_by("id").values_list("received_at", flat=True).first()
    return None


def words_of_what_is_gone(*, at: datetime) -> list[str]:
    """One sentence a class of records that is not kept for ever: how far back it reaches."""
    return [
        f"{one.record_class.title} are removed after {one.kept_days:,} days, unless a legal hold keeps them; "
        f"what is older than {at - timedelta(days=one.kept_days):%d %b %Y} may be gone."
        for one in list_classes(at=at)
        if one.kept_days is not None
    ]


def describe_hold_release(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """What the hold keeps now and what would keep it afterwards."""
    hold = get_hold(facts.payload["hold_id"])
    others = [one for one in list_holds() if one.state == LegalHold.State.HELD and one.id != hold.id]
    covered = ", ".join(hold.symbols) or "all records"
    until = f"{hold.to_at:%d %b %Y %H:%M} UTC" if hold.to_at else "its release"
    return Effect(
        headline=f"The hold of matter {hold.matter} ends: {facts.payload['reason']}",
        button=f"release the hold of matter {hold.matter}",
        lines=(
            EffectLine("Kept by this hold", f"{covered}, {hold.from_at:%d %b %Y %H:%M} UTC to {until}", "nothing"),
            EffectLine("Other holds", str(len(others)), str(len(others)), "they keep what they cover"),
            EffectLine("About", f"{hold.subject_kind} {hold.subject}".strip(), "\u2014", hold.reason),
        ),
        warnings=("What is older than its class is kept will be removed within minutes and does not come back.",),
    )


def describe_retention_change(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """Days now and then, and whether anything goes that stays today."""
    asked = facts.payload
    title, days = class_of(asked["record_class"]).title, int(asked["kept_days"])
    now = kept_days(asked["record_class"], at=at)
    warnings = []
    if days < now:
        warnings.append(f"What is older than {at - timedelta(days=days):%d %b %Y} goes within minutes of the approval.")
    if now != asked["was_days"]:
        warnings.append("It has changed since it was asked: an approval would not be applied.")
    return Effect(
        headline=f"{title} are kept {days:,} days: {asked['reason']}",
        button=f"keep {title.lower()} {days:,} days",
        lines=(EffectLine("Kept", f"{now:,} days", f"{days:,} days"),),
        warnings=tuple(warnings),
    )
