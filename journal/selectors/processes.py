"""Which processes live, whether all are built and set up alike, and whether their clocks can be trusted."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from journal.bulk import raw_cursor

ALIVE_S = 20
CLOCK_MARK_MS = 1000
"""A clock further than this from the database's is not trusted with prices, ages or cut-offs."""


def own_process_id() -> str:
    """This process among those that report themselves."""
    return f"{socket.gethostname()}:{os.getpid()}"


@dataclass(frozen=True, slots=True)
class LivingProcess:
    """One process as it reported itself; ``age_s`` since it last did."""

    id: str
    name: str
    build: str
    fingerprint: str
    parts: str
    clock_offset_ms: int
    age_s: float

    @property
    def clock_is_off(self) -> bool:
        return abs(self.clock_offset_ms) > CLOCK_MARK_MS


def list_processes() -> tuple[LivingProcess, ...]:
    """Those that reported themselves within ``ALIVE_S``, by name, by the database's clock."""
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT id, name, build, fingerprint, parts, clock_offset_ms, "
            "       extract(epoch FROM statement_timestamp() - seen_at)::float8 FROM journal_process "
            " WHERE seen_at > statement_timestamp() - %s * interval '1 second' ORDER BY name, id",
            [ALIVE_S],
        )
        return tuple(LivingProcess(*row) for row in cursor.fetchall())


def why_different(processes: Sequence[LivingProcess]) -> str:
    """Which processes are not like most of the others, in a sentence; empty when all are alike."""
    count = Counter(one.fingerprint for one in processes)
    if len(count) < 2:
        return ""
    usual = min(count, key=lambda print_: (-count[print_], print_))
    others = [f"{one.name} ({one.fingerprint})" for one in processes if one.fingerprint != usual]
    model = next(one for one in processes if one.fingerprint == usual)
    other = next(one for one in processes if one.fingerprint != usual)
    differing = sorted(set(other.parts.split()) ^ set(model.parts.split()))
    return f"{', '.join(others)} differ from {usual}, which {count[usual]} have: {' '.join(differing)}."


def why_clock_is_off(processes: Sequence[LivingProcess]) -> str:
    """Whose clock is too far from the database's, in a sentence; empty when none is."""
    off = [f"{one.name} by {one.clock_offset_ms:+,} ms" for one in processes if one.clock_is_off]
    return f"Clocks are off: {', '.join(off)} (mark {CLOCK_MARK_MS:,} ms)." if off else ""


def why_not_trusted(process_id: str) -> str:
    """Why a process may not add risk now: it is not known alive, is unlike the others, or its clock is off. Empty: it may.

    A house in which nobody reports (a test, a benchmark) has nothing to compare, and trusts.
    """
    processes = list_processes()
    if not processes:
        return ""
    own = next((one for one in processes if one.id == process_id), None)
    if own is None:
        return "This process has not reported itself."
    return why_different(processes) or why_clock_is_off([own])
