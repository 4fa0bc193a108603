"""Working on a break from its own page: take, comment, hand on, put aside, link; and the way from its exception to it and back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from authorisation.domain.principal import Principal
from journal.selectors import stream_records
from journal.services.raise_anomaly import raise_anomaly
from kernel.clock import utc_now
from operations.models import ExceptionItem
from operations.services.on_anomaly_raised import handle
from reconciliation.models import Break
from reconciliation.services._tell_breaks import break_anomaly
from tests.factories import DeskWorld, make_desk, make_principal
from tests.factories.compared import end_break, make_breaks, make_run, saw
from tests.factories.doors import sign_in_as

pytestmark = pytest.mark.django_db
RIGHTS = ("work_break", "work_exception", "close_exception")


@pytest.fixture
def world() -> DeskWorld:
    return make_desk("EQ1")


def person(name: str, world: DeskWorld, *rights: str, persona: str = "operations") -> Principal:
    return make_principal(
        name, role=f"role of {name}", rights=rights, desks=(world.desk,), groups=(world.group,), trades=False, persona=persona,
    )  # fmt: skip


def browser(actor: Principal) -> Client:
    client = Client(headers={"HX-Request": "true"})
    client.cookies[settings.SESSION_COOKIE_NAME] = sign_in_as(actor)
    return client


def broken(world: DeskWorld, **values: Any) -> tuple[Break, ExceptionItem]:
    """A break of today with the exception that it raised."""
    (item,) = make_breaks(make_run(at=utc_now()), account_id=world.account.pk, **values)
    anomaly = break_anomaly(item)
    raise_anomaly(anomaly=anomaly, actor="process:test", at=utc_now())
    handle(stream_records(f"anomaly:{anomaly.dedupe_key}"))
    return item, ExceptionItem.objects.get(dedupe_key=anomaly.dedupe_key)


def do(client: Client, item: Break, act: str, status: int = 200, **fields: str) -> str:
    answer = client.post(f"/b/{item.ref}/do/{act}", fields)
    assert answer.status_code == status, answer.content[:500]
    return str(answer.content.decode())


def test_a_break_is_worked_on_where_it_is_explained(world: DeskWorld) -> None:
    item, matter = broken(world)
    (other, _) = broken(world)
    client = browser(person("r.one", world, *RIGHTS))
    shown = do(client, item, "take", version=str(matter.version))
    assert "Go on with it" in shown
    matter.refresh_from_db()
    assert (matter.owner.username if matter.owner else "", matter.state) == ("r.one", "under_review")

    assert "Rung the broker." in do(client, item, "comment", text="Rung the broker.")
    matter.refresh_from_db()
    assert f"/b/{other.ref}" not in do(client, item, "label", version=str(matter.version), label="phone")
    matter.refresh_from_db()
    do(client, item, "link", version=str(matter.version), link="break", key=other.ref)
    matter.refresh_from_db()
    until = (matter.due_at or utc_now()) - timedelta(minutes=1)
    do(client, item, "snooze", version=str(matter.version), until=f"{until:%Y-%m-%d %H:%M}")
    matter.refresh_from_db()
    assert (matter.labels, matter.links, matter.state) == (["phone"], [{"kind": "break", "key": other.ref}], "snoozed")
    stale = do(client, item, "assign", 409, version="0", group="compliance")
    assert "form-error" not in stale
    matter.refresh_from_db()
    assert matter.owner_group == "operations"


def test_who_may_not_work_on_it_is_told_and_changes_nothing(world: DeskWorld) -> None:
    item, matter = broken(world)
    auditor = browser(person("l.one", world, "search_audit", persona="auditor"))
    assert "Your role only reads exceptions." in auditor.get(f"/b/{item.ref}").content.decode()
    do(auditor, item, "comment", 403, text="I say so.")
    worker = browser(person("r.one", world, *RIGHTS))
    do(worker, item, "close", 404, cause="OTHER", text="closed from the wrong place")  # not an act of this page
    elsewhere = browser(person("r.two", make_desk("EQ2"), *RIGHTS))
    do(elsewhere, item, "comment", 404, text="I see nothing.")
    (nobodys,) = make_breaks(make_run(), account_id=world.account.pk)
    assert "nobody has to work on it" in do(worker, nobodys, "comment", 422, text="?")
    assert [one.kind for one in stream_records(f"exception:{matter.pk}")] == ["ExceptionOpened"]


def test_the_queue_names_what_a_break_is_about_and_leads_to_it(world: DeskWorld) -> None:
    item, matter = broken(world, suggestion="Ask the custodian for its movements.")
    client = browser(person("r.one", world, *RIGHTS))
    listed = client.get("/exceptions?part=1").content.decode()
    assert f"account {world.account.code}" in listed
    assert str(world.account.pk) not in listed
    assert '<a href="/runbooks/R-12">' in listed
    detail = client.get(f"/exceptions/{matter.pk}?part=1").content.decode()
    assert f'href="/b/{item.ref}">Open the break</a>' in detail
    assert "<b>Suggested:</b> Ask the custodian for its movements." in detail
    assert str(world.account.pk) not in detail


@pytest.mark.parametrize(
    ("amount", "why"),
    [
        ("25", ""),
        ("25.01", "25.01 GBP is more than the 25 that may be written off."),
        ("1", "No mark says that JPY may be written off."),
    ],
    ids=("at the mark", "above", "no mark"),
)
def test_a_write_off_beyond_its_mark_is_not_offered(world: DeskWorld, amount: str, why: str) -> None:
    currency = "JPY" if "JPY" in why else "GBP"
    theirs, ours = {"amount": str(100 + Decimal(amount)), "currency": currency}, {"amount": "100", "currency": currency}
    (item,) = make_breaks(
        make_run("cash"), account_id=world.account.pk, category="quantity", ours=ours, theirs=theirs,
        differences=[{"field": "amount", "ours": "100", "theirs": theirs["amount"], "difference": amount}],
    )  # fmt: skip
    shown = browser(person("r.one", world, *RIGHTS)).get(f"/b/{item.ref}").content.decode()
    assert (f'<span class="why">{why}</span>' in shown) == bool(why)
    assert ('value="write_off"' in shown) == (not why)


def test_how_breaks_like_it_ended_is_counted_of_those_one_sees(world: DeskWorld) -> None:
    run = make_run(at=utc_now())
    item, *ended = make_breaks(run, 4, account_id=world.account.pk)
    for one, how in zip(ended, ("matched", "matched", "agreed"), strict=True):
        end_break(one, how, at=utc_now())
    (hidden,) = make_breaks(run, account_id=make_desk("EQ2").account.pk)
    end_break(hidden, "matched", at=utc_now())
    (old,) = make_breaks(run, account_id=world.account.pk)
    end_break(old, "matched", at=utc_now() - timedelta(days=91))
    shown = browser(person("r.one", world, *RIGHTS)).get(f"/b/{item.ref}").content.decode()
    assert "Like it in the last 90 days: 2 matched, 1 agreed." in shown


def test_a_run_that_found_nothing_new_says_so(world: DeskWorld) -> None:
    first, second = make_run(at=utc_now() - timedelta(hours=1)), make_run(at=utc_now())
    saw(second, make_breaks(first, 2, account_id=world.account.pk))
    client = browser(person("r.one", world, *RIGHTS))
    assert "wrote nothing" in client.get(f"/recon/{second.pk}").content.decode()
    assert "wrote nothing" not in client.get(f"/recon/{first.pk}").content.decode()
