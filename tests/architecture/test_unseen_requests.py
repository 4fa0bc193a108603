"""What waits for a second person about an account group that was not granted does not exist: by service, list and count."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, connection, transaction

from authorisation.domain.principal import Principal
from authorisation.domain.transitions import PENDING
from authorisation.models import AuthorisationRequest
from authorisation.selectors import count_requests, get_request, list_requests
from authorisation.services.claim_request import claim_request
from authorisation.services.record_decision import record_decision
from authorisation.services.release_claim import release_claim
from authorisation.services.resubmit_request import resubmit_request
from authorisation.services.send_back_request import send_back_request
from authorisation.services.withdraw_request import withdraw_request
from journal.models import Event
from kernel.clock import utc_now
from kernel.errors import NotFound
from operations.selectors.approval_digest import get_digest
from operations.services.decide_many import One, decide_many
from orders.services.decide_order_request import decide_order_request
from tests.factories.doors import Doors

Step = Callable[[Principal, UUID, str], Any]


def _decide(actor: Principal, request_id: UUID, seen: str) -> None:
    decide_order_request(
        actor=actor, at=utc_now(), authorisation_id=request_id, verdict="approve", reason_code="WITHIN_MANDATE",
        reason="", payload_hash=seen,
    )  # fmt: skip


def _record(actor: Principal, request_id: UUID, seen: str) -> None:
    record_decision(
        actor=actor, at=utc_now(), authorisation_id=request_id, verdict="approve", reason_code="WITHIN_MANDATE",
        reason="", payload_hash=seen,
    )  # fmt: skip


STEPS: dict[str, Step] = {
    "get": lambda actor, one, seen: get_request(actor, one, at=utc_now()),
    "decide": _decide,
    "record": _record,
    "claim": lambda actor, one, seen: claim_request(actor=actor, at=utc_now(), authorisation_id=one),
    "release": lambda actor, one, seen: release_claim(actor=actor, at=utc_now(), authorisation_id=one),
    "send back": lambda actor, one, seen: send_back_request(
        actor=actor, at=utc_now(), authorisation_id=one, question="Why?", payload_hash=seen
    ),
    "answer": lambda actor, one, seen: resubmit_request(actor=actor, at=utc_now(), authorisation_id=one, answer="So."),
    "withdraw": lambda actor, one, seen: withdraw_request(actor=actor, at=utc_now(), authorisation_id=one),
}


@pytest.mark.parametrize("caller", ["far_checker", "neighbour", "other"])
@pytest.mark.parametrize("step", STEPS)
def test_no_service_knows_it(doors: Doors, caller: str, step: str) -> None:
    before = Event.objects.count()
    with pytest.raises(NotFound) as refused, transaction.atomic():
        STEPS[step](doors.people[caller], doors.approvals[0], doors.payload_hash)
    assert refused.value.code == "AUTHORISATION_UNKNOWN"
    assert Event.objects.count() == before
    assert AuthorisationRequest.objects.get(pk=doors.approvals[0]).state == PENDING


def test_it_is_in_no_list_and_no_count(doors: Doors) -> None:
    far, near, at = doors.people["far_checker"], doors.people["compliance"], utc_now()
    assert count_requests(near, at=at)["mine"] == 1
    assert count_requests(far, at=at) == {"mine": 0, "raised": 0, "all": 0}
    assert list_requests(far, "all", at=at) == []


def test_many_at_once_is_no_way_round(doors: Doors) -> None:
    (said,) = decide_many(
        actor=doors.people["far_checker"], at=utc_now(), kind="order_request",
        items=[One(doors.approvals[0], doors.payload_hash)], verdict="decline", reason_code="OTHER", reason="test",
    )  # fmt: skip
    assert (said.outcome, said.code) == ("refused", "AUTHORISATION_UNKNOWN")


def test_the_digest_counts_it_for_those_alone_who_see_it(doors: Doors) -> None:
    began = utc_now()
    with transaction.atomic():
        _decide(doors.people["compliance"], doors.approvals[0], doors.payload_hash)
        ended = utc_now()
        people = {
            who: len(get_digest(actor=doors.people[who], since=began, until=ended).people)
            for who in ("auditor", "far_checker")
        }
        transaction.set_rollback(True)
    assert people == {"auditor": 1, "far_checker": 0}


@pytest.mark.parametrize("to", ["NULL", "group_id + 1"])
def test_the_database_keeps_the_group(doors: Doors, to: str) -> None:
    with (
        pytest.raises(DatabaseError, match="keeps what was asked"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"UPDATE authorisation_authorisationrequest SET group_id = {to}")
