"""Which policies of who decides what stand, and what another one would change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.policy import PolicyRow, policy_of
from authorisation.domain.policy_change import CHECKER_RIGHTS, PolicyChange, change_of_payload, same_key
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest, Desk
from authorisation.selectors.people import count_holders
from authorisation.selectors.policies import standing_policies
from authorisation.services.request_policy_change import KIND
from operations.domain.effect import Effect, EffectLine

NONE = "—"


@dataclass(frozen=True, slots=True)
class PolicyLine:
    """One policy that stands, in words; ``waiting_id`` is the request that would change it."""

    row: PolicyRow
    title: str
    where: str
    who: str
    patience: timedelta
    waiting_id: UUID | None


def list_policy_lines(*, at: datetime) -> list[PolicyLine]:
    """Every policy that stands, by kind, the most general first."""
    desks = dict(Desk.objects.values_list("pk", "code"))
    waiting = dict(AuthorisationRequest.objects.filter(kind=KIND, state__in=OPEN).values_list("subject_id", "id"))
    rows = sorted(
        standing_policies(at=at), key=lambda row: (policy_of(row.kind).title, row.desk_id or 0, row.above or 0)
    )
    return [
        PolicyLine(
            row=row,
            title=policy_of(row.kind).title,
            where=f"desk {desks[row.desk_id]}" if row.desk_id else "the house",
            who=CHECKER_RIGHTS.get(row.right, row.right),
            patience=timedelta(seconds=row.patience_s),
            waiting_id=waiting.get(_change_of(row).subject),
        )
        for row in rows
    ]


def _change_of(row: PolicyRow) -> PolicyChange:
    return PolicyChange(
        row.kind,
        row.desk_id,
        row.above,
        row.currency,
        row.checkers,
        row.right,
        row.patience_s,
        row.claim_s,
        row.stops_clock,
    )


def describe_policy_change(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """The policy that stands beside the one asked for, who could decide by it, and what keeps its own."""
    change = change_of_payload(facts.payload)
    now = next((row for row in standing_policies(at=at, kind=change.kind) if same_key(row, change)), None)
    then = None if change.ended else change
    holders = count_holders(change.right)
    keeps = AuthorisationRequest.objects.filter(kind=change.kind, state__in=OPEN).count()
    lines = (
        EffectLine("People who must say yes", str(now.checkers) if now else NONE, str(then.checkers) if then else NONE),
        EffectLine(
            "Who may", CHECKER_RIGHTS.get(now.right, now.right) if now else NONE,
            CHECKER_RIGHTS[then.right] if then else NONE, f"{holders} people hold it",
        ),
        EffectLine("Lapses after", _time(now.patience_s if now else None), _time(then.patience_s if then else None)),
        EffectLine("A claim holds for", _time(now.claim_s if now else None), _time(then.claim_s if then else None)),
        EffectLine("A question stops the clock", _yes(now), _yes(then)),
    )  # fmt: skip
    warnings = [f"{keeps} of the kind wait now and keep the policy they were raised under."] if keeps else []
    if now is not None and (then is None or then.checkers < now.checkers):
        warnings.insert(0, "Fewer people than now will have to say yes.")
    name = str(facts.payload["name"])
    return Effect(
        headline=f"{name}.",
        button="end this policy" if change.ended else "set this policy",
        lines=lines,
        warnings=tuple(warnings),
    )


def _time(seconds: int | None) -> str:
    return NONE if seconds is None else str(timedelta(seconds=seconds))


def _yes(policy: PolicyRow | PolicyChange | None) -> str:
    return NONE if policy is None else "yes" if policy.stops_clock else "no"
