"""Market conduct on the road of an order: capture, batch, preview, replace, approval and the last boundary."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from authorisation.models import AuthorisationRequest
from journal.models import Event
from kernel.errors import Refused
from kernel.fix import ExecType, OrdStatus, OrdType, Side
from kernel.ids import new_id
from orders.domain.results import CaptureResult
from orders.domain.terms import ReplaceTerms
from orders.models import Order, OrderRequest
from orders.services.apply_reports import apply_reports
from orders.services.capture_order import capture_order
from orders.services.capture_orders import capture_orders
from orders.services.check_boundaries import check_boundaries
from orders.services.decide_order_request import decide_order_request
from orders.services.preview_order import preview_order
from orders.services.record_hand_over import record_hand_over
from orders.services.replace_order import replace_order
from refdata.selectors import get_listing
from risk.domain.answers import Acknowledgement, Verdict
from risk.domain.checks import REGISTRY_VERSION, run_checks
from risk.domain.kept_facts import facts_of, rulebook_number
from risk.domain.rulebook.entering import TypedCondition
from risk.models import ConductPolicy, Mandate, Rulebook
from risk.rulebook import get_rulebook
from risk.selectors import get_marks
from tests.factories import AT, DeskWorld, give_stock, make_account, make_desk, make_principal, set_rulebook, terms
from tests.factories.conduct import lay_down, restrict
from tests.integration.orders.test_apply_reports import LATER, report

pytestmark = pytest.mark.django_db
CROSSING = {"self_trade_account": "refuse", "self_trade_client": "authorise", "self_trade_firm": "acknowledge"}


@pytest.fixture
def world() -> DeskWorld:
    return make_desk(cash="1000000")


def send(world: DeskWorld, *, source: str = "api", at: Any = AT, **changes: Any) -> CaptureResult:
    acknowledgements = changes.pop("acknowledgements", ())
    return capture_order(
        actor=world.dealer, at=at, idempotency_key=str(new_id()), route="api", terms=terms(world, **changes),
        source=source, acknowledgements=acknowledgements,
    )  # fmt: skip


def accepted(order: CaptureResult) -> CaptureResult:
    """The order at its venue, which has said yes."""
    record_hand_over(request_ids=[order.request_id], at=AT)
    apply_reports(reports=[report(order, 1, ExecType.NEW, OrdStatus.NEW)], at=LATER)
    return order


def said(result: CaptureResult, code: str) -> tuple[str, str]:
    """Verdict and sentence of one check."""
    (answer,) = [answer for answer in result.checks if answer.code == code]
    return answer.verdict.word, answer.sentence


def test_a_rule_refuses_at_every_door(world: DeskWorld) -> None:
    early = send(world)
    held = send(world, order_qty=Decimal(60000))
    assert (early.outcome, held.outcome) == ("released", "pending_authorisation")
    lay_down(world)
    refused = send(world)
    assert refused.outcome == "refused"
    assert said(refused, "RULE_NO_LONDON") == ("refuse", "Nothing is traded in London today.")
    preview = preview_order(actor=world.dealer, at=AT, terms=terms(world))
    assert preview.worst is Verdict.REFUSE
    (row,) = capture_orders(
        actor=world.dealer, at=AT, idempotency_key="b", route="batch", rows=[("1", terms(world))], source="api"
    )
    assert row.outcome == "refused"
    boundary = check_boundaries(request_ids=[early.request_id], at=AT)[early.request_id]
    assert (boundary.allowed, boundary.code) == (False, "RULE_NO_LONDON")
    asked = AuthorisationRequest.objects.get(kind="order_request")
    decided = decide_order_request(
        actor=world.checker, at=AT, authorisation_id=asked.id, verdict="approve", reason_code="OTHER", reason="ok",
        payload_hash=asked.payload_hash,
    )  # fmt: skip
    assert (decided.outcome, "Nothing is traded" in decided.sentence) == ("not_applied", True)


def test_a_replace_to_more_meets_the_rules_and_one_to_less_does_not(world: DeskWorld) -> None:
    order_id = accepted(send(world)).order_id
    lay_down(world)
    outcomes = []
    for qty in ("1100", "900"):
        result = replace_order(
            actor=world.dealer, at=LATER, idempotency_key=str(new_id()), route="api", order_id=order_id,
            terms=ReplaceTerms(order_qty=Decimal(qty)),
        )  # fmt: skip
        outcomes.append(result.outcome)
    assert outcomes == ["refused", "released"]


def test_what_a_restricted_order_is_told_says_nothing_of_the_reason(world: DeskWorld) -> None:
    row = restrict(world)
    result = send(world)
    sentence = f"VOD.L is restricted, contact compliance ({row.reference})."
    assert (result.outcome, said(result, "RESTRICTED_LIST")) == ("refused", ("refuse", sentence))
    kept = [str(OrderRequest.objects.values().get()), *map(str, Event.objects.values_list("payload", flat=True))]
    assert not [text for text in kept if "Nightjar" in text or "takeover" in text]
    assert row.reference in kept[0]


def test_a_watch_is_silent_to_the_desk_and_an_item_for_compliance(world: DeskWorld) -> None:
    row = restrict(world, list="watch")
    quiet = send(world)
    assert (quiet.outcome, said(quiet, "RESTRICTED_LIST")) == ("released", ("pass", ""))
    told = Event.objects.get(kind="AnomalyRaised")
    assert told.payload["kind"] == "WATCH_LIST_HIT"
    assert told.payload["evidence"]["orders"] == [quiet.ref]
    assert told.payload["evidence"]["reference"] == row.reference
    own = Event.objects.filter(stream=f"order:{quiet.order_id}").values_list("payload", flat=True)
    assert row.reference not in str(list(own)) + str(OrderRequest.objects.values().get())


def test_an_order_outside_the_mandate_is_refused_and_no_mandate_is_no_permission(world: DeskWorld) -> None:
    Mandate.objects.create(scope="client", scope_id=str(world.account.client_id), currencies=["EUR"], owner="c")
    assert said(send(world), "MANDATE_ELIGIBILITY")[0] == "refuse"
    Mandate.objects.all().delete()
    assert said(send(world), "MANDATE_ELIGIBILITY")[0] == "refuse"


def test_without_a_rulebook_nothing_that_adds_risk_is_sent_and_cancels_pass(world: DeskWorld) -> None:
    early = send(world)
    Rulebook.objects.all().delete()
    refused = send(world)
    assert refused.outcome == "refused"
    assert {a.code for a in refused.checks if a.verdict} == {
        "RESTRICTED_LIST", "MANDATE_ELIGIBILITY", "SHARE_OF_VOLUME", "THIN_BOOK", "ECONOMIC_DUPLICATE", "SELF_TRADE",
        "RULE_TABLE",
    }  # fmt: skip
    assert not check_boundaries(request_ids=[early.request_id], at=AT)[early.request_id].allowed


def test_the_same_order_again_needs_a_reason_and_names_its_twin(world: DeskWorld) -> None:
    set_rulebook(duplicate_window_s=60)
    first = send(world)
    assert first.outcome == "released"
    again = send(world, at=AT + timedelta(seconds=12))
    sentence = f"The same order was entered 12 s ago ({first.ref}, released)."
    assert (again.outcome, said(again, "ECONOMIC_DUPLICATE")) == ("pending_authorisation", ("authorise", sentence))
    with pytest.raises(Refused) as refusal:
        send(world, source="ticket")
    assert refusal.value.code == "ACKNOWLEDGEMENT_REQUIRED"
    meant = [Acknowledgement("ECONOMIC_DUPLICATE", "Two clients, same size")]
    assert send(world, acknowledgements=meant).outcome == "released"
    assert Order.objects.count() == 3


@pytest.mark.parametrize(
    ("changes", "twin"),
    [
        ({}, True),
        ({"at": AT + timedelta(seconds=60) - timedelta(microseconds=1)}, True),
        ({"at": AT + timedelta(seconds=60)}, False),
        ({"order_qty": Decimal(1001)}, False),
        ({"price": Decimal("72.51")}, False),
        ({"side": Side.SELL}, False),
        ({"ord_type": OrdType.MARKET, "price": None}, False),
        ({"client_order_id": "another"}, True),
        ({"strategy": "PAIRS"}, True),
    ],
)
def test_what_makes_a_twin(world: DeskWorld, changes: dict[str, Any], twin: bool) -> None:
    give_stock(world.account, world.listing, "5000")
    set_rulebook(duplicate_window_s=60)
    send(world)
    assert (said(send(world, **changes), "ECONOMIC_DUPLICATE")[0] != "pass") is twin


def test_what_was_refused_or_declined_is_no_twin(world: DeskWorld) -> None:
    set_rulebook(duplicate_window_s=60)
    assert send(world, price=Decimal("200")).outcome == "refused"
    assert said(send(world, price=Decimal("200")), "ECONOMIC_DUPLICATE")[0] == "pass"


def test_rows_of_one_batch_are_twins_too(world: DeskWorld) -> None:
    set_rulebook(duplicate_window_s=60)
    first = send(world, order_qty=Decimal(7))
    rows = [("a", terms(world)), ("b", terms(world)), ("c", terms(world, order_qty=Decimal(7)))]
    results = capture_orders(actor=world.dealer, at=AT, idempotency_key="b", route="batch", rows=rows, source="api")
    assert [row.outcome for row in results] == ["released", "pending_authorisation", "pending_authorisation"]
    assert results[0].result
    assert results[1].result
    assert results[2].result
    assert results[0].result.ref in said(results[1].result, "ECONOMIC_DUPLICATE")[1]
    assert first.ref in said(results[2].result, "ECONOMIC_DUPLICATE")[1]


@pytest.mark.parametrize(
    ("asked", "crosses"),
    [
        ({"price": Decimal("72.50")}, True),
        ({"price": Decimal("72.49")}, True),
        ({"price": Decimal("72.51")}, False),
        ({"ord_type": OrdType.MARKET, "price": None}, True),
        ({"ord_type": OrdType.STOP, "price": None, "stop_px": Decimal("70")}, False),
    ],
)
def test_an_order_that_would_trade_with_an_own_one(world: DeskWorld, asked: dict[str, Any], crosses: bool) -> None:
    give_stock(world.account, world.listing, "5000")
    set_rulebook(**CROSSING)
    buy = send(world)
    sale = send(world, side=Side.SELL, **asked)
    verdict, sentence = said(sale, "SELF_TRADE")
    assert (verdict, buy.ref in sentence) == (("refuse", True) if crosses else ("pass", False))


def test_how_near_the_own_order_is_decides(world: DeskWorld) -> None:
    set_rulebook(**CROSSING)
    sibling = make_account("ACC-2", group=world.group)
    stranger = make_account("ACC-3", group=world.group)
    sibling.client = world.account.client
    sibling.save()
    buy = send(world)
    answers = []
    for account in (sibling, stranger):
        give_stock(account, world.listing, "5000")
        answers.append(said(send(world, account=account.code, side=Side.SELL), "SELF_TRADE"))
    assert answers[0] == ("authorise", f"It would trade with {buy.ref} of the same client, 1,000 at 72.5.")
    assert answers[1] == ("authorise", f"It would trade with {buy.ref} of the same firm, 1,000 at 72.5.")
    ConductPolicy.objects.update(self_trade_firm="pass")
    assert said(send(world, account="ACC-3", side=Side.SELL), "SELF_TRADE")[0] == "pass"


def test_rows_of_one_batch_that_would_trade_with_each_other(world: DeskWorld) -> None:
    give_stock(world.account, world.listing, "5000")
    set_rulebook(**CROSSING)
    rows = [
        ("a", terms(world)),
        ("b", terms(world, side=Side.SELL)),
        ("c", terms(world, side=Side.SELL, price=Decimal(73))),
    ]
    results = capture_orders(actor=world.dealer, at=AT, idempotency_key="b", route="batch", rows=rows, source="api")
    assert [row.outcome for row in results] == ["released", "refused", "released"]


def test_a_replace_across_an_own_order_is_refused(world: DeskWorld) -> None:
    give_stock(world.account, world.listing, "5000")
    set_rulebook(**CROSSING)
    send(world, price=Decimal("72.40"))
    sale = accepted(send(world, side=Side.SELL, price=Decimal("72.60")))
    result = replace_order(
        actor=world.dealer, at=LATER, idempotency_key="r", route="api", order_id=sale.order_id,
        terms=ReplaceTerms(price=Decimal("72.40")),
    )  # fmt: skip
    assert (result.outcome, said(result, "SELF_TRADE")[0]) == ("refused", "refuse")


def test_a_rule_for_one_dealer_leaves_the_others_alone(world: DeskWorld) -> None:
    big = (TypedCondition("quantity", "above", "500"),)
    rule: dict[str, Any] = {"scope": "dealer", "scope_id": str(world.dealer.user_id), "verdict": "authorise"}
    lay_down(world, conditions=big, **rule)
    assert send(world).outcome == "pending_authorisation"
    other = make_principal("other", role="dealer", rights=(), desks=(world.desk,), groups=(world.group,))
    assert send(replace(world, dealer=other)).outcome == "released"
    assert send(world, order_qty=Decimal(500)).outcome == "released"


def test_a_rule_about_sources_knows_the_source_right_before_the_wire(world: DeskWorld) -> None:
    ticket, upload = send(world, source="ticket"), send(world, source="upload")
    lay_down(world, conditions=(TypedCondition("source", "in", "upload"),))
    answers = check_boundaries(request_ids=[ticket.request_id, upload.request_id], at=AT)
    assert answers[ticket.request_id].allowed, answers[ticket.request_id].sentence
    assert (answers[upload.request_id].allowed, answers[upload.request_id].code) == (False, "RULE_NO_LONDON")


def test_a_decision_is_kept_with_what_it_saw_and_is_judged_again_alike(world: DeskWorld) -> None:
    give_stock(world.account, world.listing, "5000")
    set_rulebook(**CROSSING, duplicate_window_s=60)
    for result in (send(world), send(world), send(world, side=Side.SELL), send(world, price=Decimal("90"))):
        request = OrderRequest.objects.get(id=result.request_id)
        book = get_rulebook()
        assert request.decision is not None
        assert book is not None
        facts = facts_of(request.decision)
        assert (request.decision["registry"], rulebook_number(request.decision)) == (REGISTRY_VERSION, book.version)
        limits = get_marks(facts.conduct.pairs, at=AT).limits
        seen = replace(facts, limits=limits, conduct=replace(facts.conduct, rulebook=book), listing=replace(
            facts.listing, ticks=get_listing(facts.listing.listing_id, at=AT).ticks))  # fmt: skip
        again = {a.code: a.verdict for a in run_checks(seen, on_desk=False).answers}
        assert {a.code: a.verdict for a in result.checks if not a.code.endswith("_RATE")} == {
            code: verdict for code, verdict in again.items() if not code.endswith("_RATE")
        }
        told = Event.objects.get(stream=f"order:{result.order_id}", kind="OrderCaptured").payload["checks"]
        assert (told["registry"], len(told["facts_sha256"])) == (REGISTRY_VERSION, 64)
