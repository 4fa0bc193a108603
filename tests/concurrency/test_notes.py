"""Numbers of notes and positions of the feed without gap or double: killed at every step, and with several at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import transaction
from django.test import override_settings

from allocations.models import ContractNote, FeedEntry, NoteSeries
from allocations.services import on_allocated_feed
from allocations.services.deliver_notes import deliver_notes
from allocations.services.issue_due_notes import issue_due_notes
from allocations.services.issue_notes import issue_notes
from authorisation.domain.principal import process_principal
from journal.domain.chain import verify_chain
from journal.models import Event
from journal.selectors import stream_events
from tests.concurrency.test_crash_points import killed_at
from tests.concurrency.threads import together
from tests.factories import make_account, make_desk
from tests.factories.allocations import DAY, BookedWorld, booked_block
from tests.factories.noted import CLOSED, NotedHouse, make_noted_house

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house() -> NotedHouse:
    return make_noted_house(make_desk(cash="1000000"))


def many(house: NotedHouse, count: int = 5) -> BookedWorld:
    accounts = [make_account(f"N-{n}", group=house.world.group) for n in range(count)]
    return house.behind(booked_block(house.world, [(account, 10) for account in accounts]))


def numbers() -> list[int]:
    return sorted(ContractNote.objects.values_list("number", flat=True))


def test_notes_killed_are_there_with_their_numbers_or_not_at_all(house: NotedHouse, tmp_path: Path) -> None:
    many(house)
    for point in ("notes.written", "notes.told"):
        killed_at(point, lambda: issue_due_notes(at=CLOSED))
        assert (numbers(), NoteSeries.objects.count(), Event.objects.filter(kind="NoteIssued").count()) == ([], 0, 0)
    assert issue_due_notes(at=CLOSED) == 5
    assert issue_due_notes(at=CLOSED) == 0
    assert (numbers(), NoteSeries.objects.get(pk="UK").last_number) == ([1, 2, 3, 4, 5], 5)
    assert verify_chain(stream_events("notes:UK")) == []
    with override_settings(VAR_DIR=tmp_path):
        killed_at("notes.filed", lambda: deliver_notes(at=CLOSED))
        assert ContractNote.objects.filter(delivered_at=None).count() == 5
        assert (deliver_notes(at=CLOSED), deliver_notes(at=CLOSED)) == (5, 0)
        assert len(list((tmp_path / "outgoing" / "notes").rglob("*"))) == 6


def test_several_at_once_issue_each_note_once(house: NotedHouse) -> None:
    many(house, 12)
    actor = process_principal("test")
    done = together([lambda: issue_notes(actor=actor, at=CLOSED, mic="XLON", day=DAY).written] * 3)
    assert sorted(done) == [0, 0, 12]
    assert numbers() == list(range(1, 13))
    assert Event.objects.filter(kind="NoteIssued").count() == 12


def test_several_at_once_tell_each_trade_once_and_leave_no_gap(house: NotedHouse) -> None:
    events = many(house, 6).events

    def hear() -> None:
        with transaction.atomic():
            on_allocated_feed.handle(events)

    assert together([hear] * 3) == [None] * 3
    told = FeedEntry.objects.order_by("position").values_list("position", flat=True)
    assert list(told) == list(range(1, len(told) + 1))
    assert len(told) == FeedEntry.objects.values("trade_ref").distinct().count() >= 6
    assert verify_chain(stream_events("trade-feed")) == []
