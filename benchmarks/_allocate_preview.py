"""The preview half of ``allocate``: a block divided among so many accounts, loaded, computed, charged, checked and written as JSON.

Floor: the same accounts read with their cash and stock, and written as JSON, with nothing computed. Both interleaved in one run, on the
same block of 1,200 executions. Verified each time: quantities and money of the lines are the block's.
"""

from __future__ import annotations

import random
import time
from decimal import Decimal
from typing import Any

import orjson

from accounts.models import CashBalance, TradingAccount
from allocations.models import Block, WashAccount
from allocations.services.preview_allocation import AllocationPreview, preview_allocation, preview_json
from authorisation.domain.principal import Principal, process_principal
from journal.bulk import raw_cursor
from kernel.clock import utc_now
from kernel.ids import new_id
from tests.factories import DeskWorld, charge_as_published, make_desk
from tests.factories.allocations import make_wash_account, open_block

ROUNDS = 12
_FLOOR = """
SELECT a.code, c.settled + c.pending - c.reserved, coalesce(h.settled + h.pending - h.reserved, 0)
  FROM accounts_tradingaccount a
  JOIN accounts_cashbalance c ON c.account_id = a.id AND c.currency = 'GBP'
  LEFT JOIN accounts_holding h ON h.account_id = a.id AND h.instrument_id = %s
 WHERE a.code = ANY(%s)
"""


def build_block(count: int, *, seed: int = 7) -> tuple[DeskWorld, Block, list[dict[str, Any]]]:
    """A block of 1,200 executions at prices around 72.50 and ``count`` client accounts with weights of their own, London's charges."""
    chance = random.Random(seed)
    world = make_desk("EQ9", symbol="BARC.L")
    charge_as_published()
    wash: WashAccount = make_wash_account(world, "SHOWN")
    client = world.account.client
    accounts = [
        TradingAccount(
            id=new_id(), code=f"N{number:05d}", name=f"Client {number}", client=client, group=world.group, base_currency="GBP"
        )
        for number in range(count)
    ]  # fmt: skip
    TradingAccount.objects.bulk_create(accounts, batch_size=2_000)
    CashBalance.objects.bulk_create(
        [CashBalance(account=one, currency="GBP", settled=Decimal(1_000_000)) for one in accounts], batch_size=2_000
    )
    fills = [(1000 * count // 1200 + 1, str(Decimal(chance.randrange(7200, 7300)) / 100)) for _ in range(1200)]
    block = open_block(world, fills, wash=wash, number=9_000_000)
    lines = [{"account": one.code, "weight": str(chance.randint(1, 1000))} for one in accounts]
    return world, block, lines


def preview_figures(accounts: int) -> dict[str, Any]:
    """Milliseconds of a preview of so many lines, and its ratio to the floor."""
    _, block, lines = build_block(accounts)
    actor = process_principal("bench")
    preview, floor = [], []
    for _ in range(ROUNDS):
        preview.append(_timed_preview(actor, block, lines))
        floor.append(_timed_floor(block, lines))
    took, least = sorted(preview), sorted(floor)
    middle, floor_middle = took[len(took) // 2], least[len(least) // 2]
    return {
        "preview_p50_ms": round(middle * 1000, 2),
        "preview_p95_ms": round(took[int(len(took) * 0.95)] * 1000, 2),
        "preview_floor_ms": round(floor_middle * 1000, 2),
        "preview_ratio": round(floor_middle / middle, 4),
    }


def _timed_preview(actor: Principal, block: Block, lines: list[dict[str, Any]]) -> float:
    begin = time.perf_counter()
    found = preview_allocation(actor=actor, at=utc_now(), block_ref=block.ref, method="weights", lines=lines)
    told = preview_json(found)
    took = time.perf_counter() - begin
    _verify(found, told, block, len(lines))
    return took


def _verify(found: AllocationPreview, told: bytes, block: Block, count: int) -> None:
    read = orjson.loads(told)
    assert len(read["lines"]) == count
    assert sum(Decimal(line["qty"]) for line in read["lines"]) == block.qty
    assert sum(Decimal(line["gross"]) for line in read["lines"]) + Decimal(read["residual"]) == block.cash
    assert found.fees > 0


def _timed_floor(block: Block, lines: list[dict[str, Any]]) -> float:
    begin = time.perf_counter()
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_FLOOR, [block.instrument_id, [line["account"] for line in lines]])
        rows = cursor.fetchall()
    orjson.dumps([[code, str(cash), str(stock)] for code, cash, stock in rows])
    took = time.perf_counter() - begin
    assert len(rows) == len(lines)
    return took
