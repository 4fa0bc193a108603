"""Files by the API: brought once, judged as the folder judges them, taken in by a worker for who brought them; runs ended by key."""

from __future__ import annotations

import hashlib
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.test import Client

from accounts.models import CashBalance
from authorisation.domain.principal import Principal
from authorisation.models import ApiKey, AuthorisationRequest
from journal.models import Event
from kernel.clock import utc_now
from operations.api import feed_files
from reconciliation.models import FeedFile, Intake, Run
from reconciliation.services.work_intake import work_intake
from tests.factories import AT, DeskWorld, make_desk, make_principal
from tests.factories.accounts import funded_account
from tests.factories.compared import make_breaks, make_file, make_run
from tests.factories.doors import issue_token
from tests.factories.feeds import make_calendar, make_feed

pytestmark = pytest.mark.django_db
API = "/api/v1"
SAID = "Both were read, and are followed up with the broker."
GOOD = b"account,currency,amount\nAC1,GBP,20\n"


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> DeskWorld:
    settings.VAR_DIR = tmp_path
    funded_account("AC1")
    return make_desk("EQ1")


def person(world: DeskWorld, name: str, *rights: str) -> str:
    """A token of somebody with these rights."""
    actor: Principal = make_principal(
        name, role=name, rights=rights, desks=(world.desk,), groups=(world.group,), trades=False
    )
    issue_token(actor, f"oms_{name}")
    return f"oms_{name}"


@pytest.fixture
def keeper(world: DeskWorld) -> str:
    return person(world, "keeper", "work_break")


def bring(
    token: str, content: bytes = GOOD, *, key: str = "k1", name: str = "cash.csv", kind: str = "cash",
    source: str = "BANK", signature: str = "",
) -> Any:  # fmt: skip
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": key, "X-Signature": signature}
    where = f"{API}/feed-files?name={name}&kind={kind}&source={source}"
    return Client().post(where, content, content_type="application/octet-stream", headers=headers)


def settled() -> Decimal:
    return CashBalance.objects.get(account__code="AC1", currency="GBP").settled


def call(token: str, path: str, body: dict[str, Any] | None = None, *, key: str = "c1") -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    if body is None:
        return Client().get(f"{API}/{path}", headers=headers)
    headers["Idempotency-Key"] = key
    return Client().post(f"{API}/{path}", body, content_type="application/json", headers=headers)


def test_a_file_is_kept_once_and_a_worker_takes_it_in_for_who_brought_it(keeper: str) -> None:
    first, again = bring(keeper), bring(keeper)
    told = first.json()
    intake = Intake.objects.get()
    assert (first.status_code, told["look_at"], told["duplicate"]) == (202, f"{API}/intakes/{intake.pk}", False)
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (told, "true")
    assert (told["file"]["sha256"], told["file"]["size"]) == (hashlib.sha256(GOOD).hexdigest(), len(GOOD))
    assert (told["intake"]["state"], settled()) == ("staged", Decimal(1000))
    work_intake(intake_id=intake.pk, at=utc_now())
    followed = call(keeper, f"intakes/{intake.pk}").json()
    assert (followed["state"], followed["changed"], settled()) == ("applied", 1, Decimal(20))
    key = ApiKey.objects.get()
    intake.refresh_from_db()
    assert intake.started_by == intake.applied_by == FeedFile.objects.get().received_by == f"key:{key.pk}"
    other = bring(keeper, key="k2").json()  # the same bytes under another key: nothing is begun anew
    assert (other["duplicate"], other["intake"]["intake_id"], Intake.objects.count()) == (True, str(intake.pk), 1)
    assert bring(keeper, GOOD + b"AC1,EUR,1\n").status_code == 409  # another file under the same key
    assert [one["name"] for one in call(keeper, "feed-files?kind=cash&source=BANK").json()["files"]] == ["cash.csv"] * 1
    assert call(keeper, f"feed-files/{told['file']['id']}").json()["counted"] == told["file"]["counted"]
    assert [one["intake_id"] for one in call(keeper, "intakes?state=applied").json()["intakes"]] == [str(intake.pk)]
    assert call(keeper, "intakes?state=waiting").json() == {"intakes": [], "next": None}


def test_a_file_with_bad_rows_waits_and_says_so(keeper: str) -> None:
    intake_id = bring(keeper, GOOD + b"NOBODY,GBP,7\n").json()["intake"]["intake_id"]
    work_intake(intake_id=intake_id, at=utc_now())
    told = call(keeper, f"intakes/{intake_id}").json()
    assert (told["state"], [one["code"] for one in told["problems"]]) == ("waiting", ["ACCOUNT_UNKNOWN"])
    assert not AuthorisationRequest.objects.exists()


def test_what_is_to_be_compared_is_kept_and_said_where_to_look(keeper: str) -> None:
    rows = b"exec_id,last_qty,last_px,cl_ord_id\nX1,1,2,C1\n"
    told = bring(keeper, rows, kind="executions", name="fills.csv", source="BROKER").json()
    assert (told["intake"], told["look_at"]) == (None, f"{API}/reconciliation-runs?kind=executions")


