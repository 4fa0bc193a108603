"""``fsck``: every invariant over many orders, as ./oms fsck carries them out, and a floor that only reads the same tables.

Data: ten orders traded through every door, the wire and the inbox (six filled in two trades, two canceled, one working,
one whose sale was busted), copied over a hundred accounts with ids, chains and hashes of their own. Floor: one sequential
pass over every table that fsck reads. Verified: the books hold as they are; and a penny, an event and a fill changed at
the far end of the tables are found.
"""

from __future__ import annotations

import sys
import time
from typing import Any

from django.db import connection, transaction

from benchmarks.used_books import TABLES, Copier, trade_templates
from operations.fsck.prove import failing, prove
from operations.fsck.readers import prove_together, usual_readers
from operations.fsck.registry import BY_CODE, CHECKS, before_opening
from operations.fsck.snapshot import open_snapshot, snapshot_of_transaction
from tests.factories import AT

SMALL, FULL = 2_000, 1_000_000
_LAST = "(SELECT id FROM {} ORDER BY id DESC LIMIT 1)"
PLANTED = {
    "CASH_DIFFERS": f"UPDATE accounts_cashbalance SET settled = settled + 0.01 WHERE id = {_LAST.format('accounts_cashbalance')}",
    "EVENT_ALTERED": "UPDATE journal_event SET actor = 'user:0' WHERE position = (SELECT max(position) FROM journal_event)",
    "FILLS_DIFFER": f"UPDATE orders_execution SET effective_qty = 1 WHERE id = {_LAST.format('orders_execution')}",
}


def main(full: bool) -> dict[str, Any]:
    """Seconds of all checks side by side and of each, of those an opening waits for, and of the floor."""
    count = FULL if full else SMALL
    started = time.perf_counter()
    Copier(*trade_templates()).copy(count)
    print(f"{count} orders made in {time.perf_counter() - started:.0f} s", file=sys.stderr)
    with open_snapshot(at=AT) as snapshot:
        started = time.perf_counter()
        outcomes = prove_together(snapshot, CHECKS)
        total = time.perf_counter() - started
    with open_snapshot(at=AT) as snapshot:
        started = time.perf_counter()
        assert not failing(prove_together(snapshot, before_opening()))
        opening = time.perf_counter() - started
    assert not failing(outcomes), [(one.check.code, one.found, one.examples) for one in failing(outcomes)]
    for one in sorted(outcomes, key=lambda one: -one.seconds):
        print(f"{one.check.code:<28}{one.seconds:8.2f} s", file=sys.stderr)
    _find_what_is_planted()
    floor = _floor()
    return {
        "rate": round(count / total, 1),
        "floor_rate": round(count / floor, 1),
        "ratio": round(floor / total, 4),
        "n": count,
        "checks": len(outcomes),
        "readers": usual_readers(),
        "events": _rows("journal_event"),
        "seconds": round(total, 2),
        "seconds_before_opening": round(opening, 2),
        "seconds_by_check": {one.check.code: round(one.seconds, 3) for one in outcomes},
    }


def _floor() -> float:
    """Seconds to read every row of the same tables once, without looking at them."""
    started = time.perf_counter()
    with connection.cursor() as cursor:
        for table in (*TABLES, "journal_event"):
            cursor.execute(f"SELECT count(*), sum(length(t::text)) FROM {table} AS t")
            cursor.fetchall()
    return time.perf_counter() - started


def _rows(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def _find_what_is_planted() -> None:
    for code, statement in PLANTED.items():
        with transaction.atomic(), connection.cursor() as cursor:
            snapshot = snapshot_of_transaction(at=AT)
            table = statement.split()[1]
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(statement)
            found = prove(snapshot, [BY_CODE[code]])[0].found
            assert found == 1, f"{code} found {found} places of one"
            transaction.set_rollback(True)
