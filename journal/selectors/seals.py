"""Reads of seals, keys and anchors, and of the events they cover as packed runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from journal.bulk import raw_cursor
from journal.domain.seals import KeyTerms, SealTerms, SignedKey, SignedSeal

_SEAL = "number, from_position, to_position, count, root, previous, sealed_at, key_id, signature"


class PackedRun(NamedTuple):
    """Events in order of position: how many, the last position, and (position, hash) pairs of 40 bytes each."""

    found: int
    last_position: int
    packed: bytes


class SealedRun(NamedTuple):
    """A seal and what now stands in its range."""

    seal: SignedSeal
    found: int
    packed: bytes


def _seal(row: Sequence[Any]) -> SignedSeal:
    number, first, last, count, root, previous, sealed_at, key_id, signature = row
    terms = SealTerms(number, first, last, count, bytes(root), bytes(previous), sealed_at, key_id)
    return SignedSeal(terms, bytes(signature))


def find_last_seal() -> SignedSeal | None:
    """The newest seal."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(f"SELECT {_SEAL} FROM journal_seal ORDER BY number DESC LIMIT 1")  # noqa: S608
        row = cursor.fetchone()
    return _seal(row) if row else None


def list_seals(*, after: int = 0, up_to: int | None = None, limit: int = 1000) -> list[SignedSeal]:
    """Seals behind number ``after`` in order, up to and with ``up_to``."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            f"SELECT {_SEAL} FROM journal_seal WHERE number > %s::bigint AND (%s::bigint IS NULL OR number <= %s) "  # noqa: S608
            "ORDER BY number LIMIT %s::bigint",
            [after, up_to, up_to, limit],
        )
        return [_seal(row) for row in cursor.fetchall()]


def find_seals_of(positions: Sequence[int]) -> list[SignedSeal]:
    """The seals whose ranges hold the positions, in order of number, each once."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            f"SELECT {_SEAL} FROM journal_seal WHERE number IN ("  # noqa: S608
            "SELECT s.number FROM unnest(%s::bigint[]) AS p(position) CROSS JOIN LATERAL ("
            "SELECT number, from_position FROM journal_seal WHERE to_position >= p.position ORDER BY to_position LIMIT 1"
            ") AS s WHERE s.from_position <= p.position) ORDER BY number",
            [list(positions)],
        )
        return [_seal(row) for row in cursor.fetchall()]


def list_seal_keys() -> list[SignedKey]:
    """Every key in the order of their making."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT public_key, predecessor, made_at, signature FROM journal_sealkey ORDER BY made_at, key_id"
        )
        return [SignedKey(KeyTerms(bytes(row[0]), row[1], row[2]), bytes(row[3])) for row in cursor.fetchall()]


def pack_events(*, after: int, up_to: int, limit: int) -> PackedRun:
    """The first ``limit`` events in ``(after, up_to]``."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT count(*), coalesce(max(position), 0), "
            "coalesce(string_agg(int8send(position) || hash, ''::bytea ORDER BY position), ''::bytea) "
            "FROM (SELECT position, hash FROM journal_event WHERE position > %s::bigint AND position <= %s::bigint "
            "ORDER BY position LIMIT %s::bigint) AS run",
            [after, up_to, limit],
        )
        row = cursor.fetchone()
    return PackedRun(row[0], row[1], bytes(row[2])) if row else PackedRun(0, 0, b"")


def list_sealed_runs(*, after: int, up_to: int) -> list[SealedRun]:
    """The seals in ``(after, up_to]`` with what now stands in their ranges; one statement."""
    columns = ", ".join(f"s.{name}" for name in _SEAL.split(", "))
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            f"SELECT {columns}, run.found, run.packed FROM journal_seal s CROSS JOIN LATERAL ("  # noqa: S608
            "SELECT count(*) AS found, "
            "coalesce(string_agg(int8send(e.position) || e.hash, ''::bytea ORDER BY e.position), ''::bytea) AS packed "
            "FROM journal_event e WHERE e.position BETWEEN s.from_position AND s.to_position"
            ") AS run WHERE s.number > %s::bigint AND s.number <= %s::bigint ORDER BY s.number",
            [after, up_to],
        )
        return [SealedRun(_seal(row[:9]), row[9], bytes(row[10])) for row in cursor.fetchall()]


def find_anchored(place: str) -> int:
    """The highest seal known to have been flushed into the anchor file of a directory; 0 when none."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT coalesce(max(number), 0) FROM journal_sealanchor WHERE place = %s", [place])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def find_unsealed_since(position: int) -> datetime | None:
    """When the oldest event behind ``position`` was recorded; None when there is none."""
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT recorded_at FROM journal_event WHERE position > %s ORDER BY position LIMIT 1", [position]
        )
        row = cursor.fetchone()
    found: datetime | None = row[0] if row else None
    return found


def count_unsealed(position: int) -> int:
    """How many events stand behind ``position``."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT count(*) FROM journal_event WHERE position > %s", [position])
        row = cursor.fetchone()
    return int(row[0]) if row else 0
