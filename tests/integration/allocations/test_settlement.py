"""From a booked allocation to what changed hands: instructed once, told by custodians in any order, undone before or not at all."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from accounts.models import CashBalance, Holding
from accounts.services.book_executions import book_executions
from allocations.formats.status_records import BadFile
from allocations.models import SettlementFile, SettlementInstruction, SettlementStatus, StandingInstruction
from allocations.selectors.settled import settled_of
from allocations.services.collect_status_files import collect_status_files
from allocations.services.instruct_settlements import instruct_settlements
from allocations.services.on_allocated_settle import handle
from allocations.services.receive_statuses import Received, receive_statuses
from allocations.services.watch_settlements import watch_settlements
from allocations.services.write_settlement_files import outgoing, write_settlement_files
from authorisation.domain.principal import process_principal
from journal.models import Event
from journal.selectors.anomalies import is_raised
from kernel.fix import Side
from kernel.ids import new_id
from tests.factories import AT, DeskWorld, make_account, make_desk
from tests.factories.accounts import booking
from tests.factories.allocations import BookedWorld, booked_block, direct_trade, leave_at_once, reversed_block

pytestmark = pytest.mark.django_db
D = Decimal
OPS = process_principal("settlement")
LATER = datetime(2026, 11, 24, 18, tzinfo=AT.tzinfo)
NOON = "2026-11-24T12:00:00+00:00"
HEADER = "our_ref,status,their_ref,quantity,amount,currency,reason_code,reason,effective_at\n"
ANOMALY = "AnomalyRaised"


@pytest.fixture(autouse=True)
def _var(tmp_path: Path, settings: Any) -> None:
    settings.VAR_DIR = tmp_path


@dataclass
class World:
    """A booked block of two accounts and the desk it is of."""

    desk: DeskWorld
    made: BookedWorld

    def row(self, place: int = 0) -> SettlementInstruction:
        return SettlementInstruction.objects.get(allocation=self.made.lines[place])


def standing(world: DeskWorld, account: Any, **changes: Any) -> StandingInstruction:
    """Where it settles; what is booked leaves at once."""
    leave_at_once()
    return place(account, **changes)


def place(account: Any, **changes: Any) -> StandingInstruction:
    values: dict[str, Any] = {
        "account": account, "currency": "GBP", "place": "CRSTGB22", "agent": "CUSTGB2L", "safekeeping_account": "SAFE-1",
        "cash_account": "CASH-1", "effective_from": date(2026, 1, 1), "version": 1, "event_id": new_id(), "recorded_at": AT,
    }  # fmt: skip
    return StandingInstruction.objects.create(**(values | changes))


def booked(units: int = 1000, *, side: str = "1", with_standing: bool = True, number: int = 1) -> World:
    """Two accounts, one with ``units`` and one with three; the first has its money and stock pending."""
    desk = make_desk()
    second = make_account("ACC-2", group=desk.group)
    made = booked_block(desk, [(desk.account, units), (second, 3)], side=side, number=number)
    if with_standing:
        for account in (desk.account, second):
            standing(desk, account)
    common: dict[str, Any] = {
        "instrument_id": desk.listing.instrument_id,
        "side": Side(side),
        "settlement_date": made.block.settlement_date,
    }
    signed = str(units if side == "1" else -units)
    book_executions(bookings=[booking(desk.account.id, qty=signed, cash=str(made.lines[0].net), **common)], at=AT)
    handle(made.events)
    return World(desk, made)


def say(*lines: str, at: datetime = LATER, source: str = "CUSTGB2L") -> Received:
    return receive_statuses(actor=OPS, at=at, content=(HEADER + "\n".join(lines)).encode(), source=source)


def line(
    ref: str, status: str, their: str = "", qty: str = "", amount: str = "", *, at: str = NOON, code: str = ""
) -> str:
    return f"{ref},{status},{their},{qty},{amount},GBP,{code},,{at}"


def raised(kind: str) -> list[str]:
    return [
        e.payload["sentence"]
        for e in Event.objects.filter(kind=ANOMALY).order_by("position")
        if e.payload["kind"] == kind
    ]


def test_a_booked_allocation_is_instructed_once_whole_and_the_same_after_a_restart() -> None:
    world = booked()
    handle(world.made.events)
    rows = list(SettlementInstruction.objects.order_by("ref"))
    assert [(r.ref, r.delivery, r.qty, r.amount, r.state) for r in rows] == [
        ("S1000-1", "RECE", D(1000), D("724.50"), "waiting"), ("S1001-1", "RECE", D(3), D("2.17"), "waiting")
    ]  # fmt: skip

    assert instruct_settlements(at=AT) == 2
    assert instruct_settlements(at=AT) == 0
    assert {r.state for r in SettlementInstruction.objects.all()} == {"instructed"}
    files = list(SettlementFile.objects.order_by("place"))
    assert [(f.agent, f.kind, f.instructions) for f in files] == [
        ("CUSTGB2L", "csv", ["S1000-1", "S1001-1"]), ("CUSTGB2L", "sese.023", ["S1000-1", "S1001-1"])
    ]  # fmt: skip
    assert write_settlement_files(at=AT) == 2
    assert write_settlement_files(at=AT) == 0
    written = {path.relative_to(outgoing()).as_posix(): path.read_text() for path in outgoing().rglob("*.*")}
    assert written == {f.place: f.content for f in files}
    assert "<Unit>1000</Unit>" in files[1].content
    assert '<Amt Ccy="GBP">724.50</Amt>' in files[1].content
    (event,) = Event.objects.filter(kind="SettlementInstructed")
    assert (event.payload["files"], [one["ref"] for one in event.payload["lines"]]) == (
        [files[1].place, files[0].place], ["S1000-1", "S1001-1"]
    )  # fmt: skip


def test_a_file_in_the_way_is_never_overwritten() -> None:
    booked()
    instruct_settlements(at=AT)
    file = SettlementFile.objects.get(kind="csv")
    target = outgoing() / file.place
    target.parent.mkdir(parents=True)
    target.write_text("something else")

    assert write_settlement_files(at=AT) == 1
    assert target.read_text() == "something else"
    assert is_raised(f"settlement-file:{file.id}")
    target.unlink()
    assert write_settlement_files(at=AT) == 1
    assert target.read_text() == file.content
    assert not is_raised(f"settlement-file:{file.id}")


def test_without_a_standing_instruction_it_waits_and_somebody_is_told_once() -> None:
    world = booked(with_standing=False)
    account = world.desk.account
    assert (instruct_settlements(at=AT), instruct_settlements(at=AT)) == (0, 0)
    assert len(raised("SSI_MISSING")) == 2
    assert not SettlementFile.objects.exists()

    standing(world.desk, account, effective_to=date(2026, 11, 23))  # over before it settles
    standing(world.desk, account, currency="USD")
    assert instruct_settlements(at=AT) == 0
    standing(world.desk, account, version=2, agent="ANYCUST0")
    special = standing(world.desk, account, mic="XLON", agent="LONDCUS0")
    assert instruct_settlements(at=AT) == 1
    assert world.row().standing_id == special.pk
    assert not is_raised(f"ssi:{account.id}:XLON:GBP")
    assert is_raised(f"ssi:{world.made.lines[1].account_id}:XLON:GBP")


def test_settling_in_parts_books_units_and_money_as_confirmed_and_names_the_difference() -> None:
    world = booked()
    instruct_settlements(at=AT)
    say(line("S1000-1", "matched"), line("S1000-1", "pending", code="LACK"))
    assert (world.row().state, world.row().reason_code) == ("pending", "LACK")
    say(line("S1000-1", "partial", "P1", "400", "289.80"))
    row = world.row()
    assert (row.state, row.settled_qty, row.settled_amount) == ("partial", D(400), D("289.80"))
    account = world.desk.account
    assert settled_of([row.allocation_id, world.made.lines[1].id]) == {row.allocation_id: D(400)}

    received = say(line("S1000-1", "settled", "P2", "600", "434.69"))
    assert (received.stored, received.moved, received.contradictions) == (1, 1, 0)
    row = world.row()
    assert (row.state, row.settled_qty, row.settled_amount) == ("settled", D(1000), D("724.49"))
    holding = Holding.objects.get(account=account)
    cash = CashBalance.objects.get(account=account)
    assert (holding.settled, holding.pending) == (D(1000), D(0))
    assert (cash.settled, cash.pending) == (D("99275.51"), D("-0.01"))
    assert raised("SETTLEMENT_AMOUNT_DIFFERS") == [
        "S1000-1: 724.49 GBP were paid and 724.5 were instructed: -0.01 stay open."
    ]
    moved = [
        one for e in Event.objects.filter(kind="SettlementsMoved").order_by("position") for one in e.payload["lines"]
    ]
    assert [(one["to"], one["qty"], one["booked_amount"]) for one in moved] == [
        ("pending", "0", "0"), ("partial", "400", "289.8"), ("settled", "600", "434.69")
    ]  # fmt: skip


def test_any_order_and_any_repetition_of_what_custodians_say_ends_the_same() -> None:
    said = [
        line("S1000-1", "matched", at="2026-11-23T09:00:00Z"),
        line("S1000-1", "pending", code="CLAC", at="2026-11-23T10:00:00Z"),
        line("S1000-1", "partial", "P1", "400", "289.80", at="2026-11-24T10:00:00Z"),
        line("S1000-1", "settled", "P2", "600", "434.70", at="2026-11-24T12:00:00Z"),
    ]  # fmt: skip
    world = booked()
    instruct_settlements(at=AT)
    dice = random.Random(3)
    for _again in range(3):
        dice.shuffle(said)
        for one in said:
            say(one)
        say(*said)
    row = world.row()
    assert (row.state, row.settled_qty, row.settled_amount, row.reason_code) == ("settled", D(1000), D("724.50"), "")
    cash = CashBalance.objects.get(account=world.desk.account)
    assert (cash.settled, cash.pending) == (D("99275.50"), D(0))
    assert raised("SETTLEMENT_CONTRADICTION") == []


def test_what_cannot_be_true_is_kept_told_and_moves_nothing() -> None:
    world = booked()
    instruct_settlements(at=AT)
    received = say(
        line("S1000-1", "settled", "X1", "1001", "725.22"),
        line("S9999-1", "settled", "X2", "5", "1"),
        "S1001-1,gone,,,,GBP,,,",
    )
    assert (received.records, received.stored, received.unknown, received.contradictions) == (3, 2, 1, 1)
    assert [bad.line for bad in received.bad] == [4]
    assert world.row().state == "instructed"
    assert CashBalance.objects.get(account=world.desk.account).settled == D(100000)
    assert raised("SETTLEMENT_CONTRADICTION") == [
        "S1000-1: 1001 units are said to have settled and 1000 were left: 1 too many."
    ]
    assert len(raised("SETTLEMENT_UNKNOWN_REF")) == len(raised("SETTLEMENT_LINES_UNREADABLE")) == 1
    assert SettlementStatus.objects.count() == 2
    for broken in (b"<!DOCTYPE a><a/>", b"<a><b></a>", b"<a/>", b"\xff\xfe", b"ref;status\n"):
        with pytest.raises(BadFile):
            receive_statuses(actor=OPS, at=LATER, content=broken, source="CUSTGB2L")


def test_what_is_undone_before_it_settled_is_canceled_and_the_custodian_told() -> None:
    world = booked()
    instruct_settlements(at=AT)
    say(line("S1001-1", "rejected", code="SAFE"))
    assert len(raised("SETTLEMENT_REJECTED")) == 1
    reversed_block(world.made, at=LATER, why="execution busted")
    handle(world.made.events)
    handle(world.made.events)
    assert [(r.state, r.reason) for r in SettlementInstruction.objects.order_by("ref")] == [
        ("canceled", "undone: execution busted"), ("canceled", "undone: execution busted")
    ]  # fmt: skip
    sent = SettlementFile.objects.get(kind="sese.020")
    assert sent.instructions == ["S1000-1"]  # the other was refused: there is nothing to cancel
    assert not is_raised(f"settlement_rejected:{world.row(1).id}")
    say(line("S1000-1", "settled", "X", "1000", "724.50"))
    assert world.row().state == "canceled"
    assert CashBalance.objects.get(account=world.desk.account).settled == D(100000)
    assert raised("SETTLEMENT_CONTRADICTION") == ["S1000-1: 1000 units are said to have settled, and it was canceled."]


def test_what_had_settled_is_never_canceled() -> None:
    world = booked()
    instruct_settlements(at=AT)
    say(line("S1000-1", "partial", "P1", "1", "0.72"))
    reversed_block(world.made, at=LATER)
    handle(world.made.events)
    assert [world.row(0).state, world.row(1).state] == ["partial", "canceled"]
    assert len(raised("SETTLED_REVERSED")) == 1


def test_a_sale_delivers_and_is_paid_and_a_short_sale_moves_money_alone() -> None:
    desk = make_desk()
    standing(desk, desk.account)
    for number, side in ((1, "2"), (2, "5")):
        made = direct_trade(desk, side=side, number=500 + number, units=100, fees="0.45")
        (event,) = [e for e in _events("allocations:direct") if str(made.lines[0].id) in str(e.payload)]
        handle([event])
    instruct_settlements(at=AT)
    say(line("S501000-1", "settled", "A", "100", "72.00"), line("S502000-1", "settled", "B", "100", "72.00"))
    rows = list(SettlementInstruction.objects.order_by("ref"))
    assert [(r.delivery, r.amount, r.state) for r in rows] == [("DELI", D("72.00"), "settled")] * 2
    holding, cash = Holding.objects.get(account=desk.account), CashBalance.objects.get(account=desk.account)
    assert (holding.settled, holding.pending, cash.settled, cash.pending) == (D(-100), D(100), D(100144), D(-144))


def _events(stream: str) -> list[Any]:
    from journal.selectors import stream_records

    return list(stream_records(stream))


def test_many_lines_cost_few_statements(django_assert_max_num_queries: Any) -> None:
    desk = make_desk()
    accounts = [make_account(f"N{n}", group=desk.group) for n in range(60)]
    for account in accounts:
        standing(desk, account)
    made = booked_block(desk, [(account, 10) for account in accounts])
    with django_assert_max_num_queries(51):
        handle(made.events)
        instruct_settlements(at=AT)
        say(*(line(f"S{1000 + n}-1", "settled", f"C{n}", "10", "7.24") for n in range(60)))
    assert SettlementInstruction.objects.filter(state="settled").count() == 60


def test_a_custodian_that_says_nothing_of_a_day_is_one_matter() -> None:
    desk = make_desk()
    accounts = [make_account(f"N{n}", group=desk.group) for n in range(11)]
    for account in accounts:
        standing(desk, account)
    made = booked_block(desk, [(account, 10) for account in accounts])
    handle(made.events)
    instruct_settlements(at=AT)
    say(line("S1000-1", "pending", code="LACK"))
    assert watch_settlements(at=datetime(2026, 11, 25, 0, 1, tzinfo=AT.tzinfo)) == 11
    assert [text.partition(":")[0] for text in raised("SETTLEMENT_FAILED")] == ["S1000-1"]
    assert raised("CUSTODIAN_SILENT") == [
        "CUSTGB2L has said nothing of 10 instructions that were to settle on 2026-11-24: ask for its files."
    ]


def test_a_day_that_is_over_fails_what_did_not_settle_and_a_buy_in_is_due_by_its_markets_rule() -> None:
    world = booked(side="2")
    instruct_settlements(at=AT)
    say(line("S1001-1", "pending", code="LACK"), at=datetime(2026, 11, 24, 13, tzinfo=AT.tzinfo))
    assert watch_settlements(at=datetime(2026, 11, 24, 23, 59, tzinfo=AT.tzinfo)) == 0  # London: still the day
    after = datetime(2026, 11, 25, 0, 1, tzinfo=AT.tzinfo)
    assert (watch_settlements(at=after), watch_settlements(at=after)) == (2, 0)
    rows = [world.row(0), world.row(1)]
    assert [(r.state, r.failing_since, r.buy_in, r.reason_code) for r in rows] == [
        ("failed", date(2026, 11, 24), "", ""), ("failed", date(2026, 11, 24), "", "LACK")
    ]  # fmt: skip
    assert raised("SETTLEMENT_FAILED")[1] == (
        "S1001-1: 3 of 3 units should have settled on 2026-11-24 (1 settlement days ago; LACK)."
    )
    say(line("S1001-1", "pending", code="CLAC", at="2026-11-25T08:00:00Z"), at=after + timedelta(hours=9))
    assert (world.row(1).state, world.row(1).reason_code) == ("failed", "CLAC")
    say(line("S1001-1", "settled", "Z", at="2026-11-25T09:00:00Z"), at=after + timedelta(hours=10))
    assert world.row(1).state == "settled"
    assert not is_raised(f"settlement_failed:{world.row(1).id}")
    assert is_raised(f"settlement_failed:{world.row(0).id}")


def test_a_custodians_folder_is_emptied_good_files_and_bad_ones(tmp_path: Path) -> None:
    world = booked()
    instruct_settlements(at=AT)
    now = datetime.now(tz=AT.tzinfo)
    place = tmp_path / "incoming" / "settlement" / "HARBGB2L"
    place.mkdir(parents=True)
    (place / "a.csv").write_text(HEADER + line("S1000-1", "matched"))
    (place / "b.xml").write_text("<a/>")
    (place / "c.csv.part").write_text("being written")
    assert collect_status_files(at=now) == 0  # just written
    assert collect_status_files(at=now + timedelta(seconds=10)) == 2
    assert collect_status_files(at=now + timedelta(seconds=20)) == 0
    assert world.row().state == "matched"
    assert SettlementStatus.objects.get().source == "HARBGB2L"
    left = sorted(path.relative_to(place).as_posix() for path in place.rglob("*.*"))
    assert left == ["c.csv.part", "done/a.csv", "refused/b.xml"]
    assert len(raised("SETTLEMENT_FILE_REFUSED")) == 1
