"""``GET /api/v1/events``: the whole simulated day in its contracts, in order, resumable, to whom it concerns."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from jsonschema import Draft202012Validator, FormatChecker

from authorisation.domain.principal import Principal, process_principal
from authorisation.models import ApiKey
from journal.domain.chain import EventDraft
from journal.domain.records import Anomaly, Severity
from journal.models import Event
from journal.selectors import stream_records
from journal.services.append_to_stream import append_to_stream
from journal.services.clear_anomaly import clear_anomaly
from journal.services.raise_anomaly import raise_anomaly
from kernel.fix import ExecType, OrdStatus
from kernel.ids import new_id
from operations.services.on_anomaly_raised import handle
from orders.models import Order
from outbound.domain.contracts import BY_TOLD, CONTRACTS, FAMILY_VERSIONS
from outbound.domain.positions import position_text
from outbound.domain.schemas import file_name
from outbound.domain.telling import Listener
from outbound.selectors import LOOK, MOST_LOOKS, get_page
from risk.services.engage_kill_switch import engage_kill_switch
from tests.factories import DeskWorld, make_desk, make_principal
from tests.factories.busy_day import Day, busy_day, told_desk
from tests.factories.webhooks import events_client

SCHEMAS = Path(__file__).parents[3] / "docs" / "formats" / "events"
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


class Reader:
    """Another system with a key."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        token = f"oms_{new_id()}"
        self.key = ApiKey.objects.create(
            id=new_id(),
            user_id=principal.user_id,
            name="test",
            prefix=token[:8],
            digest=hashlib.sha256(token.encode()).hexdigest(),
            created_at=NOW,
        )
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, **query: Any) -> Any:
        return Client().get("/api/v1/events", query, headers=self.headers)

    def page(self, **query: Any) -> dict[str, Any]:
        answer = self.get(**query)
        assert answer.status_code == 200, answer.content
        body: dict[str, Any] = answer.json()
        return body

    def all(self, **query: Any) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = []
        after, more = "0", True
        while more:
            page = self.page(after=after, **query)
            events, after, more = events + page["events"], page["next"], page["more"]
        return events


def reader_of(world: DeskWorld, name: str = "pms") -> Reader:
    return Reader(
        make_principal(
            name, role=f"reads-{name}", rights=(), desks=(world.desk,), groups=(world.group,), trades=False,
            persona="service",
        )
    )  # fmt: skip


def append(stream: str, kind: str, payload: dict[str, Any], version: int = 1) -> None:
    identity = new_id()
    draft = EventDraft(
        id=identity, stream=stream, kind=kind, actor="process:test", correlation_id=identity, event_at=NOW,
        received_at=NOW, business_date=NOW.date(), payload=payload, version=version,
    )  # fmt: skip
    append_to_stream(drafts=[draft], at=NOW)


@pytest.fixture
def day(db: None) -> Day:
    """Three orders: one traded, one refused, one canceled before it left. The whole day is in the first test alone."""
    day = Day(told_desk(charged=False))
    order = day.send("filled")
    day.says(day.report(order, ExecType.NEW, OrdStatus.NEW), day.trade(order, 400, "72.40"))
    day.capture("refused", order_qty=Decimal(200000))
    day.capture("gone")
    day.cancel("gone")
    return day


@pytest.mark.django_db
def test_the_whole_day_keeps_its_contracts() -> None:
    day = busy_day(told_desk())
    engage_kill_switch(actor=process_principal("test"), at=NOW, scopes=[("firm", "")], reason="restricted list leaked")
    validators = {
        family: Draft202012Validator(
            json.loads((SCHEMAS / file_name(family)).read_text()), format_checker=FormatChecker()
        )
        for family in FAMILY_VERSIONS
    }
    events = reader_of(day.world).all()
    for event in events:
        validators[event["kind"].partition(".")[0]].validate(event)
    told = [kind for kind in Event.objects.order_by("position").values_list("kind", flat=True) if kind in BY_TOLD]
    assert [event["kind"] for event in events] == [BY_TOLD[kind].kind for kind in told]
    assert len(events) == 144
    # The relay opens exceptions and tells trades; the trade feed's own tests prove its contracts.
    kinds = {contract.kind for contract in CONTRACTS if contract.kind.partition(".")[0] not in ("exception", "trade")}
    never = kinds - {event["kind"] for event in events}
    assert never == {"request.staged", "request.entered_anew", "stop.released"}, "a kind this day does not prove"
    assert Event.objects.filter(kind="AnomalyRaised", payload__kind="OUTBOUND_CONTRACT_BROKEN").count() == 0
    _nothing_that_a_person_wrote_leaves(json.dumps(events))
    _events_of_an_order_come_in_its_order_and_name_it(events, day)


