"""Two checkers press at the same moment: one decides, the other is told."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from authorisation.models import AuthorisationRequest, Decision
from authorisation.services.lapse_requests import lapse_requests
from authorisation.services.raise_request import raise_request
from authorisation.services.record_decision import RecordedDecision, record_decision
from kernel.errors import Conflict
from tests.concurrency.threads import together
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
