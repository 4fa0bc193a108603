"""Notes leave the house as files: ``VAR_DIR/outgoing/notes/<day of issue>/<number>.pdf``, whole or not there, each once.

A note is rendered anew from its facts and compared with its digest before it goes: what would differ from what was recorded
stays here and is somebody's matter. Killed between file and mark, the same bytes are written again.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from django.conf import settings

from allocations.models import ContractNote
from allocations.printing.kept import DIFFERS, pdf_of_note
from authorisation.domain.principal import process_principal
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.crash_points import crash_point
from kernel.errors import InvariantBroken

ACTOR = process_principal("notes").actor
MOST = 500


def deliver_notes(*, at: datetime, most: int = MOST) -> int:
    """How many files were written."""
    done = 0
    waiting = ContractNote.objects.filter(delivered_at=None).order_by("series", "number")
    for note in waiting[:most]:
        if _deliver(note, at=at):
            done += 1
    return done


def _deliver(note: ContractNote, *, at: datetime) -> bool:
    try:
        content = pdf_of_note(note)
    except InvariantBroken as fault:
        _tell(note, fault.sentence, at=at)
        return False
    _write(path_of(note), content)
    crash_point("notes.filed")
    ContractNote.objects.filter(pk=note.pk, delivered_at=None).update(delivered_at=at)
    return True


def path_of(note: ContractNote) -> Path:
    """Where the file of a note lies."""
    return Path(settings.VAR_DIR) / "outgoing" / "notes" / f"{note.issued_at:%Y-%m-%d}" / f"{note.ref}.pdf"


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _tell(note: ContractNote, sentence: str, *, at: datetime) -> None:
    evidence: Mapping[str, str] = {"note": note.ref, "pdf_sha256": bytes(note.pdf_sha256).hex()}
    anomaly = Anomaly(
        kind=DIFFERS, severity=Severity.CRITICAL, subject_type="note", subject_id=str(note.id), sentence=sentence,
        dedupe_key=f"note-differs:{note.id}", evidence=evidence,
    )  # fmt: skip
    set_anomaly(anomaly=anomaly, wrong=True, actor=ACTOR, at=at)