def _nothing_that_a_person_wrote_leaves(said: str) -> None:
    for text in ("Spoken to the client", "Nobody decided", "above the limit", "too late", "CLIENT_CONFIRMED"):
        assert text in json.dumps(list(Event.objects.values_list("payload", flat=True))), text
        assert text not in said, text


def _events_of_an_order_come_in_its_order_and_name_it(events: list[dict[str, Any]], day: Day) -> None:
    by_order: dict[str, list[int]] = {}
    for event in events:
        if event["subject"]["type"] == "stop":
            continue
        assert event["subject"]["account"] == day.world.account.code
        by_order.setdefault(event["subject"]["id"], []).append(event["sequence"])
    assert len(by_order) == 26
    assert all(numbers == sorted(set(numbers)) for numbers in by_order.values())


def test_reading_goes_on_where_it_ended(day: Day) -> None:
    reader = reader_of(day.world)
    whole = [event["id"] for event in reader.all()]
    in_pages = [event["id"] for event in reader.all(limit=3)]
    assert in_pages == whole
    tenth = reader.all()[9]["position"]
    assert [event["id"] for event in reader.page(after=tenth, limit=5)["events"]] == whole[10:15]


def test_kinds_and_families_are_chosen(day: Day) -> None:
    reader = reader_of(day.world)
    assert {event["kind"] for event in reader.all(kinds="execution,order.captured")} == {
        "order.captured", "execution.recorded",
    }  # fmt: skip


def test_what_was_not_granted_is_not_heard(day: Day) -> None:
    other = make_desk("EQ2")
    stranger, blind = reader_of(other, "stranger"), Reader(make_principal("blind", role="blind", rights=(), desks=()))
    half = Reader(make_principal("half", role="half", rights=(), desks=(day.world.desk,), groups=(other.group,)))
    engage_kill_switch(actor=process_principal("test"), at=NOW, scopes=[("desk", str(day.world.desk.pk))], reason="x")
    engage_kill_switch(actor=process_principal("test"), at=NOW, scopes=[("strategy", "secret")], reason="x")
    assert stranger.all() == blind.all() == []
    assert [event["kind"] for event in half.all()] == ["stop.engaged"]
    assert stranger.page()["next"] == position_text(Event.objects.latest("position").position)


def test_desks_of_a_subscription_narrow_what_is_heard(day: Day) -> None:
    up_to = Event.objects.latest("position").position
    reader = reader_of(day.world)
    for desks, hears in ((None, True), (frozenset({day.world.desk.pk}), True), (frozenset({0}), False)):
        page = get_page(listener=Listener(reader.principal, desks), after=0, limit=5, kinds=None, up_to=up_to)
        assert bool(page.events) is hears


@pytest.mark.django_db
def test_what_is_asked_wrongly_is_told() -> None:
    answer = reader_of(make_desk("EQ1")).get(after="17", since="1")
    assert answer.status_code == 400
    assert set(answer.json()["fields"]) == {"after", "since"}


@pytest.mark.django_db
def test_a_position_of_another_journal_is_refused() -> None:
    answer = reader_of(make_desk("EQ1")).get(after=position_text(10**14))
    assert (answer.status_code, answer.json()["code"]) == (409, "POSITION_AHEAD")


def test_now_begins_behind_everything(day: Day) -> None:
    reader = reader_of(day.world)
    page = reader.page(after="now")
    assert page["events"] == []
    assert reader.page(after=page["next"])["events"] == []


@pytest.mark.django_db
def test_a_page_is_bounded_work_and_moves_on() -> None:
    reader = reader_of(make_desk("EQ1"))
    for number in range(3):
        append(f"order:{new_id()}", "OrderHeld", {"number": number})
    up_to = Event.objects.latest("position").position
    whole = get_page(listener=Listener(reader.principal), after=0, limit=5, kinds=None, up_to=up_to)
    assert (whole.events, whole.position, whole.more) == ([], up_to, False)
    assert LOOK * MOST_LOOKS == 2000


