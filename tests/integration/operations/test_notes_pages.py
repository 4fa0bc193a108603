"""Notes and feed through their doors: pages for people, the API, the file, webhooks; rows that are not yours are not there."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from allocations.models import ContractNote, FeedEntry
from allocations.permissions import WORK_POST_TRADE
from allocations.selectors.feed import feed_lines, read_feed
from allocations.services.issue_due_notes import issue_due_notes
from authorisation.domain.principal import Principal, process_principal
from authorisation.models import User
from journal.models import Event
from kernel.canonical import sha256
from kernel.errors import Conflict
from oms_project.house.trade_feed import COLUMNS, row_of, write
from operations.views import notes
from outbound.domain.telling import Listener
from outbound.selectors import get_page
from tests.factories import AT, DeskWorld, make_account, make_desk, make_principal
from tests.factories.allocations import booked_block
from tests.factories.doors import issue_token
from tests.factories.noted import CLOSED, NotedHouse, booked_again, listen_to_allocations, make_noted_house

pytestmark = pytest.mark.django_db
LATER = AT + timedelta(hours=1)


def see(world: DeskWorld, name: str, **values: Any) -> Principal:
    return make_principal(
        name, role=name, rights=(WORK_POST_TRADE,), desks=(world.desk,), groups=(world.group,), **values
    )


def signed_in(actor: Principal) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id), backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> NotedHouse:
    """Its pages are looked at soon enough to show a day without notes."""
    monkeypatch.setattr(notes, "utc_now", lambda: AT + timedelta(days=3))
    return make_noted_house(make_desk(cash="1000000"))


def test_operations_issue_look_download_and_issue_another(house: NotedHouse) -> None:
    world = house.world
    actor = see(world, "operations", persona="operations")
    client = signed_in(actor)
    house.direct(fees="12.5")
    second = house.direct(501)

    page = client.get("/notes").content.decode()
    assert "Issue now" in page
    assert client.post("/notes/issue", {"trade": "A-1"}).status_code == 404
    made = client.post("/notes/issue", {"trade": second.lines[0].ref})
    single = ContractNote.objects.get()
    assert (made.status_code, made.headers["Location"]) == (302, f"/notes/{single.id}")
    assert client.post("/notes/issue", {"mic": "XLON", "day": "soon"}).status_code == 400
    assert client.post("/notes/issue", {"mic": "xlon", "day": "2026-11-20"}).status_code == 302
    note = ContractNote.objects.get(scope="day")
    shown = client.get("/notes?day=2026-11-20&account=EQ1&state=issued").content.decode()
    assert f"/notes/{note.id}" in shown
    assert client.get("/notes?part=1&day=2026-11-19").content.decode().count("/notes/") == 0
    assert client.get("/notes?state=lost").status_code == 400
    one = client.get(f"/notes/{note.id}").content.decode()
    for said in ("UK-000002", "BOUGHT", "724.50", "12.50", "737.00", "GB00BH4HKS39", bytes(note.pdf_sha256).hex()):
        assert said in one
    file = client.get(f"/notes/{note.id}/pdf")
    assert (file.headers["Content-Type"], sha256(file.content)) == ("application/pdf", bytes(note.pdf_sha256))
    assert client.post(f"/notes/{note.id}/reissue", {"reason": ""}).status_code == 400
    again = client.post(f"/notes/{note.id}/reissue", {"reason": "The name was misspelt."})
    assert again.headers["Location"] == f"/notes/{ContractNote.objects.get(number=3).id}"
    old = client.get(f"/notes/{note.id}").content.decode()
    assert "It does not stand any more." in old
    assert "The name was misspelt." in old

    looker = signed_in(world.dealer)
    assert "Your role looks on; operations issue notes." in looker.get("/notes").content.decode()
    assert looker.post(f"/notes/{note.id}/reissue", {"reason": "x"}).status_code == 403
    stranger = signed_in(see(make_desk("EQ2"), "stranger"))
    assert "/notes/" + str(note.id) not in stranger.get("/notes").content.decode()
    assert stranger.get(f"/notes/{note.id}").status_code == 404
    assert stranger.get(f"/notes/{note.id}/pdf").status_code == 404


def test_the_feed_is_read_by_rows_and_resumed_from_anywhere(house: NotedHouse, tmp_path: Path) -> None:
    world, other = house.world, make_desk("EQ2")
    hidden = make_account("=ACC", group=other.group)
    made = house.behind(booked_block(world, [(world.account, 600), (hidden, 400)], px="72.45"))
    house.direct(fees="12.5")
    booked_again(made, [(world.account, 1000)], at=LATER)
    listen_to_allocations(LATER)
    assert FeedEntry.objects.count() == 5
    seen, everything = see(world, "s.one"), process_principal("test")

    def positions(actor: Principal, after: int, limit: int) -> tuple[list[int], int, bool]:
        page = read_feed(actor, after=after, limit=limit)
        return [one["position"] for one in page.trades], page.next, page.more

    assert positions(everything, 0, 2) == ([1, 2], 2, True)
    assert positions(everything, 2, 9) == ([3, 4, 5], 5, False)
    assert positions(seen, 0, 9) == ([1, 3, 5], 5, False)
    assert positions(see(other, "s.two"), 0, 9) == ([], 5, False)  # its group, but not the block's desk
    assert positions(everything, 5, 9) == ([], 5, False)
    with pytest.raises(Conflict, match="No such position"):
        read_feed(everything, after=6, limit=1)

    file = tmp_path / "feed.csv"
    assert write(feed_lines(everything, after=1), file, 1) == 5
    rows = list(csv.reader(file.open()))
    assert (tuple(rows[0]), [row[0] for row in rows[1:]]) == (COLUMNS, ["2", "3", "4", "5"])
    assert rows[1][COLUMNS.index("account")] == "'=ACC"
    assert rows[2][COLUMNS.index("charges")] == "commission=12.5"
    assert rows[2][COLUMNS.index("net")] == "-737"
    assert row_of(next(feed_lines(everything, after=0)))[0] == "1"

    # The same lines leave as events, for whoever may see them.
    up_to = Event.objects.latest("position").position
    told = get_page(
        listener=Listener(seen),
        after=0,
        limit=100,
        kinds=["trade.new", "trade.corrected", "trade.canceled"],
        up_to=up_to,
    )
    assert told.breaches == []
    assert [(one["kind"], one["data"]["feed_position"], one["data"]["trade_version"]) for one in told.events] == [
        ("trade.new", "1", "1"), ("trade.new", "3", "1"), ("trade.corrected", "5", "2"),
    ]  # fmt: skip
    direct = told.events[1]
    assert direct["subject"] == {
        "type": "trade", "id": direct["data"]["allocation_id"], "ref": "T-500000", "account": "ACC-EQ1",
    }  # fmt: skip
    assert direct["data"]["charges"] == [
        {"kind": "commission", "name": "commission", "schedule_version": "1", "amount": "12.5"}
    ]
    assert [one["qty"] for one in direct["data"]["fills"]] == ["400", "600"]


def test_the_api_gives_notes_and_their_bytes(house: NotedHouse) -> None:
    house.direct()
    issue_due_notes(at=CLOSED)
    listen_to_allocations()
    note = ContractNote.objects.get()
    client, headers = Client(), {"Authorization": "Bearer oms_svc"}
    issue_token(see(house.world, "svc"), "oms_svc")
    listed = client.get("/api/v1/contract-notes?day=2026-11-20", headers=headers).json()["notes"]
    assert [(one["ref"], one["state"], one["replaces"]) for one in listed] == [("UK-000001", "issued", None)]
    one = client.get(f"/api/v1/contract-notes/{note.id}", headers=headers).json()
    assert one["facts"]["trades"][0]["net"] == "724.5"
    file = client.get(f"/api/v1/contract-notes/{note.id}/pdf", headers=headers)
    assert sha256(file.content) == bytes(note.pdf_sha256)
    feed = client.get("/api/v1/trade-feed?after=0&limit=1", headers=headers).json()
    assert (feed["next"], feed["more"], feed["trades"][0]["trade_ref"]) == (1, False, "T-500000")
    for path in ("trade-feed?limit=0", "trade-feed?after=-1", "trade-feed?x=1", "contract-notes?day=x"):
        assert client.get(f"/api/v1/{path}", headers=headers).status_code == 400, path
    assert client.get("/api/v1/trade-feed?after=9", headers=headers).status_code == 409
