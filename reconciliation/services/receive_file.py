"""Take a file in: keep its bytes, look at it, and say whether it is the one that is expected.

Nothing is booked by it. A file that is refused is kept too, with why; the same bytes brought again are the same row: a good
one is named a duplicate and nothing is done, a refused one is judged anew (it may be its day now). Whoever brings a file
without a feed (a verb, a person with a statement in hand) is answered and no anomaly is raised: they stand there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.db import IntegrityError, transaction

from authorisation.domain.principal import Principal
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.crash_points import crash_point
from kernel.ids import new_id
from kernel.numbers import plain
from reconciliation.domain.feeds import Arrived, Before, expected_day, faults_of
from reconciliation.domain.file_faults import Fault, FaultCode, code_of_problem
from reconciliation.domain.records import Kind
from reconciliation.domain.sources import source_of_name
from reconciliation.domain.statement_facts import StatementFacts
from reconciliation.kept_files import Kept, TooLarge, keep_manifest, keep_stream
from reconciliation.locks import lock_feed, lock_file_of
from reconciliation.models import Feed, FeedFile
from reconciliation.permissions import require_work
from reconciliation.selectors.feeds import business_days, read_before, terms_of
from reconciliation.services._feed_anomalies import clear_faults, tell_faults
from reconciliation.services._look_into import look_into
from reconciliation.signatures import is_signed_by

LARGEST = 2 << 30
READ_AT_THE_DOOR = 32 << 20
"""Up to so many bytes a feed's file is read whole when it comes; a larger one when it is staged."""


@dataclass(frozen=True, slots=True)
class Received:
    """``file_id`` None only where nothing was kept. ``faults`` in words; ``taken``: something may be done with it."""

    file_id: UUID | None
    sha256: str
    path: Path | None
    faults: Sequence[Fault] = ()
    duplicate: bool = False

    @property
    def taken(self) -> bool:
        """Whether the file may be used: it was not refused. A duplicate of a good file is good."""
        return self.file_id is not None and not any(fault.refuses for fault in self.faults)


def keep_file(path: Path, *, limit: int = LARGEST) -> Kept:
    """Keep the bytes of a file somewhere on this machine. Raises TooLarge, OSError."""
    with path.open("rb") as source:
        return keep_stream(source, limit=limit)


def receive_file(
    *,
    actor: Principal,
    at: datetime,
    name: str,
    content: BinaryIO,
    kind: str,
    source: str = "",
    format: str = "",
    feed: Feed | None = None,
    manifest: bytes = b"",
    signature: bytes = b"",
    resumed: bool = False,
) -> Received:
    """What became of the file. ``resumed``: a transport brings again what it may have brought before it was stopped."""
    require_work(actor)

    try:
        kept = keep_stream(content, limit=feed.largest if feed else LARGEST)
    except TooLarge:
        return _too_large(feed, name, actor=actor, at=at)
    if manifest:
        keep_manifest(BytesIO(manifest), of=kept)
    crash_point("feed_file.kept")
    whole = feed is not None and kept.size <= READ_AT_THE_DOOR
    facts = look_into(kept.path, Kind(kind), format=format or (feed.format if feed else ""), whole=whole)
    source = feed.source if feed else (source or facts.source or _derived_source(name, kind, kept.sha256))
    fault = _signature_fault(feed, name, kept, signature)
    draft = FeedFile(
        id=new_id(), feed=feed, kind=kind, source=source[:40], format=facts.format, name=name[-200:],
        sha256=kept.sha256, size=kept.size, signed_by=feed.signature_key if feed and not fault else "",
        received_by=actor.actor, received_at=at,
    )  # fmt: skip

    try:
        with transaction.atomic():
            received = _record(draft, facts, kept, fault, actor=actor, at=at, resumed=resumed)
            crash_point("feed_file.written")
    except IntegrityError:  # the same bytes at the same moment: the other one has them
        with transaction.atomic():
            received = _record(draft, facts, kept, fault, actor=actor, at=at, resumed=resumed)
    return received


def _derived_source(name: str, kind: str, sha256: str) -> str:
    """Of a file that says nothing of its sender: as when the same bytes came before, else by its name. Never none."""
    known = FeedFile.objects.filter(kind=kind, sha256=sha256).exclude(source="").order_by("-received_at", "-id").first()
    return known.source if known is not None else source_of_name(name)


def _record(
    draft: FeedFile, facts: StatementFacts, kept: Kept, signature: Fault | None, *, actor: Principal, at: datetime,
    resumed: bool,
) -> Received:  # fmt: skip
    feed = lock_feed(draft.feed_id) if draft.feed_id else None
    known = lock_file_of(kind=draft.kind, source=draft.source, sha256=draft.sha256)
    if known is not None and known.state != FeedFile.State.REFUSED:
        return _duplicate(known, kept, feed, draft.name, resumed=resumed, actor=actor, at=at)
    faults = [signature] if signature else _faults(feed, draft.name, facts, at=at)
    row = known or draft
    row.signed_by = draft.signed_by
    fill(row, facts, faults, day=_day(feed, facts, at))
    row.save(force_insert=known is None)
    append_to_stream(drafts=[_event(row, faults, actor, at)], at=at)
    if feed is not None:
        if not any(fault.refuses for fault in faults):
            clear_faults(feed, except_for=[fault.code for fault in faults], name=draft.name, at=at)
        tell_faults(feed, draft.name, faults, at=at)
    return Received(row.id, draft.sha256, kept.path, faults)


