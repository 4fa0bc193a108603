"""Comparisons by the API: asked for once, seen as the page shows them, breaks by rows in pages, narrowed keys kept out."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from django.test import Client

from authorisation.domain.principal import Principal
from authorisation.models import ApiKey
from kernel.ids import new_id
from reconciliation.models import FeedFile, Run
from tests.factories import DeskWorld, make_desk, make_principal
from tests.factories.compared import make_breaks, make_file, make_run
from tests.factories.doors import issue_token

pytestmark = pytest.mark.django_db
RUNS = "/api/v1/reconciliation-runs"


@pytest.fixture
def world() -> DeskWorld:
    return make_desk("EQ1")


@pytest.fixture
def other() -> DeskWorld:
    return make_desk("EQ2")


@pytest.fixture
def worker(world: DeskWorld) -> Principal:
    return person("r.one", world, "work_break")


def person(name: str, world: DeskWorld, *rights: str, role: str = "operations") -> Principal:
    return make_principal(
        name, role=f"{role} {name}", rights=rights, desks=(world.desk,), groups=(world.group,), trades=False
    )


def call(actor: Principal, path: str = "", body: dict[str, Any] | None = None, *, key: str = "k1") -> Any:
    """One call with a token of the actor's own."""
    headers = {"Authorization": f"Bearer {token(actor)}"}
    if body is None:
        return Client().get(f"{RUNS}{path}", headers=headers)
    headers["Idempotency-Key"] = key
    return Client().post(f"{RUNS}{path}", body, content_type="application/json", headers=headers)


def token(actor: Principal, scopes: list[str] | None = None) -> str:
    """A token of the actor's with these scopes; None narrows nothing."""
    secret = f"oms_{actor.username}_{scopes}"
    if not ApiKey.objects.filter(digest=hashlib.sha256(secret.encode()).hexdigest()).exists():
        issue_token(actor, secret)
        ApiKey.objects.filter(user_id=actor.user_id, scopes=None).update(scopes=scopes)
    return secret


def asked(file: FeedFile, **changes: str) -> dict[str, Any]:
    return {"kind": file.kind, "file_id": str(file.pk), "as_of": "2026-11-20"} | changes


def test_a_run_is_asked_for_once_under_its_key(worker: Principal) -> None:
    file = make_file()
    first, again = call(worker, body=asked(file)), call(worker, body=asked(file))
    run = Run.objects.get()
    assert (first.status_code, again.status_code) == (202, 202)
    assert (first.json(), again.headers["Idempotency-Replayed"]) == (again.json(), "true")
    assert (run.state, run.trigger, run.file_id, str(run.as_of)) == ("waiting", "by_hand", file.pk, "2026-11-20")
    assert first.json()["id"] == str(run.pk)
    assert first.json()["file"]["sha256"] == file.sha256
    assert call(worker, body=asked(file, as_of="2026-11-19")).status_code == 409
    assert call(worker, f"/{run.pk}").json()["state"] == "waiting"


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"kind": "cash"}, "RUN_INVALID", "file_id"),  # kept, of another kind
        ({"file_id": str(new_id())}, "RUN_INVALID", "file_id"),
        ({"kind": "accounts"}, "BODY_INVALID", "kind"),
        ({"as_of": "20-11-2026"}, "BODY_INVALID", "as_of"),
    ],
)
def test_what_is_wrong_is_named_and_asks_for_nothing(
    worker: Principal, changes: dict[str, str], code: str, field: str
) -> None:
    answer = call(worker, body=asked(make_file(), **changes))
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert list(answer.json()["fields"]) == [field]
    assert not Run.objects.exists()


def test_a_refused_file_is_not_compared(worker: Principal) -> None:
    answer = call(worker, body=asked(make_file(state=FeedFile.State.REFUSED)))
    assert (answer.status_code, Run.objects.count()) == (400, 0)


def test_who_does_not_work_on_breaks_asks_for_nothing_and_learns_nothing_of_files(world: DeskWorld) -> None:
    dealer = person("d.one", world, "enter_order", role="dealer")
    known, unknown = call(dealer, body=asked(make_file())), call(dealer, body=asked(make_file(), file_id=str(new_id())))
    assert (known.status_code, known.json()["code"]) == (403, "RIGHT_MISSING")
    assert known.json()["code"] == unknown.json()["code"]
    assert not Run.objects.exists()


def test_breaks_and_their_counts_are_told_by_rows(worker: Principal, world: DeskWorld, other: DeskWorld) -> None:
    run = make_run()
    (ours,) = make_breaks(run, account_id=world.account.pk)
    make_breaks(run, 2, account_id=other.account.pk)
    make_breaks(run)
    dealer = person("d.one", world, "enter_order", role="dealer")
    (told,) = call(dealer, f"/{run.pk}/breaks").json()["breaks"]
    assert (told["ref"], told["word"], told["exposure"], told["theirs"]) == (ours.ref, "new", "46300", ours.theirs)
    seen = call(dealer, f"/{run.pk}").json()
    assert (seen["new"], seen["internal"], seen["matched"]) == (1, None, None)
    assert len(call(worker, f"/{run.pk}/breaks").json()["breaks"]) == 2  # and the one of nobody we know
    assert call(worker, f"/{run.pk}").json()["internal"] == 18_204


def test_pages_follow_each_other_by_key(worker: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run()
    refs = [item.ref for item in make_breaks(run, 101)]
    first = call(worker, f"/{run.pk}/breaks").json()
    second = call(worker, f"/{run.pk}/breaks?after={first['next']}").json()
    assert [item["ref"] for item in first["breaks"] + second["breaks"]] == refs
    assert second["next"] is None
    assert call(worker, f"/{run.pk}/breaks?word=closed").json()["breaks"] == []
    made = [str(make_run("cash", source="BANK").pk) for _ in range(51)]
    first = call(worker, "?kind=cash").json()
    second = call(worker, f"?kind=cash&before={first['next']}".replace("+", "%2B")).json()
    assert sorted(one["id"] for one in first["runs"] + second["runs"]) == sorted(made)
    assert second["next"] is None


@pytest.mark.parametrize("query", ["?kind=accounts", "?before=x", "?source=%00", "?page=2", "/{run}/breaks?after=-1"])
def test_a_query_that_cannot_be_read_is_refused(worker: Principal, query: str) -> None:
    answer = call(worker, query.format(run=make_run().pk))
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAMETERS_INVALID")


def test_a_key_narrowed_to_reading_starts_nothing(worker: Principal) -> None:
    headers = {"Authorization": f"Bearer {token(worker, ['reconciliation:read'])}", "Idempotency-Key": "k"}
    assert Client().get(RUNS, headers=headers).status_code == 200
    answer = Client().post(RUNS, asked(make_file()), content_type="application/json", headers=headers)
    assert (answer.status_code, Run.objects.count()) == (403, 0)


def test_an_unknown_run_is_not_there_and_nobody_without_a_desk_sees_any(worker: Principal) -> None:
    assert call(worker, f"/{new_id()}").json()["code"] == "RUN_UNKNOWN"
    assert call(make_principal("n.one", role="nobody", rights=())).json()["code"] == "PAGE_NOT_YOURS"
