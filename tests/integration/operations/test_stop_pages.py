"""The kill switch from screen, API and command line: what it shows, how it is pressed, that nobody gets around it."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from journal.models import Event
from journal.services.run_listener import run_listener
from kernel.clock import utc_now
from kernel.errors import Invalid, NotFound, NotPermitted
from oms_project.house import kill
from oms_project.house.failures import BadInput
from operations.selectors.scopes import find_scope, scope_names
from orders.models import Order
from orders.services import on_kill_switch
from orders.services.cancel_order import cancel_order
from orders.services.cancel_stopped import cancel_stopped
from orders.services.check_boundaries import check_boundaries
from orders.services.record_hand_over import record_hand_over
from risk.models import Block
from tests.factories import DeskWorld, make_desk, make_principal, set_price
from tests.factories.approvals import decide_as_shown
from tests.factories.venues import make_session
from tests.integration.operations.test_pages import capture, client_of
from tests.integration.orders.test_api import get, issue_token, post
from venues.models import FixSession, Venue

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
PRESS = {"scope": "firm", "typed": "firm", "reason": "Runaway orders"}


@pytest.fixture
def world() -> DeskWorld:
    made = make_desk()
    set_price(made.listing, "72.50", at=utc_now())
    return made


def person(name: str, world: DeskWorld, *rights: str) -> Principal:
    """Somebody with rights of the tables, so that a page loads them."""
    found = make_principal(name, role=f"role-{name}", rights=rights, desks=(world.desk,), groups=(world.group,))
    assert found.rights == set(rights)
    return found


@pytest.fixture
def head(world: DeskWorld) -> Principal:
    return person("head", world, "engage_kill_switch")


@pytest.fixture
def risk(world: DeskWorld) -> Principal:
    return person("risk", world, "engage_kill_switch", "ask_risk_change", "decide_risk_change")


def relay() -> None:
    """What the relay does of a stop."""
    kinds = ("KillSwitchEngaged", "KillSwitchReleased")
    run_listener(name="orders.kill_switch", kinds=kinds, handle=on_kill_switch.handle, at=utc_now())
    cancel_stopped(at=utc_now())


def stop_id() -> UUID:
    return Block.objects.get(source="kill_switch", lifted_at=None).id


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


# Screen


def test_the_panel_says_what_would_be_stopped_before_it_is(world: DeskWorld, head: Principal) -> None:
    sent = capture(world)
    record_hand_over(request_ids=[sent.request_id], at=utc_now())
    capture(world)
    client = client_of(head)
    assert "1 working order, 1 queued" in text(client, "/risk/kill/reach?scope=desk&name=eq1")
    assert "0 working orders, 0 queued" in text(client, "/risk/kill/reach?scope=strategy&name=VWAP")
    assert client.get("/risk/kill/reach?scope=desk&name=EQ9", headers=HTMX).status_code == 404
    assert client.get("/risk/kill/reach?scope=floor", headers=HTMX).status_code == 400
    assert "Nothing else stops trading" in text(client, "/risk")


def test_a_press_on_screen_is_told_everywhere_and_its_proof_is_one_page(world: DeskWorld, head: Principal) -> None:
    make_session(name="SIM1-A", group="SIM1")
    FixSession.objects.update(state="logged_on")
    Venue.objects.update(phone="+44 20 7946 0000")
    sent = capture(world)
    record_hand_over(request_ids=[sent.request_id], at=utc_now())
    Order.objects.update(session_group="SIM1")
    answer = client_of(head).post("/risk/kill", PRESS | {"typed": "", "held": "yes"}, headers=HTMX)
    assert answer.status_code == 200
    assert "the whole firm" in answer.content.decode()
    other = client_of(world.checker)
    banner = text(other, "/frame/status")
    assert "Stopped: the whole firm, by head since" in banner
    assert "Runaway orders" in banner
    assert "has not heard of it yet" in text(other, f"/risk/kill/{stop_id()}")
    relay()
    shown = text(other, f"/risk/kill/{stop_id()}?part=1")
    assert "Cancel to be sent 1" in shown
    assert sent.ref in shown
    assert "+44 20 7946 0000" in shown
    FixSession.objects.update(state="down")
    assert "Session down 1" in text(other, f"/risk/kill/{stop_id()}?part=1")
    stranger = make_principal("stranger", role="x", rights=("engage_kill_switch",))
    hidden = text(client_of(stranger), f"/risk/kill/{stop_id()}?part=1")
    assert sent.ref not in hidden
    assert "1 not proven that you may not see by name" in hidden


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({"typed": "desk"}, 400, "Hold the button for a second, or type firm."),
        ({"typed": ""}, 400, "Hold the button"),
        ({"reason": " "}, 400, "Say why"),
        ({"scope": "desk", "name": "EQ9", "typed": "EQ9"}, 404, "There is no desk EQ9"),
        ({"scope": "desk", "name": "", "typed": "desk"}, 400, "Name the desk."),
        ({"scope": "moon"}, 400, "A scope is one of"),
    ],
)
def test_a_press_that_was_not_meant_does_nothing(
    world: DeskWorld, head: Principal, changes: dict[str, str], status: int, words: str
) -> None:
    answer = client_of(head).post("/risk/kill", PRESS | changes, headers=HTMX)
    assert (answer.status_code, words in answer.content.decode()) == (status, True)
    assert not Block.objects.filter(source="kill_switch").exists()


def test_without_the_right_the_button_says_so_and_the_address_refuses(world: DeskWorld) -> None:
    client = client_of(world.dealer)
    assert "Your role may not press the kill switch." in text(client, "/risk")
    assert client.post("/risk/kill", PRESS, headers=HTMX).status_code == 403
    assert not Block.objects.filter(source="kill_switch").exists()


def test_a_release_is_asked_for_on_the_page_and_decided_on_the_approvals_page(
    world: DeskWorld, head: Principal, risk: Principal
) -> None:
    client_of(head).post("/risk/kill", PRESS)
    relay()
    stop = stop_id()
    asked = client_of(head).post(f"/risk/kill/{stop}/release", {"reason": "Cause found"}, headers=HTMX)
    assert "waits for a second person of risk or compliance" in asked.content.decode()
    question = AuthorisationRequest.objects.get(kind="stop_release")
    page = text(client_of(risk), f"/approvals?id={question.id}")
    assert "New orders of the whole firm are taken again. Nothing resumes by itself" in page
    assert "Approve: reopen the whole firm" in page.replace("&nbsp;", " ")
    decided = decide_as_shown(client_of(risk), question.id, headers=HTMX)
    assert "nothing resumed by itself" in decided.content.decode()
    assert Block.objects.get(id=stop).lifted_at is not None
    relay()
    assert "Released" in text(client_of(head), f"/risk/kill/{stop}")
    assert "Stopped:" not in text(client_of(head), "/frame/status")


def test_who_pressed_cannot_release_on_the_approvals_page(world: DeskWorld, head: Principal, risk: Principal) -> None:
    client_of(risk).post("/risk/kill", PRESS)
    client_of(head).post(f"/risk/kill/{stop_id()}/release", {"reason": "Cause found"})
    question = AuthorisationRequest.objects.get(kind="stop_release")
    assert "You pressed this stop" in text(client_of(risk), f"/approvals?id={question.id}")
    answer = decide_as_shown(client_of(risk), question.id, headers=HTMX)
    assert answer.status_code == 403
    assert Block.objects.get(id=stop_id()).lifted_at is None


# API


def test_the_api_presses_lists_proves_and_asks(world: DeskWorld, head: Principal) -> None:
    issue_token(head.user_id)
    sent = capture(world)
    record_hand_over(request_ids=[sent.request_id], at=utc_now())
    body = {"scopes": [{"scope": "desk", "id": "EQ1"}, {"scope": "venue", "id": "xlon"}], "reason": "Runaway"}
    answer = post("/stops", body)
    assert answer.status_code == 201
    assert [one["name"] for one in answer.json()["stops"]] == ["desk EQ1", "venue XLON"]
    assert answer.json()["drained"] is True
    assert [one["new"] for one in post("/stops", body, key="k2").json()["stops"]] == [False, False]
    assert Block.objects.filter(source="kill_switch", imposed_by_user=head.user_id).count() == 2
    relay()
    desk = answer.json()["stops"][0]["stop_id"]
    proof = get(f"/stops/{desk}").json()
    assert (proof["orders"], proof["unproven"], proof["states"]) == (1, 1, {"to_send": 1})
    assert [one["ref"] for one in proof["unproven_orders"]] == [sent.ref]
    assert len(get("/stops").json()["stops"]) == 2
    asked = post(f"/stops/{desk}/release", {"reason": "Cause found"}, key="k3")
    assert (asked.status_code, AuthorisationRequest.objects.filter(kind="stop_release").count()) == (202, 1)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"scopes": [], "reason": "x"}, 400),
        ({"scopes": [{"scope": "firm"}]}, 400),
        ({"scopes": [{"scope": "firm"}], "reason": "x", "held": True}, 400),
        ({"scopes": [{"scope": "firm"}, {"scope": "desk", "id": "EQ9"}], "reason": "x"}, 404),
        ({"scopes": [{"scope": "firm", "id": "1"}], "reason": "x", "lift": True}, 400),
    ],
)
def test_a_wrong_call_stops_nothing(world: DeskWorld, head: Principal, body: dict[str, Any], status: int) -> None:
    issue_token(head.user_id)
    assert post("/stops", body).status_code == status
    assert not Block.objects.filter(source="kill_switch").exists()


def test_a_token_without_the_right_stops_nothing(world: DeskWorld) -> None:
    issue_token(world.dealer.user_id)
    assert post("/stops", {"scopes": [{"scope": "firm"}], "reason": "x"}).status_code == 403
    assert not Block.objects.filter(source="kill_switch").exists()


def test_redis_dead_hinders_neither_the_press_nor_its_proof(world: DeskWorld, head: Principal, settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    issue_token(head.user_id)
    assert client_of(head).post("/risk/kill", PRESS, headers=HTMX).status_code == 200
    assert post("/stops", {"scopes": [{"scope": "venue", "id": "XLON"}], "reason": "x"}).status_code == 201
    relay()
    assert get(f"/stops/{Block.objects.filter(source='kill_switch').first().id}").status_code == 200  # type: ignore[union-attr]
    assert capture(world).outcome == "refused"


def test_with_the_relay_dead_the_gate_is_shut_and_the_page_says_what_waits(world: DeskWorld, head: Principal) -> None:
    sent = capture(world)
    record_hand_over(request_ids=[sent.request_id], at=utc_now())
    unsent = capture(world)
    client_of(head).post("/risk/kill", PRESS)
    assert capture(world).outcome == "refused"
    answer = check_boundaries(request_ids=[unsent.request_id], at=utc_now())[unsent.request_id]
    assert (answer.allowed, answer.code) == (False, "NO_STANDING_BLOCK")
    assert "wait for the relay" in text(client_of(head), f"/risk/kill/{stop_id()}")
    # A person's cancel needs no relay to be taken, and none to be waited for here.
    canceled = cancel_order(
        actor=world.dealer, at=utc_now(), idempotency_key="c", route="ticket", order_id=sent.order_id, reason="stop"
    )
    assert canceled.outcome == "released"


# Command line


def verb(**given: Any) -> int:
    defaults = {"scopes": [], "reason": "Runaway", "user": "head", "wait": 0.0, "proof": None, "json": False}
    return kill.work(Namespace(**(defaults | given)))


def test_the_command_line_presses_as_a_person_and_tells_what_is_not_proven(
    world: DeskWorld, head: Principal, capsys: pytest.CaptureFixture[str]
) -> None:
    sent = capture(world)
    record_hand_over(request_ids=[sent.request_id], at=utc_now())
    assert verb(scopes=["desk=EQ1", "account=ACC-EQ1"]) == 1
    out = capsys.readouterr().out
    assert "Stopped: desk EQ1" in out
    assert "Stopped: account ACC-EQ1" in out
    assert "its cancels wait for the relay" in out
    told = Event.objects.filter(kind="KillSwitchEngaged").first()
    assert told is not None
    assert told.actor.startswith("process:oms kill (")
    assert (told.on_behalf_of, told.payload["pressed_by_id"]) == (head.actor, head.user_id)
    relay()
    block = Block.objects.filter(scope="desk").get(source="kill_switch")
    assert verb(proof=str(block.id), json=True) == 1
    proof = json.loads(capsys.readouterr().out)
    assert (proof["unproven"], [one["ref"] for one in proof["unproven_orders"]]) == (1, [sent.ref])
    assert verb(proof=str(block.id)) == 1
    assert f"{sent.ref} VOD.L 1000 open, to send" in capsys.readouterr().out


def test_the_command_line_says_that_all_is_proven(
    world: DeskWorld, head: Principal, capsys: pytest.CaptureFixture[str]
) -> None:
    capture(world)
    assert verb(scopes=["firm"]) == 1
    relay()
    assert verb(proof=str(stop_id())) == 0
    assert "1 orders, 1 proven over, 0 not; 1 never sent" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"scopes": ["firm=1"]}, BadInput),
        ({"scopes": ["desk"]}, Invalid),
        ({"scopes": ["desk=EQ9"]}, NotFound),
        ({"scopes": ["firm", "moon=1"]}, Invalid),
        ({"scopes": ["firm"], "user": "nobody"}, BadInput),
        ({"scopes": ["firm"], "user": "dealer-EQ1"}, NotPermitted),
        ({"scopes": ["firm"], "reason": " "}, Invalid),
        ({"proof": "x"}, BadInput),
        ({"proof": "00000000-0000-0000-0000-000000000001"}, NotFound),
    ],
)
def test_a_wrong_command_line_does_nothing(
    world: DeskWorld, head: Principal, given: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        verb(**given)
    assert not Block.objects.filter(source="kill_switch").exists()


@pytest.mark.parametrize(
    "given",
    [{}, {"scopes": ["firm"], "proof": "x"}, {"scopes": ["firm"], "reason": ""}, {"scopes": ["firm"], "user": None}],
)
def test_an_incomplete_command_line_is_bad_input(given: dict[str, Any]) -> None:
    defaults = {"scopes": [], "reason": "Runaway", "user": "head", "wait": 0.0, "proof": None, "json": False}
    with pytest.raises(BadInput):
        kill.run(Namespace(**(defaults | given)))


# Names


def test_scopes_are_found_by_name_and_by_id_and_named_again(world: DeskWorld) -> None:
    instrument, account = world.listing.instrument, world.account
    cases = {
        ("firm", ""): ["", "anything"],
        ("desk", str(world.desk.pk)): ["EQ1", "eq1", str(world.desk.pk)],
        ("dealer", str(world.dealer.user_id)): ["dealer-EQ1", str(world.dealer.user_id)],
        ("client", str(account.client_id)): [account.client.code, str(account.client_id)],
        ("account", str(account.pk)): ["acc-eq1", str(account.pk)],
        ("strategy", "VWAP"): ["VWAP", " VWAP "],
        ("instrument", str(instrument.pk)): ["vod.l", instrument.isin, str(instrument.pk)],
        ("venue", "XLON"): ["xlon"],
    }
    for pair, names in cases.items():
        assert {find_scope(world.checker, pair[0], name) for name in names} == {pair}
    assert list(scope_names(cases).values()) == [
        "the whole firm", "desk EQ1", "dealer dealer-EQ1", f"client {account.client.code}", "account ACC-EQ1",
        "strategy VWAP", "instrument VOD.L", "venue XLON",
    ]  # fmt: skip


def test_a_press_and_a_release_are_answered_again_under_their_keys(world: DeskWorld, head: Principal) -> None:
    issue_token(head.user_id, "oms_head")
    press = {"scopes": [{"scope": "firm"}], "reason": "runaway"}
    first, again = (post("/stops", press, key="s1", token="oms_head") for _ in range(2))
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert (first.json()["stops"][0]["new"], again.headers.get("Idempotency-Replayed")) == (True, "true")
    other = post("/stops", press | {"reason": "other"}, key="s1", token="oms_head")
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")
    path = f"/stops/{first.json()['stops'][0]['stop_id']}/release"
    asked, repeated = (post(path, {"reason": "over"}, key="r1", token="oms_head") for _ in range(2))
    assert (asked.status_code, repeated.json()) == (202, asked.json())
    assert post(path, {"reason": "over"}, key="r2", token="oms_head").json()["code"] == "DECISION_PENDING"
    assert post(path, {"reason": "over"}, key=None, token="oms_head").json()["code"] == "IDEMPOTENCY_KEY_MISSING"
    assert AuthorisationRequest.objects.count() == 1


def test_a_press_that_fails_keeps_neither_stop_nor_key(world: DeskWorld, head: Principal) -> None:
    issue_token(head.user_id, "oms_head")
    wrong = {"scopes": [{"scope": "firm"}, {"scope": "desk", "id": "NONE"}], "reason": "runaway"}
    assert post("/stops", wrong, key="s1", token="oms_head").status_code == 404
    assert not Block.objects.filter(source="kill_switch").exists()
    right = {"scopes": [{"scope": "firm"}], "reason": "runaway"}
    assert post("/stops", right, key="s1", token="oms_head").status_code == 201
