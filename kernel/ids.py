"""Opaque identifiers. Each id its own type, so that one can never be passed for another."""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import NewType
from uuid import UUID

OrderId = NewType("OrderId", UUID)
RequestId = NewType("RequestId", UUID)
ExecutionId = NewType("ExecutionId", UUID)
EventId = NewType("EventId", UUID)
CorrelationId = NewType("CorrelationId", UUID)
ClOrdId = NewType("ClOrdId", str)

SHARDS = 16


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562, method 3): Unix milliseconds, 12 bits of their fraction, 62 random bits.

    Sorts by creation down to a quarter of a microsecond, so the rows of one batch keep their order.
    """
    return _id_at(time.time_ns(), os.urandom(8))


def new_ids(count: int) -> list[UUID]:
    """So many, in order; the system is asked for chance once."""
    chance = os.urandom(8 * count)
    return [_id_at(time.time_ns(), chance[start : start + 8]) for start in range(0, len(chance), 8)]


def _id_at(nanos: int, chance: bytes) -> UUID:
    millis, rest = divmod(nanos, 1_000_000)
    value = (millis << 80) | (0x7 << 76) | ((rest << 12) // 1_000_000 << 64)
    value |= 0x2 << 62 | int.from_bytes(chance, "big") >> 2
    return UUID(int=value)


def first_id_of(at: datetime) -> UUID:
    """The lowest id ``new_id`` can make at a moment: rows since then have ids from here on, which their key finds."""
    return UUID(int=(int(at.timestamp() * 1000) << 80) | (0x7 << 76) | (0x2 << 62))


def shard_of(account_id: UUID) -> int:
    """The logical shard (0–15) all messages of one account are handled in."""
    return account_id.int % SHARDS


def order_ref(*, year: int, month: int, number: int) -> str:
    """The reference people read and say: ``O-2611-004097`` for the 4,097th order, entered November 2026."""
    return f"O-{year % 100:02d}{month:02d}-{number:06d}"


def cl_ord_id(*, ref: str, request_seq: int, shard: int) -> ClOrdId:
    """The ClOrdID (11) of the n-th request of an order: ``A2611004097.1``; the first hex digit is the shard.

    At most 20 characters, the narrowest width met at venues.
    """
    return ClOrdId(f"{shard:X}{ref[2:].replace('-', '')}.{request_seq}")


def shard_of_cl_ord_id(value: str | None) -> int:
    """The shard a ClOrdID of ours carries; 0 for a message without one or with a foreign one."""
    if value and "." in value:
        head = value[0]
        if head in "0123456789ABCDEF":
            return int(head, 16)
    return 0
