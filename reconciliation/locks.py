"""Every lock of this room, first of all in its transactions, before accounts, blocks and orders: feed → file → run → breaks.

A feed's row comes first: whoever judges a file of it sees all that came before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from uuid import UUID

from journal.bulk import raw_cursor
from journal.domain.idempotency import lock_number
from kernel.errors import NotFound
from reconciliation.models import Break, Feed, FeedFile, Run


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
    run = Run.objects.select_for_update(no_key=True, of=("self",)).filter(pk=run_id).first()
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


@contextmanager
def collecting(place: str) -> Iterator[bool]:
    """Whether this session alone takes files from a place until the block ends. No transaction: files can be large."""
    number = lock_number("collecting", place)
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
