"""The scenario files through doors, raw messages, inbox and tables; in order, and in any order."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from django.db.models import Sum

from accounts.models import Booking
from journal.models import Event
from orders.models import Execution, Order
from orders.scenario_file import Step, read_scenarios
from orders.scenario_play import Copy, Delivery
from tests.factories.invariants import broken_invariants
from venues.models import WireMessage
from venues.scenario_database import DatabaseHouse, main
from venues.scenario_world import make_world

SCRIPTS = Path(__file__).resolve().parents[2] / "venue_scripts"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    ("name", "options", "last"),
    [
        ("order_state_scenarios.json", ["--shuffle", "1", "--twice"], "88 passed, 0 failed"),
        ("more_order_states.json", ["--shuffle", "2"], "81 passed, 0 failed"),
        ("specification_matrices.json", [], "89 passed, 0 failed"),
    ],
)
def test_every_path_passes_in_order_and_ends_the_same_in_disorder(
    name: str, options: list[str], last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(SCRIPTS / name), *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith("ok ")] == [last]
    assert broken_invariants() == {}


def test_an_order_never_sent_leaves_nothing_but_an_exception() -> None:
    scenario = next(s for s in read_scenarios(SCRIPTS / "order_state_scenarios.json") if s.id == "B.1.f")
    house = DatabaseHouse(make_world("4.4"), "4.4", 1, phoned=False)
    for place, step in enumerate(scenario.paths[0].steps, start=1):
        if step.direction == "out":
            house.send(step, place)
        else:
            house.receive([Delivery(step, place)])
    assert house.look("X", 1) is None
    assert Order.objects.count() == 0
    assert WireMessage.objects.count() == 1
    assert Event.objects.filter(kind="AnomalyRaised").count() == 1


def _row(seq: int, msg: str, **said: str | int) -> Step:
    text = {"dir": "out" if msg == "D" else "in", "msg": msg, "n": str(seq), "order": "X", "clordid": "X"}
    text |= {key: value for key, value in said.items() if isinstance(value, str)}
    return Step(seq, text, {key: Decimal(value) for key, value in said.items() if isinstance(value, int)})


def _trade(place: int, *, exec_id: str = "T", copy: Copy = Copy.FIRST) -> list[Delivery]:
    said: dict[str, str | int] = {"exectype": "F", "ordstatus": "1", "execid": exec_id, "lastqty": 100, "cumqty": 100}
    return [Delivery(_row(place, "8", **said), place, copy)]


FIRST, SECOND, THIRD = "1", "2", "3"


@pytest.mark.parametrize(
    ("arriving", "cum_qty", "rows"),
    [
        ([(FIRST, Copy.FIRST), (SECOND, Copy.POSS_RESEND)], 100, [100]),
        ([(SECOND, Copy.POSS_RESEND), (FIRST, Copy.FIRST)], 100, [0, 100]),
        ([(SECOND, Copy.POSS_RESEND), (THIRD, Copy.POSS_RESEND)], 100, [100]),
        ([(FIRST, Copy.FIRST), (SECOND, Copy.FIRST)], 200, [100, 100]),
        ([(FIRST, Copy.FIRST), (THIRD, Copy.FIRST), (SECOND, Copy.POSS_RESEND)], 200, [100, 100]),
    ],
)
def test_a_trade_told_again_after_a_reset_of_the_numbers_is_booked_once(
    arriving: list[tuple[str, Copy]], cum_qty: int, rows: list[int]
) -> None:
    house = DatabaseHouse(make_world("4.4"), "4.4", 1, phoned=False)
    house.begin_epoch(FIRST)
    house.send(_row(1, "D", orderqty=1000), 1)
    house.receive([Delivery(_row(2, "8", exectype="0", ordstatus="0", orderqty=1000), 2)])
    for epoch, copy in arriving:
        house.begin_epoch(epoch)
        house.receive(_trade(3, copy=copy))
    end = house.end("X", 1)
    assert end is not None
    assert (end.seen.cum_qty, end.seen.leaves_qty) == (Decimal(cum_qty), Decimal(1000 - cum_qty))
    assert sorted(Execution.objects.values_list("effective_qty", flat=True)) == rows
    booked = Booking.objects.filter(execution_id__isnull=False, charge="")
    sums = {
        layer: booked.filter(instrument_id__isnull=layer == "cash").aggregate(sum=Sum("amount"))["sum"]
        for layer in ("cash", "stock")
    }
    assert sums == {"cash": -100 * cum_qty, "stock": cum_qty}
