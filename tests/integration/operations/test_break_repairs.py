"""Mending from the page: what is offered to whom, what a click asks, and the two sides of a match by hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.test import Client

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from kernel.clock import utc_now
from reconciliation.models import Break
from reconciliation.services.decide_break_repair import decide_break_repair
from tests.factories import DeskWorld, make_desk, make_principal
from tests.factories.compared import make_breaks, make_run
from tests.factories.doors import sign_in_as

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> DeskWorld:
    return make_desk("EQ1")


def person(name: str, world: DeskWorld) -> Principal:
    return make_principal(
        name, role=f"role of {name}", rights=("work_break", "decide_break"), desks=(world.desk,), groups=(world.group,),
        trades=False, persona="operations",
    )  # fmt: skip


def browser(actor: Principal) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = sign_in_as(actor)
    return client


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.content[:500]
    return str(answer.content.decode())


def sides(world: DeskWorld, theirs: str, *ours: str) -> tuple[Break, list[Break]]:
    """One record of theirs and some of ours of the same account, instrument and side."""
    run = make_run()
    about: dict[str, Any] = {"account_id": world.account.pk, "instrument_id": world.listing.instrument_id}
    record = {"last_px": "72.50", "side": "1", "currency": "GBP"}
    (missing,) = make_breaks(run, theirs={**record, "last_qty": theirs, "exec_id": "AVG"}, **about)
    held = [
        make_breaks(
            run, category="missing_external", ours={**record, "last_qty": qty, "exec_id": f"F{qty}"}, theirs={}, **about
        )[0]
        for qty in ours
    ]
    return missing, held


def weigh(client: Client, item: Break, picked: list[int]) -> str:
    """The line that says what was picked differs by."""
    query = urlencode({"part": "1", "pick": picked}, doseq=True)
    return text(client.get(f"/b/{item.ref}/matching?{query}"))


def test_every_way_stands_there_with_its_reason(world: DeskWorld) -> None:
    (item,) = make_breaks(make_run("cash"), account_id=world.account.pk, category="quantity", theirs={})
    shown = text(browser(person("r.one", world)).get(f"/b/{item.ref}"))
    for title, why in (
        ("Book the execution they report", "Only an execution that they report and we do not have can be booked."),
        ("Write the difference off", "Only a difference in cash or fees can be written off."),
        ("Match by hand", "Only what one side has and the other has not can be matched by hand."),
    ):
        assert title in shown
        assert f'<span class="why">{why}</span>' in shown
    # The keyboard offers what mends the break; that nothing is wrong, or is called otherwise, wants to be chosen.
    assert 'value="accept_timing"' in shown
    assert "data-primary" not in shown
    differs = [{"field": "commission", "ours": "7", "theirs": "9", "difference": "2"}]
    (fee,) = make_breaks(make_run(), account_id=world.account.pk, category="fee", differences=differs)
    shown = text(browser(person("r.two", world)).get(f"/b/{fee.ref}"))
    assert 'value="write_off" class="primary" data-primary' in shown
    assert shown.count("data-primary") == 1


def test_who_works_on_nothing_sees_why_and_is_refused(world: DeskWorld) -> None:
    (item,) = make_breaks(make_run(), account_id=world.account.pk)
    client = browser(world.dealer)
    shown = text(client.get(f"/b/{item.ref}"))
    assert shown.count('<span class="why">Your role may not work on reconciliation.</span>') == 6
    assert 'name="repair"' not in shown
    fields = {"repair": "accept_timing", "reason": "tomorrow", "until": str(utc_now().date()), "key": "k"}
    assert client.post(f"/b/{item.ref}/repair", fields).status_code == 403
    assert client.post(f"/b/{item.ref}/match", {"pick": [item.number], "reason": "x", "key": "k"}).status_code == 403
    assert not AuthorisationRequest.objects.exists()


def test_a_difference_in_time_is_asked_for_shown_as_waiting_and_decided_by_another(world: DeskWorld) -> None:
    (item,) = make_breaks(make_run(), account_id=world.account.pk)
    until = utc_now().date() + timedelta(days=2)
    client = browser(person("r.one", world))
    fields = {"repair": "accept_timing", "reason": "booked there tomorrow", "until": str(until), "key": "k1"}
    answer = client.post(f"/b/{item.ref}/repair", fields, headers={"HX-Request": "true"})
    assert "It waits for a second person" in text(answer)
    assert answer.headers["HX-Trigger"] == "break-moved, oms:exceptions"
    request = AuthorisationRequest.objects.get()
    shown = text(client.get(f"/b/{item.ref}"))
    assert f"/approvals?view=all&amp;id={request.pk}" in shown
    assert "A request waits for a second person" in shown
    again = client.post(f"/b/{item.ref}/repair", fields)  # the same key: the same answer, nothing more
    assert (again.status_code, AuthorisationRequest.objects.count()) == (302, 1)
    decide_break_repair(
        actor=person("r.two", world), at=utc_now(), authorisation_id=request.pk, verdict="approve", reason_code="",
        reason="", payload_hash=request.payload_hash,
    )  # fmt: skip
    item.refresh_from_db()
    assert (item.state, item.accepted_until) == ("accepted", until)


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"reason": " "}, 400, "REASON_INVALID"), ({"until": "soon"}, 400, "REPAIR_INVALID"),
        ({"until": ""}, 400, "REPAIR_INVALID"), ({"repair": "magic"}, 400, "REPAIR_INVALID"),
        ({"repair": "book_execution"}, 409, "REPAIR_IMPOSSIBLE"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_asked(
    world: DeskWorld, changes: dict[str, str], status: int, code: str
) -> None:
    (item,) = make_breaks(make_run(), account_id=world.account.pk)
    fields = {"repair": "accept_timing", "reason": "x", "until": str(utc_now().date()), "key": "k"} | changes
    answer = browser(person("r.one", world)).post(f"/b/{item.ref}/repair", fields)
    assert (answer.status_code, code in answer.content.decode()) == (status, True)
    assert not AuthorisationRequest.objects.exists()


def test_sums_that_agree_are_matched_by_one_person(world: DeskWorld) -> None:
    theirs, ours = sides(world, "300", "100", "200")
    client = browser(person("r.one", world))
    shown = text(client.get(f"/b/{theirs.ref}/matching"))
    assert all(one.ref in shown for one in (theirs, *ours))
    picked = [theirs.number, *(one.number for one in ours)]
    weighed = weigh(client, theirs, picked)
    assert "3 records differ by <b>0</b> units" in weighed
    assert "Within it: your word closes them." in weighed
    answer = client.post(
        f"/b/{theirs.ref}/match",
        {"pick": picked, "reason": "one average-price line", "key": "m1"},
        headers={"HX-Request": "true"},
    )
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, f"/b/{theirs.ref}")
    closed = Break.objects.filter(closed_as="matched")
    assert {one.pk for one in closed} == {theirs.pk, *(one.pk for one in ours)}
    assert all("one average-price line" in one.closing_sentence for one in closed)


def test_sums_that_differ_ask_a_second_person(world: DeskWorld) -> None:
    theirs, ours = sides(world, "300", "100")
    client = browser(person("r.one", world))
    picked = [theirs.number, ours[0].number]
    weighed = weigh(client, theirs, picked)
    assert "<b>+200</b> units" in weighed
    assert "Beyond it: a second person is asked." in weighed
    client.post(f"/b/{theirs.ref}/match", {"pick": picked, "reason": "the rest comes", "key": "m1"})
    assert AuthorisationRequest.objects.get().kind == "break_repair"
    assert not Break.objects.filter(state="closed").exists()


def test_one_side_alone_and_hidden_records_are_no_match(world: DeskWorld) -> None:
    theirs, _ = sides(world, "300", "100")
    other = make_desk("EQ2")
    (hidden,) = make_breaks(make_run(), account_id=other.account.pk)
    client = browser(person("r.one", world))
    weighed = weigh(client, theirs, [theirs.number])
    assert "A match needs records of theirs and records of ours" in weighed
    alone = client.post(f"/b/{theirs.ref}/match", {"pick": [theirs.number], "reason": "x", "key": "a"})
    stolen = client.post(f"/b/{theirs.ref}/match", {"pick": [theirs.number, hidden.number], "reason": "x", "key": "b"})
    assert (alone.status_code, stolen.status_code) == (409, 404)
    assert not Break.objects.filter(state="closed").exists()
