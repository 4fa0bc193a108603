"""Evidence as one file: verified by a stranger, spoilt in every part and caught, the same bytes twice, nothing for compliance in it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import zipfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group

from authorisation.domain.principal import Principal, process_principal
from authorisation.models import AuthorisationRequest, User
from authorisation.services.join_role import join_role
from journal import verify_evidence
from journal.models import Event
from kernel.clock import utc_now
from kernel.errors import Invalid, NotFound, NotPermitted
from kernel.ids import new_id
from oms_project.house.evidence import write_pack
from operations.exporting import ExportedFile, zip_of
from operations.exporting.zipping import unzip
from operations.models import ExceptionItem
from operations.selectors.audit import dossier as dossiers
from operations.services.make_evidence_pack import make_evidence_pack
from orders.models import Order
from orders.services.decide_order_request import decide_order_request
from risk.services.engage_kill_switch import engage_kill_switch
from tests.factories import DeskWorld, make_desk, make_principal, set_price
from tests.factories.executed import filled
from tests.factories.seals import Sealing, guards_off, sealing_in
from tests.factories.venues import make_session
from tests.integration.operations.test_audit import auditor_of
from tests.integration.operations.test_pages import capture, client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealing(tmp_path: Path, settings: Any) -> Sealing:
    sealing = sealing_in(tmp_path, settings)
    sealing.at = utc_now() + timedelta(hours=1)
    return sealing


@pytest.fixture
def world(sealing: Sealing) -> DeskWorld:
    made = make_desk()
    set_price(made.listing, "72.50", at=utc_now())
    make_session()
    return made


def seal_all(sealing: Sealing) -> None:
    while sealing.seal(events_per_seal=4).sealed:
        pass


def taken(actor: Principal, sealing: Sealing, kind: str, key: object, form: str = "zip") -> ExportedFile:
    return make_evidence_pack(actor=actor, at=sealing.at, build="test", kind=kind, key=str(key), form=form)


def verdict_of(path: Path) -> tuple[int, dict[str, Any]]:
    """The stand-alone verifier, alone: none of our code, none of our paths."""
    verifier = path.with_name("verifier.py")
    verifier.write_bytes(Path(verify_evidence.__file__).read_bytes())
    done = subprocess.run(
        [sys.executable, "-I", str(verifier), str(path), "--json"],
        cwd="/", env={"PATH": os.defpath}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    return done.returncode, json.loads(done.stdout) if done.stdout else {"complaint": done.stderr}


def verified(body: bytes, directory: Path, name: str = "pack.zip") -> tuple[int, dict[str, Any]]:
    path = directory / name
    path.write_bytes(body)
    return verdict_of(path)


def traded(world: DeskWorld) -> Order:
    return Order.objects.get(pk=filled(world, "k1", at=utc_now()).order_id)


def test_a_stranger_verifies_the_zip_and_the_json_of_an_order(
    world: DeskWorld, sealing: Sealing, tmp_path: Path
) -> None:
    order = traded(world)
    seal_all(sealing)
    auditor = auditor_of(world)
    for form in ("zip", "json"):
        code, verdict = verified(taken(auditor, sealing, "order", order.ref, form).body, tmp_path, f"pack.{form}")
        assert (code, verdict.get("findings")) == (0, []), verdict
        figures = verdict["figures"]
        assert figures["events"] == figures["proven"] == Event.objects.filter(stream=f"order:{order.pk}").count()
        assert figures["messages"] == figures["messages_bound"] == 3
    parts = unzip(taken(auditor, sealing, "order", order.ref).body)
    assert json.loads(parts["manifest.json"])["scope"]["partial_streams"] == []
    assert {
        "README.txt",
        "timeline.json",
        "timeline.csv",
        "checks.json",
        "approvals.json",
        "people.json",
        "bookings.json",
    } <= set(parts)
    checks = json.loads(parts["checks.json"])
    assert checks[0]["checks"]
    assert checks[0]["facts"]["facts"]["terms"]
    assert world.dealer.username in [one["user"] for one in json.loads(parts["people.json"])]
    assert b"verify_evidence.py" in parts["README.txt"]


def spoilt(body: bytes) -> bytes:
    """One bit in the middle; of an empty part, a byte more."""
    half = len(body) // 2
    return body[:half] + bytes([body[half] ^ 1]) + body[half + 1 :] if body else b"x"


def test_every_part_that_is_spoilt_removed_or_added_is_caught(
    world: DeskWorld, sealing: Sealing, tmp_path: Path
) -> None:
    order = traded(world)
    seal_all(sealing)
    parts = unzip(taken(auditor_of(world), sealing, "order", order.ref).body)
    assert holds(parts, tmp_path)
    for name in parts:
        assert not holds({**parts, name: spoilt(parts[name])}, tmp_path), name
        assert name == "manifest.json" or not holds(
            {key: body for key, body in parts.items() if key != name}, tmp_path
        ), name
    assert not holds({**parts, "more.txt": b"x"}, tmp_path)
    unsafe = {**parts, "../more.txt": b"x"}
    assert not holds(unsafe, tmp_path)
    assert not (tmp_path.parent / "more.txt").exists()


def holds(parts: dict[str, bytes], directory: Path) -> bool:
    """Whether the verifier is content; what it cannot read is not."""
    path = directory / "pack.zip"
    path.write_bytes(zip_of(parts))
    return verify_evidence.main([str(path), "--json"]) == 0


def test_what_was_rewritten_in_the_house_is_caught_in_the_pack(
    world: DeskWorld, sealing: Sealing, tmp_path: Path
) -> None:
    order = traded(world)
    seal_all(sealing)
    with guards_off() as cursor:
        cursor.execute("UPDATE venues_wiremessage SET raw = replace(raw, '31=72.4', '31=71.4')")
    _, verdict = verified(taken(auditor_of(world), sealing, "order", order.ref).body, tmp_path)
    assert {finding["code"] for finding in verdict["findings"]} == {"MESSAGE_DIFFERS"}


@pytest.mark.parametrize("form", ["zip", "json", "pdf"])
def test_the_same_facts_at_the_same_time_give_the_same_bytes(world: DeskWorld, sealing: Sealing, form: str) -> None:
    order = traded(world)
    seal_all(sealing)
    auditor = auditor_of(world)
    assert (
        taken(auditor, sealing, "order", order.ref, form).body == taken(auditor, sealing, "order", order.ref, form).body
    )


def test_the_pdf_names_the_manifest_of_the_zip_and_reads(world: DeskWorld, sealing: Sealing) -> None:
    order = traded(world)
    seal_all(sealing)
    auditor = auditor_of(world)
    pdf, archive = (taken(auditor, sealing, "order", order.ref, form) for form in ("pdf", "zip"))
    assert pdf.body.startswith(b"%PDF-")
    assert pdf.rows_sha256 == archive.rows_sha256
    with zipfile.ZipFile(io.BytesIO(archive.body)) as found:
        assert {entry.date_time for entry in found.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_an_approval_a_stop_and_a_persons_access_have_packs_that_hold(
    world: DeskWorld, sealing: Sealing, tmp_path: Path
) -> None:
    held = capture(world, order_qty=Decimal(60_000))
    row = AuthorisationRequest.objects.get(pk=held.authorisation_id or new_id())
    decide_order_request(
        actor=world.checker, at=utc_now(), authorisation_id=row.pk, verdict="approve", reason_code="X", reason="ok",
        payload_hash=row.payload_hash,
    )  # fmt: skip
    presser = make_principal("presser", role="presser", rights=("engage_kill_switch",), desks=(world.desk,))
    stop = engage_kill_switch(actor=presser, at=utc_now(), scopes=[("desk", str(world.desk.pk))], reason="test").stops[
        0
    ]
    joined = Group.objects.create(name="watchers")
    join_role(actor=process_principal("test"), at=utc_now(), user=User.objects.get(username="presser"), roles=[joined])
    seal_all(sealing)
    auditor = auditor_of(world)
    for kind, key, told in (
        ("approval", row.pk, {"AuthorisationRaised", "AuthorisationDecided", "OrderReleased"}),
        ("stop", stop.stop_id, {"KillSwitchEngaged"}),
        ("person", "presser", {"RoleJoined"}),
    ):
        body = taken(auditor, sealing, kind, key).body
        code, verdict = verified(body, tmp_path)
        assert (code, verdict.get("findings")) == (0, []), (kind, verdict)
        kinds = {json.loads(line)["kind"] for line in unzip(body)["events.jsonl"].splitlines()}
        assert told <= kinds, kind


def test_what_is_for_compliance_alone_is_in_no_pack(world: DeskWorld, sealing: Sealing) -> None:
    made = capture(world)
    ExceptionItem.objects.create(
        id=new_id(), kind="WATCH_LIST_HIT", subject="x", order_id=made.order_id, desk=world.desk, severity="high",
        sentence="insider", dedupe_key="watch:1", first_event_id=new_id(), raised_at=utc_now(), last_seen_at=utc_now(),
    )  # fmt: skip
    compliance = auditor_of(world, rights=("search_audit", "see_restrictions"), name="compliance")
    parts = unzip(taken(compliance, sealing, "order", made.ref).body)
    assert b"watch:1" not in b"".join(parts.values())
    assert b"insider" not in b"".join(parts.values())


def test_nobody_takes_evidence_of_what_is_not_theirs(world: DeskWorld, sealing: Sealing) -> None:
    made = capture(world)
    stranger = auditor_of(make_desk("EQ2"), name="stranger")
    with pytest.raises(NotFound):
        taken(stranger, sealing, "order", made.ref)
    with pytest.raises(NotPermitted):
        taken(world.dealer, sealing, "order", made.ref)
    auditor = auditor_of(world)
    for kind, form in (("exception", "zip"), ("order", "exe")):
        with pytest.raises(Invalid):
            make_evidence_pack(actor=auditor, at=utc_now(), build="test", kind=kind, key=made.ref, form=form)
    assert not Event.objects.filter(kind="EvidenceTaken").exists()


def test_a_pack_is_whole_or_not_made(world: DeskWorld, sealing: Sealing, monkeypatch: pytest.MonkeyPatch) -> None:
    made = capture(world)
    monkeypatch.setattr(dossiers, "MOST_EVENTS", 1)
    with pytest.raises(Invalid) as refused:
        taken(auditor_of(world), sealing, "order", made.ref)
    assert refused.value.code == "EVIDENCE_TOO_LARGE"


def test_the_download_is_on_record_with_its_digest(world: DeskWorld, sealing: Sealing, tmp_path: Path) -> None:
    order = traded(world)
    seal_all(sealing)
    auditor = auditor_of(world)
    client = client_of(auditor)
    assert f"/audit/order/{order.ref}/pack" in client.get(f"/o/{order.ref}").content.decode()
    assert f"/audit/order/{order.ref}/pack" not in client_of(world.dealer).get(f"/o/{order.ref}").content.decode()
    answer = client.post(f"/audit/order/{order.ref}/pack", {"form": "zip"})
    code, verdict = verified(answer.content, tmp_path)
    assert (code, verdict["holds"]) == (0, True)
    told = Event.objects.get(kind="EvidenceTaken")
    assert (told.actor, told.payload["key"], told.payload["sha256"]) == (
        auditor.actor, order.ref, answer.headers["X-Content-SHA256"],
    )  # fmt: skip


def test_the_verb_writes_a_pack_that_holds_and_never_over_another(
    world: DeskWorld, sealing: Sealing, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order = traded(world)
    file = tmp_path / "taken.zip"
    write_pack(file, f"order/{order.ref}")
    assert "Verify it anywhere" in capsys.readouterr().out
    code, verdict = verdict_of(file)
    assert (code, verdict["figures"]["proven"]) == (0, verdict["figures"]["events"])
    assert Event.objects.get(kind="EvidenceTaken").actor.startswith("process:oms evidence")
    with pytest.raises(FileExistsError):
        write_pack(file, f"order/{order.ref}")
    with pytest.raises(NotFound):
        write_pack(tmp_path / "none.zip", "order/O-NONE")
