"""Every address × method × caller answers what the table says; nothing of another desk is ever told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import pytest

from authorisation.domain.scopes import ANY_KEY, SCOPES
from journal.models import Event
from orders.models import Order
from tests.architecture.addresses import (
    ADDRESSES,
    API,
    METHODS,
    Door,
    doors_of,
    entries_of_the_house,
    patterns_of_the_house,
)
from tests.architecture.test_security_headers import weaknesses
from tests.factories.doors import CALLERS, Doors

LISTED = [door for doors in ADDRESSES.values() for door in doors]
SAFE = ("GET", "HEAD", "OPTIONS")


def name_of(door: Door) -> str:
    return f"{door.method} {door.path}"


def test_every_address_is_listed_once() -> None:
    assert sorted(patterns_of_the_house()) == sorted(ADDRESSES)


def test_every_door_says_what_each_caller_gets() -> None:
    for door in LISTED:
        assert len(door.statuses) == len(CALLERS), name_of(door)
        assert door.method in METHODS


def test_every_method_of_the_api_names_a_scope_that_exists() -> None:
    views = {
        pattern: entry.callback.cls  # type: ignore[attr-defined]
        for pattern, entry in entries_of_the_house()
        if pattern.startswith(API) and entry.name != "api-schema"
    }
    methods = {
        (pattern, method) for pattern, view in views.items() for method in METHODS if hasattr(view, method.lower())
    }
    named = {(pattern, method) for pattern, view in views.items() for method in view.scopes}
    assert methods - named == {(pattern, "OPTIONS") for pattern in views}
    assert named <= methods
    assert {scope for view in views.values() for scope in view.scopes.values()} <= {*SCOPES, ANY_KEY}


class Answer(NamedTuple):
    """What one caller got at one door."""

    door: Door
    caller: str
    status: int
    headers: Mapping[str, str]


ANSWERS: dict[str, list[Answer]] = {}
"""What was asked for the statuses; the headers are looked at in the same answers."""


def ask(doors: Doors, pattern: str) -> list[Answer]:
    found = []
    for door in doors_of(pattern):
        for caller in CALLERS:
            answer = doors.call(door.method, door.path_for(doors), door.data(doors), caller=caller)
            found.append(Answer(door, caller, answer.status_code, answer.headers))
    ANSWERS[pattern] = found
    return found


@pytest.mark.parametrize("pattern", ADDRESSES)
def test_every_caller_gets_what_the_table_says(doors: Doors, pattern: str) -> None:
    before = (Order.objects.count(), Event.objects.count())
    wrong = []
    for door, caller, status, _ in ask(doors, pattern):
        if status != door.status_for(caller):
            wrong.append(f"{name_of(door)} as {caller}: {status}, not {door.status_for(caller)}")
    assert wrong == []
    assert (Order.objects.count(), Event.objects.count()) == before


@pytest.mark.parametrize("pattern", ADDRESSES)
def test_every_answer_of_an_address_carries_the_headers(doors: Doors, pattern: str) -> None:
    answers = ANSWERS.get(pattern) or ask(doors, pattern)
    assert len(answers) == len(list(doors_of(pattern))) * len(CALLERS)
    wrong = []
    for door, caller, status, headers in answers:
        found = weaknesses(headers)
        if "no-store" not in headers.get("Cache-Control", "") and not door.path.startswith("/static/"):
            found.append(f"Cache-Control: {headers.get('Cache-Control')}")
        if "Access-Control-Allow-Origin" in headers:
            found.append("another origin may read it")
        wrong += [f"{door.method} as {caller}, {status}: {text}" for text in found]
    assert wrong == []


@pytest.mark.parametrize("door", [door for door in LISTED if door.statuses[0] in (302, 401)], ids=name_of)
def test_nobody_is_sent_to_sign_in_and_parts_of_pages_say_so(doors: Doors, door: Door) -> None:
    path = door.path_for(doors)
    answer = doors.call(door.method, path, door.data(doors))
    if answer.status_code == 302 and not door.path.startswith(("/sign-in/", "/sign-out")) and door.path != "/":
        assert answer.headers["Location"].startswith("/sign-in?next=/"), path
        assert doors.call(door.method, path, headers={"HX-Request": "true"}).status_code == 401
    if path.startswith("/api/"):
        assert answer.headers["WWW-Authenticate"] == "OMS-HMAC-SHA256, Bearer"


@pytest.mark.parametrize("door", [door for door in LISTED if door.method not in SAFE], ids=name_of)
def test_no_page_takes_a_post_without_its_csrf_token(doors: Doors, door: Door) -> None:
    before = (Order.objects.count(), Event.objects.count())
    answer = doors.call(door.method, door.path_for(doors), door.data(doors), caller="own", csrf=False)
    expected = door.status_for("own") if door.path.startswith(f"/{API}") else 403
    assert answer.status_code == expected
    assert (Order.objects.count(), Event.objects.count()) == before


@pytest.mark.parametrize("door", [door for door in LISTED if door.path.startswith(f"/{API}")], ids=name_of)
def test_a_session_is_no_token(doors: Doors, door: Door) -> None:
    answer = doors.call(
        door.method, door.path_for(doors), door.data(doors), caller="own", csrf=False, headers={"Authorization": ""}
    )
    assert answer.status_code == 401


@pytest.mark.parametrize("door", [door for door in LISTED if door.status_for("other") in (200, 400, 404)], ids=name_of)
def test_no_answer_tells_another_desk_of_a_row(doors: Doors, door: Door) -> None:
    data = door.data(doors)
    answer = doors.call(door.method, door.path_for(doors), data, caller="other")
    told = "" if answer.streaming else answer.content.decode()
    secrets = {
        "order": doors.order.cl_ord_id,
        "order id": str(doors.order.order_id),
        "client": doors.own.account.name if doors.own.account.name not in str(data) else "-none-",
        "cash": "100,000,000",
        "approval": doors.payload_hash,
        "upload": "orders-0.csv",
    }
    asked = door.path_for(doors)
    assert [name for name, secret in secrets.items() if secret in told and secret not in asked] == []


def test_a_service_cannot_sign_in(doors: Doors) -> None:
    service = doors.people["service"]
    answer = doors.call("POST", "/sign-in", {"username": service.username, "password": "oms_service"})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "/o/a%00b",
        "/o/a%00b/amend",
        "/o/cancel?refs=%00",
        "/search?q=%00",
        "/venues/%00",
        "/api/v1/orders?account=%00",
        "/api/v1/orders?cursor=%00",
    ],
)
def test_a_nul_character_is_malformed_not_a_failure(doors: Doors, path: str) -> None:
    assert doors.call("GET", path, caller="own").status_code == 400


def test_a_nul_character_in_a_form_is_malformed(doors: Doors) -> None:
    assert doors.call("POST", "/ticket/preview", {"symbol": "VOD\0"}, caller="own").status_code == 400
