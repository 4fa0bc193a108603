"""A comparison from the page: who starts it, with what, what is refused, that a worker does it whatever died, and that it is stopped."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from operations.selectors.recon.runs import list_kept
from reconciliation.models import Break, FeedFile, Run
from reconciliation.services.do_run import do_run
from tests.factories import ISINS, DeskWorld, make_principal
from tests.factories.busy_day import told_desk
from tests.factories.doors import sign_in_as

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> DeskWorld:
    """An account with 1,000 shares; files are kept in a place of the test's own."""
    settings.VAR_DIR = tmp_path
    return told_desk(stock="1000", charged=False)


def person(world: DeskWorld, *rights: str) -> Principal:
    return make_principal(
        "r.one", role="operations", rights=rights, desks=(world.desk,), groups=(world.group,), trades=False,
        persona="operations",
    )  # fmt: skip


def browser(actor: Principal) -> Client:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = sign_in_as(actor)
    return client


def statement(world: DeskWorld, qty: str, *more: str) -> SimpleUploadedFile:
    lines = ["account,isin,qty", f"{world.account.code},{ISINS[world.listing.symbol]},{qty}", *more]
    return SimpleUploadedFile("positions.csv", ("\n".join(lines) + "\n").encode(), "text/csv")


def start(client: Client, **changes: Any) -> Any:
    fields = {"kind": "positions", "as_of": utc_now().date().isoformat(), "source": "CUSTODIAN"} | changes
    return client.post("/recon/start", {name: value for name, value in fields.items() if value is not None})


def test_a_file_is_kept_compared_by_a_worker_and_found_the_same_again(world: DeskWorld) -> None:
    actor = person(world, "work_break")
    client = browser(actor)
    answer = start(client, file=statement(world, "900"))
    run = Run.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/recon/{run.pk}")
    assert (run.state, run.started_by, run.trigger) == ("waiting", actor.actor, "by_hand")
    assert (settings.VAR_DIR / "feeds" / FeedFile.objects.get().sha256).exists()
    at = utc_now() + timedelta(seconds=1)
    do_run(run_id=run.pk, at=at)
    run.refresh_from_db()
    assert (run.state, run.written) == ("done", 1)
    (item,) = Break.objects.all()
    assert (item.category, item.account_id) == ("quantity", world.account.pk)
    shown = client.get(f"/b/{item.ref}").content.decode()
    for words in ("1,000", "900", "−100", "positions.csv", item.why):
        assert words in shown, words
    (kept,) = list_kept()
    start(client, kept=str(kept.pk), source=None)
    again = Run.objects.order_by("-created_at").first()
    assert again is not None
    do_run(run_id=again.pk, at=at)
    again.refresh_from_db()
    assert (again.written, again.standing, Break.objects.count()) == (0, 1, 1)


WRONG: tuple[dict[str, Any], ...] = (
    {"kind": "accounts"}, {"kind": ""}, {"as_of": "soon"}, {"source": " "}, {"source": "x" * 41}, {"file": None},
    {"file": None, "kept": "nonsense"},
)  # fmt: skip


def test_what_is_wrong_with_the_fields_is_said_and_nothing_begins(world: DeskWorld) -> None:
    client = browser(person(world, "work_break"))
    for changes in WRONG:
        answer = start(client, **({"file": statement(world, "1")} | changes))
        assert (answer.status_code, "RUN_INVALID" in answer.content.decode()) == (400, True), changes
    assert not Run.objects.exists()


def test_a_file_that_cannot_be_read_is_named_and_not_compared(world: DeskWorld) -> None:
    broken = SimpleUploadedFile("positions.csv", b"PK\x03\x04 not a statement", "text/csv")
    answer = start(browser(person(world, "work_break")), file=broken)
    assert answer.status_code == 400
    assert "FILE_" in answer.content.decode()
    assert not Run.objects.exists()


def test_who_may_not_work_on_breaks_starts_and_stops_nothing(world: DeskWorld) -> None:
    client = browser(world.dealer)
    assert start(client, file=statement(world, "1")).status_code == 403
    assert not FeedFile.objects.exists()
    shown = client.get("/recon").content.decode()
    assert "Your role may not start comparisons." in shown


def test_a_run_that_waits_is_stopped_once(world: DeskWorld) -> None:
    client = browser(person(world, "work_break"))
    start(client, file=statement(world, "1000"))
    stopped = Run.objects.get()
    assert client.post(f"/recon/{stopped.pk}/cancel").status_code == 302
    do_run(run_id=stopped.pk, at=utc_now())
    stopped.refresh_from_db()
    assert (stopped.state, stopped.matched) == ("canceled", 0)
    assert client.post(f"/recon/{stopped.pk}/cancel").status_code == 409
