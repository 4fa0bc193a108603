"""A file of the start of day is booked once: killed at any step, brought by two at once, applied while venues report."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from accounts.models import Booking, CashBalance, Holding, TradingAccount
from accounts.services.book_executions import book_executions
from accounts.services.deposit import Deposit, deposit
from journal.models import Event
from kernel.errors import Conflict
from kernel.fix import Side
from kernel.ids import new_id
from operations.fsck.money import CHECKS
from reconciliation.locks import taking_in
from reconciliation.models import FeedFile, Intake
from reconciliation.services.begin_intake import begin_intake
from reconciliation.services.receive_file import receive_file
from reconciliation.services.take_in import take_in
from reconciliation.services.take_in_together import take_in_together
from reconciliation.services.work_intake import work_intake
from refdata.models import Instrument
from tests.concurrency.test_crash_points import killed_at
from tests.factories.accounts import AT, DAY, SEED, VOD, booking, funded_account
from tests.integration.accounts.test_statements import D

pytestmark = pytest.mark.django_db(transaction=True)
LATER = AT + timedelta(days=1)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, settings: Any) -> None:
    settings.VAR_DIR = tmp_path


def brought(*rows: str) -> UUID:
    text = "account,currency,amount,as_of\n" + "".join(f"{row},{LATER.date()}\n" for row in rows)
    received = receive_file(actor=SEED, at=LATER, name="c.csv", content=BytesIO(text.encode()), kind="cash", source="B")
    assert received.file_id is not None
    return received.file_id


def settled(code: str = "AC1") -> Any:
    return CashBalance.objects.get(account__code=code, currency="GBP").settled


@pytest.mark.parametrize("point", ["intake.begun", "intake.weighed", "intake.booked"])
def test_killed_at_any_step_it_is_booked_once(point: str) -> None:
    funded_account()
    file_id = brought("AC1,GBP,900")

    killed_at(point, lambda: take_in(actor=SEED, at=LATER, file_id=file_id))
    assert (Intake.objects.get().state, settled()) == ("staged", D(1000))

    assert take_in(actor=SEED, at=LATER, file_id=file_id).state == "applied"
    assert (Intake.objects.get().state, settled()) == ("applied", D(900))
    assert Booking.objects.filter(kind="statement").count() == 1
    assert Event.objects.filter(kind__in=("StatementBooked", "IntakeApplied")).count() == 2


def together(*works: Any) -> list[Any]:
    barrier = Barrier(len(works))

    def one(work: Any) -> Any:
        try:
            barrier.wait()
            return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def test_two_who_take_the_same_file_book_it_once() -> None:
    funded_account()
    file_id = brought("AC1,GBP,900")

    found = together(*[lambda: take_in(actor=SEED, at=LATER, file_id=file_id)] * 3)

    assert {one.state for one in found} <= {"applied", "staged"}
    assert (settled(), Booking.objects.filter(kind="statement").count()) == (D(900), 1)


def test_fills_and_deposits_that_come_while_files_are_applied_are_not_lost() -> None:
    accounts = [funded_account(f"AC{number}") for number in range(6)]
    files = [brought(*[f"AC{number},GBP,{1000 + step}" for number in range(6)]) for step in (1, 2, 3)]

    def fill() -> None:
        for turn in range(15):
            account = accounts[turn % 6]
            book_executions(bookings=[booking(account.id, qty="3", cash="-6", side=Side.BUY)], at=AT)

    def bring_in() -> None:
        for turn in range(15):
            line = Deposit(accounts[turn % 6].id, D(5), currency="GBP")
            deposit(actor=SEED, at=LATER + timedelta(hours=1), business_date=DAY, deposits=[line])

    def load() -> None:
        for file_id in files:
            take_in(actor=SEED, at=LATER, file_id=file_id)

    together(load, fill, bring_in)

    assert take_in(actor=SEED, at=LATER, file_id=files[-1]).state == "applied"
    for number, account in enumerate(accounts):
        turns = len(range(number, 15, 6))
        row = CashBalance.objects.get(account=account, currency="GBP")
        assert (row.settled, row.pending) == (D(1003 + 5 * turns), D(-6 * turns))
        assert Holding.objects.get(account=account, instrument_id=VOD).pending == D(3 * turns)
    found_right("CASH_DIFFERS", "STOCK_DIFFERS", "MONEY_FROM_NOWHERE", "STATEMENT_BOOKED_WRONGLY")


def morning(
    accounts: int, *, day: Any = LATER, named: str = "NEW", source: str = "M", state: str = "active", more: str = ""
) -> list[FeedFile]:
    """Files that open accounts and say what they have; in no order that helps. ``more``: a last row of the holdings."""
    codes = [f"{named}{number}" for number in range(accounts)]
    texts = {
        "holdings": [
            "account,isin,qty",
            *(f"{code},GB0005405286,{number}" for number, code in enumerate(codes, 1)),
            *filter(None, [more]),
        ],
        "cash": ["account,currency,amount", *(f"{code},GBP,{number}.25" for number, code in enumerate(codes, 1))],
        "accounts": [
            "account,client,name,account_group,base_currency,state",
            *(f"{code},C1,Account {code},G1,GBP,{state}" for code in codes),
        ],
    }
    files = []
    for kind, lines in texts.items():
        content = BytesIO("".join(f"{line}\n" for line in lines).encode())
        received = receive_file(actor=SEED, at=day, name=f"{kind}.csv", content=content, kind=kind, source=source)
        assert received.file_id is not None
        files.append(FeedFile.objects.get(pk=received.file_id))
    return files


def test_the_files_of_a_morning_side_by_side_come_to_what_they_do_one_after_the_other() -> None:
    """Cash and holdings of accounts that the same morning opens; and none of them where the accounts do not come."""
    funded_account()
    Instrument.objects.create(id=new_id(), isin="GB0005405286", name="HSBC", asset_class="equity", active=True)
    files = morning(30)
    bad = FeedFile.objects.get(kind="accounts")
    FeedFile.objects.filter(pk=bad.pk).update(state=FeedFile.State.REFUSED)
    with pytest.raises(Conflict, match="refused"):
        take_in_together(actor=SEED, at=LATER, files=files)
    assert {(one.kind, one.state) for one in Intake.objects.all()} == {("cash", "staged"), ("holdings", "staged")}
    assert CashBalance.objects.filter(account__code__startswith="NEW").count() == 0
    FeedFile.objects.filter(pk=bad.pk).update(state=bad.state)

    taken = take_in_together(actor=SEED, at=LATER, files=files)

    assert [(one.kind, one.state, one.changed) for one in taken] == [
        ("accounts", "applied", 30), ("cash", "applied", 30), ("holdings", "applied", 30),
    ]  # fmt: skip
    cash = CashBalance.objects.filter(account__code__startswith="NEW").values_list("account__code", "settled")
    assert dict(cash) == {f"NEW{number}": D(f"{number + 1}.25") for number in range(30)}
    stock = Holding.objects.filter(account__code__startswith="NEW").values_list("account__code", "settled")
    assert dict(stock) == {f"NEW{number}": D(number + 1) for number in range(30)}
    found_right("CASH_DIFFERS", "STOCK_DIFFERS", "MONEY_FROM_NOWHERE", "STATEMENT_BOOKED_WRONGLY")
    again = take_in_together(actor=SEED, at=LATER + timedelta(hours=1), files=files)
    assert [(one.state, one.changed, one.unchanged) for one in again] == [("applied", 0, 30)] * 3


def books_of(named: str) -> list[Any]:
    """Everything that a morning's files came to, without ids: what accounts have, by which bookings, what was booked and told by
    whom. A file that had been applied when the process died is looked at once more and found to change nothing: that is left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT substr(a.code, 2), a.state, a.base_currency, b.kind, b.layer, b.currency, b.instrument_id, b.amount,
                   b.settlement_date, (SELECT count(*) FROM journal_event e WHERE e.id = b.event_id),
                   coalesce(c.settled, h.settled), coalesce(c.pending, h.pending)
              FROM accounts_tradingaccount a LEFT JOIN accounts_booking b ON b.account_id = a.id
              LEFT JOIN accounts_cashbalance c ON c.account_id = a.id AND c.currency = b.currency
              LEFT JOIN accounts_holding h ON h.account_id = a.id AND h.instrument_id = b.instrument_id
             WHERE a.code LIKE %s ORDER BY 1, 4, 6, 7
            """,
            [f"{named}%"],
        )
        rows: list[Any] = cursor.fetchall()
    booked = Intake.objects.filter(file__source=named, changed__gt=0)
    files = list(booked.order_by("kind").values_list("kind", "state", "rows", "changed", "refused"))
    streams = [f"feed:{file_id}" for file_id in FeedFile.objects.filter(source=named).values_list("id", flat=True)]
    told = Event.objects.filter(stream__in=streams).exclude(kind="IntakeApplied")
    return [*rows, *files, *told.order_by("kind").values_list("kind", flat=True)]


def test_a_morning_side_by_side_killed_at_any_step_comes_to_what_it_does_undisturbed() -> None:
    """At every passage of the steps, so in every one of the three sessions, whatever the other two are at."""
    funded_account()
    Instrument.objects.create(id=new_id(), isin="GB0005405286", name="HSBC", asset_class="equity", active=True)
    take_in_together(actor=SEED, at=LATER, files=morning(4, named="U", source="U"))
    undisturbed = books_of("U")
    assert len([row for row in undisturbed if len(row) == 12]) == 8, "cash and stock of four accounts"
    steps = ["intake.begun:2", *(f"intake.{step}:{nth}" for step in ("weighed", "booked") for nth in (1, 2, 3))]
    for named, step in zip("BDEFGHI", steps, strict=True):
        files = morning(4, named=named, source=named)
        killed_at(step, partial(take_in_together, actor=SEED, at=LATER, files=files))
        assert books_of(named) != undisturbed, step
        taken = take_in_together(actor=SEED, at=LATER + timedelta(minutes=1), files=files)
        assert [one.state for one in taken] == ["applied"] * 3, step
        assert books_of(named) == undisturbed, step
    found_right("CASH_DIFFERS", "STOCK_DIFFERS", "MONEY_FROM_NOWHERE", "STATEMENT_BOOKED_WRONGLY")


def first_morning(**how: Any) -> list[FeedFile]:
    """No account has any holding yet: those of the file are made ready before their accounts are there."""
    funded_account()
    Instrument.objects.create(id=new_id(), isin="GB0005405286", name="HSBC", asset_class="equity", active=True)
    assert not Holding.objects.exists()
    return morning(20, **how)


def test_a_first_morning_killed_when_its_holdings_are_half_booked_has_none_of_them() -> None:
    files = first_morning()

    killed_at("intake.promised", lambda: take_in_together(actor=SEED, at=LATER, files=files))
    assert Intake.objects.get(kind="holdings").state == "staged"
    assert (Holding.objects.count(), Booking.objects.filter(currency="").count()) == (0, 0)
    assert TradingAccount.objects.filter(code__startswith="NEW").count() == 20

    taken = take_in_together(actor=SEED, at=LATER, files=files)
    assert {(one.kind, one.state, one.rows) for one in taken} >= {("holdings", "applied", 20)}
    stock = Holding.objects.values_list("account__code", "settled")
    assert dict(stock) == {f"NEW{number}": D(number + 1) for number in range(20)}
    assert Booking.objects.filter(currency="").count() == 20
    found_right("CASH_DIFFERS", "STOCK_DIFFERS", "MONEY_FROM_NOWHERE", "STATEMENT_BOOKED_WRONGLY")


def test_holdings_made_ready_for_accounts_that_come_come_with_them() -> None:
    """And the journal tells of them behind the opening of their accounts."""
    taken = take_in_together(actor=SEED, at=LATER, files=first_morning())

    assert [(one.kind, one.state, one.changed) for one in taken] == [
        ("accounts", "applied", 20), ("cash", "applied", 20), ("holdings", "applied", 20),
    ]  # fmt: skip
    assert Holding.objects.filter(account__code__startswith="NEW").count() == 20
    told = list(
        Event.objects.filter(stream__startswith="feed:").order_by("position").values_list("kind", "payload__what")
    )
    assert told.index(("AccountsLoaded", None)) < told.index(("StatementBooked", "holdings"))
    found_right("CASH_DIFFERS", "STOCK_DIFFERS", "MONEY_FROM_NOWHERE", "STATEMENT_BOOKED_WRONGLY")


@pytest.mark.parametrize(
    ("how", "state", "said"),
    [
        ({"more": "ELSE1,GB0005405286,5"}, "waiting", {"ACCOUNT_UNKNOWN": 1}),
        ({"state": "closed"}, "refused", {"ACCOUNT_CLOSED": 20}),
    ],
)
def test_holdings_made_ready_for_accounts_that_do_not_come_so_are_given_up_and_say_why(
    how: Any, state: str, said: Any
) -> None:
    taken = take_in_together(actor=SEED, at=LATER, files=first_morning(**how))

    holdings = taken[-1]
    assert (holdings.kind, holdings.state) == ("holdings", state)
    assert {one["code"]: one["count"] for one in holdings.issues} == said
    assert (Holding.objects.count(), Booking.objects.filter(currency="").count()) == (0, 0)


def found_right(*codes: str) -> None:
    with connection.cursor() as cursor:
        for check in CHECKS:
            if check.code in codes:
                cursor.execute(check.sql)
                assert cursor.fetchall() == [], check.code


def test_what_was_begun_is_done_by_one_worker_and_by_the_next_when_that_one_dies() -> None:
    funded_account()
    intake = begin_intake(actor=SEED, at=LATER, file_id=brought("AC1,GBP,900"))

    def work() -> Intake | None:
        try:
            return work_intake(intake_id=intake.id, at=LATER)
        finally:
            connection.close()

    with taking_in(intake.id), ThreadPoolExecutor(1) as pool:
        assert pool.submit(work).result() is None
    killed_at("intake.weighed", lambda: work_intake(intake_id=intake.id, at=LATER))
    assert (Intake.objects.get().state, settled()) == ("staged", D(1000))
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(work).result()
    assert done is not None
    assert (done.state, settled(), Booking.objects.filter(kind="statement").count()) == ("applied", D(900), 1)
