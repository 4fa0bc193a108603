"""``post_trade``: what follows the booking of one block to many accounts, and what its bust undoes.

Data: the block of ``allocate``, executed with a counterparty that confirms over FIX, and booked; every account has a standing
instruction. Timed, each listener on all its events in one transaction: confirmations made and their messages released, lines of the
trade feed, settlement instructions; then instructions sent (with the bytes of their files) and their files written; contract notes of
``NOTED`` of the accounts, for one is a document that is rendered; the fsck checks of allocations. Then the only execution is busted: the
block is undone, and the same listeners work on what that tells. Floor: the same events read from the journal with every line as its
listeners see it, which all of them begin with. Statements are counted: they must not grow with the lines, but by slices.
Verified: a confirmation, a line of the feed and a sent instruction for every account, and the books hold; after the bust no line stands,
every confirmation, instruction and line of the feed is canceled, the notes are stale, and the books hold.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext, override_settings

from accounts.models import TradingAccount
from allocations.domain.standing import StandingTerms
from allocations.domain.telling import told
from allocations.models import (
    Allocation,
    Block,
    BlockFill,
    Confirmation,
    ContractNote,
    FeedEntry,
    SettlementFile,
    SettlementInstruction,
)
from allocations.selectors.noted import list_unnoted
from allocations.services import on_allocated_confirm, on_allocated_feed, on_allocated_notes, on_allocated_settle
from allocations.services.instruct_settlements import instruct_settlements
from allocations.services.issue_notes import issue_for
from allocations.services.rebook_allocation import rebook_allocation
from allocations.services.set_standing_instructions import Setting, set_standing_instructions
from allocations.services.write_settlement_files import write_settlement_files
from authorisation.domain.principal import process_principal
from benchmarks._allocate_booking import block_of, book, clients_of, default_scheme, move_at_firm
from journal.domain.records import EventRecord
from journal.selectors import stream_records
from kernel.clock import utc_now
from kernel.ids import new_id
from operations.fsck.registry import BY_CODE
from tests.factories import DeskWorld, charge_as_published, make_desk
from tests.factories.allocations import leave_at_once, make_wash_account
from tests.factories.noted import make_noted_house

ACCOUNTS, ACCOUNTS_FULL = 2_000, 10_000
NOTED = 200
HOUSE = process_principal("allocations")
LISTENERS: dict[str, Callable[[Sequence[EventRecord]], None]] = {
    "confirm": on_allocated_confirm.handle,
    "feed": on_allocated_feed.handle,
    "settle": on_allocated_settle.handle,
}


def main(full: bool) -> dict[str, Any]:
    """Seconds and statements of each listener, of what is sent, of the bust, of the checks, and of the floor."""
    accounts = ACCOUNTS_FULL if full else ACCOUNTS
    block = _booked(accounts)
    floor = _timed(lambda: _read(block, accounts))
    figures: dict[str, Any] = {}
    _listen("", list(stream_records(f"block:{block.id}")), figures)
    for model in (Confirmation, SettlementInstruction):
        assert model._default_manager.count() == accounts, f"{model.__name__}: {model._default_manager.count()}"
    assert FeedEntry.objects.count() >= accounts
    _send(accounts, figures)
    _note(block, figures)
    figures["fsck_s"] = round(_timed(_check), 3)
    _bust(block, figures)
    return {"accounts": accounts, "floor_s": round(floor, 3), **figures}


def _listen(name: str, events: Sequence[EventRecord], figures: dict[str, Any]) -> None:
    for listener, handle in LISTENERS.items():
        _measure(f"{name}{listener}", partial(_in_one, handle, events), figures)


def _in_one(handle: Callable[[Sequence[EventRecord]], None], events: Sequence[EventRecord]) -> None:
    with transaction.atomic():
        handle(events)


def _measure(name: str, act: Callable[[], object], figures: dict[str, Any]) -> None:
    """Seconds and statements of it."""
    with CaptureQueriesContext(connection) as captured:
        figures[f"{name}_s"] = round(_timed(act), 3)
    figures[f"{name}_statements"] = len(captured)


def _send(accounts: int, figures: dict[str, Any]) -> None:
    """Everything that waits leaves on booking, and is put into the folder."""
    leave_at_once()
    at = utc_now()
    _measure("sent", lambda: instruct_settlements(at=at), figures)
    assert SettlementInstruction.objects.filter(state="instructed").count() == accounts
    with tempfile.TemporaryDirectory() as folder, override_settings(VAR_DIR=folder):
        _measure("files", lambda: write_settlement_files(at=at), figures)
    refs = [ref for file in SettlementFile.objects.filter(state="written") for ref in file.instructions]
    assert sorted(refs) == sorted(2 * [row.ref for row in SettlementInstruction.objects.all()]), "XML and CSV of each"


def _execute(world: DeskWorld, block: Block) -> None:
    """An execution that came through the inbox stands behind the block: its notes say when and where it was made."""
    made = make_noted_house(world).fills[0]
    made.id, made.identity = new_id(), f"{block.number}:{made.identity}"
    made.save(force_insert=True)
    BlockFill.objects.filter(block=block).update(execution_id=made.id, order_id=made.order_id)


def _note(block: Block, figures: dict[str, Any]) -> None:
    found = list_unnoted(since=block.trade_date, most=NOTED)
    _measure("notes", lambda: issue_for([one.key for one in found], actor=HOUSE, at=utc_now()), figures)
    assert ContractNote.objects.count() == len(found) == NOTED, f"{ContractNote.objects.count()} notes of {len(found)}"


def _bust(block: Block, figures: dict[str, Any]) -> None:
    """The only execution is no more."""
    was = stream_length(block)
    block.refresh_from_db()
    qty, cash = block.qty, block.cash
    block.qty = block.notional = block.cash = Decimal(0)
    block.fills = 0
    block.change()
    block.save()
    move_at_firm(block, -qty, -cash)
    _measure("bust", lambda: rebook_allocation(actor=HOUSE, at=utc_now(), block_id=block.id, why="busted"), figures)
    assert not Allocation.objects.filter(block=block, state="booked").exists()
    events = list(stream_records(f"block:{block.id}"))[was:]
    _listen("bust_", events, figures)
    _measure("bust_notes", partial(_in_one, on_allocated_notes.handle, events), figures)
    assert not Confirmation.objects.exclude(state="canceled").exists()
    assert not ContractNote.objects.filter(stale_at=None).exists()
    figures["bust_fsck_s"] = round(_timed(_check), 3)


def stream_length(block: Block) -> int:
    """How many events the block has."""
    return sum(1 for _ in stream_records(f"block:{block.id}"))


def _booked(accounts: int) -> Block:
    world = make_desk()
    charge_as_published()
    wash = make_wash_account(world, "WASH")
    TradingAccount.objects.filter(pk=wash.account_id).update(account_class="block")
    lines = clients_of(world, accounts)
    default_scheme(wash, lines)
    block = block_of(world, wash, accounts)
    _execute(world, block)
    Block.objects.filter(pk=block.pk).update(session_group="BENCH")
    codes = [line["account"] for line in lines]
    ids = TradingAccount.objects.filter(code__in=codes).values_list("pk", flat=True)
    terms = StandingTerms("", block.currency, "CRSTGB22", "HARBGB2L", "SAFE", "CASH", effective_from=block.trade_date)
    with transaction.atomic():
        set_standing_instructions(actor=HOUSE, at=utc_now(), settings=[Setting(one, terms) for one in ids])
    book(block, lines, utc_now())
    return block


def _read(block: Block, accounts: int) -> None:
    lines = [line for event in stream_records(f"block:{block.id}") for line in told(event.payload)]
    assert len(lines) >= accounts


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
