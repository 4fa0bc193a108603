"""What a sign-off takes note of, who had a hand in it, and why somebody may not sign."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from authorisation.domain.four_eyes import people_behind
from authorisation.domain.principal import Principal
from authorisation.models import ApiKey, AuthorisationRequest, Decision, User
from journal.models import Event
from reconciliation.domain.sign_off import SignOffFacts, digest_of_open, refusal
from reconciliation.models import Break, Run
from reconciliation.permissions import DECIDE_BREAK
from reconciliation.selectors.seeing import break_sight

REPAIR = "break_repair"


@dataclass(frozen=True, slots=True)
class OpenStatement:
    """What a run left open, as of now: counts by category and state, exposure by currency, one digest over all of it."""

    count: int
    accepted: int
    by_category: dict[str, int]
    exposure: dict[str, Decimal]
    digest: str


def open_statement(run: Run) -> OpenStatement:
    """Everything of the run that is not closed, whoever asks: for its signer and its report."""
    rows = list(
        Break.objects.filter(seen__run=run, closed_at=None)
        .order_by("number")
        .values_list("pk", "state", "exposure", "category", "exposure_currency")
    )
    by_category: dict[str, int] = {}
    exposure: dict[str, Decimal] = {}
    for _, _, amount, category, currency in rows:
        by_category[category] = by_category.get(category, 0) + 1
        if amount is not None and currency:
            exposure[currency] = exposure.get(currency, Decimal(0)) + amount
    return OpenStatement(
        count=len(rows),
        accepted=sum(state == "accepted" for _, state, *_ in rows),
        by_category=dict(sorted(by_category.items())),
        exposure=dict(sorted(exposure.items())),
        digest=digest_of_open((pk, state, "" if amount is None else str(amount)) for pk, state, amount, *_ in rows),
    )


def sign_off_facts(run: Run, actor: Principal, *, statement: OpenStatement | None = None) -> SignOffFacts:
    """As of now; the caller has locked the run when it goes on to sign."""
    hidden = Break.objects.filter(seen__run=run).exclude(break_sight(actor))
    return SignOffFacts(
        state=run.state,
        signed=bool(run.signed_by),
        starters=_people([run.started_by]),
        hands=_hands(run),
        sees_all=not hidden.exists(),
        open_digest=(statement or open_statement(run)).digest,
    )


def why_not_signing(run: Run, actor: Principal, *, statement: OpenStatement) -> str:
    """The sentence beside the button; empty when it may be pressed. The service asks the same again."""
    if DECIDE_BREAK not in actor.rights:
        return "Your role may not decide about reconciliation."
    found = refusal(sign_off_facts(run, actor, statement=statement), people_behind(actor))
    return found.sentence if found else ""


def _hands(run: Run) -> frozenset[int]:
    """Who moved, proposed or decided something about a break the run saw."""
    breaks = [str(pk) for pk in Break.objects.filter(seen__run=run).order_by().values_list("pk", flat=True)]
    about = Q(kind=REPAIR, subject_id__in=breaks)
    requests = AuthorisationRequest.objects.filter(about)
    makers = requests.values_list("maker_id", "maker_person_id", "maker_for_id")
    decisions = Decision.objects.filter(request__in=requests)
    deciders = decisions.values_list("checker_id", "checker_person_id", "checker_for_id")
    streams = [f"break:{pk}" for pk in breaks]
    moved = Event.objects.filter(stream__in=streams).exclude(actor__startswith="process:")
    people = {pk for row in (*makers, *deciders) for pk in row if pk is not None}
    return frozenset(people | _people(moved.order_by().values_list("actor", flat=True).distinct()))


def _people(actors: Iterable[str]) -> frozenset[int]:
    """The users behind actor texts, and who answers for them."""
    named = list(actors)
    keys = [UUID(name[4:]) for name in named if name.startswith("key:")]
    users = {int(name[5:]) for name in named if name.startswith("user:") and name[5:].isdecimal()}
    users |= set(ApiKey.objects.filter(pk__in=keys).values_list("user_id", flat=True)) if keys else set()
    answering = User.objects.filter(pk__in=users, responsible__isnull=False) if users else User.objects.none()
    return frozenset(users | {pk for pk in answering.values_list("responsible_id", flat=True) if pk is not None})
