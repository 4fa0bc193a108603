"""The approvals page and its API: the effect first, decisions held to what was shown, claims, questions, several checkers."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from authorisation.domain.principal import Principal
from authorisation.models import ApiKey, ApprovalPolicy, AuthorisationRequest, User
from kernel.clock import utc_now
from kernel.fix import ExecType, OrdStatus
from kernel.ids import new_id
from operations.domain.shown import from_text, to_text
from orders.domain.report import Position, Report
from orders.domain.results import CaptureResult
from orders.domain.terms import ReplaceTerms
from orders.models import Order, OrderRequest
from orders.services.apply_reports import apply_reports
from orders.services.capture_order import capture_order
from orders.services.record_hand_over import record_hand_over
from orders.services.replace_order import replace_order
from risk.models import Limit
from tests.factories import DeskWorld, make_desk, make_principal, set_price, terms
from tests.factories.approvals import decide_as_shown, shown_to
from tests.factories.doors import issue_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> DeskWorld:
    made = make_desk(cash="100000000")
    set_price(made.listing, "72.50", at=utc_now())
    return made


def client_of(actor: Principal) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id), backend="django.contrib.auth.backends.ModelBackend")
    return client


def held(world: DeskWorld, **changes: Any) -> CaptureResult:
    """An order that waits: above the warning of one order."""
    result = capture_order(
        actor=world.dealer, at=utc_now(), idempotency_key=str(new_id()), route="test",
        terms=terms(world, **{"order_qty": Decimal(60_000), **changes}), source="ticket",
    )  # fmt: skip
    assert result.outcome == "pending_authorisation", result.sentence
    return result


def another(world: DeskWorld, name: str = "second") -> Principal:
    return make_principal(
        name, role=f"checker-{name}", rights=("release_order",), desks=(world.desk,), groups=(world.group,), trades=False,
        persona="compliance",
    )  # fmt: skip


def row(result: CaptureResult) -> AuthorisationRequest:
    assert result.authorisation_id is not None
    return AuthorisationRequest.objects.get(pk=result.authorisation_id)


def text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


# What is shown, and what a decision is held to


def test_the_effect_of_a_release_comes_first_with_checks_of_now(world: DeskWorld) -> None:
    result = held(world)
    page = text(client_of(world.checker), f"/approvals/{result.authorisation_id}")
    assert "BUY 60,000 VOD.L @ 72.50 GBX reaches XLON" in page
    assert "A fill cannot be taken back." in page
    assert "Approve: 60,000 @ 72.50, 43,500.00 GBP" in page
    assert "Checks run again" in page
    assert page.index("effect") < page.index("what the maker entered")


def test_other_terms_than_shown_are_told_instead_of_decided(world: DeskWorld) -> None:
    result = held(world)
    shown = {**from_text(shown_to(world.checker, row(result).pk)), "=Quantity": "00000000"}
    answer = client_of(world.checker).post(
        f"/approvals/{result.authorisation_id}/decide",
        {"verdict": "approve", "payload_hash": row(result).payload_hash, "shown": to_text(shown)},
    )
    assert answer.status_code == 409
    told = answer.content.decode()
    assert "It is not as you were shown: Quantity." in told
    assert "Review 1 change" in told
    assert row(result).state == "pending"


def test_a_check_that_answers_worse_must_be_looked_at_first(world: DeskWorld) -> None:
    result = held(world)
    client, address = client_of(world.checker), f"/approvals/{result.authorisation_id}"
    before = shown_to(world.checker, row(result).pk)
    set_price(world.listing, "72.50", at=utc_now() - timedelta(minutes=5))
    drawn = text(client, f"{address}?part=1&shown={before}")
    assert "1 change since you looked" in drawn or "2 changes since you looked" in drawn
    assert 'id="d-approve" class="primary" data-primary data-arms="approve" aria-disabled="true"' in drawn
    looked = text(client, f"{address}?part=1&was={before}")
    assert "since you looked" not in looked
    assert "changed</b>" in looked


def test_an_approval_without_what_was_shown_is_incomplete(world: DeskWorld) -> None:
    result = held(world)
    data = {"verdict": "approve", "payload_hash": row(result).payload_hash}
    answer = client_of(world.checker).post(f"/approvals/{result.authorisation_id}/decide", data)
    assert answer.status_code == 400
    assert row(result).state == "pending"


def test_an_amend_shows_fields_leaves_and_fills_since(world: DeskWorld) -> None:
    order = sent_and_accepted(world)
    asked = replace_order(
        actor=world.dealer, at=utc_now(), idempotency_key=str(new_id()), route="test", order_id=order.id,
        terms=ReplaceTerms(order_qty=Decimal(60_000)),
    )  # fmt: skip
    assert asked.outcome == "pending_authorisation"
    apply_reports(
        reports=[
            said(
                order,
                2,
                exec_type=ExecType.TRADE,
                ord_status=OrdStatus.PARTIALLY_FILLED,
                last_qty=Decimal(200),
                last_px=Decimal("72.50"),
            )
        ],
        at=utc_now(),
    )
    page = text(client_of(world.checker), f"/approvals/{asked.authorisation_id}")
    assert "+59,000 (+5,900%)" in page
    assert "200 filled since it was asked" in page
    assert "59,800 would still trade" in page
    assert "Unchanged: " in page


# Claims, questions, several people


def test_a_claim_is_seen_by_others_and_keeps_them_out(world: DeskWorld) -> None:
    result, second = held(world), another(world)
    address = f"/approvals/{result.authorisation_id}"
    claimed = client_of(world.checker).post(f"{address}/claim", {"shown": shown_to(world.checker, row(result).pk)})
    assert "You look at it" in claimed.content.decode()
    assert f"{world.checker.username} looks at it now." in text(client_of(second), address)
    assert world.checker.username in text(client_of(second), "/approvals?view=all&part=1")
    assert decide_as_shown(client_of(second), row(result).pk).status_code == 409
    assert "Let go" in text(client_of(world.checker), address)
    client_of(world.checker).post(f"{address}/release")
    assert "looks at it" not in text(client_of(second), address)


def test_a_question_goes_to_the_maker_and_its_answer_is_the_next_version(world: DeskWorld) -> None:
    result = held(world)
    address, checker, maker = f"/approvals/{result.authorisation_id}", client_of(world.checker), client_of(world.dealer)
    before = shown_to(world.checker, row(result).pk)
    asked = checker.post(f"{address}/send-back", {"reason": "Which client?", "payload_hash": row(result).payload_hash})
    assert "It waits for its maker" in asked.content.decode()
    assert decide_as_shown(checker, row(result).pk).status_code == 409
    assert "Which client?" in text(maker, address)
    assert "submit version 2" in text(maker, address)
    assert maker.post(f"{address}/answer", {"answer": ""}).status_code == 400
    answered = maker.post(f"{address}/answer", {"answer": "Smith, called 09:37"})
    assert "The next version waits" in answered.content.decode()
    stale = text(checker, f"{address}?part=1&shown={before}")
    assert "What is asked" in stale
    fresh = text(checker, address)
    assert "Smith, called 09:37" in fresh
    assert "Earlier versions" in fresh
    assert decide_as_shown(checker, row(result).pk).status_code == 200
    assert row(result).state == "approved"


def test_two_people_where_the_policy_says_two(world: DeskWorld) -> None:
    ApprovalPolicy.objects.create(
        kind="order_request", version=2, checkers=2, right="release_order", patience_s=1800, claim_s=120,
        stops_clock=False, effective_from=utc_now() - timedelta(minutes=1),
    )  # fmt: skip
    result, second = held(world), another(world)
    first = decide_as_shown(client_of(world.checker), row(result).pk).content.decode()
    assert "Recorded" in first
    assert Order.objects.get(pk=result.order_id).request_state == "pending_authorisation"
    page = text(client_of(second), f"/approvals/{result.authorisation_id}")
    assert "1 of 2 checkers" in page
    assert world.checker.username in page
    assert decide_as_shown(client_of(world.checker), row(result).pk).status_code == 403
    assert "Approved and applied" in decide_as_shown(client_of(second), row(result).pk).content.decode()
    assert Order.objects.get(pk=result.order_id).request_state == "released"


def test_the_maker_takes_back_a_new_order_and_an_amend(world: DeskWorld) -> None:
    result = held(world)
    assert client_of(world.checker).post(f"/approvals/{result.authorisation_id}/withdraw").status_code == 403
    told = client_of(world.dealer).post(f"/approvals/{result.authorisation_id}/withdraw").content.decode()
    assert "was canceled before anybody decided" in told
    assert (row(result).state, Order.objects.get(pk=result.order_id).is_open) == ("withdrawn", False)

    order = sent_and_accepted(world)
    asked = replace_order(
        actor=world.dealer, at=utc_now(), idempotency_key=str(new_id()), route="test", order_id=order.id,
        terms=ReplaceTerms(order_qty=Decimal(60_000)),
    )  # fmt: skip
    told = client_of(world.dealer).post(f"/approvals/{asked.authorisation_id}/withdraw").content.decode()
    assert "was taken back" in told
    assert OrderRequest.objects.get(pk=asked.request_id).state == "withdrawn"
    order.refresh_from_db()
    assert (order.is_open, order.order_qty) == (True, Decimal(1_000))
    again = client_of(world.dealer).post(f"/approvals/{asked.authorisation_id}/withdraw")
    assert again.status_code == 409


def test_the_next_item_opens_after_a_decision_and_is_not_armed(world: DeskWorld) -> None:
    first, second = held(world), held(world, price=Decimal("72.40"))
    answer = decide_as_shown(client_of(world.checker), row(first).pk, next=str(row(second).pk)).content.decode()
    assert "Approved and applied" in answer
    assert "Below is the next item" in answer
    assert f'data-approval="{second.authorisation_id}"' in answer
    assert "data-armed" not in answer


def test_the_list_is_by_time_left_then_value(world: DeskWorld) -> None:
    small, large = held(world), held(world, order_qty=Decimal(70_000))
    AuthorisationRequest.objects.update(expires_at=utc_now() + timedelta(minutes=20))
    page = text(client_of(world.checker), "/approvals?view=all&part=1")
    assert page.index(str(large.authorisation_id)) < page.index(str(small.authorisation_id))
    late = held(world, price=Decimal("72.10"))
    AuthorisationRequest.objects.filter(pk=row(late).pk).update(expires_at=utc_now() - timedelta(seconds=9))
    page = text(client_of(world.checker), "/approvals?view=all&part=1")
    assert page.index(str(late.authorisation_id)) < page.index(str(large.authorisation_id))
    assert "overdue" in page


def test_an_outcome_is_said_in_words(world: DeskWorld) -> None:
    result = held(world)
    shown = shown_to(world.checker, row(result).pk)
    Limit.objects.filter(kind="order_qty").update(warn=None, hard=Decimal(100))
    data = {"verdict": "approve", "payload_hash": row(result).payload_hash, "shown": shown}
    assert client_of(world.checker).post(f"/approvals/{result.authorisation_id}/decide", data).status_code == 409
    answer = decide_as_shown(client_of(world.checker), row(result).pk).content.decode()
    assert "Approved but not applied" in answer
    assert row(result).state == "not_applied"


# The API


class Api:
    """Calls as a person's token."""

    def __init__(self, actor: Principal) -> None:
        self.token = f"oms_{actor.username}"
        issue_token(actor, self.token)

    def __call__(self, method: str, path: str, body: Any = None, key: str | None = None) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key or str(new_id())}
        options: dict[str, Any] = {"headers": headers}
        if body is not None:
            options |= {"data": json.dumps(body), "content_type": "application/json"}
        answer = getattr(Client(), method)(f"/api/v1/approvals{path}", **options)
        return answer.status_code, json.loads(answer.content)


