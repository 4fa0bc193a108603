"""One slice of a trial: a page of past decisions judged by the draft, sums and place kept together.

May be lost or run twice, also at once: a slice is worked under the trial's row, and begins where the last one ended.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from authorisation.selectors import get_principal
from operations.domain.trial_sums import Past, add
from operations.locks import lock_trial
from operations.models import Trial
from orders.permissions import visible_desks, visible_groups
from orders.selectors.decisions import list_decisions
from risk.domain.answers import Verdict
from risk.domain.facts import LimitFact
from risk.domain.rulebook.reading import read_rule
from risk.domain.trial import Draft, try_draft

SLICE = 500
MOST_REQUESTS = 50_000


def run_trial(*, trial_id: UUID, at: datetime) -> bool:
    """Whether there is more to do."""
    with transaction.atomic():
        trial = lock_trial(trial_id)
        if trial is None or trial.state not in (Trial.State.WAITING, Trial.State.RUNNING):
            return False
        actor = get_principal(trial.owner)
        page = list_decisions(
            desks=visible_desks(actor),
            groups=visible_groups(actor),
            since=trial.since,
            before=trial.before,
            limit=SLICE,
        )
        draft = draft_of(trial.about, trial.draft)
        for item in page:
            past = Past(
                item.ref, item.trade_date.isoformat(), item.desk, item.account, item.symbol or "", Verdict(item.worst)
            )
            add(trial.sums, past, try_draft(draft, item.kept))
        trial.requests += len(page)
        trial.before = page[-1].request_id if page else trial.before
        over = trial.requests >= MOST_REQUESTS
        more = len(page) == SLICE and not over
        trial.complete = not (over and len(page) == SLICE)
        trial.state = Trial.State.RUNNING if more else Trial.State.DONE
        trial.updated_at, trial.finished_at = at, None if more else at
        trial.save()
        return more


def draft_of(about: str, stored: Mapping[str, Any]) -> Draft:
    """The draft as the pure core takes it."""
    if about == "rule":
        return read_rule({**stored, "version": 0})
    return LimitFact(
        stored["kind"],
        stored["scope"],
        stored["scope_id"],
        stored["currency"],
        Decimal(stored["warn"]) if stored["warn"] is not None else None,
        Decimal(stored["hard"]),
    )
