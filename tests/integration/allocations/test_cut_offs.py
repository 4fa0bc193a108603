"""Cut-offs as the sweeper sees them: warned before, late after with a name, taken back when affirmed; the share in time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from allocations.models import Confirmation
from allocations.selectors.affirming import Sight, affirmed_in_time, list_clocks
from allocations.services.watch_cut_offs import watch_cut_offs
from journal.models import Event
from tests.factories import AT
from tests.factories.allocations import DAY, reversed_block
from tests.factories.confirming import allow, anomalies, confirming_world, listen, their_confirmation

pytestmark = pytest.mark.django_db


def hour() -> datetime:
    """When confirmations of the block must be affirmed."""
    found = Confirmation.objects.order_by("ref")[0].affirm_by
    assert found is not None
    return found


def test_a_cut_off_is_warned_of_missed_by_name_and_taken_back() -> None:
    allow("*", auto_affirm=True)
    world = confirming_world((600, 400))
    world.hear(their_confirmation(world, 0), at=hour() - timedelta(minutes=30))
    assert watch_cut_offs(at=hour() - timedelta(minutes=16)) == 0  # worth little: not yet
    assert watch_cut_offs(at=hour() - timedelta(minutes=15)) == 1
    assert watch_cut_offs(at=hour() - timedelta(minutes=10)) == 0  # said once
    warned = Event.objects.get(kind="AnomalyRaised").payload
    assert (warned["kind"], warned["severity"], warned["sentence"]) == (
        "AFFIRM_SOON", "high",
        "1 confirmations with T1 on XLON, worth about 290, are not affirmed and 15m are left; at the present rate 1 will miss it.",
    )  # fmt: skip

    assert watch_cut_offs(at=hour()) == 2
    late = Event.objects.filter(kind="AnomalyRaised").order_by("id").last()
    assert late is not None
    assert late.payload["sentence"] == (
        "1 confirmations with T1 on XLON of 2026-11-20 missed their cut-off: our word is missing on 0, theirs on 1."
    )
    assert dict(Confirmation.objects.values_list("ref", "late_party")) == {"C-1000-1": "", "C-1001-1": "theirs"}
    (row,) = affirmed_in_time(first=DAY, last=DAY, at=hour())
    assert (row.mic, row.counterparty, row.share.in_time, row.share.due) == ("XLON", "T1", 1, 2)
    assert (str(row.share.percent), str(row.share.value_percent)) == ("50.00", "60.00")

    world.hear(their_confirmation(world, 1), at=hour() + timedelta(minutes=5))
    assert watch_cut_offs(at=hour() + timedelta(minutes=6)) == 1
    assert anomalies() == [
        ("AFFIRM_SOON", "raised"), ("AFFIRM_SOON", "cleared"), ("AFFIRM_LATE", "raised"), ("AFFIRM_LATE", "cleared"),
    ]  # fmt: skip
    assert Confirmation.objects.get(ref="C-1001-1").late_party == "theirs"  # it was late, and stays so
    (after,) = affirmed_in_time(first=DAY, last=DAY, at=hour() + timedelta(days=3))
    assert (after.share.in_time, after.share.due) == (1, 2)


def test_a_canceled_confirmation_is_nobody_s_lateness_and_rows_of_others_are_not_counted() -> None:
    world = confirming_world((600, 400))
    (clock,) = list_clocks(at=AT)
    assert (clock.open, clock.affirmed, clock.key) == (2, 0, "XLON:T1:2026-11-20")
    assert list_clocks(at=AT, sight=Sight(desks=[], groups=[])) == []
    assert affirmed_in_time(first=DAY, last=DAY, at=hour(), sight=Sight(desks=[], groups=[])) == []
    reversed_block(world.made, at=AT)
    listen(world)
    assert watch_cut_offs(at=hour()) == 0
    assert affirmed_in_time(first=DAY, last=DAY, at=hour()) == []
