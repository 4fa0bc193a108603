"""Repairs: two people, evidence, the facts of now, and never a trade that nobody reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Booking, CashBalance
from authorisation.models import AuthorisationRequest
from journal.models import Event
from kernel.errors import Invalid, NotFound, NotPermitted, OmsError
from kernel.ids import new_id
from orders.models import Execution, FiledReport, Order
from orders.services.replay_orders import replay_orders
from reconciliation.domain import transitions as moves
from reconciliation.domain.findings import Category, Finding
from reconciliation.models import Break, OutsideName
from reconciliation.selectors.repairs import ways_of
from reconciliation.services._decided import without_decided
from reconciliation.services.match_by_hand import match_by_hand
from reconciliation.services.reopen_accepted import reopen_accepted
from reconciliation.services.settle_policies import settle_policies
from risk.models import Block
from tests.factories import AT, make_principal
from tests.factories.breaks import Repairing, make_break, make_run, their_fill
from tests.factories.dealing import prove_money
from tests.factories.trading import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def house() -> Repairing:
    return Repairing(Desk())


def missing_fill(house: Repairing, order: Order | None = None, **said: Any) -> tuple[Order, Break]:
    order = order or house.working()
    return order, make_break(order, theirs=their_fill(order, **said))


def cash_break(house: Repairing, ours: str, theirs: str, *, currency: str = "GBP") -> Break:
    account = house.desk.world.account
    return make_break(
        run=make_run("cash", source="BANK"), category="quantity", account_id=account.id,
        ids={"account": account.code, "currency": currency}, exposure_currency=currency,
        theirs={"amount": theirs, "currency": currency, "raw": "x", "file": "bank.csv", "line": 3, "sha256": "cd" * 32},
        differences=[{"field": "amount", "ours": ours, "theirs": theirs, "difference": ""}],
    )  # fmt: skip


def refused(code: str) -> Any:
    return pytest.raises(OmsError, check=lambda error: error.code == code)


def test_a_reported_execution_is_booked_names_its_line_and_closes_the_break(house: Repairing) -> None:
    order, item = missing_fill(house)
    settle_policies(at=AT)
    asked = house.ask(item, "book_execution")
    assert not Execution.objects.exists()
    assert house.decide(asked).outcome == "applied"
    trade, filed = Execution.objects.get(), FiledReport.objects.get()
    assert (trade.exec_id, trade.effective_qty, trade.effective_px) == ("X900", Decimal(100), Decimal("72.5"))
    assert (filed.identity, filed.file, filed.line, filed.request_id) == (
        trade.identity, "fills.csv", 2, asked.authorisation_id,
    )  # fmt: skip
    order.refresh_from_db()
    item.refresh_from_db()
    assert (order.cum_qty, order.ord_status, order.leaves_qty) == (Decimal(100), "1", Decimal(900))
    assert (item.state, item.closed_as, item.request_id) == ("closed", "repaired", asked.authorisation_id)
    assert not Block.objects.filter(source__startswith="break:", lifted_at=None).exists()
    prove_money()
    assert replay_orders(order_ids=[order.id]).differences == []


def test_the_same_execution_over_the_session_later_counts_once(house: Repairing) -> None:
    order, item = missing_fill(house)
    house.mend(item, "book_execution")
    house.desk.say(order, "F", "1", exec_id="X900", t38=1000, t32=100, t31="72.5", t14=100, t151=900)
    order.refresh_from_db()
    assert (order.cum_qty, Execution.objects.count()) == (Decimal(100), 1)
    filed = FiledReport.objects.get()
    assert (filed.heard_as != "", filed.heard_in is not None) == (True, True)
    # The venue's next execution under the same ExecID is one of its own.
    house.desk.say(order, "F", "1", exec_id="X900", t38=1000, t32=100, t31="72.5", t14=200, t151=800)
    order.refresh_from_db()
    assert (order.cum_qty, Execution.objects.count()) == (Decimal(200), 2)
    prove_money()


def test_what_the_session_says_otherwise_is_counted_too_and_told(house: Repairing) -> None:
    order, item = missing_fill(house)
    house.mend(item, "book_execution")
    house.desk.say(order, "F", "1", exec_id="X900", t38=1000, t32=100, t31="72.49", t14=100, t151=900)
    order.refresh_from_db()
    assert (order.cum_qty, Execution.objects.count()) == (Decimal(200), 2)
    told = Event.objects.get(kind="AnomalyRaised", payload__kind="FILED_EXECUTION_DIFFERS")
    assert "100 at 72.5; its session now says 100 at 72.49" in told.payload["sentence"]


def test_a_bust_of_a_file_takes_a_trade_back_and_the_order_ends_as_the_venue_later_says(house: Repairing) -> None:
    order = house.working()
    house.desk.say(order, "F", "1", exec_id="T1", t38=1000, t32=300, t31="72.5", t14=300, t151=700)
    order.refresh_from_db()
    _, item = missing_fill(house, order, exec_id="B1", exec_ref_id="T1", exec_type="bust", last_qty="300")
    assert house.mend(item, "book_execution").outcome == "applied"
    order.refresh_from_db()
    assert (order.cum_qty, Execution.objects.get().effective_qty) == (Decimal(0), Decimal(0))
    house.desk.say(order, "4", "4", t38=1000, t14=0, t151=0)
    order.refresh_from_db()
    assert (order.ord_status, order.is_open) == ("4", False)
    prove_money()


def test_the_execution_that_came_meanwhile_is_not_booked_and_the_break_stays(house: Repairing) -> None:
    order, item = missing_fill(house)
    asked = house.ask(item, "book_execution")
    house.desk.say(order, "F", "1", exec_id="X900", t38=1000, t32=100, t31="72.5", t14=100, t151=900)
    decided = house.decide(asked)
    item.refresh_from_db()
    assert (decided.outcome, item.state, FiledReport.objects.count()) == ("not_applied", "open", 0)
    assert Execution.objects.count() == 1


def test_a_break_that_closed_meanwhile_is_not_mended(house: Repairing) -> None:
    _, item = missing_fill(house)
    asked = house.ask(item, "book_execution")
    item.close()
    item.closed_as, item.closed_at = "agreed", AT
    item.save()
    assert (house.decide(asked).outcome, Execution.objects.count()) == ("not_applied", 0)


def test_a_record_that_says_something_else_by_now_is_not_booked(house: Repairing) -> None:
    order, item = missing_fill(house)
    asked = house.ask(item, "book_execution")
    Break.objects.filter(id=item.id).update(theirs=their_fill(order, last_px="72.60", line=9))
    assert (house.decide(asked).outcome, Execution.objects.count()) == ("not_applied", 0)
    Break.objects.filter(id=item.id).update(theirs=their_fill(order, line=9))  # the same record in a later file
    assert house.mend(item, "book_execution").outcome == "applied"


def test_declined_nothing_is_changed(house: Repairing) -> None:
    _, item = missing_fill(house)
    assert house.decide(house.ask(item, "book_execution"), "decline").outcome == "declined"
    item.refresh_from_db()
    assert (item.state, Execution.objects.count(), FiledReport.objects.count()) == ("open", 0, 0)


def test_nobody_decides_on_an_own_request_or_without_the_right(house: Repairing) -> None:
    _, item = missing_fill(house)
    asked = house.ask(item, "book_execution")
    both = replace(house.maker, rights=frozenset({"work_break", "decide_break"}))
    with refused("SELF_APPROVAL"):
        house.decide(asked, actor=both)
    with pytest.raises(NotPermitted):
        house.decide(asked, actor=replace(house.checker, rights=frozenset({"work_break"})))
    assert (Execution.objects.count(), AuthorisationRequest.objects.get().state) == (0, "pending")


def test_who_may_not_work_on_breaks_or_does_not_see_one_asks_nothing(house: Repairing) -> None:
    _, item = missing_fill(house)
    house.maker = replace(house.maker, rights=frozenset())
    with refused("RIGHT_MISSING"):
        house.ask(item, "book_execution")
    house.maker = replace(
        make_principal("far", role="far", rights=(), desks=(), groups=()), rights=frozenset({"work_break"})
    )
    with pytest.raises(NotFound):
        house.ask(item, "book_execution")
    assert AuthorisationRequest.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"exec_id": ""}, "REPAIR_IMPOSSIBLE"),
        ({"sha256": ""}, "REPAIR_IMPOSSIBLE"),
        ({"cl_ord_id": "NOBODY", "venue_order_id": "NOBODY"}, "FILED_NOT_OF_ORDER"),
        ({"side": "sell"}, "FILED_NOT_OF_ORDER"),
        ({"last_qty": "0"}, "FILED_UNREADABLE"),
        ({"last_qty": "many"}, "FILED_UNREADABLE"),
        ({"transact_time": "2026-11-20T10:00:00"}, "FILED_UNREADABLE"),
        ({"exec_type": "bust"}, "FILED_WITHOUT_ID"),
        ({"exec_type": "wish"}, "FILED_UNREADABLE"),
    ],
)
def test_what_nobody_reported_or_nobody_can_read_is_not_even_asked(
    house: Repairing, changes: dict[str, Any], code: str
) -> None:
    _, item = missing_fill(house, **changes)
    with refused(code):
        house.ask(item, "book_execution")
    assert AuthorisationRequest.objects.count() == 0


def test_one_request_a_break_and_one_answer_a_key(house: Repairing) -> None:
    _, item = missing_fill(house)
    first = house.ask(item, "book_execution", key="once")
    again = house.ask(item, "book_execution", key="once")
    assert (again.authorisation_id, again.replayed) == (first.authorisation_id, True)
    with refused("REPAIR_PENDING"):
        house.ask(item, "accept_timing", until=AT.date())
    assert {way.why_not for way in ways_of(house.maker, item)} == {
        f"A request waits for a second person: {AuthorisationRequest.objects.get().summary}"
    }


def test_the_database_takes_no_report_of_a_file_and_no_repair_without_the_request(house: Repairing) -> None:
    order, item = missing_fill(house)
    values = {"order": order, "source": "T1", "file": "f", "sha256": "a", "line": 1, "raw": "r", "filed_at": AT}
    with pytest.raises(IntegrityError, match="needs an approved request"), transaction.atomic():
        FiledReport.objects.create(id=new_id(), identity="~file|X|trade", request_id=new_id(), **values)
    for change in ({"state": "accepted"}, {"state": "closed", "closed_as": "repaired", "closed_at": AT}):
        with pytest.raises(IntegrityError, match="by an approved request about it"), transaction.atomic():
            Break.objects.filter(id=item.id).update(request_id=new_id(), **change)
    house.mend(item, "book_execution")
    trade = Execution.objects.get()
    with pytest.raises(IntegrityError, match="names the file and its line"), transaction.atomic():
        Execution.objects.create(
            **{
                field.attname: getattr(trade, field.attname)
                for field in Execution._meta.concrete_fields
                if field.attname not in ("id", "identity")
            },
            id=new_id(), identity="~file|X901|trade",
        )  # fmt: skip
    with pytest.raises(IntegrityError, match="keeps what it said"), transaction.atomic():
        FiledReport.objects.update(line=7)


def over(house: Repairing, order: Order, status: str, cum_qty: str = "0") -> Break:
    record = {
        "cl_ord_id": order.cl_ord_id, "venue_order_id": order.venue_order_id, "ord_status": status, "order_qty": "1000",
        "cum_qty": cum_qty, "raw": "r", "file": "open.csv", "line": 4, "sha256": "ef" * 32,
    }  # fmt: skip
    return make_break(order, run=make_run("orders"), category="status", theirs=record)


@pytest.mark.parametrize(("said", "status"), [("canceled", "4"), ("expired", "C")])
def test_the_venues_state_is_taken_over_and_its_later_word_outweighs_it(
    house: Repairing, said: str, status: str
) -> None:
    order = house.working()
    item = over(house, order, said)
    assert house.mend(item, "accept_state").outcome == "applied"
    order.refresh_from_db()
    assert (order.ord_status, order.is_open, order.leaves_qty) == (status, False, Decimal(0))
    house.desk.say(order, "F", "1", exec_id="T9", t38=1000, t32=100, t31="72.5", t14=100, t151=900)
    order.refresh_from_db()
    assert (order.cum_qty, order.is_open) == (Decimal(100), False)
    prove_money()


@pytest.mark.parametrize(
    ("said", "cum_qty", "code"),
    [("new", "0", "REPAIR_IMPOSSIBLE"), ("filled", "1000", "REPAIR_IMPOSSIBLE"), ("canceled", "100", "FILED_FILLS_MISSING"),
     ("canceled", "", "FILED_FILLS_MISSING")],
)  # fmt: skip
def test_a_state_makes_no_fill_and_opens_nothing(house: Repairing, said: str, cum_qty: str, code: str) -> None:
    order = house.working()
    item = over(house, order, said, cum_qty)
    with refused(code):
        house.ask(item, "accept_state")
    order.refresh_from_db()
    assert (order.is_open, order.cum_qty) == (True, Decimal(0))


@pytest.mark.parametrize(("ours", "theirs"), [("100", "75.01"), ("100", "75"), ("75", "100")])
def test_inside_and_at_the_mark_money_is_written_off_to_the_error_account(
    house: Repairing, ours: str, theirs: str
) -> None:
    item = cash_break(house, ours, theirs)
    account = house.desk.world.account
    before = CashBalance.objects.get(account=account, currency="GBP").settled
    assert house.mend(item, "write_off").outcome == "applied"
    amount = Decimal(theirs) - Decimal(ours)
    assert CashBalance.objects.get(account=account, currency="GBP").settled == before + amount
    booked = sorted(Booking.objects.filter(kind="write_off").values_list("amount", flat=True))
    assert booked == sorted([amount, -amount])
    item.refresh_from_db()
    assert (item.closed_as, Event.objects.filter(kind="WriteOffBooked").count()) == ("written_off", 2)
    prove_money()


@pytest.mark.parametrize(("theirs", "currency"), [("74.99", "GBP"), ("125.01", "GBP"), ("99", "JPY")])
def test_above_the_mark_or_without_one_nobody_writes_it_off(house: Repairing, theirs: str, currency: str) -> None:
    item = cash_break(house, "100", theirs, currency=currency)
    with refused("WRITE_OFF_ABOVE_LIMIT"):
        house.ask(item, "write_off")
    assert not AuthorisationRequest.objects.exists()


def test_a_difference_that_moved_or_is_not_covered_is_not_written_off(house: Repairing) -> None:
    item = cash_break(house, "100", "90")
    asked = house.ask(item, "write_off")
    Break.objects.filter(id=item.id).update(
        differences=[{"field": "amount", "ours": "100", "theirs": "89", "difference": ""}]
    )
    assert house.decide(asked).outcome == "not_applied"
    Break.objects.filter(id=item.id).update(differences=item.differences)
    CashBalance.objects.filter(account=house.desk.world.account).update(reserved=200_000)
    decided = house.mend(item, "write_off")
    assert (decided.outcome, "less than 10 GBP" in decided.sentence) == ("not_applied", True)
    assert not Booking.objects.filter(kind="write_off").exists()


def test_units_are_never_written_off(house: Repairing) -> None:
    _, item = missing_fill(house)
    with refused("REPAIR_IMPOSSIBLE"):
        house.ask(item, "write_off")


def test_a_name_is_declared_and_the_break_waits_for_the_facts(house: Repairing) -> None:
    _, item = missing_fill(house)
    with pytest.raises(Invalid):
        house.ask(item, "correct_mapping", what="execution", theirs="X999", ours="T1")
    assert house.mend(item, "correct_mapping", what="execution", theirs="X900", ours="T1").outcome == "applied"
    item.refresh_from_db()
    name = OutsideName.objects.get()
    assert (name.theirs, name.ours, name.version, item.state) == ("X900", "T1", 1, "open")


def test_accepted_until_a_day_it_is_open_again_after_it(house: Repairing) -> None:
    _, item = missing_fill(house)
    settle_policies(at=AT)
    for until in (None, AT.date() - timedelta(days=1), AT.date() + timedelta(days=32)):
        with pytest.raises(Invalid):
            house.ask(item, "accept_timing", until=until)
    until = AT.date() + timedelta(days=1)
    assert house.mend(item, "accept_timing", until=until).outcome == "applied"
    item.refresh_from_db()
    assert (item.state, item.accepted_until, item.effect) == (moves.ACCEPTED, until, "")
    assert reopen_accepted(at=AT + timedelta(days=1)) == 0
    assert (reopen_accepted(at=AT + timedelta(days=2)), reopen_accepted(at=AT + timedelta(days=2))) == (1, 0)
    settle_policies(at=AT + timedelta(days=2))
    item.refresh_from_db()
    assert (item.state, item.effect) == (moves.OPEN, "block_instrument")


def sides(house: Repairing, theirs: str, *ours: str, px: str = "72.5") -> list[Break]:
    """One line of theirs and several of ours, of one account and instrument."""
    order, run = house.working(), make_run()
    found = [make_break(order, run=run, theirs=their_fill(order, last_qty=theirs, last_px="72.5"))]
    for number, qty in enumerate(ours):
        record = {"exec_id": f"T{number}", "last_qty": qty, "last_px": px, "side": order.side}
        found.append(make_break(order, run=run, category="missing_external", ours=record))
    return found


def matched(house: Repairing, items: list[Break], *, reason: str = "Average price line", key: str = "m") -> Any:
    return match_by_hand(
        actor=house.maker,
        at=AT,
        idempotency_key=key,
        route="match",
        break_ids=[item.id for item in items],
        reason=reason,
    )


def test_one_to_many_that_add_up_are_matched_by_one_person_with_a_reason(house: Repairing) -> None:
    items = sides(house, "300", "100", "200")
    with pytest.raises(Invalid):
        matched(house, items, reason=" ")
    done = matched(house, items)
    assert (done.authorisation_id, matched(house, items).replayed) == (None, True)
    for item in items:
        item.refresh_from_db()
        assert (item.closed_as, "Average price line" in item.closing_sentence) == ("matched", True)
    assert not AuthorisationRequest.objects.exists()


def test_a_match_beyond_the_tolerance_needs_a_second_person(house: Repairing) -> None:
    items = sides(house, "300", "100", "200", px="72.49")
    asked = matched(house, items)
    assert asked.authorisation_id is not None
    assert {item.state for item in Break.objects.all()} == {"open"}
    assert house.decide(asked).outcome == "applied"
    assert set(Break.objects.values_list("state", "closed_as")) == {("closed", "matched")}


def test_net_agreement_alone_matches_nothing(house: Repairing) -> None:
    items = sides(house, "300", "300")
    with refused("MATCH_ONE_SIDED"):
        matched(house, items[:1])
    Break.objects.filter(id=items[1].id).update(instrument_id=new_id())
    with refused("MATCH_KEYS_DIFFER"):
        matched(house, items)
    assert {item.state for item in Break.objects.all()} == {"open"}


def test_every_way_says_why_it_is_none(house: Repairing) -> None:
    _, item = missing_fill(house)
    ways = {way.repair.value: way.why_not for way in ways_of(house.maker, item)}
    assert {name for name, why in ways.items() if not why} == {
        "book_execution", "correct_mapping", "match_by_hand", "accept_timing",
    }  # fmt: skip
    assert ways["write_off"] == "Nobody can tell whose money it is, or in which currency."
    barred = {way.why_not for way in ways_of(house.checker, item)}
    assert barred == {"Your role may not work on reconciliation."}


def test_what_was_matched_is_not_found_anew_until_a_record_says_something_else(house: Repairing) -> None:
    items = sides(house, "300", "100", "200")
    matched(house, items)

    def found(item: Break, **changes: Any) -> Finding:
        theirs = {**item.theirs, **changes}
        return Finding(Category(item.category), item.ids, (), item.why, ours=item.ours, theirs=theirs)

    again = {item.key: found(item) for item in items} | {"new": found(items[0])}
    assert set(without_decided(again)) == {"new"}
    later = {items[0].key: found(items[0], line=7, sha256="0" * 64, raw="x")}
    assert without_decided(later) == {}
    assert set(without_decided({items[0].key: found(items[0], last_qty="301")})) == {items[0].key}
