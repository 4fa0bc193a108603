"""Add versions of fee schedules: good rows are kept, bad ones come back as issues, nothing that stands is ever changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from accounts.domain.fee_book import FeeSchedule
from accounts.domain.fee_rows import ScheduleDraft, parse_schedules
from accounts.domain.fees import terms_to_json
from accounts.models import FeeSchedule as FeeScheduleRow
from accounts.permissions import require_administrator
from accounts.selectors.fees import FEE_SCHEDULES, list_fee_schedules
from authorisation.domain.principal import Principal
from journal.bulk import one_transaction
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from refdata.domain.import_rows import ImportCode, ImportIssue, LoadResult
from refdata.services.renew_static_version import renew_static_version

STREAM = "accounts:fee_schedules"


def load_fee_schedules(*, actor: Principal, at: datetime, rows: Sequence[Mapping[str, str]]) -> LoadResult:
    """Write the versions that are new, with one FeeSchedulesSet event that tells them whole; every process reloads.

    A row that says of a known version what it says already is left; one that says something else is the issue
    VERSION_TAKEN. Raises NotPermitted RIGHT_MISSING.
    """
    require_administrator(actor)
    drafts, issues = parse_schedules(rows)
    with one_transaction():
        held = {_key(one): one for one in list_fee_schedules()}
        news: list[ScheduleDraft] = []
        for draft in drafts:
            known = held.setdefault(_key(draft.schedule), draft.schedule)
            if known is draft.schedule:
                news.append(draft)
            elif known != draft.schedule:
                terms = draft.schedule.terms
                sentence = f"Version {terms.version} of {terms.name} says something else; versions never change."
                issues.append(ImportIssue(draft.row, "version", ImportCode.VERSION_TAKEN, sentence))
        if news:
            event_id, version = new_id(), renew_static_version(FEE_SCHEDULES)
            FeeScheduleRow.objects.bulk_create([_row(draft, event_id=event_id, at=at) for draft in news])
            payload = {"version": str(version), "schedules": [_told(draft) for draft in news]}
            append_to_stream(drafts=[_event(actor, at, event_id, payload)], at=at)
    return LoadResult(len(news), 0, len(drafts) - len(news) - _taken(issues), tuple(issues))


def _taken(issues: Sequence[ImportIssue]) -> int:
    return sum(issue.code is ImportCode.VERSION_TAKEN for issue in issues)


def _key(schedule: FeeSchedule) -> tuple[object, ...]:
    return (*schedule.scope, schedule.terms.version)


def _columns(draft: ScheduleDraft) -> dict[str, Any]:
    schedule, terms = draft.schedule, draft.schedule.terms
    return {
        "name": terms.name,
        "version": terms.version,
        "kind": terms.kind.value,
        "basis": terms.basis.value,
        "mic": schedule.mic,
        "issuers": " ".join(schedule.issuers),
        "asset_class": schedule.asset_class,
        "account_class": schedule.account_class,
        "side": schedule.side,
        "currency": terms.currency,
        "effective_from": schedule.effective_from,
        "effective_to": schedule.effective_to,
        "method": "none" if terms.is_free else "rates",
        "flat": terms.flat,
        "per_share": terms.per_share,
        "bps": terms.bps,
        "tiers": terms_to_json((terms,))[0].get("tiers", []),
        "minimum": terms.minimum,
        "maximum": terms.maximum,
        "maximum_bps": terms.maximum_bps,
        "above": terms.above,
        "rounding": terms.rounding.value,
        "source": draft.source,
    }


def _row(draft: ScheduleDraft, **stamps: Any) -> FeeScheduleRow:
    return FeeScheduleRow(**_columns(draft), event_id=stamps["event_id"], recorded_at=stamps["at"])


def _told(draft: ScheduleDraft) -> dict[str, Any]:
    schedule = draft.schedule
    return {
        "terms": terms_to_json((schedule.terms,))[0],
        "mic": schedule.mic,
        "issuers": list(schedule.issuers),
        "asset_class": schedule.asset_class,
        "account_class": schedule.account_class,
        "side": schedule.side,
        "effective_from": schedule.effective_from.isoformat(),
        "effective_to": schedule.effective_to.isoformat() if schedule.effective_to else None,
        "source": draft.source,
    }


def _event(actor: Principal, at: datetime, event_id: Any, payload: dict[str, Any]) -> EventDraft:
    return EventDraft(
        id=event_id,
        stream=STREAM,
        kind="FeeSchedulesSet",
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=event_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload=payload,
    )
