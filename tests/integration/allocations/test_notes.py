"""Contract notes: an account's trades on one live note, numbers without gaps, another in its place when they change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from allocations.domain.note_regimes import MUST_SAY, UK, missing
from allocations.domain.noting import QUIET
from allocations.models import Allocation, ContractNote, NoteSeries
from allocations.permissions import WORK_POST_TRADE
from allocations.printing.kept import pdf_of_note
from allocations.services.deliver_notes import deliver_notes
from allocations.services.issue_due_notes import issue_due_notes
from allocations.services.issue_note import issue_note
from allocations.services.issue_notes import issue_notes
from allocations.services.reissue_note import reissue_note
from authorisation.domain.principal import process_principal
from journal.models import Event
from kernel.canonical import sha256
from kernel.errors import Conflict, Invalid, InvariantBroken, NotFound, NotPermitted, Refused
from refdata.models import Market
from tests.factories import AT, DeskWorld, make_account, make_desk, make_principal
from tests.factories.allocations import DAY, booked_block
from tests.factories.noted import (
    CLOSED,
    NotedHouse,
    booked_again,
    listen_to_allocations,
    make_noted_house,
    undone_block,
)

pytestmark = pytest.mark.django_db
PROCESS = process_principal("test")
D = Decimal


@pytest.fixture
def house() -> NotedHouse:
    return make_noted_house(make_desk(cash="1000000"))


def worker(world: DeskWorld, name: str = "o.one", **values: Any) -> Any:
    return make_principal(
        name, role="operations", rights=(WORK_POST_TRADE,), desks=(world.desk,), groups=(world.group,), **values
    )


def live() -> list[ContractNote]:
    return list(ContractNote.objects.filter(state="issued").order_by("number"))


def raised(kind: str) -> list[str]:
    rows = Event.objects.filter(kind="AnomalyRaised", payload__kind=kind).order_by("position")
    return [row.payload["sentence"] for row in rows]


def test_a_day_s_trades_of_an_account_are_one_note_that_says_all_it_must(house: NotedHouse) -> None:
    other = make_account("ACC-2", group=house.world.group)
    house.direct(fees="12.5")
    house.behind(booked_block(house.world, [(house.world.account, 600), (other, 401)], px="72.453"))

    assert issue_due_notes(at=CLOSED - timedelta(seconds=1)) == 0
    assert issue_due_notes(at=CLOSED) == 2
    assert issue_due_notes(at=CLOSED) == 0

    notes = {note.account.code: note for note in live()}
    facts = notes["ACC-EQ1"].facts
    assert missing(UK, facts) == ()
    assert sorted(note.ref for note in notes.values()) == ["UK-000001", "UK-000002"]
    assert [trade["ref"] for trade in facts["trades"]] == ["A-1000", "A-500000"]
    direct, share = facts["trades"][1], facts["trades"][0]
    assert (direct["qty"], direct["price"], direct["gross"], direct["fees"], direct["net"]) == (
        "1000",
        "72.45",
        "724.5",
        "12.5",
        "737",
    )
    assert (direct["side"], direct["net_label"], direct["order_type"]) == ("BOUGHT", "You pay", "Limit")
    assert [line["qty"] for line in direct["executions"]] == ["400", "600"]
    assert share["executions"] == []
    assert "of block B-1, which was executed for several accounts together" in share["average"]
    assert direct["time"] == "10:02:00 to 10:03:00 GMT"
    assert direct["settlement"] == "GBP 737.00 is due from you on 24 November 2026, against receipt of 1,000 units."
    assert facts["totals"] == [
        {"currency": "GBP", "places": 2, "trades": 2, "fees": "12.5", "net": "1171.72", "net_label": "You pay"}
    ]
    assert notes["ACC-EQ1"].due_at == datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
    # The wash account and the account that takes what rounding leaves are the firm's own.
    assert Allocation.objects.filter(is_rounding=True).count() == 1
    assert set(notes) == {"ACC-EQ1", "ACC-2"}
    events = list(Event.objects.filter(kind="NoteIssued").order_by("seq"))
    assert [event.stream for event in events] == ["notes:UK"] * 2
    assert events[0].payload["pdf_sha256"] == bytes(live()[0].pdf_sha256).hex()


def test_what_changes_afterwards_puts_another_note_in_its_place(house: NotedHouse) -> None:
    world = house.world
    other = make_account("ACC-2", group=world.group)
    made = house.behind(booked_block(world, [(world.account, 600), (other, 400)]))
    issue_due_notes(at=CLOSED)
    later = CLOSED + timedelta(hours=1)

    again = booked_again(made, [(world.account, 1000)], at=later)
    listen_to_allocations(later)
    assert ContractNote.objects.filter(stale_at__isnull=False).count() == 2
    assert issue_due_notes(at=later) == 0, "what moves by the minute is told once it stands"
    assert issue_due_notes(at=later + QUIET) == 2
    assert issue_due_notes(at=later + QUIET) == 0

    first, second = ContractNote.objects.filter(account=world.account).order_by("number")
    assert (first.state, second.replaces, second.state) == ("canceled", first, "issued")
    assert (
        second.facts["statement"]
        == f"This note cancels and replaces note {first.ref}. Please put this one in its place."
    )
    assert [trade["qty"] for trade in second.facts["trades"]] == ["1000"]
    gone, word = ContractNote.objects.filter(account=other).order_by("number")
    assert (gone.state, word.cancels, word.state) == ("canceled", gone, "issued")
    assert word.facts["title"] == "Cancellation of contract note"
    assert word.facts["trades"][0]["side"] == "CANCELED: BOUGHT"
    assert "Nothing is due" in word.facts["trades"][0]["settlement"]
    assert sorted(ContractNote.objects.values_list("number", flat=True)) == [1, 2, 3, 4]
    assert NoteSeries.objects.get(pk="UK").last_number == 4

    # Undone altogether, then a late trade: the account has no live note, and gets a first one again.
    undone_block(again, at=later)
    listen_to_allocations(later)
    issue_due_notes(at=later + QUIET)
    assert [note.cancels is not None for note in live()] == [True, True]
    house.direct(at=later)
    issue_due_notes(at=later + QUIET)
    assert live()[-1].replaces is None
    house.direct(501, at=later)
    issue_due_notes(at=later + QUIET)
    assert live()[-1].replaces == ContractNote.objects.get(number=6)
    assert len(live()[-1].facts["trades"]) == 2


def test_a_trade_that_is_booked_weeks_after_its_day_gets_its_note(house: NotedHouse) -> None:
    """A late trade, or a block that was divided late: late as it is, the client is told, and so is whoever must answer for it."""
    late = CLOSED + timedelta(days=40)
    house.direct(at=late)
    assert (issue_due_notes(at=late), issue_due_notes(at=late + QUIET)) == (0, 1)
    assert (live()[0].trade_date, issue_due_notes(at=late + QUIET)) == (DAY, 0)


def test_a_note_waits_for_open_blocks_but_not_beyond_its_last_hours(house: NotedHouse) -> None:
    made = house.direct()
    other = booked_block(house.world, [(make_account("ACC-2", group=house.world.group), 10)])
    type(other.block).objects.filter(pk=other.block.pk).update(state="changed")

    assert issue_due_notes(at=CLOSED) == 0
    last_call = datetime(2026, 11, 23, 21, 59, tzinfo=UTC)
    assert issue_due_notes(at=last_call - timedelta(seconds=1)) == 0
    assert issue_due_notes(at=last_call) == 1
    assert live()[0].account_id == made.lines[0].account_id
    # The other's trade has no execution behind it: nobody knows its time or kind of order.
    assert raised("NOTE_INCOMPLETE") == [
        "The note of ACC-2 for 2026-11-20 on XLON cannot be issued: it lacks trading time 4, type of the order 5."
    ]
    issue_due_notes(at=last_call + timedelta(hours=3))
    assert raised("NOTE_LATE") == [
        "1 accounts have trades of 2026-11-20 on XLON and no contract note, and its deadline has passed."
    ]
    house.behind(other)
    issue_due_notes(at=last_call + timedelta(hours=4))
    issue_due_notes(at=last_call + timedelta(hours=4))
    cleared = Event.objects.filter(kind="AnomalyCleared").values_list("payload__kind", flat=True)
    assert sorted(cleared) == ["NOTE_INCOMPLETE", "NOTE_LATE"]


def test_a_market_without_rules_and_a_firm_without_a_name_issue_nothing(house: NotedHouse) -> None:
    house.direct()
    with override_settings(FIRM_NAME=""):
        assert issue_notes(actor=PROCESS, at=CLOSED, mic="XLON", day=DAY).incomplete == 1
    assert raised("NOTE_INCOMPLETE")[0].endswith("it lacks who reports 1.")
    Market.objects.filter(pk="XLON").update(country="ZZ")
    assert issue_due_notes(at=CLOSED) == 0
    assert raised("NOTE_INCOMPLETE")[1].startswith("No rules are known for contract notes of trades on XLON (ZZ)")
    with pytest.raises(Refused, match="No rules"):
        issue_notes(actor=PROCESS, at=CLOSED, mic="XLON", day=DAY)
    assert (ContractNote.objects.count(), NoteSeries.objects.filter(last_number__gt=0).count()) == (0, 0)


@pytest.mark.parametrize(
    ("country", "series", "due"),
    [
        ("GB", "UK", datetime(2026, 11, 23, 23, 59, tzinfo=UTC)),
        ("DE", "EU", datetime(2026, 11, 23, 23, 59, tzinfo=UTC)),
        ("US", "US", datetime(2026, 11, 24, 0, 0, tzinfo=UTC)),
        ("AU", "AU", datetime(2026, 11, 23, 12, 0, tzinfo=UTC)),
    ],
)
def test_each_regime_has_its_numbers_fields_and_deadline(
    house: NotedHouse, country: str, series: str, due: datetime
) -> None:
    house.direct()
    Market.objects.filter(pk="XLON").update(country=country)

    assert issue_notes(actor=PROCESS, at=AT, mic="XLON", day=DAY).written == 1

    note = live()[0]
    assert (note.ref, note.regime, note.due_at) == (f"{series}-000001", series, due)
    assert missing(series, note.facts) == ()
    for must in MUST_SAY[series]:
        scope, _, name = must.at.partition(".")
        facts = {**note.facts, "trades": [dict(note.facts["trades"][0])], scope: dict(note.facts.get(scope) or {})}
        (facts["trades"][0] if scope == "trade" else facts[scope])[name] = ""
        assert missing(series, facts) == (f"{must.what} {must.item}",)


def test_a_person_issues_one_trade_s_note_and_another_in_a_note_s_place(house: NotedHouse) -> None:
    world = house.world
    actor = worker(world)
    made, second = house.direct(), house.direct(501)
    ref = made.lines[0].ref
    for who, wanted, kind, code in (
        (world.dealer, ref, NotPermitted, "RIGHT_MISSING"),
        (actor, "A-1", NotFound, "TRADE_UNKNOWN"),
        (worker(make_desk("EQ2"), "o.two"), ref, NotFound, "TRADE_UNKNOWN"),
    ):
        with pytest.raises(kind) as refused:
            issue_note(actor=who, at=AT, allocation_ref=wanted)
        assert refused.value.code == code
    note_id = issue_note(actor=actor, at=AT, allocation_ref=ref)
    with pytest.raises(Conflict) as there:
        issue_note(actor=actor, at=AT, allocation_ref=ref)
    assert there.value.code == "NOTE_THERE"
    assert issue_notes(actor=actor, at=AT, mic="XLON", day=DAY).written == 1  # the other trade alone
    assert [trade["ref"] for trade in live()[1].facts["trades"]] == [second.lines[0].ref]

    with pytest.raises(Invalid) as silent:
        reissue_note(actor=actor, at=AT, note_id=note_id, reason=" ")
    assert silent.value.code == "REASON_MISSING"
    reissue_note(actor=actor, at=AT, note_id=note_id, reason="The client's name was misspelt.")
    reissue_note(actor=actor, at=AT, note_id=live()[0].id, reason="Again.")
    with pytest.raises(Conflict) as dead:
        reissue_note(actor=actor, at=AT, note_id=note_id, reason="Again.")
    assert dead.value.code == "NOTE_NOT_LIVE"
    assert [note.number for note in live()] == [3, 4]

    # A trade's own note follows its trade: canceled with it, and replaced by that of the next round.
    again = booked_again(made, [(world.account, 900)], at=AT + timedelta(hours=1))
    listen_to_allocations()
    assert issue_due_notes(at=AT + timedelta(hours=1) + QUIET) == 1
    single = ContractNote.objects.get(scope="trade", state="issued")
    assert single.replaces is not None
    assert (single.replaces.number, single.facts["trades"][0]["qty"]) == (3, "900")
    undone_block(again, at=AT + timedelta(hours=2))
    listen_to_allocations()
    issue_due_notes(at=AT + timedelta(hours=2) + QUIET)
    assert ContractNote.objects.get(scope="trade", state="issued").cancels == single


def test_notes_leave_as_the_files_that_were_recorded(house: NotedHouse, tmp_path: Path) -> None:
    house.direct()
    issue_due_notes(at=CLOSED)
    note = live()[0]
    with override_settings(VAR_DIR=tmp_path):
        assert (deliver_notes(at=CLOSED), deliver_notes(at=CLOSED)) == (1, 0)
        file = tmp_path / "outgoing" / "notes" / "2026-11-21" / "UK-000001.pdf"
        assert sha256(file.read_bytes()) == bytes(note.pdf_sha256)
        assert [one.name for one in file.parent.iterdir()] == ["UK-000001.pdf"]
        note.facts["client"]["name"] = "Somebody else"
        with pytest.raises(InvariantBroken, match="are not those that were recorded"):
            pdf_of_note(note)
        reissue_note(actor=worker(house.world), at=CLOSED, note_id=note.id, reason="test")
