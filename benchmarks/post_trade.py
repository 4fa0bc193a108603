"""``post_trade``: what follows the booking of one block to many accounts, each listener on all its events in one transaction.

Data: the block of ``allocate``, executed with a counterparty that confirms over FIX, and booked. Timed: confirmations made and their
messages released, lines of the trade feed, settlement instructions, then the fsck checks of allocations. Floor: the same events read from
the journal with every line as its listeners see it, which all of them begin with. Statements are counted: they must not grow with the
lines. Verified: a confirmation, a line of the feed and an instruction for every account, and the books hold.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import TradingAccount
from allocations.domain.telling import told
from allocations.models import Block, Confirmation, FeedEntry, SettlementInstruction
from allocations.services import on_allocated_confirm, on_allocated_feed, on_allocated_settle
from benchmarks._allocate_booking import block_of, book, clients_of, default_scheme
from journal.domain.records import EventRecord
from journal.selectors import stream_records
from kernel.clock import utc_now
from operations.fsck.registry import BY_CODE
from tests.factories import charge_as_published, make_desk
from tests.factories.allocations import make_wash_account

ACCOUNTS, ACCOUNTS_FULL = 2_000, 10_000
LISTENERS: dict[str, Callable[[Sequence[EventRecord]], None]] = {
    "confirm": on_allocated_confirm.handle,
    "feed": on_allocated_feed.handle,
    "settle": on_allocated_settle.handle,
}


def main(full: bool) -> dict[str, Any]:
    """Seconds and statements of each listener, of the checks, and of the floor."""
    accounts = ACCOUNTS_FULL if full else ACCOUNTS
    block = _booked(accounts)
    floor = _timed(lambda: _read(block, accounts))
    events = list(stream_records(f"block:{block.id}"))
    figures: dict[str, Any] = {}
    for name, handle in LISTENERS.items():
        seconds, statements = _worked(handle, events)
        figures |= {f"{name}_s": round(seconds, 3), f"{name}_statements": statements}
    for model in (Confirmation, SettlementInstruction):
        assert model._default_manager.count() == accounts, f"{model.__name__}: {model._default_manager.count()}"
    assert FeedEntry.objects.count() >= accounts
    figures["fsck_s"] = round(_timed(_check), 3)
    return {"accounts": accounts, "floor_s": round(floor, 3), **figures}


def _booked(accounts: int) -> Block:
    world = make_desk()
    charge_as_published()
    wash = make_wash_account(world, "WASH")
    TradingAccount.objects.filter(pk=wash.account_id).update(account_class="block")
    lines = clients_of(world, accounts)
    default_scheme(wash, lines)
    block = block_of(world, wash, accounts)
    Block.objects.filter(pk=block.pk).update(session_group="BENCH")
    book(block, lines, utc_now())
    return block


def _read(block: Block, accounts: int) -> None:
    lines = [line for event in stream_records(f"block:{block.id}") for line in told(event.payload)]
    assert len(lines) >= accounts


def _worked(handle: Callable[[Sequence[EventRecord]], None], events: Sequence[EventRecord]) -> tuple[float, int]:
    """Seconds and statements of one listener."""

    def work() -> None:
        with transaction.atomic():
            handle(events)

    with CaptureQueriesContext(connection) as captured:
        seconds = _timed(work)
    return seconds, len(captured)


def _check() -> None:
    for code, check in BY_CODE.items():
        if code.startswith("ALLOCATION") and check.sql:
            with connection.cursor() as cursor:
                cursor.execute(check.sql)
                assert cursor.fetchall() == [], code


def _timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started
