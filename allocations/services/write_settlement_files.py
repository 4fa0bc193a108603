"""Sweeper: what was made for custodians is put into ``<VAR_DIR>/outgoing/settlement/<agent>/``, whole or not there, once.

A file of the name that holds other bytes is never overwritten: somebody put it there, and a person looks.
"""

from __future__ import annotations

import hashlib
import os
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from allocations.domain import transitions as moves
from allocations.locks import lock_made_files
from allocations.models import SettlementFile
from authorisation.domain.principal import process_principal
from journal.bulk import update_rows
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.crash_points import crash_point

ACTOR = process_principal("settlement")
FILE_IN_THE_WAY = "SETTLEMENT_FILE_IN_THE_WAY"
MOST = 100


def outgoing() -> Path:
    """Below this, a folder for each custodian."""
    return Path(settings.VAR_DIR) / "outgoing" / "settlement"


def write_settlement_files(*, at: datetime) -> int:
    """How many were written or found written."""
    with transaction.atomic():
        return sum(_write(file, at) for file in lock_made_files(MOST))


def _write(file: SettlementFile, at: datetime) -> bool:
    target = outgoing() / file.place
    in_the_way = target.exists() and hashlib.sha256(target.read_bytes()).hexdigest() != file.sha256
    sentence = (
        f"{file.place} holds other bytes than were made for it: it is not overwritten, and {file.agent} may not have"
        f" {len(file.instructions)} instructions."
    )
    anomaly = Anomaly(
        kind=FILE_IN_THE_WAY,
        severity=Severity.HIGH,
        subject_type="settlement_file",
        subject_id=str(file.id),
        sentence=sentence if in_the_way else f"{file.place} is written.",
        dedupe_key=f"settlement-file:{file.id}",
        evidence={"place": file.place, "sha256": file.sha256},
    )
    set_anomaly(anomaly=anomaly, wrong=in_the_way, actor=ACTOR.actor, at=at)
    if in_the_way:
        return False
    if not target.exists():
        _put(target, file.content.encode())
    crash_point("settlement_file.put")
    update_rows(SettlementFile, [(file.id, moves.WRITTEN, at)], key=("id",), fields=("state", "written_at"))
    return True


def _put(target: Path, content: bytes) -> None:
    """Under another name first, flushed, then moved: whoever finds it finds all of it."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    making = target.with_name(f".{target.name}.part")
    descriptor = os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    making.rename(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
