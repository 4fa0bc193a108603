"""Two checkers press at the same moment: one decides, the other is told."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial

import pytest

from authorisation.models import AuthorisationRequest, Decision
from authorisation.services.claim_request import claim_request
from authorisation.services.decide_request import Decided
from authorisation.services.lapse_requests import lapse_requests
from authorisation.services.raise_request import raise_request
from authorisation.services.record_decision import RecordedDecision, record_decision
from journal.models import Event
from kernel.errors import Conflict
from risk.domain.limit_change import LimitChange
from risk.models import Limit
from risk.services.decide_limit_change import decide_limit_change
from risk.services.request_limit_change import request_limit_change
from tests.concurrency.threads import together
from tests.factories import make_desk, make_principal
from tests.factories.authorisation import AT, desk, principal

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_decision_and_no_lapse_beside_it() -> None:
    checkers = [principal(f"checker{i}", rights=("release_order",)) for i in range(4)]
    raised = raise_request(
        actor=principal("maker"),
        at=AT,
        kind="order_request",
        subject_type="order_request",
        subject_id="1",
        subject_version=1,
        payload={"ref": "1"},
        summary="Buy",
        desk_id=desk().pk,
    )

    def decide(n: int) -> RecordedDecision:
        return record_decision(
            actor=checkers[n],
            at=AT,
            authorisation_id=raised.id,
            verdict="approve" if n % 2 else "decline",
            reason_code="X",
            reason="x",
            payload_hash=raised.payload_hash,
        )

    results = together([partial(decide, n) for n in range(4)])
    won = [result for result in results if isinstance(result, RecordedDecision)]
    lost = [result for result in results if isinstance(result, Conflict)]
    assert (len(won), len(lost)) == (1, 3)
    assert {error.code for error in lost} == {"AUTHORISATION_CLOSED"}
    assert AuthorisationRequest.objects.get().state == won[0].state
    assert Decision.objects.count() == 1
    assert lapse_requests(at=AT + timedelta(days=1)) == ()


def test_fifty_approvals_at_once_apply_once() -> None:
    world = make_desk()
    maker = make_principal("asks", role="asks", rights=("ask_risk_change",), desks=(world.desk,))
    checkers = [
        make_principal(f"says{n}", role="risk", rights=("decide_risk_change",), desks=(world.desk,)) for n in range(50)
    ]
    asked = request_limit_change(
        actor=maker, at=AT, reason="Busy",
        change=LimitChange("firm", "", "open_notional", "GBP", Decimal(800), Decimal(1000), "m.ruiz"),
    )  # fmt: skip
    digest = AuthorisationRequest.objects.get(pk=asked.authorisation_id).payload_hash

    def approve(n: int) -> Decided:
        return decide_limit_change(
            actor=checkers[n], at=AT, authorisation_id=asked.authorisation_id, verdict="approve", reason_code="X",
            reason="", payload_hash=digest,
        )  # fmt: skip

    results = together([partial(approve, n) for n in range(50)])
    assert [result.outcome for result in results if isinstance(result, Decided)] == ["applied"]
    assert [result.code for result in results if isinstance(result, Conflict)] == ["AUTHORISATION_CLOSED"] * 49
    limit = Limit.objects.get(kind="open_notional")
    assert (limit.version, limit.hard, limit.history.count()) == (1, Decimal(1000), 1)
    assert (Decision.objects.count(), Event.objects.filter(kind="LimitChanged").count()) == (1, 1)


def test_of_two_claims_at_once_one_holds() -> None:
    first, second = (principal(name, rights=("release_order",)) for name in ("first", "second"))
    raised = raise_request(
        actor=principal("maker"), at=AT, kind="order_request", subject_type="order_request", subject_id="1",
        subject_version=1, payload={"ref": "1"}, summary="Buy", desk_id=desk().pk,
    )  # fmt: skip
    claims = [partial(claim_request, actor=who, at=AT, authorisation_id=raised.id) for who in (first, second)]
    results = together(claims)
    assert [result.code for result in results if isinstance(result, Conflict)] == ["CLAIMED_BY_OTHER"]
    row = AuthorisationRequest.objects.get()
    assert (row.state, row.claimed_until) == ("claimed", AT + timedelta(minutes=2))
