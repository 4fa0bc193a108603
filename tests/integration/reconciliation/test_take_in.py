"""Files of the start of day come into the books, wait for a second person, or are refused: cash and holdings."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest

from accounts.models import Booking, CashBalance, Holding
from journal.models import Event
from kernel.errors import Conflict, NotFound
from kernel.ids import new_id
from operations.services.compare_replay import compare_replay
from reconciliation.models import Intake, OutsideName, Tolerance
from reconciliation.selectors.intakes import intake_to_json
from reconciliation.services.list_changes import list_changes
from reconciliation.services.receive_file import receive_file
from reconciliation.services.take_in import take_in
from refdata.models import Instrument
from tests.factories import AT, DeskWorld
from tests.factories.accounts import SEED, funded_account
from tests.factories.busy_day import told_desk

pytestmark = pytest.mark.django_db
D = Decimal
LATER = AT + timedelta(days=1)
TODAY = LATER.date().isoformat()


@pytest.fixture
def world() -> DeskWorld:
    return told_desk(cash="1000", stock="500")


def taken(text: str, *, kind: str = "cash", at: Any = LATER, source: str = "BANK") -> Intake:
    received = receive_file(
        actor=SEED, at=at, name=f"{kind}.csv", content=BytesIO(text.encode()), kind=kind, source=source
    )
    assert received.file_id is not None, received.faults
    return take_in(actor=SEED, at=at, file_id=received.file_id)


def codes(intake: Intake) -> dict[str, int]:
    return {one["code"]: one["count"] for one in intake.issues}


def settled(account: str, currency: str = "GBP") -> Decimal:
    return CashBalance.objects.get(account__code=account, currency=currency).settled


def test_a_clean_file_is_in_the_books_at_once_and_the_same_again_changes_nothing(world: DeskWorld) -> None:
    funded_account("AC2", cash="50")
    text = f"account,currency,amount,as_of\nTOLD-EQ1,GBP,1250.50,{TODAY}\nAC2,GBP,50,{TODAY}\n"

    first = taken(text)

    assert (first.state, first.rows, first.changed, first.unchanged, first.refused) == ("applied", 2, 1, 1, 0)
    assert first.totals["GBP"] == {"before": "1050", "after": "1300.5", "settled_now": "0", "unexplained": "250.5"}
    assert settled("TOLD-EQ1") == D("1250.50")
    assert compare_replay().differing == 0
    bookings = Booking.objects.count()
    again = taken(text, at=LATER + timedelta(hours=1))
    assert (again.state, again.changed, again.unchanged) == ("applied", 0, 2)
    assert Booking.objects.count() == bookings


def test_rows_that_cannot_be_used_are_named_and_the_file_waits(world: DeskWorld) -> None:
    text = (
        "account,currency,amount,as_of\n"
        f"TOLD-EQ1,GBP,900,{TODAY}\n"
        f"NOBODY,GBP,5,{TODAY}\n"
        f"SUSPENSE-EQ1,GBP,5,{TODAY}\n"
        "TOLD-EQ1,EUR,12.34,2026-11-01\n"
        f"TOLD-EQ1,USD,1.001,{TODAY}\n"
        f"TOLD-EQ1,CHF,1,{TODAY}\n"
        f"TOLD-EQ1,CHF,2,{TODAY}\n"
        f"TOLD-EQ1,SEK,abc,{TODAY}\n"
    )

    intake = taken(text)

    assert (intake.state, intake.rows, intake.refused) == ("waiting", 8, 7)
    assert codes(intake) == {
        "NUMBER_INVALID": 1, "ACCOUNT_UNKNOWN": 1, "ACCOUNT_HAS_NO_MONEY": 1, "DAY_DIFFERS": 1, "AMOUNT_TOO_FINE": 1,
        "ROW_TWICE": 2,
    }  # fmt: skip
    assert [one["lines"] for one in intake.issues if one["code"] == "ACCOUNT_UNKNOWN"] == [
        [{"line": 3, "value": "NOBODY"}]
    ]
    assert settled("TOLD-EQ1") == D(1000)
    assert Event.objects.filter(kind="AnomalyRaised", payload__kind="INTAKE_STOPPED").count() == 1


def test_a_newer_file_takes_the_place_of_one_that_waits(world: DeskWorld) -> None:
    waiting = taken(f"account,currency,amount,as_of\nNOBODY,GBP,5,{TODAY}\nTOLD-EQ1,GBP,7,{TODAY}\n")

    newer = taken(f"account,currency,amount,as_of\nTOLD-EQ1,GBP,900,{TODAY}\n")

    waiting.refresh_from_db()
    assert (waiting.state, newer.state, settled("TOLD-EQ1")) == ("superseded", "applied", D(900))
    assert Event.objects.filter(kind="AnomalyCleared", payload__kind="INTAKE_STOPPED").count() == 1


def test_an_older_file_than_the_last_applied_is_refused(world: DeskWorld) -> None:
    taken(f"account,currency,amount,as_of\nTOLD-EQ1,GBP,900,{TODAY}\n", at=LATER + timedelta(days=1))

    older = taken(f"account,currency,amount,as_of\nTOLD-EQ1,GBP,800,{AT.date()}\n", at=LATER + timedelta(days=1))

    assert (older.state, codes(older), settled("TOLD-EQ1")) == ("refused", {"CUT_OLDER": 1}, D(900))


def test_a_change_beyond_the_tolerance_waits(world: DeskWorld) -> None:
    Tolerance.objects.create(
        kind="cash", field="jump", currency="GBP", amount=99, version=1, event_id=new_id(), recorded_at=AT
    )

    assert taken(f"account,currency,amount,as_of\nTOLD-EQ1,GBP,1099,{TODAY}\n").state == "applied"
    jumped = taken(f"account,currency,amount,as_of\nTOLD-EQ1,GBP,1199,{TODAY}\n")

    assert (jumped.state, codes(jumped)) == ("waiting", {"BALANCE_JUMPS": 1})


def test_holdings_by_isin_symbol_and_a_declared_alternate(world: DeskWorld) -> None:
    listing = world.listing
    OutsideName.objects.create(
        source="REGISTRY", what="account", theirs="0042", ours="TOLD-EQ1", version=1, event_id=new_id(), recorded_at=AT
    )
    by_isin = taken(
        f"account,isin,qty,as_of\nTOLD-EQ1,{listing.instrument.isin},600,{TODAY}\n", kind="holdings", source="R1"
    )
    by_symbol = taken(
        f"account,symbol,qty,as_of\n0042,{listing.symbol},700,{TODAY}\n", kind="holdings", source="REGISTRY"
    )

    assert (by_isin.state, by_symbol.state) == ("applied", "applied")
    assert Holding.objects.get(account=world.account, instrument_id=listing.instrument_id).settled == D(700)


def test_a_holding_that_is_not_listed_any_more_is_zero_and_an_account_that_is_gone_is_a_matter(
    world: DeskWorld,
) -> None:
    other = funded_account("AC2", stock="10")
    isin = world.listing.instrument.isin
    assert other.code == "AC2"
    both = f"account,isin,qty,as_of\nTOLD-EQ1,{isin},500,{TODAY}\nAC2,{isin},10,{TODAY}\n"
    assert taken(both, kind="holdings").state == "applied"
    second = "GB0000000009"
    assert second != isin

    gone = taken(
        f"account,isin,qty,as_of\nTOLD-EQ1,{isin},500,{TODAY}\n", kind="holdings", at=LATER + timedelta(hours=1)
    )

    assert (gone.state, codes(gone)) == ("waiting", {"ACCOUNT_GONE": 1})
    assert gone.issues[0]["lines"] == [{"line": 0, "value": "AC2"}]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("account,currency\nTOLD-EQ1,GBP\n", "FILE_COLUMNS_MISSING"),
        ("", "FILE_EMPTY"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_when_it_comes(world: DeskWorld, text: str, code: str) -> None:
    received = receive_file(
        actor=SEED, at=LATER, name="x.csv", content=BytesIO(text.encode()), kind="cash", source="BANK"
    )

    assert not received.taken
    with pytest.raises(Conflict) as caught:
        take_in(actor=SEED, at=LATER, file_id=received.file_id or new_id())
    assert caught.value.code == "FILE_REFUSED"
    assert received.faults[0].evidence == {"reader": code}


def test_nobody_takes_in_what_is_not_there(world: DeskWorld) -> None:
    with pytest.raises(NotFound):
        take_in(actor=SEED, at=LATER, file_id=new_id())


def test_less_than_orders_hold_is_told_and_blocks(world: DeskWorld) -> None:
    CashBalance.objects.filter(account=world.account, currency="GBP").update(reserved=400)
    intake = taken(f"account,currency,amount,as_of\nTOLD-EQ1,GBP,300,{TODAY}\n")

    assert (intake.state, codes(intake)) == ("applied", {"BELOW_HELD": 1})
    assert CashBalance.objects.get(account=world.account, currency="GBP").overdrawn_by_event is not None


def since(intake: Intake) -> dict[str, Any]:
    return {word: intake.since.get(word) for word in ("new", "changed", "gone", "same")}


def test_the_difference_to_the_file_before_is_told_row_by_row(world: DeskWorld) -> None:
    for code in ("AC2", "AC3", "AC4"):
        funded_account(code, cash="50")
    first = taken(f"account,currency,amount,as_of\nTOLD-EQ1,GBP,900,{TODAY}\nAC2,GBP,50,{TODAY}\nAC3,GBP,7.5,{TODAY}\n")
    text = "account,currency,amount\nTOLD-EQ1,GBP,900.00\nAC4,GBP,1\nAC3,GBP,7\nNOBODY,GBP,1\n"
    second = taken(text, at=LATER + timedelta(hours=1))
    assert (first.since, second.state) == ({}, "waiting")
    assert since(second) == {"new": 2, "changed": 1, "gone": 1, "same": 1}
    assert (second.since["file"], second.since["file_id"], second.since["day"]) == (
        "cash.csv",
        str(first.file_id),
        TODAY,
    )
    assert second.since["rows"] == [
        ["gone", None, 3, "AC2 GBP", "50", None], ["new", 3, None, "AC4 GBP", None, "1"],
        ["new", 5, None, "NOBODY GBP", None, "1"], ["changed", 4, 4, "AC3 GBP", "7.5", "7"],
    ]  # fmt: skip
    assert [(one.word, one.named) for one in list_changes(second)] == [(row[0], row[3]) for row in second.since["rows"]]
    assert intake_to_json(second)["since_last"]["rows"][3]["was"] == "7.5"
    again = taken(first_text(), at=LATER + timedelta(hours=2), source="OTHER")
    assert (again.since, list_changes(again), intake_to_json(again)["since_last"]) == ({}, [], None)


def first_text() -> str:
    return f"account,currency,amount,as_of\nAC2,GBP,50,{TODAY}\n"


def test_rows_that_are_there_twice_and_other_columns_do_not_confuse_it(world: DeskWorld) -> None:
    isin = world.listing.instrument.isin
    taken(f"account,isin,qty,as_of\nTOLD-EQ1,{isin},500,{TODAY}\n", kind="holdings")
    text = f"account,symbol,isin,qty,as_of\nTOLD-EQ1,,{isin},400,{TODAY}\nTOLD-EQ1,,{isin},300,{TODAY}\n"
    second = taken(text, kind="holdings", at=LATER + timedelta(hours=1))
    assert since(second) == {"new": 0, "changed": 1, "gone": 0, "same": 1}
    assert second.since["rows"] == [["changed", 2, 2, f"TOLD-EQ1 {isin}", "500", "400"]]


def lines_of(intake: Intake) -> dict[str, list[Any]]:
    return {one["code"]: [line["line"] for line in one["lines"]] for one in intake.issues}


def test_a_balance_that_is_said_twice_is_found_whatever_the_books_have(world: DeskWorld) -> None:
    """Not only where it changes: one that stays, one we do not have yet, one that is nothing and something at once."""
    account = funded_account("AC2", cash="50")
    for rows, lines in (
        (["AC2,GBP,50", "TOLD-EQ1,GBP,1000", "AC2,GBP,50"], [2, 4]),
        (["AC2,EUR,5", "AC2,GBP,50", "AC2,EUR,5"], [2, 4]),
        (["AC2,EUR,0", "AC2,GBP,50", "AC2,EUR,5"], [2, 4]),
        (["AC2,EUR,0", "AC2,EUR,0", "AC2,GBP,50"], [2, 3]),
    ):
        twice = taken("account,currency,amount\n" + "".join(f"{row}\n" for row in rows))
        assert (twice.state, codes(twice), lines_of(twice)) == ("waiting", {"ROW_TWICE": 2}, {"ROW_TWICE": lines}), rows
    idle = taken("account,currency,amount\nAC2,EUR,0\nAC2,GBP,60\nTOLD-EQ1,GBP,-3\n")
    assert (idle.state, idle.changed, idle.unchanged, lines_of(idle)) == (
        "applied",
        2,
        1,
        {"CASH_NEGATIVE": [4], "BELOW_HELD": [4]},
    )
    assert set(idle.totals) == {"GBP", "EUR"}
    assert not Booking.objects.filter(account_id=account.id, currency="EUR").exists()


@pytest.mark.parametrize("quote", ["", '"'])
def test_what_the_next_day_does_not_list_is_nothing_though_its_row_was_of_the_day_before(
    world: DeskWorld, quote: str
) -> None:
    """Both ways to the file before come to the same: by the lines that differ, and whole where a line is quoted."""
    isin, other = world.listing.instrument.isin, "GB0005405286"
    sold = Instrument.objects.create(id=new_id(), isin=other, name="Other", asset_class="equity", active=True)
    for code in ("AC2", "AC3"):
        funded_account(code)
    rows = [f"TOLD-EQ1,{isin},500", f"TOLD-EQ1,{other},40", f"AC2,{isin},10", f"AC3,{isin},10"]

    def said(day: Any) -> Intake:
        lines = [f"{quote}{row.split(',')[0]}{quote},{row.partition(',')[2]},{day.date()}\n" for row in rows]
        return taken("account,isin,qty,as_of\n" + "".join(lines), kind="holdings", at=day)

    assert said(LATER).state == "applied"
    rows[1:3] = [f"AC2,{isin},11"]
    second = said(LATER + timedelta(days=1))

    assert (second.state, codes(second), since(second)) == (
        "applied", {"BALANCE_GONE": 1}, {"new": 0, "changed": 1, "gone": 1, "same": 2},
    )  # fmt: skip
    assert second.since["rows"] == [
        ["gone", None, 3, f"TOLD-EQ1 {other}", "40", None], ["changed", 3, 4, f"AC2 {isin}", "10", "11"],
    ]  # fmt: skip
    assert [(one.word, one.named) for one in list_changes(second)] == [(row[0], row[3]) for row in second.since["rows"]]
    assert Holding.objects.get(account=world.account, instrument_id=sold.id).settled == 0
    rows.append(rows[-1])
    third = said(LATER + timedelta(days=2))
    assert (third.state, codes(third), since(third)) == (
        "waiting", {"ROW_TWICE": 2}, {"new": 0, "changed": 0, "gone": 0, "same": 4},
    )  # fmt: skip
