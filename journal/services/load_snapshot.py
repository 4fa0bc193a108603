"""Start a projection from its latest sound snapshot. Snapshots of other versions are not looked at."""

from __future__ import annotations

import hashlib
from datetime import datetime

import orjson

from journal.bulk import raw_cursor
from journal.domain.projecting import Projection
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.collecting import no_collecting

ACTOR = "process:snapshots"

_LATEST = """
SELECT id, position, body, sha256 FROM journal_snapshot WHERE projection = %s AND version = %s
 ORDER BY position DESC, id DESC
"""


def load_snapshot(*, projection: Projection, at: datetime) -> int:
    """The position the state now stands at: 0 when there is no snapshot to start from.

    One whose digest is wrong is passed over, and a person is told.
    """
    damaged: list[int] = []
    position = _load(projection, damaged)
    for snapshot_id in damaged:
        set_anomaly(anomaly=_damaged(projection, snapshot_id), wrong=True, actor=ACTOR, at=at)
    return position


def _load(projection: Projection, damaged: list[int]) -> int:
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_LATEST, [projection.name, projection.version])
        while (row := cursor.fetchone()) is not None:
            snapshot_id, position, body, digest = row
            if hashlib.sha256(body).digest() != bytes(digest):
                damaged.append(snapshot_id)
                continue
            with no_collecting():
                projection.load(orjson.loads(body))
            return int(position)
    return 0


def _damaged(projection: Projection, snapshot_id: int) -> Anomaly:
    return Anomaly(
        kind="SNAPSHOT_DAMAGED",
        severity=Severity.MEDIUM,
        subject_type="snapshot",
        subject_id=str(snapshot_id),
        sentence=f"Snapshot {snapshot_id} of {projection.name} is not what was written; an older one was used.",
        dedupe_key=f"snapshot:{snapshot_id}",
    )
