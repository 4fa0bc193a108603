"""Every lock of this room, first of all in its transactions, before accounts, blocks and orders: feed → file → run → breaks →
the number that the next break gets.

A feed's row comes first: whoever judges a file of it sees all that came before.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from uuid import UUID

from journal.bulk import raw_cursor
from journal.domain.idempotency import lock_number
from kernel.errors import Conflict, NotFound
from reconciliation.domain import transitions as moves
from reconciliation.models import Break, Feed, FeedFile, Intake, Run

WAIT_S = 60.0
LOOK_S = 0.2


@contextmanager
def comparing(
    kind: str, source: str, *, wait_s: float = WAIT_S, sleep: Callable[[float], None] = time.sleep
) -> Iterator[None]:
    """Be the only session that compares this kind and source; waits for another. Raises Conflict RUN_UNDER_WAY.

    A lock of the session: it lasts over commits, and ends with the process whatever kills it.
    """
    number = lock_number("reconciliation", kind, source)
    waited = 0.0
    while not _try(number):
        if waited >= wait_s:
            raise Conflict("RUN_UNDER_WAY", f"A run of {kind} of {source} is under way; try again when it has ended.")
        sleep(LOOK_S)
        waited += LOOK_S
    try:
        yield
    finally:
        with raw_cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def _try(number: int) -> bool:
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        row = cursor.fetchone()
    return bool(row and row[0])


def lock_feed(code: str) -> Feed:
    """The feed's row, locked until commit."""
    return Feed.objects.select_for_update().get(pk=code)


def lock_file_of(*, kind: str, source: str, sha256: str) -> FeedFile | None:
    """The row of these bytes, locked until commit; None when they are new."""
    return FeedFile.objects.select_for_update().filter(kind=kind, source=source, sha256=sha256).first()


def lock_file(file_id: UUID) -> FeedFile:
    """A file's row, locked until commit; raises NotFound FILE_UNKNOWN."""
    row = FeedFile.objects.select_for_update(of=("self",)).filter(pk=file_id).first()
    if row is None:
        raise NotFound("FILE_UNKNOWN", "There is no such file.")
    return row


def lock_run(run_id: UUID) -> Run:
    """The run; nobody else changes it until commit. Raises NotFound RUN_UNKNOWN."""
    run = Run.objects.select_for_update(no_key=True, of=("self",)).select_related("file").filter(pk=run_id).first()
    if run is None:
        raise NotFound("RUN_UNKNOWN", "There is no such run.")
    return run


def lock_break(break_id: UUID) -> Break:
    """The break; nobody else changes it until commit. Raises NotFound BREAK_UNKNOWN."""
    found = lock_breaks([break_id])
    if not found:
        raise NotFound("BREAK_UNKNOWN", "There is no such break that you may see.")
    return found[0]


def lock_breaks(break_ids: Collection[UUID]) -> list[Break]:
    """Those that are there, ascending by id."""
    return list(Break.objects.select_for_update().filter(id__in=list(break_ids)).order_by("id"))


def lock_standing_breaks(keys: Collection[str]) -> dict[str, Break]:
    """The breaks of these keys that are not closed, by key."""
    rows = Break.objects.select_for_update().filter(key__in=keys).exclude(state=moves.CLOSED)
    return {row.key: row for row in rows.order_by("id")}


def last_break_number() -> int:
    """The highest number given so far; nobody else gives one until commit."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number("reconciliation", "numbers")])
        cursor.execute("SELECT coalesce(max(number), 0) FROM reconciliation_break")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


@contextmanager
def collecting(place: str) -> Iterator[bool]:
    """Whether this session alone takes files from a place until the block ends. No transaction: files can be large."""
    with _alone(lock_number("collecting", place)) as mine:
        yield mine


@contextmanager
def taking_in(intake_id: UUID) -> Iterator[bool]:
    """Whether this session alone does what is left of an intake until the block ends."""
    with _alone(lock_number("taking in", str(intake_id))) as mine:
        yield mine


@contextmanager
def _alone(number: int) -> Iterator[bool]:
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [number])
        row = cursor.fetchone()
    mine = bool(row and row[0])
    try:
        yield mine
    finally:
        if mine:
            with raw_cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [number])


def lock_intakes_of(*, kind: str, source: str) -> None:
    """Nobody else begins, accepts or ends an intake of the kind and source until commit; before its rows and any balance."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number(f"intake:{kind}", source)])


def lock_intake(intake_id: UUID) -> Intake:
    """Its row, behind the lock of its kind and source."""
    found = Intake.objects.get(pk=intake_id)
    lock_intakes_of(kind=found.kind, source=found.source)
    return Intake.objects.select_for_update().get(pk=intake_id)


def lock_older_intakes(*, kind: str, source: str, states: Collection[str]) -> list[Intake]:
    """Those in one of the states, the oldest first."""
    found = Intake.objects.select_for_update().filter(kind=kind, source=source, state__in=states)
    return list(found.order_by("created_at", "id"))


def lock_rule(subject: str) -> None:
    """One rule, whether it exists or not: one question and one version of it at a time, until commit."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number("recon-rule", subject)])
