"""Copy a day's sealed events out of the database, prove the copy with the verifier that shares no code with us, keep that it is.

Nothing is removed by it: an archive is a second copy in another place, readable without the house. Written beside its
place, verified there, moved into it, told. Killed between any two steps, the next run finishes or begins again.
"""

from __future__ import annotations

import hashlib
import shutil
from datetime import datetime, timedelta
from pathlib import Path

from journal import verify_evidence
from journal.bulk import one_transaction
from journal.domain.chain import EventDraft
from journal.domain.records import Anomaly, Severity
from journal.domain.seals import SignedSeal
from journal.locks import archiving
from journal.models import Archive
from journal.selectors.retention import archived_to
from journal.selectors.seals import list_seals
from journal.services._evidence_files import MANIFEST
from journal.services.append_to_stream import append_to_stream
from journal.services.export_evidence import export_evidence
from journal.services.set_anomaly import set_anomaly
from kernel.crash_points import crash_point
from kernel.ids import new_id

ACTOR = "process:archive"
PATIENCE = timedelta(days=1)
MOST_SEALS = 50_000


def archive_seals(*, at: datetime, root: Path, build: str, patience: timedelta = PATIENCE) -> Archive | None:
    """Archive the first UTC day of seals that is not archived and whose seals are older than ``patience``.

    None when there is nothing to do, another process does it, or the copy did not verify (then an anomaly says so).
    Raises OSError when the place cannot be written.
    """
    with archiving() as mine:
        seals = _next_run(at - patience) if mine else []
        if not seals:
            return None
        first, last = seals[0].terms, seals[-1].terms
        name = f"{first.sealed_at:%Y-%m-%d}-seals-{first.number}-{last.number}"
        final, making = root / name, root / f"{name}.making"
        if not final.exists():
            shutil.rmtree(making, ignore_errors=True)
            export_evidence(
                directory=making, actor=ACTOR, at=at, build=build, from_seal=first.number, to_seal=last.number
            )
            crash_point("archive.written")
            if not _verified(making, at):
                return None
            making.rename(final)
            crash_point("archive.moved")
        elif not _verified(final, at):
            return None
        return _keep(final, seals, at=at)


def _next_run(before: datetime) -> list[SignedSeal]:
    """The seals of one day behind the last archive; all of them older than ``before``, and the day over by then."""
    seals = list_seals(after=archived_to(), limit=MOST_SEALS)
    if not seals:
        return []
    day = seals[0].terms.sealed_at.date()
    run = [seal for seal in seals if seal.terms.sealed_at.date() == day]
    whole = len(run) < len(seals) or before.date() > day
    return run if whole and run[-1].terms.sealed_at <= before else []


def _verified(directory: Path, at: datetime) -> bool:
    findings = findings_of(directory)
    anomaly = Anomaly(
        kind="ARCHIVE_UNSOUND",
        severity=Severity.CRITICAL,
        subject_type="archive",
        subject_id=directory.name.removesuffix(".making"),
        sentence="An archive does not verify." if findings else "The archive verifies.",
        evidence={"findings": findings[:20]},
        dedupe_key="archive:unsound",
    )
    set_anomaly(anomaly=anomaly, wrong=bool(findings), actor=ACTOR, at=at)
    return not findings


def findings_of(directory: Path) -> list[str]:
    """Codes of what the verifier finds, each once; UNREADABLE when it cannot even read the copy."""
    try:
        verdict = verify_evidence.verify(directory)
    except verify_evidence.BadInput:
        return ["UNREADABLE"]
    return sorted({str(finding["code"]) for finding in verdict["findings"]})


def _keep(directory: Path, seals: list[SignedSeal], *, at: datetime) -> Archive:
    first, last = seals[0].terms, seals[-1].terms
    digest = hashlib.sha256((directory / MANIFEST).read_bytes()).hexdigest()
    archive = Archive(
        id=new_id(),
        from_seal=first.number,
        to_seal=last.number,
        from_at=first.sealed_at,
        to_at=last.sealed_at,
        events=sum(seal.terms.count for seal in seals),
        place=directory.name,
        manifest_sha256=digest,
        verified_at=at,
    )
    payload = {
        "archive_id": str(archive.id),
        "from_seal": first.number,
        "to_seal": last.number,
        "events": archive.events,
        "place": archive.place,
        "manifest_sha256": digest,
    }
    draft = EventDraft(
        id=new_id(),
        stream="journal:archive",
        kind="RangeArchived",
        actor=ACTOR,
        correlation_id=archive.id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload=payload,
    )
    with one_transaction():
        archive.save(force_insert=True)
        append_to_stream(drafts=[draft], at=at)
    return archive
