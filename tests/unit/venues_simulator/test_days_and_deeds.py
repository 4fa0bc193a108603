"""Ends and starts of days, expiries, what a venue does unasked, and rebuilding everything from the truth."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from kernel.fix import TimeInForce
from venues.simulator import interventions
from venues.simulator.commands import Command
from venues.simulator.day import DayWatch
from venues.simulator.exchange import Exchange
from venues.simulator.floor import Options
from venues.simulator.listing import MarketSpec, TradingDay
from venues.simulator.misbehaviour import Script
from venues.simulator.model import Phase
from venues.simulator.phases import Moment, moment_of
from venues.simulator.reports import Entry
from venues.simulator.truth import Said, TruthFile, last_days, read_truth
from venues.simulator.units import SCALE
from venues.simulator.venue_order import VenueOrder

from .floor_helpers import AT, SESSION, TODAY, VOD, cancel, exchange, new, replace, said

GTC, GTD = TimeInForce.GTC, TimeInForce.GTD
OPEN, CLOSE = datetime(2026, 11, 20, 8, 0, tzinfo=UTC), datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
LONDON = MarketSpec("XLON", "Europe/London", False, (TradingDay(TODAY, OPEN, CLOSE),))
MINUTE = timedelta(minutes=1)


def order_of(one: Exchange, cl_ord_id: str) -> VenueOrder:
    """The order, which must be known."""
    found = one.find(SESSION, cl_ord_id)
    assert found is not None
    return found


def filled() -> tuple[Exchange, VenueOrder, str]:
    """A buy of 100 at 99 of which 40 are done, and the ExecID of that execution."""
    one = exchange()
    one.handle(new("A", "1", 100, "99"), at=AT)
    entries = one.handle(new("S", "2", 40, "99"), at=AT)
    return one, order_of(one, "A"), entries[1].report["exec_id"]


@pytest.mark.parametrize(
    ("at", "phase"),
    [
        (OPEN - 16 * MINUTE, Phase.CLOSED),
        (OPEN - 15 * MINUTE, Phase.PRE_OPEN),
        (OPEN, Phase.CONTINUOUS),
        (CLOSE - MINUTE, Phase.CONTINUOUS),
        (CLOSE, Phase.CLOSING_CALL),
        (CLOSE + 5 * MINUTE, Phase.CLOSED),
    ],
)
def test_the_phases_of_a_day(at: datetime, phase: Phase) -> None:
    assert moment_of(LONDON, at) == Moment(phase, TODAY)


def test_a_market_that_never_closes_has_its_local_date() -> None:
    sydney = MarketSpec("XASX", "Australia/Sydney", True)
    assert moment_of(sydney, datetime(2026, 11, 20, 14, tzinfo=UTC)) == Moment(Phase.CONTINUOUS, date(2026, 11, 21))


def test_the_close_expires_day_orders_and_renews_good_till_ones_next_day() -> None:
    one = exchange()
    for order in (
        new("DAY"),
        new("GTC", time_in_force=GTC),
        new("LAST", time_in_force=GTD, expire_date=TODAY),
        new("NEXT", time_in_force=GTD, expire_date=TODAY + timedelta(1)),
    ):
        one.handle(order, at=AT)
    assert said(one.end_of_day("XLON", TODAY, at=AT)) == [
        "DAY C/C 0/0",
        "GTC 3/3 0/100",
        "LAST C/C 0/0",
        "NEXT 3/3 0/100",
    ]
    assert one.end_of_day("XLON", TODAY, at=AT) == []
    renewed = one.start_of_day("XLON", at=AT)
    assert said(renewed) == ["GTC D/0 0/100", "NEXT D/0 0/100"]
    assert [entry.report["exec_restatement_reason"] for entry in renewed] == ["1", "1"]


def test_a_venue_may_not_report_done_for_day() -> None:
    one = exchange(options=Options(done_for_day=False))
    one.handle(new("GTC", time_in_force=GTC), at=AT)
    assert one.end_of_day("XLON", TODAY, at=AT) == []
    assert one.start_of_day("XLON", at=AT) == []


def test_an_expire_time_ends_an_order_when_it_comes() -> None:
    one = exchange()
    one.handle(new("A", time_in_force=GTD, expire_at=AT + MINUTE), at=AT)
    assert one.expire_due(at=AT + MINUTE - timedelta(seconds=1)) == []
    assert said(one.expire_due(at=AT + MINUTE)) == ["A C/C 0/0"]
    assert one.books["VOD.L"].orders == {}


def test_a_day_is_walked_through_its_auctions() -> None:
    one = exchange()
    days = DayWatch(floor=one, markets=[LONDON], script=Script(None))
    days.begin([], at=OPEN - MINUTE)
    assert days.walk(at=OPEN - MINUTE) == []
    one.handle(new("O", "1", 10, "100", time_in_force=TimeInForce.AT_OPEN), at=AT)
    one.handle(new("S", "2", 100, "99"), at=AT)
    one.handle(new("C", "1", 50, "101", time_in_force=TimeInForce.AT_CLOSE), at=AT)
    assert said(days.walk(at=OPEN)) == ["O F/2 10/0 10@100", "S F/1 10/90 10@100"]
    assert days.walk(at=CLOSE) == []
    assert said(days.walk(at=CLOSE + 5 * MINUTE)) == ["C F/2 50/0 50@100", "S F/1 60/40 50@100", "S C/C 60/0"]
    assert days.walk(at=CLOSE + 6 * MINUTE) == []
    assert days.take_new_dates() == [("XLON", TODAY)]


def test_orders_of_a_day_that_ended_while_the_venue_was_down_expire_when_it_returns() -> None:
    one = exchange()
    one.handle(new("A"), at=AT)
    one.handle(new("G", time_in_force=GTC), at=AT)
    always = MarketSpec("XLON", "UTC", True)
    days = DayWatch(floor=one, markets=[always], script=Script(None))
    days.begin([{"kind": "day", "mic": "XLON", "trade_date": "2026-11-19"}], at=AT)
    assert said(days.walk(at=AT)) == ["A C/C 0/0", "G 3/3 0/100", "G D/0 0/100"]
    assert one.books["VOD.L"].phase is Phase.CONTINUOUS


def test_a_bust_gives_the_quantity_back() -> None:
    one, order, exec_id = filled()
    entries = interventions.bust(one, order, exec_id, at=AT)
    assert said(entries) == ["A H/0 0/100 40@99"]
    assert entries[0].report["exec_ref_id"] == exec_id
    assert said(one.handle(new("T", "2", 100, "99"), at=AT))[1] == "A F/2 100/0 100@99"
    assert interventions.bust(one, order, exec_id, at=AT) == []


def test_a_bust_of_a_filled_order_brings_it_back_to_the_book() -> None:
    one, order, exec_id = filled()
    one.handle(new("T", "2", 60, "99"), at=AT)
    assert said(interventions.bust(one, order, exec_id, at=AT)) == ["A H/1 60/40 40@99"]
    assert one.books["VOD.L"].bids.best == 99 * SCALE
    assert said(one.handle(cancel("C", "A"), at=AT)) == ["C 4/4 60/0"]


def test_a_bust_after_a_cancel_leaves_the_order_canceled() -> None:
    one, order, exec_id = filled()
    one.handle(cancel("C", "A"), at=AT)
    assert said(interventions.bust(one, order, exec_id, at=AT)) == ["A H/4 0/0 40@99"]
    assert one.books["VOD.L"].orders == {}


def test_a_correction_changes_price_or_quantity() -> None:
    one, order, exec_id = filled()
    entries = interventions.correct(one, order, exec_id, qty=30 * SCALE, px=98 * SCALE, at=AT)
    assert said(entries) == ["A G/1 30/70 30@98"]
    assert entries[0].report["avg_px"] == "98"
    again = interventions.correct(one, order, entries[0].report["exec_id"], qty=50 * SCALE, px=None, at=AT)
    assert said(again) == ["A G/1 50/50 50@98"]
    assert one.books["VOD.L"].orders[order.order_id].leaves == 50 * SCALE


def test_deeds_nobody_should_do() -> None:
    one, order, _ = filled()
    assert said(interventions.over_fill(one, order, 20 * SCALE, at=AT)) == ["A F/2 120/0 80@99"]
    one, order, _ = filled()
    assert said(interventions.cancel_unasked(one, order, at=AT)) == ["A 4/4 40/0"]
    assert said(interventions.fill_late(one, order, 10 * SCALE, at=AT)) == ["A F/4 50/0 10@99"]
    one, order, _ = filled()
    assert interventions.fill_late(one, order, 10 * SCALE, at=AT) == []
    assert said(interventions.reject_late(one, order, at=AT)) == ["A 8/8 40/0"]
    assert interventions.cancel_unasked(one, order, at=AT) == []
    assert one.books["VOD.L"].orders == {}


def busy(one: Exchange) -> list[Entry]:
    """A morning with everything in it."""
    entries: list[Entry] = []
    for command in (
        new("A", "1", 100, "99"),
        new("ICE", "1", 100, "99", max_floor=10 * SCALE),
        new("S1", "2", 50, "99"),
        new("STOP", "2", 30, "97.5", stop="98"),
        new("CLOSE", "1", 30, "99", time_in_force=TimeInForce.AT_CLOSE),
        new("X", "1", 10, "1.3"),
        replace("A2", "A", 200, "99"),
        cancel("NO", "unknown"),
        new("D", "1", 10, "98"),
        new("S2", "2", 100, "98"),
        cancel("E", "CLOSE"),
    ):
        entries += one.handle(command, at=AT)
    entries += interventions.bust(one, order_of(one, "ICE"), next(iter(order_of(one, "ICE").trades)), at=AT)
    return entries


def picture(one: Exchange) -> dict[str, object]:
    """Everything about an exchange that a member could ever notice."""
    shown: dict[str, object] = {
        name: [(px, [(o.key, o.shown, o.leaves) for o in level.values()]) for px, level in side.levels()]
        for name, side in (("bids", one.books["VOD.L"].bids), ("asks", one.books["VOD.L"].asks))
    }
    for order_id, order in one.orders.items():
        shown[order_id] = (
            order.lineage,
            order.status,
            order.numbers(),
            {k: (t.qty, t.px) for k, t in order.trades.items()},
        )
    return shown | {"stops": sorted(one.books["VOD.L"].stops), "parked": sorted(one.books["VOD.L"].parked)}


@pytest.mark.parametrize("carried", [False, True])
def test_an_exchange_is_rebuilt_from_its_truth(tmp_path: Path, carried: bool) -> None:
    one = exchange()
    truth = TruthFile(tmp_path)
    if carried:
        assert not truth.is_long()
        busy(one)
        truth.roll(one.orders.values(), {"XLON": TODAY}, counter=one.counter, at=AT)
        assert last_days(read_truth(tmp_path / "truth.jsonl")) == {"XLON": TODAY.isoformat()}
        assert len(list(tmp_path.glob("truth-*.jsonl"))) == 1
    else:
        truth.append([Said(entry) for entry in busy(one)], counter=one.counter, at=AT)
    truth.close()
    again = Exchange(code="SIM1", listings=[VOD])
    again.restore(read_truth(tmp_path / "truth.jsonl"))
    assert again.settle(at=AT) == []
    assert picture(again) == picture(one)
    assert again.counter == one.counter
    assert said(again.handle(new("S1"), at=AT))[0].startswith("S1 8/")
    follow: list[Command] = [new("L", "2", 150, "98"), cancel("Z", "A2")]
    assert [said(again.handle(c, at=AT)) for c in follow] == [said(one.handle(c, at=AT)) for c in follow]


def test_a_torn_last_line_is_cut_off_and_the_file_goes_on(tmp_path: Path) -> None:
    one = exchange()
    truth = TruthFile(tmp_path)
    truth.append([Said(entry) for entry in one.handle(new("A"), at=AT)], counter=one.counter, at=AT)
    truth.close()
    path = tmp_path / "truth.jsonl"
    path.write_bytes(path.read_bytes() + b'{"n": 2, "torn')
    again = TruthFile(tmp_path)
    assert len(again.found) == 1
    again.append([Said(entry) for entry in one.handle(new("B"), at=AT)], counter=one.counter, at=AT)
    again.close()
    assert [line["n"] for line in read_truth(path)] == [1, 2]


@pytest.mark.parametrize(("moved", "found"), [(True, 1), (False, 2)])
def test_a_roll_cut_short_loses_nothing(tmp_path: Path, moved: bool, found: int) -> None:
    one = exchange()
    truth = TruthFile(tmp_path)
    for name in ("A", "B"):
        truth.append([Said(entry) for entry in one.handle(new(name), at=AT)], counter=one.counter, at=AT)
    truth.close()
    path = tmp_path / "truth.jsonl"
    (tmp_path / "truth.new").write_bytes(path.read_bytes().splitlines(keepends=True)[1])
    if moved:
        path.rename(tmp_path / "truth-1.jsonl")
    again = TruthFile(tmp_path)
    again.close()
    assert len(again.found) == found
    assert not (tmp_path / "truth.new").exists()


def test_what_crossed_while_the_venue_was_away_trades_when_it_returns(tmp_path: Path) -> None:
    one = exchange(Phase.PRE_OPEN)
    truth = TruthFile(tmp_path)
    entries = one.handle(new("B", "1", 50, "101"), at=AT) + one.handle(new("S", "2", 50, "99"), at=AT)
    truth.append([Said(entry) for entry in entries], counter=one.counter, at=AT)
    truth.close()
    again = Exchange(code="SIM1", listings=[VOD])
    again.restore(read_truth(tmp_path / "truth.jsonl"))
    assert said(again.settle(at=AT)) == ["B F/2 50/0 50@100", "S F/2 50/0 50@100"]


def test_a_listing_without_a_known_reference_keeps_its_ticks() -> None:
    banded = changed(VOD, ticks=((0, SCALE // 100), (50 * SCALE, SCALE // 2)))
    assert [banded.on_tick(px) for px in (49 * SCALE + SCALE // 100, 50 * SCALE + SCALE // 100, 0)] == [
        True,
        False,
        False,
    ]
