"""Take in what a custodian says of our instructions: every record kept as it came, good ones applied, in slices of a file.

Idempotent by source and place in the file (its content's hash), or by message: the same file again changes nothing, and one that
stopped half way goes on. What names none of our instructions is kept too, and somebody is told; so is what cannot be read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID, uuid5

from django.db import transaction

from accounts.services.settle_trades import lock_settling
from allocations.formats import settlement_csv, status_xml
from allocations.formats.status_records import BadFile, BadLine, StatusLine
from allocations.locks import lock_instructions
from allocations.models import SettlementInstruction, SettlementStatus
from allocations.permissions import require_work
from allocations.selectors.statuses import find_transformed
from allocations.services._apply_statuses import Applied, apply_statuses
from authorisation.domain.principal import Principal, process_principal
from journal.bulk import insert_rows
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from kernel.crash_points import crash_point
from kernel.errors import Invalid
from kernel.ids import new_id

SLICE = 1000
LIMIT = 64 * 1024 * 1024
SOURCE_LENGTH = 40
UNKNOWN_REF = "SETTLEMENT_UNKNOWN_REF"
UNREADABLE = "SETTLEMENT_LINES_UNREADABLE"
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Received:
    """What became of a file: ``records`` in it, ``stored`` that were new, ``moved`` instructions."""

    sha256: str
    records: int
    stored: int
    moved: int
    contradictions: int
    unknown: int
    bad: tuple[BadLine, ...]

    @property
    def is_new(self) -> bool:
        """Whether any of it was not known before."""
        return self.stored > 0


def receive_statuses(*, actor: Principal, at: datetime, content: bytes, source: str) -> Received:
    """A file of sese.024 and sese.025 messages or of CSV lines, told by its content.

    Raises NotPermitted RIGHT_MISSING, Invalid SOURCE_INVALID or FILE_TOO_LARGE, BadFile; then nothing changed.
    """
    require_work(actor)
    source = source.strip()
    if not source or len(source) > SOURCE_LENGTH:
        raise Invalid("SOURCE_INVALID", f"Say in at most {SOURCE_LENGTH} characters whose word it is.")
    if len(content) > LIMIT:
        raise Invalid("FILE_TOO_LARGE", f"A file has at most {LIMIT // 1024 // 1024} MB.")
    digest = hashlib.sha256(content).hexdigest()
    lines = list(_read(content))
    good = [line for line in lines if isinstance(line, StatusLine)]
    bad = tuple(line for line in lines if isinstance(line, BadLine))
    origins = [f"file:{digest}:{line.line}" for line in good]
    worker = replace(process_principal("settlement"), on_behalf_of="" if actor.is_process else actor.actor)
    stored = moved = against = unknown = 0
    for chosen in _slices(zip(origins, good, strict=True)):
        done = _take(chosen, actor=worker, at=at, source=source)
        stored, moved, against = stored + done[0], moved + done[1].moved, against + done[1].contradictions
        unknown += done[2]
    if bad:
        _tell_unreadable(bad, digest, source, actor=worker, at=at)
    return Received(digest, len(lines), stored, moved, against, unknown, bad)


def _read(content: bytes) -> Iterator[StatusLine | BadLine]:
    if content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        return status_xml.read_statuses(content)
    try:
        return settlement_csv.read_statuses(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadFile("FILE_ENCODING", "The file is neither XML nor UTF-8 text.") from error


def _slices(lines: Iterable[tuple[str, StatusLine]]) -> Iterator[list[tuple[str, StatusLine]]]:
    waiting = iter(lines)
    while chosen := list(islice(waiting, SLICE)):
        yield chosen


def _take(
    lines: Sequence[tuple[str, StatusLine]], *, actor: Principal, at: datetime, source: str
) -> tuple[int, Applied, int]:
    """One transaction: balances, instructions, then the records and what they come to."""
    refs = {line.our_ref for _, line in lines}
    known = {
        row[0]: (row[1], row[2])
        for row in SettlementInstruction.objects.filter(ref__in=refs).values_list("ref", "id", "account_id")
    }
    batch_id = new_id()
    with transaction.atomic():
        lock_settling({account_id for _, account_id in known.values()})
        named = [key for key, _ in known.values()]
        rows = lock_instructions([*named, *find_transformed(named)])
        new = _store(lines, known, batch_id=batch_id, at=at, source=source)
        crash_point("statuses.stored")
        touched = {known[line.our_ref][0] for key, (_, line) in new.items() if line.our_ref in known}
        touched |= {row.id for row in rows.values() if row.transforms_id in touched}
        applied = apply_statuses(
            actor=actor,
            at=at,
            batch_id=batch_id,
            source=source,
            rows=[rows[key] for key in sorted(touched)],
            new=set(new),
        )
        strangers = [line for _, line in new.values() if line.our_ref not in known]
        for line in strangers:
            _tell_unknown(line, source, actor=actor, at=at)
        crash_point("statuses.applied")
    crash_point("statuses.committed")
    return len(new), applied, len(strangers)


def _store(
    lines: Sequence[tuple[str, StatusLine]],
    known: dict[str, tuple[UUID, UUID]],
    *,
    batch_id: UUID,
    at: datetime,
    source: str,
) -> dict[UUID, tuple[str, StatusLine]]:
    """The records that were not there yet, by their new ids: these sort in the order of the file."""
    made = {new_id(): pair for pair in lines}
    rows: list[tuple[Any, ...]] = []
    for key, (origin, line) in made.items():
        instruction = known.get(line.our_ref)
        effective = min(line.effective_at or at, at)
        rows.append(
            (key, instruction[0] if instruction else None, source, origin, line.our_ref, line.their_ref, line.status,
             line.qty, line.amount, line.currency, line.reason_code, line.reason, line.raw, effective, at, batch_id)
        )  # fmt: skip
    written = insert_rows(SettlementStatus, rows, on_conflict="(source, origin) DO NOTHING", returning=("id",))
    return {key: made[key] for key in sorted(row[0] for row in written)}


def _tell_unknown(line: StatusLine, source: str, *, actor: Principal, at: datetime) -> None:
    anomaly = Anomaly(
        kind=UNKNOWN_REF,
        severity=Severity.HIGH if line.status in ("settled", "partial") else Severity.MEDIUM,
        subject_type="settlement_ref",
        subject_id=line.our_ref[:64],
        sentence=f"{source} says {line.status} of {line.our_ref}, which is no instruction of ours.",
        dedupe_key=f"settlement-unknown:{uuid5(_NAMESPACE, f'{source}:{line.our_ref}')}",
        evidence={"source": source, "ref": line.our_ref, "their_ref": line.their_ref, "line": line.line},
    )
    raise_anomaly(anomaly=anomaly, actor=actor.actor, at=at)


def _tell_unreadable(bad: Sequence[BadLine], digest: str, source: str, *, actor: Principal, at: datetime) -> None:
    anomaly = Anomaly(
        kind=UNREADABLE,
        severity=Severity.HIGH,
        subject_type="settlement_file",
        subject_id=digest,
        sentence=f"{len(bad)} records of a file of {source} could not be read; the first: {bad[0].sentence}",
        dedupe_key=f"settlement-unreadable:{source}:{digest}",
        evidence={"source": source, "lines": [[one.line, one.sentence] for one in bad[:SHOWN]]},
    )
    raise_anomaly(anomaly=anomaly, actor=actor.actor, at=at)


_NAMESPACE = UUID("0b6c7c1e-6d0f-5e0a-9a55-3f1f6f1f7a11")
