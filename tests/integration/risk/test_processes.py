"""Processes that differ and clocks that are off: blocked, refused and told of, by themselves on again; a gateway looks for itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from authorisation.domain.principal import process_principal
from journal.models import Event, Process
from journal.selectors.processes import list_processes, own_process_id, why_not_trusted
from journal.services.forget_process import forget_process
from journal.services.report_process import report_process
from kernel.clock import utc_now
from kernel.errors import Refused
from oms_project.house import beating, fingerprint
from orders.models import Order
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from risk.models import Block
from risk.selectors import trading_is_on
from risk.services.switch_trading import switch_trading
from risk.services.watch_processes import watch_processes
from tests.factories import AT, make_desk, terms

pytestmark = pytest.mark.django_db
ACTOR = process_principal("test")


def reported(name: str, *, made: str = "aaa", parts: str = "code:1 checks:2", off_ms: int = 0) -> None:
    report_process(
        process_id=f"host:{name}", name=name, build="b1", fingerprint=made, parts=parts,
        at=utc_now() + timedelta(milliseconds=off_ms),
    )  # fmt: skip


def standing() -> list[str]:
    return list(Block.objects.filter(lifted_at=None).order_by("source").values_list("source", flat=True))


def aged(name: str, seconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE journal_process SET seen_at = statement_timestamp() - %s * interval '1 second' WHERE name = %s",
            [seconds, name],
        )


def test_alike_nothing_is_said() -> None:
    reported("web")
    reported("relay")
    assert (watch_processes(at=AT), standing(), Event.objects.count()) == (0, [], 0)


def test_two_that_differ_block_the_firm_until_they_are_alike() -> None:
    world = make_desk()
    for name in ("web", "relay"):
        reported(name)
    order = capture_order(actor=world.dealer, at=AT, idempotency_key="k1", route="t", terms=terms(world), source="api")
    reported("gateway-SIM1", made="bbb", parts="code:9 checks:2")
    assert (watch_processes(at=AT), watch_processes(at=AT)) == (1, 0)
    block = Block.objects.get(source="fingerprint")
    assert block.reason == "gateway-SIM1 (bbb) differ from aaa, which 2 have: code:1 code:9."
    refused = capture_order(
        actor=world.dealer, at=AT, idempotency_key="k2", route="t", terms=terms(world), source="api"
    )
    assert (refused.outcome, Order.objects.get(pk=refused.order_id).is_open) == ("refused", False)
    canceled = cancel_order(
        actor=world.dealer, at=AT, idempotency_key="c", route="t", order_id=order.order_id, reason="stop"
    )
    assert canceled.outcome != "refused"
    reported("gateway-SIM1")
    assert (watch_processes(at=AT), standing()) == (1, [])
    kinds = Event.objects.filter(stream="anomaly:processes:fingerprint").order_by("seq").values_list("kind", flat=True)
    assert list(kinds) == ["AnomalyRaised", "AnomalyCleared"]


def test_trading_is_not_switched_on_while_two_differ_and_may_be_switched_off() -> None:
    reported("web")
    reported("relay", made="bbb")
    with pytest.raises(Refused, match="PROCESSES_DIFFER"):
        switch_trading(actor=ACTOR, at=AT, on=True, reason="open")
    assert not trading_is_on()
    switch_trading(actor=ACTOR, at=AT, on=False, reason="close")
    aged("relay", 21)  # what has not spoken for so long runs no more
    assert switch_trading(actor=ACTOR, at=AT, on=True, reason="open").is_on


@pytest.mark.parametrize(("off_ms", "blocked"), [(0, []), (900, []), (1200, ["clock"]), (-1200, ["clock"])])
def test_a_clock_inside_and_outside_its_mark(off_ms: int, blocked: list[str]) -> None:
    reported("web", off_ms=off_ms)
    watch_processes(at=AT)
    assert standing() == blocked
    reported("web")
    watch_processes(at=AT)
    assert standing() == []


def test_what_a_gateway_finds_of_itself() -> None:
    own = own_process_id()
    assert why_not_trusted(own) == ""  # a house in which nobody reports
    reported("relay")
    assert why_not_trusted(own) == "This process has not reported itself."
    report_process(process_id=own, name="gateway", build="b1", fingerprint="aaa", parts="code:1 checks:2", at=utc_now())
    assert why_not_trusted(own) == ""
    reported("web", off_ms=5000)  # another's clock is the sweeper's matter
    assert why_not_trusted(own) == ""
    reported("web", made="ccc")
    assert "differ from" in why_not_trusted(own)
    forget_process(process_id="host:web")
    late = utc_now() - timedelta(seconds=3)
    report_process(process_id=own, name="gateway", build="b1", fingerprint="aaa", parts="code:1 checks:2", at=late)
    assert "Clocks are off: gateway by -" in why_not_trusted(own)


def test_a_beat_tells_what_this_process_is_made_of() -> None:
    made = fingerprint.own()
    assert [part.partition(":")[0] for part in made.parts] == ["code", "migrations", "checks", "adapters", "settings"]
    assert beating.beat(own_process_id(), "test")
    one = list_processes()[0]
    assert (one.name, one.fingerprint, one.parts.split()) == ("test", made.whole, list(made.parts))
    assert abs(one.clock_offset_ms) < 1000
    assert Process.objects.count() == 1