def test_an_event_that_breaks_its_contract_is_left_out_and_somebody_is_told(day: Day) -> None:
    reader = reader_of(day.world)
    before = reader.all()
    stream = f"order:{day.orders['filled']}"
    with transaction.atomic():
        identity = new_id()
        last = Event.objects.filter(stream=stream).latest("seq")
        Event.objects.create(
            id=identity, stream=stream, seq=last.seq + 1, kind="RequestLapsed", actor="process:test",
            correlation_id=identity, event_at=NOW, received_at=NOW, recorded_at=NOW, business_date=NOW.date(),
            payload={"request_id": "not an id"}, prev_hash=b"", hash=b"",
        )  # fmt: skip
    assert [event["id"] for event in reader.all()] == [event["id"] for event in before]
    told = Event.objects.get(kind="AnomalyRaised", payload__kind="OUTBOUND_CONTRACT_BROKEN")
    assert told.payload["evidence"]["kind"] == "RequestLapsed"


@pytest.mark.django_db(transaction=True)
def test_who_waits_hears_at_once_and_not_for_ever() -> None:
    reader = reader_of(make_desk("EQ1"))
    here = reader.page(after="now")["next"]

    def stop_later() -> None:
        time.sleep(0.4)
        engage_kill_switch(actor=process_principal("test"), at=NOW, scopes=[("firm", "")], reason="x")
        connection.close()

    other = threading.Thread(target=stop_later)
    other.start()
    began = time.monotonic()
    page = reader.page(after=here, wait=5)
    other.join()
    assert [event["kind"] for event in page["events"]] == ["stop.engaged"]
    assert time.monotonic() - began < 4
    began = time.monotonic()
    assert reader.page(after=page["next"], wait=1)["events"] == []
    assert 0.9 < time.monotonic() - began < 3


def test_the_receivers_file_reads_on_where_it_was_killed(day: Day, tmp_path: Path) -> None:
    """``poll`` of clients/python against the API: killed within a page, the page comes again and nothing is worked twice."""
    client, reader = events_client(), reader_of(day.world)
    worked: list[str] = []
    seen, file = client.FileSeen(tmp_path / "seen.sqlite"), tmp_path / "seen.sqlite"

    def read(after: str) -> dict[str, Any]:
        return reader.page(after=after, limit=5)

    def work(event: dict[str, Any]) -> None:
        if len(worked) == 3 and event["id"] not in worked:
            worked.append("killed")
            raise KeyboardInterrupt
        worked.append(event["id"])

    with pytest.raises(KeyboardInterrupt):
        next(client.poll(read, seen, work, stop=lambda: False))
    assert seen.position() == "0"
    worked.remove("killed")
    pages = client.poll(read, client.FileSeen(file), worked_into(worked), stop=lambda: False)
    news = [next(pages) for _ in range(5)]
    whole = [event["id"] for event in reader.all()]
    assert worked == whole
    assert news[0] == 2, "three of the first five were known"
    assert sum(news) == len(whole) - 3
    assert client.FileSeen(file).position() == reader.page(after="now")["next"]


def worked_into(worked: list[str]) -> Any:
    return lambda event: worked.append(event["id"])


def test_exceptions_are_told_in_their_contract(day: Day) -> None:
    """Opened, raised again graver, settled: as programs of others are promised it."""
    about: tuple[str, str, str, str, dict[str, Any]] = (
        "order",
        str(Order.objects.latest("id").pk),
        "It stands still.",
        "stuck",
        {},
    )
    for severity in (Severity.HIGH, Severity.CRITICAL):
        raise_anomaly(anomaly=Anomaly("STUCK_ORDER", severity, *about), actor="process:test", at=NOW)
    clear_anomaly(anomaly=Anomaly("STUCK_ORDER", Severity.HIGH, *about), actor="process:test", at=NOW)
    handle(stream_records("anomaly:stuck"))
    events = [event for event in reader_of(day.world).all() if event["kind"].startswith("exception.")]
    assert [event["kind"] for event in events] == ["exception.opened", "exception.worsened", "exception.ended"]
    schema = json.loads((SCHEMAS / file_name("exception")).read_text())
    for event in events:
        Draft202012Validator(schema, format_checker=FormatChecker()).validate(event)
