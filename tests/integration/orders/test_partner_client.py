"""The partner's client against a live server: what it is for, and everything that must not get past the signature."""

from __future__ import annotations

import http.client
import json
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest

from authorisation.domain.scopes import ORDERS_READ, SCOPES
from authorisation.models import ApiKey, KeyNonce, KeyUse, User
from authorisation.services.issue_api_key import issue_api_key
from authorisation.services.issue_signed_key import IssuedSignedKey
from authorisation.services.purge_nonces import purge_nonces
from authorisation.services.revoke_api_key import revoke_api_key
from authorisation.services.rotate_signed_key import rotate_signed_key
from kernel.clock import utc_now
from kernel.errors import Conflict, Refused
from orders.models import Order, OrderRequest
from orders.services.record_hand_over import record_hand_over
from tests.factories.partners import ADMIN, Partner, issue, load_client, make_partner, serving

pytestmark = pytest.mark.django_db
oms: Any = load_client()


@pytest.fixture(scope="module")
def url(django_db_setup: None) -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def partner(url: str) -> Partner:
    return make_partner(url, oms)


def refused(call: Callable[[], Any]) -> tuple[int, str]:
    with pytest.raises(oms.OmsError) as error:
        call()
    return error.value.status, error.value.code


def test_place_read_replace_and_cancel(partner: Partner) -> None:
    client = partner.client()
    assert client.me()["scopes"] == sorted(SCOPES)
    placed = client.place(partner.order(client_order_id="pms 1/ü"))
    assert placed["outcome"] == "released"
    assert client.order(placed["order_id"])["price"] == "72.5"
    assert [row["ref"] for row in client.orders(client_order_id="pms 1/ü", open=True)] == [placed["ref"]]
    record_hand_over(request_ids=[UUID(placed["request_id"])], at=utc_now())
    assert client.replace(placed["order_id"], {"order_qty": "800"})["outcome"] == "released"
    assert client.cancel(placed["order_id"], reason="client called")["outcome"] == "released"
    assert client.order(placed["order_id"])["request_state"]
    assert {one.maker for one in OrderRequest.objects.all()} == {f"key:{partner.key.id}"}
    use = KeyUse.objects.get()
    assert (use.key_id, use.last_source) == (partner.key.id, "127.0.0.1")


def test_pages_are_followed(partner: Partner) -> None:
    client = partner.client()
    rows = [partner.order(client_order_id=f"r{number}", order_qty="1") for number in range(7)]
    assert {row["outcome"] for row in client.place_many(rows)} == {"released"}
    assert [row["client_order_id"] for row in client.orders(page=3)] == [f"r{number}" for number in reversed(range(7))]


def test_the_same_key_is_the_same_order_and_other_content_a_conflict(partner: Partner) -> None:
    client = partner.client()
    first, second = client.place(partner.order(), key="k"), client.place(partner.order(), key="k")
    assert first == second
    assert refused(lambda: client.place(partner.order(order_qty="2"), key="k")) == (409, "IDEMPOTENCY_CONFLICT")
    assert Order.objects.count() == 1


@dataclass(frozen=True)
class Sent:
    """A request as it goes over the wire, to be changed on its way."""

    method: str
    path: str
    query: str
    body: bytes
    headers: dict[str, str]

    def to(self, url: str) -> tuple[int, dict[str, Any]]:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
        target = f"{self.path}?{self.query}" if self.query else self.path
        connection.request(self.method, target, self.body, self.headers)
        response = connection.getresponse()
        answer = response.status, json.loads(response.read() or b"{}")
        connection.close()
        return answer

    def with_header(self, old: str, new: str) -> Sent:
        assert old in self.headers["Authorization"]
        return replace(self, headers=self.headers | {"Authorization": self.headers["Authorization"].replace(old, new)})


def signed(partner: Partner, *, path: str = "/api/v1/orders", query: str = "", **options: Any) -> Sent:
    body = json.dumps(partner.order(order_qty="1", price="72.50")).encode()
    headers = partner.client(**options).sign("POST", path, query, body, "key-1")
    return Sent("POST", path, query, body, headers)


def field_of(sent: Sent, name: str) -> str:
    return sent.headers["Authorization"].split(f"{name}=")[1].split(",")[0]