def test_by_api_from_the_list_to_the_decision_and_again(world: DeskWorld) -> None:
    result, api = held(world), Api(world.checker)
    status, listed = api("get", "")
    assert (status, [one["id"] for one in listed["approvals"]]) == (200, [str(result.authorisation_id)])
    assert listed["approvals"][0]["value"] == {"amount": "43500", "currency": "GBP"}
    status, item = api("get", f"/{result.authorisation_id}")
    assert item["effect"]["headline"] == "BUY 60,000 VOD.L @ 72.50 GBX reaches XLON"
    assert {check["verdict"] for check in item["effect"]["checks"]} == {"pass", "authorise"}
    decision = {"verdict": "approve", "payload_hash": item["payload_hash"], "shown": item["shown"]}
    status, decided = api("post", f"/{result.authorisation_id}/decide", decision)
    assert (status, decided["outcome"], decided["replayed"]) == (200, "applied", False)
    status, again = api("post", f"/{result.authorisation_id}/decide", decision)
    assert (status, again["outcome"], again["replayed"]) == (200, "applied", True)
    other = Api(another(world))
    status, refused = other("post", f"/{result.authorisation_id}/decide", decision)
    assert (status, refused["code"]) == (409, "AUTHORISATION_CLOSED")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"shown": ""}, 400, "BODY_INVALID"),
        ({"shown": "junk"}, 400, "SHOWN_INVALID"),
        ({"payload_hash": "0" * 64}, 409, "AUTHORISATION_CHANGED"),
        ({"verdict": "yes"}, 400, "BODY_INVALID"),
        ({"verdict": "decline", "reason_code": "PRICE"}, 400, "VERDICT_INVALID"),
        ({"verdict": "decline", "reason": "no"}, 400, "VERDICT_INVALID"),
        ({"checker": 1}, 400, "BODY_INVALID"),
        ({"maker_id": 99, "state": "approved"}, 400, "BODY_INVALID"),
    ],
)
def test_by_api_an_incomplete_decision_changes_nothing(
    world: DeskWorld, change: dict[str, Any], status: int, code: str
) -> None:
    result, api = held(world), Api(world.checker)
    item = api("get", f"/{result.authorisation_id}")[1]
    decision = {"verdict": "approve", "payload_hash": item["payload_hash"], "shown": item["shown"], **change}
    answered, refused = api("post", f"/{result.authorisation_id}/decide", decision)
    assert (answered, refused["code"]) == (status, code)
    assert row(result).state == "pending"
    assert Order.objects.get(pk=result.order_id).request_state == "pending_authorisation"


