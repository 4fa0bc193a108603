"""kill -9 in instructing, in writing the files and in taking in what custodians say: sent once, written once, booked once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from accounts.models import CashBalance
from allocations.models import SettlementFile, SettlementStatus
from allocations.services import receive_statuses as receiving
from allocations.services.instruct_settlements import instruct_settlements
from allocations.services.write_settlement_files import outgoing, write_settlement_files
from journal.models import Event
from tests.concurrency.test_crash_points import killed_at
from tests.factories import AT
from tests.integration.allocations.test_settlement import World, booked, line, say

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.VAR_DIR = tmp_path
    with transaction.atomic():  # a block is its lines at every commit
        return booked()


def written() -> list[str]:
    return sorted(path.name for path in outgoing().rglob("*.*"))


def test_from_instruction_to_money_every_step_is_killed_and_done_again_and_nothing_is_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_at("settlement.written", lambda: instruct_settlements(at=AT))
    assert (world.row().state, SettlementFile.objects.count()) == ("waiting", 0)
    killed_at("settlement.committed", lambda: instruct_settlements(at=AT))
    assert (world.row().state, instruct_settlements(at=AT), SettlementFile.objects.count()) == ("instructed", 0, 2)

    killed_at("settlement_file.put", lambda: write_settlement_files(at=AT))
    assert (len(written()), SettlementFile.objects.filter(state="made").count()) == (1, 2)
    assert (write_settlement_files(at=AT), write_settlement_files(at=AT)) == (2, 0)
    places = {Path(file.place).name: file.content for file in SettlementFile.objects.all()}
    assert {path.name: path.read_text() for path in outgoing().rglob("*.*")} == places

    monkeypatch.setattr(receiving, "SLICE", 1)
    lines = [line("S1000-1", "settled", "Z1", "1000", "724.50"), line("S1001-1", "matched")]
    killed_at("statuses.stored", lambda: say(*lines))
    assert (SettlementStatus.objects.count(), world.row().state) == (0, "instructed")
    killed_at("statuses.applied", lambda: say(*lines))
    assert (SettlementStatus.objects.count(), world.row().state) == (0, "instructed")
    killed_at("statuses.committed", lambda: say(*lines))
    assert (SettlementStatus.objects.count(), world.row().state, world.row(1).state) == (1, "settled", "instructed")
    again = say(*lines)
    assert (again.stored, again.moved, world.row(1).state) == (1, 1, "matched")
    cash = CashBalance.objects.get(account=world.desk.account)
    assert (cash.settled, cash.pending) == (D("99275.50"), D(0))
    assert Event.objects.filter(kind="TradesSettled").count() == 1
