"""Every night: rebuild everything from the journal, compare it with the tables, and tell a person of what differs.

One matter for each order or account. A matter that the comparison no longer shows is cleared.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from journal.domain.differing import Difference
from journal.domain.records import Anomaly, Severity
from journal.services.clear_anomaly import clear_anomaly
from journal.services.raise_anomaly import raise_anomaly
from operations.domain.exception_states import OPEN
from operations.models import ExceptionItem
from operations.services.compare_replay import ReplayResult, compare_replay

REPLAY_DIFFERS = "REPLAY_DIFFERS"
ACTOR = "process:replay"
MATTERS = 100
SHOWN = 20


def check_replay(*, at: datetime) -> ReplayResult:
    """Compare all; raise REPLAY_DIFFERS for at most ``MATTERS`` subjects, clear those that agree again."""
    result = compare_replay()
    by_subject: dict[str, list[Difference]] = {}
    for one in result.differences:
        by_subject.setdefault(one.subject, []).append(one)
    with transaction.atomic():
        for subject in list(by_subject)[:MATTERS]:
            raise_anomaly(anomaly=_anomaly(subject, by_subject[subject]), actor=ACTOR, at=at)
        still = {_key(subject) for subject in by_subject}
        for item in ExceptionItem.objects.filter(kind=REPLAY_DIFFERS, state__in=OPEN):
            if item.dedupe_key not in still and result.differing == len(result.differences):
                sentence = "Rebuilt from its events it is what the tables say again."
                clear_anomaly(anomaly=_matter(item.dedupe_key.removeprefix("replay:"), sentence), actor=ACTOR, at=at)
    return result


def _key(subject: str) -> str:
    return f"replay:{subject}"


def _matter(subject: str, sentence: str, severity: Severity = Severity.LOW) -> Anomaly:
    kind, _, key = subject.partition(":")
    return Anomaly(REPLAY_DIFFERS, severity, kind, key, sentence, _key(subject))


def _anomaly(subject: str, found: list[Difference]) -> Anomaly:
    first = found[0]
    sentence = (
        f"Rebuilt from its events, {subject.partition(':')[0]} differs from the tables in {len(found)} places, first "
        f"in {first.field}: events say {first.events_say}, tables say {first.tables_say}."
    )
    matter = _matter(subject, sentence, Severity.CRITICAL)
    shown = [{"field": one.field, "events": one.events_say, "tables": one.tables_say} for one in found[:SHOWN]]
    return Anomaly(
        matter.kind,
        matter.severity,
        matter.subject_type,
        matter.subject_id,
        matter.sentence,
        matter.dedupe_key,
        {"differences": shown},
    )