CHANGES: dict[str, Callable[[Sent], Sent]] = {
    "body": lambda sent: replace(sent, body=sent.body.replace(b'"1"', b'"9"')),
    "path": lambda sent: replace(sent, path="/api/v1/orders/batch"),
    "query": lambda sent: replace(sent, query="dry_run=true"),
    "method": lambda sent: replace(sent, method="GET"),
    "idempotency key": lambda sent: replace(sent, headers=sent.headers | {"Idempotency-Key": "key-2"}),
    "no idempotency key": lambda sent: replace(
        sent, headers={name: value for name, value in sent.headers.items() if name != "Idempotency-Key"}
    ),
    "nonce": lambda sent: sent.with_header(field_of(sent, "nonce"), "n" * 24),
    "time": lambda sent: sent.with_header(field_of(sent, "time"), str(int(time.time()) + 5)),
    "signature": lambda sent: sent.with_header(field_of(sent, "signature"), "0" * 64),
    "key": lambda sent: sent.with_header(field_of(sent, "key"), "00000000-0000-0000-0000-000000000000"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_request_changed_on_its_way_is_refused_and_leaves_nothing(partner: Partner, change: str) -> None:
    status, answer = CHANGES[change](signed(partner)).to(partner.url)
    assert (status, answer["code"]) == (401, "SIGNATURE_INVALID")
    assert (Order.objects.count(), KeyNonce.objects.count()) == (0, 0)


MALFORMED = ["", "key=x", "key=,time=,nonce=,signature=", "time=1,time=1,time=1,time=1", "key=" + "9" * 5000]


@pytest.mark.parametrize("parameters", MALFORMED)
def test_a_header_that_cannot_be_read_is_refused(partner: Partner, parameters: str) -> None:
    sent = signed(partner)
    status, answer = replace(sent, headers=sent.headers | {"Authorization": f"OMS-HMAC-SHA256 {parameters}"}).to(
        partner.url
    )
    assert (status, answer["code"]) == (401, "SIGNATURE_MALFORMED")


def test_a_replayed_request_is_refused(partner: Partner) -> None:
    sent = signed(partner)
    assert sent.to(partner.url)[0] == 201
    status, answer = sent.to(partner.url)
    assert (status, answer["code"]) == (401, "NONCE_USED")
    assert Order.objects.count() == 1


@pytest.mark.parametrize(("off", "status"), [(-290, 201), (290, 201), (-310, 401), (310, 401)])
def test_a_clock_may_be_off_by_five_minutes(partner: Partner, off: int, status: int) -> None:
    assert signed(partner, clock=lambda: time.time() + off).to(partner.url)[0] == status


def test_a_wrong_clock_is_told_by_how_much(partner: Partner) -> None:
    with pytest.raises(oms.ClockError) as error:
        partner.client(clock=lambda: time.time() + 1000).me()
    assert 995 <= error.value.seconds_off <= 1001
    assert "ahead of our clock" in error.value.sentence


def test_a_secret_of_another_key_signs_nothing(partner: Partner) -> None:
    other = issue(partner.service.user_id, name="other")
    mixed = IssuedSignedKey(partner.key.id, other.secret)
    assert refused(partner.client(mixed).me) == (401, "SIGNATURE_INVALID")


def test_rotation_leaves_no_gap_and_ends_the_old_key(partner: Partner) -> None:
    old = partner.client()
    placed = old.place(partner.order(), key="across")
    made = rotate_signed_key(actor=ADMIN, at=utc_now(), key_id=partner.key.id, overlap=timedelta(hours=1))
    new = partner.client(made)
    assert new.me()["scopes"] == old.me()["scopes"]
    assert new.place(partner.order(), key="across") == placed  # keys of requests belong to the account
    with pytest.raises(Conflict, match="KEY_ROTATION_OPEN"):
        rotate_signed_key(actor=ADMIN, at=utc_now(), key_id=made.id)
    ApiKey.objects.filter(pk=partner.key.id).update(expires_at=utc_now())  # the hour is over
    assert refused(old.me) == (401, "SIGNATURE_INVALID")
    assert new.me()["username"] == "pms"
    with pytest.raises(Refused, match="KEY_ENDED"):
        rotate_signed_key(actor=ADMIN, at=utc_now(), key_id=partner.key.id)
    assert rotate_signed_key(actor=ADMIN, at=utc_now(), key_id=made.id).id != made.id


def test_a_revoked_key_and_a_leaver_are_refused_at_the_next_request(partner: Partner) -> None:
    client, other = partner.client(), partner.client(issue(partner.service.user_id, name="other"))
    assert client.me()["username"] == "pms"
    revoke_api_key(actor=ADMIN, at=utc_now(), key_id=partner.key.id)
    assert refused(client.me) == (401, "SIGNATURE_INVALID")
    assert other.me()["key"] == "other"
    User.objects.filter(pk=partner.service.user_id).update(is_active=False)
    assert refused(other.me) == (401, "SIGNATURE_INVALID")


def test_a_key_opens_its_scopes_and_no_more(partner: Partner) -> None:
    reader = partner.client(issue(partner.service.user_id, name="reader", scopes=[ORDERS_READ]))
    assert list(reader.orders()) == []
    assert refused(lambda: reader.place(partner.order())) == (403, "SCOPE_MISSING")
    assert refused(lambda: reader.prices("VOD.L")) == (403, "SCOPE_MISSING")
    assert refused(lambda: reader.call("DELETE", "/orders")) == (405, "METHOD_NOT_ALLOWED")
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    ("addresses", "status"), [(["127.0.0.0/8"], 201), (["192.0.2.7", "2001:db8::/32"], 401), (["192.0.2.0/24"], 401)]
)
def test_a_key_comes_from_its_addresses_alone(partner: Partner, addresses: list[str], status: int) -> None:
    key = issue(partner.service.user_id, name="bound", addresses=addresses)
    answer = signed(partner, key=key).to(partner.url)
    assert answer[0] == status
    assert answer[1].get("code") == ("ADDRESS_REFUSED" if status == 401 else None)


def test_a_rate_is_told_with_how_long_to_wait_and_leaves_room_to_cancel(partner: Partner) -> None:
    slow = issue(partner.service.user_id, name="slow", rate=1, burst=2)
    placed = partner.client(slow).place(partner.order())
    waits: list[float] = []
    client = partner.client(slow, sleep=waits.append, patience_s=0.5)
    client.me()
    with pytest.raises(oms.OutcomeUnknown, match="429 KEY_RATE"):
        client.me()
    assert KeyNonce.objects.filter(key_id=slow.id).count() == 2
    assert client.cancel(placed["order_id"], reason="too much")["outcome"] == "completed_locally"


def test_a_call_is_repeated_under_its_key_until_there_is_an_answer(
    partner: Partner, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = partner.client(sleep=lambda _: None)
    once = client._once
    lost: list[Any] = []

    def losing(*given: Any) -> Any:
        answer = once(*given)
        if len(lost) < 2:
            lost.append(answer)
            raise ConnectionResetError("the answer is lost")
        return answer

    monkeypatch.setattr(client, "_once", losing)
    placed = client.call("POST", "/orders", body=partner.order())
    assert placed.replayed
    assert [one.body["order_id"] for one in lost] == [placed.body["order_id"]] * 2
    assert Order.objects.count() == 1


def test_nobody_there_is_an_unknown_outcome_with_its_key(partner: Partner) -> None:
    client = oms.OmsClient("http://127.0.0.1:9", key_id=str(partner.key.id), secret=partner.key.secret, patience_s=0.3)
    with pytest.raises(oms.OutcomeUnknown) as error:
        client.place(partner.order(), key="mine")
    assert error.value.key == "mine"


def test_a_secret_is_not_sent_in_the_clear_nor_shown(partner: Partner) -> None:
    with pytest.raises(ValueError, match="https"):
        oms.OmsClient("http://oms.example", key_id="k", secret="s")
    assert partner.key.secret not in repr(partner.client()) + repr(partner.key)
    kept = ApiKey.objects.get(pk=partner.key.id)
    assert partner.key.secret not in kept.sealed_secret
    assert partner.key.secret not in json.dumps({name: str(value) for name, value in vars(kept).items()})


def test_nonces_are_forgotten_when_their_signatures_are_too_old(partner: Partner) -> None:
    partner.client().me()
    now = utc_now()
    assert purge_nonces(at=now + timedelta(seconds=600)) == 0
    assert purge_nonces(at=now + timedelta(seconds=720)) == 1


def test_people_get_no_key_that_signs(partner: Partner) -> None:
    with pytest.raises(Refused, match="KEY_NEEDS_SERVICE_ACCOUNT"):
        issue(partner.world.dealer.user_id)
    assert ApiKey.objects.count() == 1


def test_live_takes_no_bearer_token_and_makes_none(partner: Partner, settings: Any) -> None:
    token = issue_api_key(actor=ADMIN, at=utc_now(), user_id=partner.service.user_id, name="before").token
    bearer = Sent("GET", "/api/v1/me", "", b"", {"Authorization": f"Bearer {token}"})
    assert bearer.to(partner.url)[0] == 200
    settings.BEARER_TOKENS = False
    status, answer = bearer.to(partner.url)
    assert (status, answer["code"]) == (401, "SIGNATURE_REQUIRED")
    with pytest.raises(Refused, match="SIGNATURE_REQUIRED"):
        issue_api_key(actor=ADMIN, at=utc_now(), user_id=partner.service.user_id, name="now")
    assert partner.client().me()["scheme"] == "signed"


def test_why_a_signature_was_not_taken_is_told_to_the_log_alone(
    partner: Partner, caplog: pytest.LogCaptureFixture
) -> None:
    ended = issue(partner.service.user_id, name="ended")
    revoke_api_key(actor=ADMIN, at=utc_now(), key_id=ended.id)
    tries = (CHANGES["key"](signed(partner)), CHANGES["body"](signed(partner)), signed(partner, key=ended))
    with caplog.at_level(logging.INFO, "oms.security"):
        answers = [one.to(partner.url) for one in tries]
    assert len({json.dumps(answer) for answer in answers}) == 1
    lines = [record for record in caplog.records if record.name == "oms.security"]
    assert [record.getMessage() for record in lines] == ["API_REFUSED"] * 3
    told = [record.__dict__["facts"] for record in lines]
    assert [one["why"] for one in told] == ["unknown", "wrong signature", "ended"]
    assert {one["refusal_code"] for one in told} == {"SIGNATURE_INVALID"}
    assert told[1]["key_id"] == str(partner.key.id)
    assert partner.key.secret not in str(told)


def test_a_body_that_is_too_large_is_not_read(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("authorisation.api.authentication.MAX_SIGNED_BODY", 50)
    status, answer = signed(partner).to(partner.url)
    assert (status, answer["code"]) == (400, "BODY_TOO_LARGE")
    assert KeyNonce.objects.count() == 0
