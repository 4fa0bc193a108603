"""The reconciliation, judged from outside: everything planted is found, classed and explained, nothing else is found,
a second run writes nothing, and once the file agrees every break closes as agreed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from allocations.services import on_executions
from allocations.services.complete_blocks import complete_blocks
from journal.services.run_listener import run_listener
from reconciliation.domain.making.registry import ALL
from reconciliation.domain.records import RECONCILED, Kind
from reconciliation.models import Break
from tests.factories import AT
from tests.factories.judging import compare_book, found, judge
from tests.factories.reconciled import TradingDay, trading_day

pytestmark = pytest.mark.django_db
EXECUTED = ("ExecutionRecorded", "ExecutionCorrected", "ExecutionBusted", "ExcessMoved")
KINDS = tuple(kind for kind in RECONCILED if kind is not Kind.SETTLEMENTS)  # nothing of the day settles on it
ONCE = ",".join(f"{kind.full_name}:1" for kind in ALL if kind.name != "truncated" and kind.kind in KINDS)
BOOKS = ("executions", "orders", "open_orders", "positions", "positions_traded", "cash", "allocations")


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[TradingDay]:
    with django_db_blocker.unblock(), transaction.atomic():
        day = trading_day(18)
        while run_listener(
            name="allocations.blocks", kinds=EXECUTED, handle=on_executions.handle, at=AT
        ).handled:  # as the relay does
            pass
        assert complete_blocks(at=AT + timedelta(days=1)) > 10
        yield day
        transaction.set_rollback(True)


@pytest.mark.parametrize("book", BOOKS)
def test_files_that_agree_break_nothing(world: TradingDay, book: str, tmp_path: Path) -> None:
    made = world.make(tmp_path)
    run = compare_book(made, book)
    assert judge(made, book, run).lines() == []
    assert (run.state, run.written) == ("done", 0)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("book", BOOKS)
def test_every_plant_is_found_and_nothing_else(world: TradingDay, book: str, seed: int, tmp_path: Path) -> None:
    made = world.make(tmp_path / "planted", ONCE, seed=seed, kinds=KINDS)
    run = compare_book(made, book)
    assert judge(made, book, run).lines() == []
    planted = len(found(run))
    assert (run.state, run.written) == ("done", planted)

    again = compare_book(made, book)
    assert (again.written, again.standing, again.closed) == (0, planted, 0)

    clean = compare_book(world.make(tmp_path / "clean"), book)
    assert (clean.written, clean.standing, clean.closed) == (0, 0, planted)
    assert set(Break.objects.values_list("state", "closed_as")) <= {("closed", "agreed")}
