"""The page of access: who sees it, what is asked for from it, and cutting somebody off from the next request on."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client

from authorisation.domain.principal import Principal, process_principal
from authorisation.models import ApiKey, AuthorisationRequest, User
from authorisation.selectors import find_api_key, get_principal
from authorisation.services.claim_request import claim_request
from authorisation.services.cut_off_user import cut_off_user
from authorisation.services.decide_user_right import decide_user_right
from authorisation.services.enable_user import enable_user
from authorisation.services.issue_api_key import issue_api_key
from authorisation.services.join_role import join_role
from journal.models import Event
from kernel.clock import utc_now
from kernel.errors import Conflict, Invalid, NotPermitted
from operations.services.offboard_user import offboard_user
from orders.models import Order
from tests.factories import make_desk, make_principal
from tests.factories.authorisation import person
from tests.factories.doors import issue_token
from tests.integration.orders.test_apply_reports import sent
from tests.integration.orders.test_reown_orders import heir
from tests.integration.orders.test_unmatched import open_anomalies

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def house() -> None:
    for name in ("root", "toor", "third"):
        person(name, rights=("administer_users", "see_access"), desks=())
    person("l.berg", rights=("see_access",), desks=())
    person("a.khan", rights=("enter_order",))
    Group.objects.create(name="kill").permissions.set(Permission.objects.filter(codename="engage_kill_switch"))


def client_of(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def who(name: str) -> Principal:
    return get_principal(User.objects.get(username=name))


def pk(name: str) -> int:
    return User.objects.get(username=name).pk


def test_the_matrix_shows_who_holds_what_to_whom_it_is_for() -> None:
    page = client_of("l.berg").get("/admin/access").content.decode()
    assert "a.khan" in page
    assert "role of a.khan" in page
    assert "Changes of rights are asked for by administrators." in page
    assert client_of("a.khan").get("/admin/access").status_code == 403
    assert client_of("l.berg").get(f"/admin/access/people/{pk('a.khan')}").status_code == 200
    assert client_of("l.berg").get("/admin/access/people/999999999").status_code == 404
    assert client_of("l.berg").get("/admin/access/roles/999999999").status_code == 404


def test_a_role_is_asked_for_from_the_page_and_waits_for_another() -> None:
    form = {
        "change": "join_role",
        "user": pk("a.khan"),
        "role": "kill",
        "until": "2099-12-31T18:00",
        "reason": "stand-in",
    }
    assert client_of("l.berg").post("/admin/access/ask", form).status_code == 403
    answer = client_of("root").post("/admin/access/ask", form)
    asked = AuthorisationRequest.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/approvals?view=raised&id={asked.id}")
    assert asked.payload["until"] == "2099-12-31T18:00:00+00:00"
    page = client_of("toor").get(f"/approvals/{asked.id}").content.decode()
    assert "a.khan joins the role kill until 2099-12-31 18:00 UTC." in page
    assert "engage_kill_switch, enter_order" in page


@pytest.mark.parametrize(
    "form",
    [
        {"change": "fly", "reason": "x"},
        {"change": "join_role", "user": "me", "role": "kill", "reason": "x"},
        {"change": "join_role", "user": "1", "role": "kill", "until": "soon", "reason": "x"},
        {"change": "grant_access", "role": "kill", "right": "view_desk", "objects": "a", "reason": "x"},
        {"change": "add_user", "username": "", "reason": "x"},
    ],
)
def test_what_cannot_be_read_asks_nothing(form: dict[str, str]) -> None:
    assert client_of("root").post("/admin/access/ask", form).status_code == 400
    assert not AuthorisationRequest.objects.exists()


def test_cut_off_from_the_next_request_on_and_let_in_by_two() -> None:
    dealer, at = client_of("a.khan"), utc_now()
    token = issue_api_key(actor=process_principal("test"), at=at, user_id=pk("a.khan"), name="k").token
    assert dealer.get("/desk").status_code == 200
    admin, address = client_of("root"), f"/admin/access/people/{pk('a.khan')}/cut-off"
    assert admin.post(address, {"typed": "somebody", "reason": "leaves"}).status_code == 400
    assert dealer.get("/desk").status_code == 200
    assert admin.post(address, {"typed": "a.khan", "reason": "leaves"}).status_code == 302
    assert dealer.get("/desk").headers["Location"].startswith("/sign-in")
    assert find_api_key(token, at=utc_now()) is None
    assert not ApiKey.objects.filter(revoked_at=None).exists()
    assert (who("a.khan").rights, dict(who("a.khan").grants)) == (frozenset(), {})
    told = Event.objects.get(kind="UserDisabled")
    assert (told.payload["reason"], told.payload["keys"], told.payload["roles"]) == ("leaves", 1, ["role of a.khan"])
    with pytest.raises(NotPermitted, match="SECOND_PERSON_NEEDED"):
        enable_user(actor=who("root"), at=at, user_id=pk("a.khan"))
    admin.post("/admin/access/ask", {"change": "enable_user", "user": pk("a.khan"), "reason": "is back"})
    asked = AuthorisationRequest.objects.get()
    decide_user_right(
        actor=who("toor"), at=utc_now(), authorisation_id=asked.id, verdict="approve", reason_code="", reason="",
        payload_hash=asked.payload_hash,
    )  # fmt: skip
    assert User.objects.get(username="a.khan").is_active
    assert who("a.khan").rights == frozenset()


def test_who_may_cut_off_and_what_cannot_be() -> None:
    at = utc_now()
    with pytest.raises(NotPermitted, match="RIGHT_MISSING"):
        cut_off_user(actor=who("l.berg"), at=at, user_id=pk("a.khan"), reason="x")
    with pytest.raises(Invalid, match="REASON_INVALID"):
        cut_off_user(actor=who("root"), at=at, user_id=pk("a.khan"), reason=" ")
    assert User.objects.get(username="a.khan").is_active
    cut_off_user(actor=who("root"), at=at, user_id=pk("a.khan"), reason="x")
    with pytest.raises(Conflict, match="USER_CUT_OFF"):
        cut_off_user(actor=who("root"), at=at, user_id=pk("a.khan"), reason="x")


def test_the_last_holder_is_cut_off_all_the_same_and_the_vacancy_told() -> None:
    at, khan = utc_now(), User.objects.get(username="a.khan")
    join_role(actor=process_principal("test"), at=at, user=khan, roles=[Group.objects.get(name="kill")])
    cut_off_user(actor=who("root"), at=at, user_id=khan.pk, reason="stolen laptop")
    told = Event.objects.get(kind="AnomalyRaised").payload
    assert (told["kind"], told["subject_id"]) == ("RIGHT_VACANT", "engage_kill_switch")


def test_a_leaver_is_cut_off_and_the_successor_has_the_orders() -> None:
    world = make_desk()
    order = sent(world)
    heir(world)
    admin, leaver = client_of("root"), world.dealer
    page = admin.get(f"/admin/access/people/{leaver.user_id}").content.decode()
    assert "Successor for 1 open order<" in page
    assert "heir · may trade 1 of 1" in page
    assert "VOD.L" not in page  # how many there are, never what is traded
    form = {"typed": leaver.username, "reason": "leaves", "successor": pk("heir")}
    assert client_of("l.berg").post(f"/admin/access/people/{leaver.user_id}/cut-off", form).status_code == 403
    for wrong, status in (("soon", 400), ("999999999", 404), (str(pk("l.berg")), 409)):
        answer = admin.post(f"/admin/access/people/{leaver.user_id}/cut-off", form | {"successor": wrong})
        assert answer.status_code == status
    assert User.objects.get(pk=leaver.user_id).is_active  # nothing happened where the successor cannot be
    assert admin.post(f"/admin/access/people/{leaver.user_id}/cut-off", form).status_code == 302
    assert Order.objects.get(id=order.order_id).owner_id == pk("heir")
    told = Event.objects.get(kind="OrderReowned")
    assert (told.actor, told.payload["reason"]) == (f"user:{pk('root')}", "leaves")
    assert open_anomalies() == []
    seen = client_of("heir").get(f"/o/{order.ref}").content.decode()
    assert f"Given to another dealer: {leaver.username} → heir · leaves" in seen
    assert f"by {leaver.username}</dd>" in seen
    told_then = client_of("heir").get(f"/o/{order.ref}/as-at/1").content.decode()
    assert f"{leaver.username} then" in told_then
    issue_token(who("heir"), "t-heir")
    answer = Client().get(f"/api/v1/orders/{order.order_id}", headers={"authorization": "Bearer t-heir"}).json()
    assert answer["ticket"]["entered_by"] == leaver.username


def test_without_a_successor_the_orders_stay_told_and_are_given_from_the_page_later() -> None:
    world = make_desk()
    order = sent(world)
    admin, address = client_of("root"), f"/admin/access/people/{world.dealer.user_id}"
    assert "Nobody may trade them" not in admin.get(address).content.decode()
    assert admin.post(f"{address}/re-own", {"successor": pk("root"), "reason": "x"}).status_code == 409  # still there
    admin.post(f"{address}/cut-off", {"typed": world.dealer.username, "reason": "stolen", "successor": ""})
    assert open_anomalies() == ["ORDERS_OWNER_GONE"]
    assert "Nobody may trade them" in admin.get(address).content.decode()
    heir(world)
    assert "Give them to the successor now" in admin.get(address).content.decode()
    assert "Give them to the successor now" not in client_of("l.berg").get(address).content.decode()
    form = {"successor": pk("heir"), "reason": "takes over"}
    assert client_of("l.berg").post(f"{address}/re-own", form).status_code == 403
    assert admin.post(f"{address}/re-own", form | {"successor": ""}).status_code == 400
    assert admin.post(f"{address}/re-own", form).status_code == 302
    assert Order.objects.get(id=order.order_id).owner_id == pk("heir")
    assert open_anomalies() == []


def test_a_cut_off_stands_where_the_successor_may_trade_nothing() -> None:
    world = make_desk()
    sent(world)
    make_principal("far", role="dealer", rights=("enter_order",))
    done = offboard_user(
        actor=who("root"), at=utc_now(), user_id=world.dealer.user_id, reason="leaves", successor_id=pk("far")
    )
    assert done.reowned is None
    assert done.sentence.startswith("far may trade none of the 1 open orders")
    assert not User.objects.get(pk=world.dealer.user_id).is_active
    assert open_anomalies() == ["ORDERS_OWNER_GONE"]


def test_what_a_checker_looked_at_is_free_and_what_a_maker_asked_says_so() -> None:
    change = {"change": "join_role", "user": pk("a.khan"), "role": "kill", "reason": "x"}
    client_of("root").post("/admin/access/ask", change)
    asked = AuthorisationRequest.objects.get()
    claim_request(actor=who("toor"), at=utc_now(), authorisation_id=asked.id)
    done = cut_off_user(actor=who("third"), at=utc_now(), user_id=pk("toor"), reason="x")
    asked.refresh_from_db()
    assert (done.claims, asked.claimed_by_id, asked.state) == (1, None, "pending")
    assert Event.objects.filter(kind="AuthorisationReleased").count() == 1
    User.objects.filter(username="root").update(is_active=False)
    page = client_of("third").get(f"/approvals/{asked.id}").content.decode()
    assert "root was cut off after asking." in page


def test_what_a_person_asked_about_rights_goes_with_the_person() -> None:
    client_of("root").post(
        "/admin/access/ask", {"change": "join_role", "user": pk("a.khan"), "role": "kill", "reason": "x"}
    )
    cut_off_user(actor=who("toor"), at=utc_now(), user_id=pk("root"), reason="x")
    assert AuthorisationRequest.objects.get().state == "withdrawn"
