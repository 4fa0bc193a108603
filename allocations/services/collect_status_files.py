"""Take in what custodians put into ``<VAR_DIR>/incoming/settlement/<source>/``; the folder's name says whose word it is.

A file is claimed by moving it to ``taking/`` beside it, which one process can do, and ends in ``done/`` or ``refused/``. What lies
in ``taking/`` was left by a process that died and is taken first: receiving is idempotent. Only plain files, opened without
following a link, not changed for some seconds, and not named as those that are being written.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings

from allocations.services.receive_statuses import LIMIT, SOURCE_LENGTH, receive_statuses
from authorisation.domain.principal import process_principal
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from kernel.errors import Invalid, Refused
from kernel.ids import new_id

ACTOR = process_principal("settlement")
FILE_REFUSED = "SETTLEMENT_FILE_REFUSED"
STILL = timedelta(seconds=3)
MOST_A_LOOK = 200
TAKING, DONE, REFUSED = "taking", "done", "refused"
_BEING_WRITTEN = (".part", ".tmp", ".filepart")


def incoming() -> Path:
    """Below this, a folder for each source."""
    return Path(settings.VAR_DIR) / "incoming" / "settlement"


def collect_status_files(*, at: datetime) -> int:
    """How many files were dealt with, good or not."""
    root = incoming()
    root.mkdir(mode=0o750, parents=True, exist_ok=True)
    places = [place for place in sorted(root.iterdir()) if place.is_dir() and len(place.name) <= SOURCE_LENGTH]
    return sum(_collect(place, at) for place in places)


def _collect(place: Path, at: datetime) -> int:
    for name in (TAKING, DONE, REFUSED):
        (place / name).mkdir(mode=0o750, exist_ok=True)
    done = 0
    for path in [*sorted((place / TAKING).iterdir()), *_claimed(place, at)]:
        done += 1
        _end(path, place / (DONE if _take(path, place.name, at) else REFUSED))
    return done


def _claimed(place: Path, at: datetime) -> Iterator[Path]:
    for path in sorted(place.iterdir())[:MOST_A_LOOK]:
        if path.name.startswith(".") or path.name.endswith(_BEING_WRITTEN):
            continue
        about = path.lstat()
        if not stat.S_ISREG(about.st_mode) or at.timestamp() - about.st_mtime < STILL.total_seconds():
            continue
        target = place / TAKING / path.name
        try:
            path.rename(target)
        except FileNotFoundError:
            continue  # another process was first
        yield target


def _take(path: Path, source: str, at: datetime) -> bool:
    try:
        receive_statuses(actor=ACTOR, at=at, content=_read(path), source=source)
    except (Refused, Invalid) as problem:
        anomaly = Anomaly(
            kind=FILE_REFUSED,
            severity=Severity.HIGH,
            subject_type="settlement_file",
            subject_id=path.name[:64],
            sentence=f"File {path.name} of {source} cannot be used: {problem.sentence}",
            dedupe_key=f"settlement-file-refused:{source}:{path.name}",
            evidence={"source": source, "file": path.name, "code": problem.code},
        )
        raise_anomaly(anomaly=anomaly, actor=ACTOR.actor, at=at)
        return False
    return True


def _read(path: Path) -> bytes:
    """At most a byte more than is taken."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        return file.read(LIMIT + 1)


def _end(path: Path, folder: Path) -> None:
    """Out of the way; a name that is there already gets another end."""
    target = folder / path.name
    path.rename(target if not target.exists() else folder / f"{path.name}.{new_id().hex[-8:]}")
