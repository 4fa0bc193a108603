"""The same source trading again and again: stopped at its mark until a second person lets it go on; hands do not count."""

from __future__ import annotations

from datetime import timedelta

import pytest

from authorisation.models import AuthorisationRequest
from journal.models import Event
from orders.models import Order
from orders.services.count_executions import count_executions
from risk.domain.rates import RateKind, RateMark
from risk.models import Block
from risk.services.decide_stop_release import decide_stop_release
from risk.services.request_stop_release import request_stop_release
from risk.services.set_rate_mark import set_rate_mark
from tests.factories import AT
from tests.factories.trading import Desk
from tests.integration.risk.test_kill_switch import ASK, DECIDE, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    found = Desk()
    mark = RateMark(RateKind.EXECUTIONS, amount=3, seconds=60)
    set_rate_mark(actor=found.world.dealer, at=AT, mark=mark, effective_from=AT, set_by="t", reason="t")
    return found


def traded(desk: Desk, fills: int, *, strategy: str = "") -> Order:
    order = desk.buy(strategy=strategy)
    desk.send(at=AT)
    desk.say(order, "0", "0")
    for number in range(1, fills + 1):
        desk.say(order, "F", "1", t32=10, t31="72.5", t14=10 * number, t151=1000 - 10 * number)
    return order


def sweep(after_s: float = 1) -> int:
    return count_executions(at=AT + timedelta(seconds=after_s))


def test_inside_at_and_only_once(desk: Desk) -> None:
    traded(desk, 2)
    assert sweep() == 0
    traded(desk, 1)
    assert (sweep(), sweep(2)) == (1, 0)
    block = Block.objects.get(source="executions")
    assert (block.scope, block.scope_id) == ("dealer", str(desk.world.dealer.user_id))
    assert block.reason == "This source traded 3 times in 60 s without a person's word (mark 3)."
    assert desk.buy(outcome="refused").requests.get().outcome_code == "NO_STANDING_BLOCK"
    assert Event.objects.filter(kind="AnomalyRaised", payload__kind="REPEATED_EXECUTIONS").count() == 1


def test_what_is_outside_the_window_is_over(desk: Desk) -> None:
    traded(desk, 3)
    assert sweep(60) == 0


def test_a_strategy_stops_alone(desk: Desk) -> None:
    traded(desk, 2, strategy="VWAP")
    traded(desk, 2, strategy="POV")
    assert sweep() == 0
    traded(desk, 1, strategy="VWAP")
    assert sweep() == 1
    desk.buy(outcome="refused", strategy="VWAP")
    assert desk.buy(strategy="POV").is_open


def test_orders_entered_by_hand_are_each_a_persons_word(desk: Desk) -> None:
    order = traded(desk, 3)
    Order.objects.filter(pk=order.pk).update(source="ticket")
    assert sweep() == 0


def test_a_second_person_lets_it_go_on_and_the_count_begins_anew(desk: Desk) -> None:
    traded(desk, 3)
    sweep()
    asker, decider = person("asks", desk.world, ASK), person("decides", desk.world, DECIDE)
    block = Block.objects.get(source="executions")
    asked = request_stop_release(actor=asker, at=AT, stop_id=block.id, reason="Looked at it")
    row = AuthorisationRequest.objects.get(pk=asked.authorisation_id)
    decided = decide_stop_release(
        actor=decider, at=AT + timedelta(seconds=2), authorisation_id=row.pk, verdict="approve", reason_code="OTHER",
        reason="seen", payload_hash=row.payload_hash,
    )  # fmt: skip
    assert decided.outcome == "applied"
    assert Event.objects.filter(kind="AnomalyCleared", payload__dedupe_key=f"kill:{block.id}").count() == 1
    assert desk.buy().is_open
    assert sweep(3) == 0  # what it had traded before is answered for
