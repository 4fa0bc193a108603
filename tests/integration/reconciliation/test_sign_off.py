"""A second person signs a run off: who may, who may not and why, what is kept, and that it is said once."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from authorisation.domain.principal import Principal, process_principal
from journal.domain.chain import EventDraft
from journal.models import Event
from journal.services.append_to_stream import append_to_stream
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted, OmsError
from kernel.ids import new_id
from operations.selectors.recon.report import run_report
from operations.selectors.recon.runs import get_run
from reconciliation.models import Break, Run
from reconciliation.selectors.signing import open_statement, why_not_signing
from reconciliation.services.sign_run_off import sign_run_off
from tests.factories import AT, DeskWorld, make_desk, make_principal
from tests.factories.compared import accept_break, end_break, make_breaks, make_file, make_run, saw

pytestmark = pytest.mark.django_db
SAID = "I read the three open breaks and take note."
AFTER = AT + timedelta(hours=1)


@pytest.fixture
def world() -> DeskWorld:
    return make_desk("EQ1")


def person(name: str, *worlds: DeskWorld, rights: tuple[str, ...] = ("work_break", "decide_break")) -> Principal:
    return make_principal(
        name, role=f"role of {name}", rights=rights, desks=tuple(one.desk for one in worlds),
        groups=tuple(one.group for one in worlds), trades=False, persona="operations",
    )  # fmt: skip


def sign(run: Run, actor: Principal, **changes: Any) -> Run:
    values: dict[str, Any] = {"statement": SAID, "digest": open_statement(run).digest, "at": AFTER} | changes
    return sign_run_off(actor=actor, run_id=run.pk, **values)


def refused(run: Run, actor: Principal, error: type[OmsError], **changes: Any) -> str:
    with pytest.raises(error) as found:
        sign(run, actor, **changes)
    kept = Run.objects.get(pk=run.pk)
    assert (kept.signed_by, kept.signed_at, kept.sign_off) == ("", None, "")
    assert not Event.objects.filter(kind="RunSignedOff").exists()
    return str(found.value.code)


def test_who_signs_takes_note_of_what_is_open_and_the_event_keeps_it(world: DeskWorld) -> None:
    run = make_run(started_by=person("r.one", world).actor)
    _, two, gone = make_breaks(run, 3, account_id=world.account.pk)
    make_breaks(run, 1, account_id=world.account.pk, exposure_currency="USD", category="price")
    accept_break(two, AT.date())
    end_break(gone)
    signer = person("r.two", world)
    assert why_not_signing(run, signer, statement=open_statement(run)) == ""
    sign(run, signer, statement=f"  {SAID} ")
    kept = Run.objects.get(pk=run.pk)
    assert (kept.signed_by, kept.signed_at, kept.sign_off) == (signer.actor, AFTER, SAID)
    (event,) = Event.objects.filter(stream=f"run:{run.pk}", kind="RunSignedOff")
    assert (event.payload["open"], event.payload["accepted"]) == (3, 1)
    assert event.payload["by_category"] == {"missing_internal": 2, "price": 1}
    assert {name: Decimal(said) for name, said in event.payload["exposure"].items()} == {"GBP": 92600, "USD": 46300}
    assert [one.state for one in Break.objects.order_by("number")] == ["open", "accepted", "closed", "open"]


def test_refusals_and_that_nothing_changed(world: DeskWorld) -> None:
    starter, signer = person("r.one", world), person("r.two", world)
    run = make_run(started_by=starter.actor)
    make_breaks(run, 1, account_id=world.account.pk)
    assert refused(run, starter, NotPermitted) == "SIGNED_BY_STARTER"
    assert refused(run, person("w", world, rights=("work_break",)), NotPermitted) == "RIGHT_MISSING"
    assert refused(run, replace(signer, must_confirm=True), NotPermitted) == "STEP_UP_NEEDED"
    assert refused(run, signer, Invalid, statement="  short  ") == "STATEMENT_INVALID"
    assert refused(run, signer, Invalid, statement="x" * 1_001) == "STATEMENT_INVALID"
    assert refused(run, signer, Conflict, digest="else") == "RUN_CHANGED"
    assert refused(run, replace(signer, on_behalf_of=starter.actor), NotPermitted) == "SIGNED_BY_STARTER"
    with pytest.raises(NotFound, match="no such run"):
        sign_run_off(actor=signer, at=AFTER, run_id=new_id(), statement=SAID, digest="")


@pytest.mark.parametrize("state", ["waiting", "running", "failed", "canceled"])
def test_only_a_run_that_compared_everything(world: DeskWorld, state: str) -> None:
    assert refused(make_run(state=state), person("r.two", world), Conflict) == "RUN_NOT_ENDED"


def test_a_suspect_run_is_signed_too(world: DeskWorld) -> None:
    assert sign(make_run(state="suspect"), person("r.two", world)).signed_by


def test_who_does_not_see_every_break_does_not_sign_for_them(world: DeskWorld) -> None:
    other = make_desk("EQ2")
    run = make_run()
    make_breaks(run, 1, account_id=other.account.pk)
    assert refused(run, person("r.two", world), NotPermitted) == "RUN_NOT_ALL_SEEN"
    assert sign(run, person("r.three", world, other)).signed_by


def test_who_had_a_hand_in_a_break_does_not_sign(world: DeskWorld) -> None:
    run, hand, signer = make_run(), person("r.one", world), person("r.two", world)
    (item,) = make_breaks(run, 1, account_id=world.account.pk)
    draft = EventDraft(
        id=new_id(), stream=f"break:{item.pk}", kind="BreakMatched", actor=hand.actor, on_behalf_of="",
        correlation_id=item.pk, event_at=AT, received_at=AT, business_date=AT.date(), payload={},
    )  # fmt: skip
    append_to_stream(drafts=[draft], at=AT)
    assert refused(run, hand, NotPermitted) == "SIGNED_BY_HAND"
    assert sign(run, signer).signed_by


def test_what_moved_since_it_was_read_is_read_again(world: DeskWorld) -> None:
    run, signer = make_run(), person("r.two", world)
    (item,) = make_breaks(run, 1, account_id=world.account.pk)
    read = open_statement(run).digest
    accept_break(item, AT.date())
    assert refused(run, signer, Conflict, digest=read) == "RUN_CHANGED"


def test_it_is_said_once(world: DeskWorld) -> None:
    run = make_run()
    sign(run, person("r.two", world))
    with pytest.raises(Conflict) as again:
        sign(run, person("r.three", world))
    assert again.value.code == "RUN_SIGNED"
    for change in ({"sign_off": "else"}, {"signed_by": "", "sign_off": "", "signed_at": None}):
        with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
            Run.objects.filter(pk=run.pk).update(**change)
    with pytest.raises(IntegrityError, match="signed_whole"), transaction.atomic():
        Run.objects.filter(pk=make_run().pk).update(signed_by="user:7")


def test_the_report_is_the_same_bytes_for_the_same_facts(world: DeskWorld) -> None:
    run = make_run(started_by="process:test", file=make_file())
    later = make_breaks(make_run(at=AT - timedelta(days=1)), 1, account_id=world.account.pk, category="price")
    saw(run, later)
    (found,) = make_breaks(run, 1, account_id=world.account.pk)
    signer = sign(run, person("r.two", world)).signed_by
    reader, early, late = person("r.four", world), AFTER, AFTER + timedelta(days=3)

    def made(at: Any, form: str) -> bytes:
        return run_report(actor=reader, row=get_run(actor=reader, at=at, run_id=run.pk), form=form).body

    for form in ("pdf", "xlsx", "json"):
        assert made(early, form) == made(late, form), form
    report = json.loads(made(late, "json"))
    assert signer.startswith("user:")
    assert report["facts"]["Signed off"] == f"r.two, 2026-11-20 11:00:00 UTC: {SAID}"
    assert report["facts"]["Records"] == (
        "ours 18,204, theirs 18,206, matched 18,191 (99.91 % of the longer side, rounded down)"
    )
    titles = [section["title"] for section in report["sections"]]
    assert titles[:3] == ["What was found", "Open breaks by currency", "Missing with us"]
    assert [row[0] for row in report["sections"][2]["rows"]] == [found.ref]
    assert report["sections"][1]["rows"] == [["GBP", 2, "92600"]]
    end_break(found, at=AFTER + timedelta(hours=1))
    assert json.loads(made(late, "json"))["sections"][1]["rows"] == [["GBP", 1, "46300"]]
    with pytest.raises(Invalid, match="pdf, xlsx, json"):
        made(late, "csv")
    moving = make_run(state="running")
    with pytest.raises(Conflict, match="still comparing"):
        run_report(actor=reader, row=get_run(actor=reader, at=AT, run_id=moving.pk), form="json")


def test_our_own_process_started_it_then_anybody_else_signs(world: DeskWorld) -> None:
    run = make_run(started_by=process_principal("reconciliation").actor)
    assert sign(run, person("r.two", world)).signed_by