def fill(row: FeedFile, facts: StatementFacts, faults: Sequence[Fault], *, day: object) -> None:
    """What reading a file found, into its row."""
    row.format, row.cut_at, row.sequence, row.said = facts.format[:16], facts.cut_at, facts.sequence, dict(facts.said)
    row.statement_date = day  # type: ignore[assignment]
    row.counted = {}
    if facts.rows is not None:
        row.counted = {"rows": facts.rows, "refused": facts.refused_rows, **facts.sums}
    if facts.closing:
        row.counted["closing"] = {key: plain(value) for key, value in facts.closing.items()}
    told = [{"line": 0, "column": "", "code": fault.code.value, "sentence": fault.sentence} for fault in faults]
    row.problems = [*told, *facts.problems]
    row.state = _state(facts, faults)


def _state(facts: StatementFacts, faults: Sequence[Fault]) -> str:
    if any(fault.refuses for fault in faults):
        return FeedFile.State.REFUSED
    if facts.rows is None:
        return FeedFile.State.RECEIVED
    return FeedFile.State.PARTLY if facts.refused_rows else FeedFile.State.READ


def _day(feed: Feed | None, facts: StatementFacts, at: datetime) -> object:
    """The day a file is about; of one that does not say so, the day its feed owes."""
    if facts.day is not None or feed is None:
        return facts.day
    terms = terms_of(feed)
    return expected_day(terms, business_days(feed, at.astimezone(terms.zone).date()), at)


def _faults(feed: Feed | None, name: str, facts: StatementFacts, *, at: datetime) -> list[Fault]:
    if facts.fault_code:
        evidence = {"reader": facts.fault_code}
        return [Fault(code_of_problem(facts.fault_code), f"{name}: {facts.fault}", evidence=evidence)]
    if feed is None:
        return []
    terms = terms_of(feed)
    days = business_days(feed, at.astimezone(terms.zone).date())
    day = facts.day or expected_day(terms, days, at)
    before: Before = read_before(feed, day)
    arrived = Arrived(name, day, facts.cut_at, facts.sequence, facts.opening)
    faults = faults_of(terms, arrived, before, days, at)
    if feed.partial == Feed.Partial.WHOLE and facts.refused_rows:
        first = facts.problems[0]["sentence"] if facts.problems else ""
        sentence = (
            f"{name}: {facts.refused_rows} rows cannot be read, and the feed is taken whole or not at all. {first}"
        )
        faults.append(Fault(FaultCode.CORRUPT, sentence, evidence={"rows": facts.refused_rows}))
    return faults


def _signature_fault(feed: Feed | None, name: str, kept: Kept, signature: bytes) -> Fault | None:
    if feed is None or not feed.signature_key:
        return None
    try:
        held = bool(signature) and is_signed_by(feed.signature_key, sha256=kept.sha256, signature=signature)
    except FileNotFoundError:
        why = f"the key {feed.signature_key} that should prove it is not in the house"
    else:
        if held:
            return None
        why = f"its signature does not hold under {feed.signature_key}" if signature else "it is not signed"
    sentence = f"{name} is refused: {why}. Nothing of it was taken."
    return Fault(FaultCode.SIGNATURE, sentence, evidence={"sha256": kept.sha256, "key": feed.signature_key})


def _duplicate(
    known: FeedFile, kept: Kept, feed: Feed | None, name: str, *, resumed: bool, actor: Principal, at: datetime
) -> Received:
    if feed is not None and not resumed:
        sentence = f"{name} is byte for byte {known.name}, which came at {known.received_at:%Y-%m-%d %H:%M:%S} UTC. Nothing was done."
        evidence = {"sha256": known.sha256, "file_id": str(known.id)}
        fault = Fault(FaultCode.DUPLICATE, sentence, refuses=False, evidence=evidence)
        tell_faults(feed, name, [fault], at=at)
        return Received(known.id, known.sha256, kept.path, [fault], duplicate=True)
    return Received(known.id, known.sha256, kept.path, duplicate=True)


def _too_large(feed: Feed | None, name: str, *, actor: Principal, at: datetime) -> Received:
    limit = feed.largest if feed else LARGEST
    fault = Fault(FaultCode.TOO_LARGE, f"{name} has more than {limit:,} bytes. None of them were kept.")
    if feed is not None:
        tell_faults(feed, name, [fault], at=at)
    return Received(None, "", None, [fault])


def _event(row: FeedFile, faults: Sequence[Fault], actor: Principal, at: datetime) -> EventDraft:
    event_id = new_id()
    return EventDraft(
        id=event_id,
        stream=f"feed:{row.id}",
        kind="FeedFileRefused" if row.state == FeedFile.State.REFUSED else "FeedFileReceived",
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=event_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload={
            "file_id": str(row.id),
            "feed": row.feed_id or "",
            "kind": row.kind,
            "source": row.source,
            "name": row.name,
            "sha256": row.sha256,
            "size": row.size,
            "state": str(row.state),
            "statement_date": str(row.statement_date) if row.statement_date else "",
            "signed_by": row.signed_by,
            "faults": [{"code": fault.code.value, "sentence": fault.sentence} for fault in faults],
        },
    )