def test_by_api_nobody_decides_their_own_and_the_attempt_is_kept(world: DeskWorld) -> None:
    result, api = held(world), Api(world.dealer)
    item = api("get", f"/{result.authorisation_id}")[1]
    assert item["why_not"] == "You are the maker; a second person must decide."
    decision = {"verdict": "approve", "payload_hash": item["payload_hash"], "shown": item["shown"]}
    status, refused = api("post", f"/{result.authorisation_id}/decide", decision)
    assert (status, refused["code"]) == (403, "SELF_APPROVAL")


def test_by_api_what_one_may_not_see_does_not_exist(world: DeskWorld) -> None:
    result, other = held(world), make_desk("EQ2")
    api = Api(other.checker)
    assert api("get", "")[1] == {"approvals": []}
    assert api("get", f"/{result.authorisation_id}")[0] == 404
    for step in ("decide", "claim", "release", "send-back", "answer", "withdraw"):
        assert api("post", f"/{result.authorisation_id}/{step}", {})[0] == 404, step


def test_by_api_claim_ask_answer_and_take_back(world: DeskWorld) -> None:
    result, checker, maker = held(world), Api(world.checker), Api(world.dealer)
    path = f"/{result.authorisation_id}"
    assert checker("post", f"{path}/claim", {})[1]["claimed_until"]
    assert checker("get", path)[1]["claimed_by"] == world.checker.username
    assert checker("post", f"{path}/release", {}) == (200, {"claimed_until": None})
    asked = {"question": "Which client?", "payload_hash": row(result).payload_hash}
    assert checker("post", f"{path}/send-back", asked)[1]["state"] == "sent_back"
    answered = maker("post", f"{path}/answer", {"answer": "Smith"})[1]
    assert (answered["version"], answered["answer"], answered["versions"][0]["question"]) == (
        2,
        "Smith",
        "Which client?",
    )
    assert maker("post", f"{path}/withdraw", {})[0] == 200
    assert checker("get", path)[1]["state"] == "withdrawn"


