"""What happened to anything: every identifier leads there, nobody's rows are told to somebody else, every look is kept."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.utils.html import escape

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from journal.domain.records import Anomaly, Severity
from journal.domain.wanted import Wanted
from journal.models import Event
from journal.selectors import searching
from journal.services.raise_anomaly import raise_anomaly
from kernel.clock import utc_now
from kernel.errors import Invalid, NotFound, NotPermitted
from kernel.ids import new_id
from operations.domain.audit_query import AuditFilter, names_in
from operations.models import ExceptionItem, SavedSearch
from operations.selectors.audit.dossier import get_dossier
from operations.selectors.audit.names import find_subjects
from operations.selectors.audit.search import actors_named, find_audit_page
from operations.selectors.audit.timeline import make_timeline
from operations.services.save_search import save_search
from orders.models import Order
from orders.services.decide_order_request import decide_order_request
from risk.domain.conduct import WATCH_LIST_HIT
from tests.factories import AT, DeskWorld, make_desk, make_principal, set_price
from tests.factories.executed import filled
from tests.factories.seals import guards_off
from tests.factories.venues import make_session
from tests.integration.operations.test_pages import capture, client_of
from venues.models import WireMessage

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> DeskWorld:
    made = make_desk()
    set_price(made.listing, "72.50", at=utc_now())
    make_session()
    return made


def auditor_of(*worlds: DeskWorld, rights: tuple[str, ...] = ("search_audit",), name: str = "auditor") -> Principal:
    return make_principal(
        name, role=name, rights=rights, desks=tuple(one.desk for one in worlds),
        groups=tuple(one.group for one in worlds), trades=False, persona="auditor",
    )  # fmt: skip


def kinds_of(actor: Principal, text: str) -> list[tuple[str, str]]:
    return [(one.kind, one.key) for one in find_subjects(actor, names_in(text))]


def findings(content: bytes) -> str:
    """The part of the page that answers."""
    return content.decode().partition('aria-label="Findings"')[2].partition("What is not held here")[0]


def page_of(seer: Principal, *, limit: int = 50, before: int | None = None, **asked: Any) -> list[str]:
    filter_ = AuditFilter(**asked)
    actors = actors_named(filter_.actor) if filter_.actor else ()
    at = utc_now()
    found = find_audit_page(
        seer,
        filter_,
        actors=actors or (),
        at=at,
        midnight=at - timedelta(hours=12),
        zone="UTC",
        before=before,
        limit=limit,
    )
    return [entry.event.kind for entry in found.entries if entry.event]


def test_any_identifier_of_an_order_leads_to_it(world: DeskWorld) -> None:
    made = filled(world, "k1", at=utc_now())
    order = Order.objects.get(pk=made.order_id)
    request, execution = order.requests.get(), order.executions.first()
    assert execution is not None
    auditor = auditor_of(world)
    raw = WireMessage.objects.filter(direction="in").order_by("-id").values_list("raw", flat=True)[0]
    texts = [
        order.ref, order.ref.lower(), str(order.pk), request.cl_ord_id, str(request.pk), str(execution.pk),
        execution.exec_id, order.venue_order_id, raw, raw.replace("\x01", "|"),
    ]  # fmt: skip
    for text in texts:
        assert ("order", order.ref) in kinds_of(auditor, str(text)), text


def test_other_identifiers_lead_to_their_subject(world: DeskWorld) -> None:
    auditor = auditor_of(world)
    held = capture(world, order_qty=Decimal(60_000))
    assert kinds_of(auditor, world.account.code)[0] == ("account", world.account.code)
    assert ("person", world.dealer.username) in kinds_of(auditor, world.dealer.username.upper())
    assert ("person", world.dealer.username) in kinds_of(auditor, f"user:{world.dealer.user_id}")
    assert ("approval", str(held.authorisation_id)) in kinds_of(auditor, str(held.authorisation_id))
    assert ("session", "SIM1") in kinds_of(auditor, "SIM1") or kinds_of(auditor, "SIM1") == []
    assert ("instrument", world.listing.symbol) in kinds_of(auditor, world.listing.symbol)
    event = Event.objects.filter(stream=f"order:{held.order_id}").order_by("seq")[0]
    assert ("correlation", str(event.correlation_id)) in kinds_of(auditor, str(event.id))
    assert kinds_of(auditor, "nobody knows this") == []


def test_the_timeline_joins_events_messages_bookings_and_approvals_and_proves_its_chains(world: DeskWorld) -> None:
    made = filled(world, "k1", at=utc_now())
    order = Order.objects.get(pk=made.order_id)
    timeline = make_timeline(get_dossier(auditor_of(world), "order", order.ref))
    sources = {entry.source for entry in timeline.entries}
    assert sources == {"event", "message", "booking"}
    assert timeline.message_count == WireMessage.objects.filter(cl_ord_id=made.cl_ord_id).count() > 0
    assert timeline.proof.holds
    assert timeline.proof.events == Event.objects.filter(stream=f"order:{order.pk}").count()
    assert world.dealer.username in timeline.people
    assert [entry.at for entry in timeline.entries] == sorted(entry.at for entry in timeline.entries)


def test_a_message_that_changed_nothing_is_counted_and_marked(world: DeskWorld) -> None:
    made = filled(world, "k1", at=utc_now())
    auditor = auditor_of(world)
    ref = Order.objects.get(pk=made.order_id).ref
    assert make_timeline(get_dossier(auditor, "order", ref)).duplicates == 0
    first = WireMessage.objects.filter(direction="in", cl_ord_id=made.cl_ord_id).order_by("id")[0]
    WireMessage.objects.create(
        direction="in", session=first.session, epoch=first.epoch, msg_seq_num=900, msg_type="8", poss_dup=True,
        cl_ord_id=first.cl_ord_id, raw=first.raw, recorded_at=first.recorded_at,
    )  # fmt: skip
    timeline = make_timeline(get_dossier(auditor, "order", ref))
    assert timeline.duplicates == 1
    assert [entry.note[:20] for entry in timeline.entries if entry.note] == ["named by no event: a"]


def test_a_broken_chain_is_said(world: DeskWorld) -> None:
    made = capture(world)
    auditor = auditor_of(world)
    with guards_off() as cursor:
        cursor.execute(
            'UPDATE journal_event SET payload = payload || \'{"note": "x"}\' WHERE stream = %s AND seq = 1',
            [f"order:{made.order_id}"],
        )
    proof = make_timeline(get_dossier(auditor, "order", made.ref)).proof
    assert (proof.holds, proof.events - proof.intact, len(proof.faults)) == (False, 1, 1)
    assert "Chain broken" in client_of(auditor).get(f"/audit?q={made.ref}").content.decode()


def test_a_decision_is_told_with_what_came_of_it(world: DeskWorld) -> None:
    held = capture(world, order_qty=Decimal(60_000))
    assert held.authorisation_id is not None
    row = AuthorisationRequest.objects.get(pk=held.authorisation_id)
    decide_order_request(
        actor=world.checker, at=utc_now(), authorisation_id=row.pk, verdict="approve", reason_code="X", reason="ok",
        payload_hash=row.payload_hash,
    )  # fmt: skip
    dossier = get_dossier(auditor_of(world), "approval", str(row.pk))
    kinds = [event.kind for event in dossier.events]
    assert {"AuthorisationRaised", "AuthorisationDecided", "OrderReleased"} <= set(kinds)
    assert kinds.index("AuthorisationRaised") < kinds.index("AuthorisationDecided")
    assert world.checker.username in make_timeline(dossier).people
    assert "AuthorisationDecided" in page_of(auditor_of(world, name="second"), preset="overrides")


def test_rows_of_another_desk_do_not_exist_for_an_auditor(world: DeskWorld) -> None:
    other = make_desk("EQ2")
    made = filled(world, "k1", at=utc_now())
    held = capture(world, order_qty=Decimal(60_000))
    order = Order.objects.get(pk=made.order_id)
    stranger = auditor_of(other, name="stranger")
    for text in (
        order.ref,
        str(order.pk),
        made.cl_ord_id,
        order.venue_order_id,
        world.account.code,
        str(held.authorisation_id),
    ):
        assert kinds_of(stranger, str(text)) == []
    event = Event.objects.get(stream=f"order:{order.pk}", seq=1)
    assert kinds_of(stranger, str(event.id)) == []
    for kind, key in (("order", order.ref), ("account", world.account.code), ("approval", held.authorisation_id)):
        with pytest.raises(NotFound) as refused:
            get_dossier(stranger, kind, str(key))
        assert refused.value.code == "SUBJECT_UNKNOWN"
    assert page_of(stranger, kind="order") == []
    assert page_of(stranger, kind="approval") == []
    assert "OrderCaptured" not in page_of(stranger, actor=world.dealer.username)
    assert "OrderCaptured" in page_of(auditor_of(world), actor=world.dealer.username)
    unknown, hidden = (client_of(stranger).get(f"/audit?q={text}").content for text in ("O-NOTHING", order.ref))
    assert findings(unknown).replace("O-NOTHING", "") == findings(hidden).replace(order.ref, "")


def test_what_is_for_compliance_alone_is_told_to_compliance_alone(world: DeskWorld) -> None:
    made = capture(world)
    for kind, key in ((WATCH_LIST_HIT, "watch:1"), ("STUCK", "stuck:1")):
        anomaly = Anomaly(kind, Severity.HIGH, "order", str(made.order_id), "a sentence", key)
        raise_anomaly(anomaly=anomaly, actor="process:test", at=AT)
        ExceptionItem.objects.create(
            id=new_id(), kind=kind, subject="x", order_id=made.order_id, desk=world.desk, severity="high", sentence="x",
            dedupe_key=key, first_event_id=new_id(), raised_at=AT, last_seen_at=AT,
        )  # fmt: skip
    auditor, compliance = (
        auditor_of(world),
        auditor_of(world, rights=("search_audit", "see_restrictions"), name="compliance"),
    )
    assert page_of(auditor, kind="anomaly") == ["AnomalyRaised"]
    assert page_of(compliance, kind="anomaly") == ["AnomalyRaised"] * 2
    assert kinds_of(auditor, "watch:1") == []
    told = get_dossier(compliance, "order", made.ref).events
    assert [event.payload["kind"] for event in told if event.kind == "AnomalyRaised"] == [
        "STUCK"
    ]  # the pack says no more


def test_without_the_right_nothing_is_searched(world: DeskWorld) -> None:
    client = client_of(world.dealer)
    for path in ("/audit", "/audit?q=x", "/audit/export?kind=order", f"/audit/account/{world.account.code}"):
        assert client.get(path).status_code == 403
    assert client.post("/audit/searches", {"name": "x"}).status_code == 403
    assert 'href="/audit"' not in client.get("/desk").content.decode()
    with pytest.raises(NotPermitted):
        save_search(actor=world.dealer, at=AT, name="x", query={})


def test_every_look_is_kept_and_found_again(world: DeskWorld) -> None:
    made = capture(world)
    auditor = auditor_of(world)
    client = client_of(auditor)
    client.get("/audit")
    client.get(f"/audit?q={made.ref}")
    client.get(f"/audit/order/{made.ref}")
    client.get(f"/audit/order/{made.ref}/export?form=json")
    client.get("/audit?kind=order")
    told = Event.objects.filter(stream=f"reads:{auditor.user_id}").order_by("seq")
    assert [(event.kind, event.payload.get("names", event.payload.get("key", ""))) for event in told] == [
        ("AuditSearched", made.ref), ("TimelineOpened", made.ref), ("RecordsExported", ""), ("AuditSearched", ""),
    ]  # fmt: skip
    assert told[0].payload["found"] == 1
    assert page_of(auditor, kind="read") == ["AuditSearched", "RecordsExported", "TimelineOpened", "AuditSearched"]
    assert page_of(auditor, preset="evidence") == ["RecordsExported"]


def test_pages_follow_one_another_without_a_gap_or_a_repeat(world: DeskWorld) -> None:
    for _ in range(5):
        capture(world)
    auditor = auditor_of(world)
    whole = page_of(auditor, actor=world.dealer.username, limit=100)
    seen: list[int] = []
    before: int | None = None
    at = utc_now()
    while True:
        found = find_audit_page(
            auditor, AuditFilter(actor=world.dealer.username), actors=(world.dealer.actor,), at=at, midnight=at, zone="UTC",
            before=before, limit=3,
        )  # fmt: skip
        seen += [entry.event.position for entry in found.entries if entry.event]
        before = found.before
        if before is None:
            break
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == len(whole) > 5


def test_the_window_bounds_a_page_and_the_next_goes_on(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "WINDOW", 2)
    for _ in range(3):
        capture(world)
    found: list[int] = []
    before: int | None = None
    while True:
        page = searching.search_events(Wanted(kinds=("OrderCaptured",), before=before), limit=10)
        found += [event.position for event in page.events]
        before = page.reached
        if before is None:
            break
    assert len(found) == len(set(found)) == 3


def test_time_narrows_to_the_moment(world: DeskWorld) -> None:
    first, second = capture(world), capture(world)
    at = Event.objects.get(stream=f"order:{second.order_id}", seq=1).recorded_at
    auditor = auditor_of(world)
    dealer = world.dealer.username

    def orders(**span: Any) -> set[UUID]:
        page = find_audit_page(
            auditor,
            AuditFilter(actor=dealer, kind="order", **span),
            actors=(world.dealer.actor,),
            at=at,
            midnight=at,
            zone="UTC",
        )
        return {UUID(entry.event.stream[6:]) for entry in page.entries if entry.event}

    assert orders(since=at) == {second.order_id}
    assert orders(until=at) == {first.order_id}
    assert searching.find_position_at(at) <= Event.objects.get(stream=f"order:{second.order_id}", seq=1).position


def test_after_hours_is_what_people_did_outside_the_hours(world: DeskWorld) -> None:
    capture(world)
    recorded = Event.objects.latest("position").recorded_at
    inside = recorded.isoweekday() < 6 and 7 <= recorded.hour < 19
    found = page_of(auditor_of(world), preset="after-hours")
    assert ("OrderCaptured" in found) is not inside


def test_saved_searches_are_their_owners(world: DeskWorld) -> None:
    auditor, other = auditor_of(world), auditor_of(world, name="other")
    client = client_of(auditor)
    client.post("/audit/searches", {"name": "Mine", "q": "=1+1", "kind": "order", "csrf": "x"})
    row = SavedSearch.objects.get()
    assert (row.name, row.query) == ("Mine", {"q": "=1+1", "kind": "order"})
    client.post("/audit/searches", {"name": "Mine", "kind": "limit"})
    assert SavedSearch.objects.get().query == {"kind": "limit"}
    assert "Mine" in client.get("/audit").content.decode()
    assert "Mine" not in client_of(other).get("/audit").content.decode()
    assert client_of(other).post(f"/audit/searches/{row.pk}/drop").status_code == 404
    assert client.post(f"/audit/searches/{row.pk}/drop").status_code == 302
    assert not SavedSearch.objects.exists()
    with pytest.raises(Invalid):
        save_search(actor=auditor, at=AT, name=" ", query={})


def test_the_page_says_in_words_what_is_not_held(world: DeskWorld) -> None:
    content = client_of(auditor_of(world)).get("/audit").content.decode()
    assert escape("security log, which is not searched here") in content


def test_a_timeline_is_a_file_with_every_line(world: DeskWorld) -> None:
    made = filled(world, "k1", at=utc_now())
    ref = Order.objects.get(pk=made.order_id).ref
    client = client_of(auditor_of(world))
    body = json.loads(client.get(f"/audit/order/{ref}/export?form=json").content)
    timeline = make_timeline(get_dossier(auditor_of(world, name="again"), "order", ref))
    assert body["row_count"] == len(timeline.entries)
    assert body["filter"]["subject"] == f"order {ref}"
    assert client.get("/audit/export?form=json").status_code == 400
    assert client.get("/audit?before=x").status_code == 400
    assert client.get("/audit/nothing/x").status_code == 404
    assert client.get("/audit/approval/x").status_code == 404
