"""The preview half of ``allocate``: a block divided among so many accounts, as somebody waits for it.

Timed: the request of a program with all its lines (``POST /blocks/{ref}/preview``: token, body, lines, accounts, plan, charges, checks,
JSON), and the page of the block as a dealer opens it, divided by its saved scheme. Both go through every layer of the web process but
the socket, in a process that has imported everything and frozen it, as every role of the house does when it starts
(``house.steps.import_application``): a collector that finds the imports of the first request in its way is slower than in any of them.
Floor: the same accounts read row by row with their cash and stock, and written as JSON, with nothing computed. All interleaved in one
run, on the same block of 1,200 executions, tables analysed as a minute after any load. Verified each time: quantities and money of the
lines are the block's.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson
from django.test import Client

from accounts.models import CashBalance, TradingAccount
from allocations.models import Block, WashAccount
from allocations.services.save_scheme import save_scheme
from authorisation.domain.principal import process_principal
from authorisation.models import User
from benchmarks.support import issue_token
from journal.bulk import raw_cursor
from kernel.clock import utc_now
from kernel.ids import new_id
from oms_project.house.steps import import_application
from tests.factories import DeskWorld, charge_as_published, make_desk, make_principal
from tests.factories.allocations import make_wash_account, open_block

ROUNDS = 60  # so that p95 is no single one of them
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
    with raw_cursor() as cursor:
        cursor.execute("ANALYZE accounts_tradingaccount, accounts_cashbalance")  # as a minute after any load
    lines = [{"account": one.code, "weight": str(chance.randint(1, 1000))} for one in accounts]
    return world, block, lines


def preview_figures(accounts: int) -> dict[str, Any]:
    """Milliseconds of a preview of so many lines through API and page, and the ratio of the former to the floor."""
    world, block, lines = build_block(accounts)
    _save_default(block, lines)
    program, dealer = _program(world), _dealer(world)
    body = orjson.dumps({"method": "weights", "lines": lines})
    preview: list[float] = []
    page: list[float] = []
    floor: list[float] = []
    import_application()
    for _ in range(ROUNDS + 1):
        preview.append(_timed_preview(program, block, body, accounts))
        page.append(_timed_page(dealer, block, accounts))
        floor.append(_timed_floor(block, lines))
    middle, floor_middle = _at(preview, 0.5), _at(floor, 0.5)
    return {
        "preview_p50_ms": round(middle * 1000, 2),
        "preview_p95_ms": round(_at(preview, 0.95) * 1000, 2),
        "preview_floor_ms": round(floor_middle * 1000, 2),
        "preview_ratio": round(floor_middle / middle, 4),
        "page_p50_ms": round(_at(page, 0.5) * 1000, 2),
        "page_p95_ms": round(_at(page, 0.95) * 1000, 2),
    }


def _at(times: Sequence[float], share: float) -> float:
    """The quantile of all but the first, which reads what a process reads once."""
    ordered = sorted(times[1:])
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def _save_default(block: Block, lines: list[dict[str, Any]]) -> None:
    scheme = {
        "code": "ALL", "name": "all", "desk": "", "method": "weights", "lines": lines, "parameters": {},
        "wash_account": block.account.code, "strategy": "", "books_alone": False, "ended": False,
    }  # fmt: skip
    save_scheme(actor=process_principal("bench"), at=utc_now(), body=scheme, request_id=None)


def _program(world: DeskWorld) -> Client:
    rights, desks, groups = ("allocate_block",), (world.desk,), (world.group,)
    service = make_principal(
        "previews",
        role="previews",
        rights=rights,
        desks=desks,
        groups=groups,
        kind=User.Kind.SERVICE,
        persona="service",
    )
    return Client(SERVER_NAME="127.0.0.1", headers={"Authorization": f"Bearer {issue_token(service)}"})


def _dealer(world: DeskWorld) -> Client:
    rights, desks, groups = ("allocate_block",), (world.desk,), (world.group,)
    dealer = make_principal("divides", role="divides", rights=rights, desks=desks, groups=groups)
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(User.objects.get(pk=dealer.user_id))
    return client


def _timed_preview(program: Client, block: Block, body: bytes, accounts: int) -> float:
    begin = time.perf_counter()
    answer = program.post(f"/api/v1/blocks/{block.ref}/preview", body, content_type="application/json")
    took = time.perf_counter() - begin
    assert answer.status_code == 200, answer.content[:500]
    _verify(orjson.loads(answer.content), block, accounts)
    return took


def _verify(read: dict[str, Any], block: Block, accounts: int) -> None:
    assert len(read["lines"]) == accounts
    assert sum(Decimal(line["qty"]) for line in read["lines"]) == block.qty
    assert sum(Decimal(line["gross"]) for line in read["lines"]) + Decimal(read["residual"]) == block.cash
    assert Decimal(read["fees"]) == sum(Decimal(line["fees"]) for line in read["lines"]) > 0


def _timed_page(dealer: Client, block: Block, accounts: int) -> float:
    begin = time.perf_counter()
    answer = dealer.get(f"/alloc/{block.ref}")
    took = time.perf_counter() - begin
    assert answer.status_code == 200, answer.content[:500]
    assert f"of all {accounts:,} lines" in answer.content.decode()
    return took


def _timed_floor(block: Block, lines: list[dict[str, Any]]) -> float:
    begin = time.perf_counter()
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_FLOOR, [block.instrument_id, [line["account"] for line in lines]])
        rows = cursor.fetchall()
    orjson.dumps([[code, str(cash), str(stock)] for code, cash, stock in rows])
    took = time.perf_counter() - begin
    assert len(rows) == len(lines)
    return took