def test_a_key_without_the_scope_may_not_decide(world: DeskWorld) -> None:
    result, api = held(world), Api(world.checker)
    ApiKey.objects.filter(user_id=world.checker.user_id).update(scopes=["approvals:read"])
    assert api("get", f"/{result.authorisation_id}")[0] == 200
    assert api("post", f"/{result.authorisation_id}/claim", {})[1]["code"] == "SCOPE_MISSING"


def said(order: Order, number: int, **values: Any) -> Report:
    """What the venue says of the order."""
    at = utc_now()
    return Report(
        msg_type="8", position=Position("1", number), identity=f"1:{number}", received_at=at, event_at=at,
        trade_date=at.date(), cl_ord_id=order.cl_ord_id, venue_order_id="V1", exec_id=f"X{number}", session="S1", **values,
    )  # fmt: skip


def sent_and_accepted(world: DeskWorld) -> Order:
    """1,000 at work on the venue."""
    result = capture_order(
        actor=world.dealer,
        at=utc_now(),
        idempotency_key=str(new_id()),
        route="test",
        terms=terms(world),
        source="ticket",
    )
    record_hand_over(request_ids=[result.request_id], at=utc_now())
    order = Order.objects.get(pk=result.order_id)
    apply_reports(reports=[said(order, 1, exec_type=ExecType.NEW, ord_status=OrdStatus.NEW)], at=utc_now())
    return Order.objects.get(pk=result.order_id)
