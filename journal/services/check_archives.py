"""Whether every archive is still where it was put, as it was put. One anomaly for those that are not."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from journal.domain.records import Anomaly, Severity
from journal.models import Archive
from journal.services._evidence_files import MANIFEST
from journal.services.archive_seals import ACTOR, findings_of
from journal.services.set_anomaly import set_anomaly


def check_archives(*, at: datetime, root: Path, whole: bool = False) -> dict[str, str]:
    """Place to what is wrong: ``missing``, ``changed`` (another manifest) or, when ``whole``, the codes of the verifier.

    ``whole`` reads every file; without it one digest an archive is compared.
    """
    wrong: dict[str, str] = {}
    for archive in Archive.objects.order_by("from_seal"):
        manifest = root / archive.place / MANIFEST
        if not manifest.is_file():
            wrong[archive.place] = "missing"
        elif hashlib.sha256(manifest.read_bytes()).hexdigest() != archive.manifest_sha256:
            wrong[archive.place] = "changed"
        elif whole and (findings := findings_of(manifest.parent)):
            wrong[archive.place] = ", ".join(findings)
    anomaly = Anomaly(
        kind="ARCHIVE_DAMAGED",
        severity=Severity.CRITICAL,
        subject_type="archive",
        subject_id=next(iter(wrong), ""),
        sentence=f"{len(wrong)} archives are not as they were made." if wrong else "Every archive is as it was made.",
        evidence={"archives": dict(list(wrong.items())[:20])},
        dedupe_key="archive:damaged",
    )
    set_anomaly(anomaly=anomaly, wrong=bool(wrong), actor=ACTOR, at=at)
    return wrong
