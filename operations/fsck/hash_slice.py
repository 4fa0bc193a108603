"""Recomputes the hash of every event in a range of the table's blocks, in this process or as a program of its own.

The envelope is that of ``journal.domain.chain``: canonical JSON with its keys in order. Its plain fields are put together by
the server and stay bytes here, so that Python has only the payload to bring into canonical form and the digest to take; an
event that fails this way is looked at once more by the very function that hashed it, so that only a real difference is told.

As a program (``python -m operations.fsck.hash_slice``) it knows no Django. It reads one line of JSON (an :class:`Order`) and
answers with one line for each altered event, then one that says that it came to the end or why not.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
import psycopg

from journal.domain.chain import payload_bytes


def _moment(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')"""


_EVENTS = f"""
SELECT prev_hash, hash,
       concat('{{"actor":', to_json(actor), ',"business_date":"', business_date, '","causation_id":',
              coalesce('"' || causation_id || '"', 'null'), ',"correlation_id":"', correlation_id, '","event_at":"',
              {_moment("event_at")}, 'Z","id":"', id, '","kind":', to_json(kind), ',"on_behalf_of":', to_json(on_behalf_of),
              ',"payload":'),
       payload::text,
       concat(',"received_at":"', {_moment("received_at")}, 'Z","recorded_at":"', {_moment("recorded_at")}, 'Z","seq":', seq,
              ',"stream":', to_json(stream), ',"version":', version, '}}')
  FROM journal_event
"""


class Blocks(NamedTuple):
    """From one block of the table up to, not including, another; None is the end, wherever that is."""

    first: int = 0
    end: int | None = None


class Order(NamedTuple):
    """What a program of its own is told: where to read, as of which exported snapshot, for how long (ms, 0: no limit)."""

    connection: dict[str, Any]
    snapshot: str
    first: int
    end: int | None
    timeout_ms: int


def altered_in(connection: psycopg.Connection[Any], blocks: Blocks) -> Iterator[str]:
    """The stream and number of each event in the range whose hash does not cover what it says."""
    loads, dumps, sha256, by_key = orjson.loads, orjson.dumps, hashlib.sha256, orjson.OPT_SORT_KEYS
    asked = f"COPY ({_EVENTS} WHERE {_range(blocks)}) TO STDOUT (FORMAT binary)"
    with psycopg.Cursor(connection).copy(asked.encode()) as copy:
        copy.set_types(["bytea"] * 5)  # text is read as its bytes
        for prev_hash, known, before, payload, after in copy.rows():
            said = dumps(loads(payload), option=by_key)
            if sha256(b"".join((prev_hash, before, said, after))).digest() == known:
                continue
            exact = payload_bytes(json.loads(payload, parse_float=Decimal))
            if sha256(b"".join((prev_hash, before, exact, after))).digest() != known:
                place = loads(b"{" + after[1:])
                yield f"{place['stream']} event {place['seq']}"


def _range(blocks: Blocks) -> str:
    upto = "" if blocks.end is None else f" AND ctid < '({blocks.end},0)'"
    return f"ctid >= '({blocks.first},0)'{upto}"


def carry_out(order: Order) -> Iterator[dict[str, str]]:
    """The lines of an answer."""
    try:
        with psycopg.connect(**order.connection) as connection:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            connection.execute(f"SET TRANSACTION SNAPSHOT '{order.snapshot}'".encode())
            connection.execute(f"SET LOCAL statement_timeout = {order.timeout_ms}".encode())
            for name in altered_in(connection, Blocks(order.first, order.end)):
                yield {"altered": name}
    except psycopg.Error as problem:
        yield {"failed": problem.sqlstate or "08000", "sentence": " ".join(str(problem).split())}
    else:
        yield {"done": "all"}


def main() -> None:
    """One order from standard input, its answer to standard output."""
    order = Order(*json.loads(sys.stdin.readline()))
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    for line in carry_out(order):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()


def _leave_with_parent() -> None:
    """Whoever waits for the answer holds the other end open: when it is closed, nobody does."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
