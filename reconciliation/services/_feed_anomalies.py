"""What is wrong with a feed, told as anomalies: one matter a feed and code, settled by the next good file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from authorisation.domain.principal import process_principal
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from journal.services.set_anomaly import set_anomaly
from reconciliation.domain.feeds import Due
from reconciliation.domain.file_faults import OF_A_FILE, Fault, FaultCode
from reconciliation.models import Feed

ACTOR = process_principal("feeds").actor
_SEVERITY = {FaultCode.DUPLICATE: Severity.LOW, FaultCode.RESENT: Severity.LOW, FaultCode.LATE: Severity.MEDIUM}


def tell_faults(feed: Feed, name: str, faults: Sequence[Fault], *, at: datetime) -> None:
    """Raise each: the same fault of another file is the same matter, once more."""
    for fault in faults:
        evidence = {"feed": feed.code, "source": feed.source, "file": name, **fault.evidence}
        raise_anomaly(anomaly=_anomaly(feed, fault.code, fault.sentence, evidence), actor=ACTOR, at=at)


def clear_faults(feed: Feed, *, except_for: Collection[FaultCode], name: str, at: datetime) -> None:
    """A good file of the feed has come: what was wrong with earlier ones is settled."""
    for code in OF_A_FILE:
        if code not in except_for:
            cleared = _anomaly(feed, code, f"{name} came and is sound.", {"feed": feed.code, "file": name})
            set_anomaly(anomaly=cleared, wrong=False, actor=ACTOR, at=at)


def set_waiting(feed: Feed, due: Due, code: FaultCode, *, wrong: bool, at: datetime) -> bool:
    """Late and missing are matters of a day; True when something was told."""
    evidence = {"feed": feed.code, "source": feed.source, "about": str(due.about), "due_at": due.due_at.isoformat()}
    anomaly = _anomaly(feed, code, _waiting(feed, due, code, wrong), evidence, day=due.about)
    return set_anomaly(anomaly=anomaly, wrong=wrong, actor=ACTOR, at=at)


def _waiting(feed: Feed, due: Due, code: FaultCode, wrong: bool) -> str:
    if not wrong:
        return f"{feed.title} about {due.about} is no longer waited for."
    word = "is late" if code is FaultCode.LATE else "is missing"
    gate = " Accounts concerned add no risk before it is here." if feed.gates else ""
    return f"{feed.title} about {due.about} {word}: {feed.source} owed it by {due.due_at:%Y-%m-%d %H:%M} UTC.{gate}"


def tell_unexpected(*, place: str, name: str, why: str, at: datetime) -> None:
    """A file that no feed waits for: left where it is put aside, and a person asked whose it is."""
    anomaly = Anomaly(
        kind=FaultCode.UNEXPECTED.value,
        severity=Severity.MEDIUM,
        subject_type="feed_file",
        subject_id=name[:80],
        sentence=f"{name} came to {place}: {why}. Nothing of it was taken.",
        dedupe_key=f"feed-file:{place}:{name[:120]}",
        evidence={"place": place, "file": name},
    )
    raise_anomaly(anomaly=anomaly, actor=ACTOR, at=at)


def _anomaly(
    feed: Feed, code: FaultCode, sentence: str, evidence: Mapping[str, object], day: date | None = None
) -> Anomaly:
    severity = _SEVERITY.get(code, Severity.HIGH)
    if severity is Severity.HIGH and not feed.mandatory:
        severity = Severity.MEDIUM
    return Anomaly(
        kind=code.value,
        severity=severity,
        subject_type="feed",
        subject_id=feed.code,
        sentence=sentence,
        dedupe_key=f"feed:{feed.code}:{code.value}" + (f":{day}" if day else ""),
        evidence=evidence,
    )
