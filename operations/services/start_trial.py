"""Try a draft rule or limit on past orders, before it is asked for. The work is done in slices by a worker."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from kombu.exceptions import OperationalError

from authorisation.domain.principal import Principal
from kernel.canonical import payload_hash
from kernel.errors import Conflict, Invalid
from kernel.ids import new_id
from operations.domain.trial_sums import no_sums
from operations.models import Trial
from operations.tasks import work_trial
from risk.permissions import ASK_RISK_CHANGE

MOST_DAYS = 90
MOST_OPEN = 3
logger = logging.getLogger(__name__)


def start_trial(*, actor: Principal, at: datetime, about: str, draft: Mapping[str, Any], name: str, days: int) -> UUID:
    """The id of the trial. ``draft`` is the stored form of a rule, or a limit's kind, scope, scope_id, currency, warn, hard.

    Raises NotPermitted RIGHT_MISSING, Invalid TRIAL_INVALID, Conflict TRIALS_RUNNING (three of one person at a time).
    """
    actor.require(ASK_RISK_CHANGE, "Your role may not ask for changes of rules and limits.")
    if not 1 <= days <= MOST_DAYS:
        sentence = f"Try it on 1 to {MOST_DAYS} days."
        raise Invalid("TRIAL_INVALID", sentence, {"days": [sentence]})
    unfinished = Trial.objects.filter(owner_id=actor.user_id, state__in=[Trial.State.WAITING, Trial.State.RUNNING])
    if unfinished.count() >= MOST_OPEN:
        raise Conflict("TRIALS_RUNNING", f"{MOST_OPEN} of your trials are still running; stop one, or wait.")
    trial = Trial.objects.create(
        id=new_id(),
        owner_id=actor.user_id,
        about=about,
        draft=dict(draft),
        name=name[:200],
        since=at - timedelta(days=days),
        days=days,
        sums=no_sums(),
        created_at=at,
        updated_at=at,
    )
    try:
        work_trial.apply_async([str(trial.id)], retry=False)
    except OperationalError as error:
        logger.warning("trial %s waits for the sweep: %s", trial.id, error)
    return trial.id


_RULE_PARTS = ("scope", "scope_id", "conditions", "verdict")
_LIMIT_PARTS = ("kind", "scope", "scope_id", "currency", "warn", "hard")


def fingerprint(about: str, draft: Mapping[str, Any]) -> str:
    """What of a draft decides its answers: two drafts of one fingerprint would have answered alike."""
    return payload_hash({name: draft.get(name) for name in (_RULE_PARTS if about == "rule" else _LIMIT_PARTS)})


def summary_for(actor: Principal, trial_id: str, about: str, draft: Mapping[str, Any]) -> dict[str, Any] | None:
    """The finished trial of this very draft, for the second person; None where it was not tried, or another was."""
    try:
        trial = Trial.objects.filter(id=UUID(trial_id), owner_id=actor.user_id, state=Trial.State.DONE).first()
    except ValueError:
        return None
    if trial is None or trial.about != about or fingerprint(about, trial.draft) != fingerprint(about, draft):
        return None
    sums = trial.sums
    return {
        "trial_id": str(trial.id),
        "days": trial.days,
        "requests": trial.requests,
        "judged": sum(sums["answers"].values()) + sums["not_concerned"],
        "worse": sums["worse"],
        "complete": trial.complete,
        **{word: sums["answers"][word] for word in ("refuse", "authorise", "acknowledge")},
    }