def test_a_signed_feed_takes_only_what_its_key_signed(
    world: DeskWorld, keeper: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_files, "utc_now", lambda: AT)  # a day that the calendar below knows
    key = Ed25519PrivateKey.generate()
    place = Path(settings.VAR_DIR) / "keys" / "feeds"
    place.mkdir(parents=True)
    (place / "bank.pem").write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    make_calendar()
    make_feed(signature_key="bank.pem")
    digest = hashlib.sha256(GOOD).hexdigest().encode()
    unsigned = bring(keeper)
    assert (unsigned.status_code, unsigned.json()["faults"][0]["code"]) == (422, "FILE_SIGNATURE")
    forged = bring(keeper, key="k2", signature=Ed25519PrivateKey.generate().sign(digest).hex())
    assert (forged.status_code, Intake.objects.count()) == (422, 0)
    signed = bring(keeper, key="k3", signature=key.sign(digest).hex())
    assert (signed.status_code, signed.json()["file"]["signed_by"]) == (202, "bank.pem")


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"name": "../cash.csv"}, "name"), ({"name": ""}, "name"), ({"kind": "weather"}, "kind"), ({"source": "x" * 41}, "source"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_file_is_refused_before_a_byte_is_kept(
    keeper: str, asked: dict[str, str], field: str, settings: Any
) -> None:
    answer = bring(keeper, **asked)  # type: ignore[arg-type]
    assert (answer.status_code, list(answer.json()["fields"])) == (400, [field])
    assert not (Path(settings.VAR_DIR) / "feeds").exists()


def test_bounds_rights_and_kinds_of_body(world: DeskWorld, keeper: str, monkeypatch: Any, settings: Any) -> None:
    monkeypatch.setattr(feed_files, "LARGEST", 10)
    large = bring(keeper)
    assert (large.status_code, large.json()["code"], FeedFile.objects.count()) == (422, "FILE_TOO_LARGE", 0)
    assert os.listdir(Path(settings.VAR_DIR) / "feeds") == []
    assert bring(keeper, b"").status_code == 400
    json = Client().post(
        f"{API}/feed-files?name=a.csv&kind=cash", {}, content_type="application/json",
        headers={"Authorization": f"Bearer {keeper}", "Idempotency-Key": "k9"},
    )  # fmt: skip
    assert json.status_code == 415
    decider = person(world, "decider", "decide_break")
    assert (bring(decider).status_code, call(decider, "feed-files").status_code) == (403, 200)
    dealer = person(world, "dealer", "enter_order")
    assert [call(dealer, path).status_code for path in ("feed-files", "intakes")] == [403, 403]
    ApiKey.objects.filter(digest=hashlib.sha256(keeper.encode()).hexdigest()).update(scopes=["reconciliation:read"])
    assert (bring(keeper).status_code, call(keeper, "feed-files").status_code) == (403, 200)


def test_lists_go_on_behind_their_last_row(keeper: str) -> None:
    made = [make_file(f"{n}.log") for n in range(53)]
    page = call(keeper, "feed-files").json()
    rest = call(keeper, f"feed-files?before={page['next']}").json()
    names = [one["name"] for one in (*page["files"], *rest["files"])]
    assert (len(page["files"]), names, rest["next"]) == (50, [one.name for one in reversed(made)], None)
    assert call(keeper, "feed-files?before=x").status_code == 400


def test_a_run_is_canceled_once_and_only_while_it_kept_nothing(keeper: str) -> None:
    run, done = make_run(state="waiting"), make_run()
    first, again = (call(keeper, f"reconciliation-runs/{run.pk}/cancel", {}) for _ in range(2))
    assert (first.status_code, first.json()["state"], again.json()) == (200, "canceled", first.json())
    assert call(keeper, f"reconciliation-runs/{done.pk}/cancel", {}).json()["code"] == "RUN_ENDED"
    assert call(keeper, f"reconciliation-runs/{run.pk}/cancel", {"state": "done"}, key="c2").status_code == 400


def test_a_second_person_signs_off_what_was_read(world: DeskWorld, keeper: str) -> None:
    decider = person(world, "decider", "decide_break")
    run = make_run()
    make_breaks(run, 2, account_id=world.account.pk)
    where = f"reconciliation-runs/{run.pk}/sign-off"
    read = call(decider, where).json()
    assert (read["open"], read["by_category"], read["why_not"]) == (2, {"missing_internal": 2}, None)
    assert "may not decide" in call(keeper, where).json()["why_not"]
    assert call(keeper, where, {"statement": SAID, "digest": read["digest"]}).status_code == 403
    assert call(decider, where, {"statement": SAID, "digest": "0" * 64}).json()["code"] == "RUN_CHANGED"
    signed = call(decider, where, {"statement": SAID, "digest": read["digest"]}, key="c2")
    assert (signed.status_code, signed.json()["signed_by"]) == (200, "decider (API key)")
    assert (Run.objects.get().sign_off, Event.objects.filter(kind="RunSignedOff").count()) == (SAID, 1)
