"""Answer what a checker asked: the next version of the request waits, the earlier one and its question are kept.

Whoever said yes to an earlier version has said nothing about this one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from authorisation.domain.four_eyes import is_visible
from authorisation.domain.policy import choose
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import SENT_BACK
from authorisation.locks import lock_request_row
from authorisation.models import AuthorisationRequest, RequestVersion
from authorisation.selectors import facts_of
from authorisation.selectors.policies import standing_policies
from authorisation.services._events import record
from authorisation.services._moving import save_open
from journal.bulk import one_transaction
from kernel.canonical import jsonable
from kernel.canonical import payload_hash as hash_of
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted, Refused

MAX_ANSWER = 2000
_ASKED = ("version", "subject_version", "payload", "payload_hash", "summary", "reasons", "value", "currency")
_NEW = (*_ASKED, "answer", "question", "asked_by", "asked_at", "paused_left_s", "expires_at")


@dataclass(frozen=True, slots=True)
class Anew:
    """What is asked now, where it is not what was asked: the subject's room says so, having checked it."""

    payload: Mapping[str, Any]
    summary: str
    subject_version: int
    reasons: Sequence[Mapping[str, Any]] = ()
    value: Decimal | None = None
    currency: str = ""


def resubmit_request(
    *, actor: Principal, at: datetime, authorisation_id: UUID, answer: str, anew: Anew | None = None
) -> str:
    """The hash that a decision must name from now on. Without ``anew`` the same is asked, with an answer.

    Raises NotFound, NotPermitted NOT_THE_MAKER, Conflict AUTHORISATION_CLOSED or NOT_SENT_BACK, Invalid ANSWER_INVALID,
    Refused AUTHORISATION_EXPIRED, or MORE_CHECKERS_NEEDED where the new value falls under a policy that asks for more
    people (then it must be asked for again); then nothing changed.
    """
    answer = answer.strip()
    if not answer or len(answer) > MAX_ANSWER:
        sentence = f"Answer, in at most {MAX_ANSWER} characters."
        raise Invalid("ANSWER_INVALID", sentence, {"answer": [sentence]})
    with one_transaction():
        row = lock_request_row(authorisation_id)
        _require_answerable(row, actor, at)
        if anew is not None:
            _require_same_policy(row, anew, at)

        row.resubmit()

        _keep_version(row, at)
        _ask_anew(row, answer, anew, at)
        save_open(row, *_NEW)
        record(
            stream=f"authorisation:{row.id}",
            kind="AuthorisationResubmitted",
            actor=actor,
            at=at,
            payload={
                "version": row.version,
                "payload_hash": row.payload_hash,
                "answer": answer,
                "changed": anew is not None,
                "expires_at": row.expires_at,
            },
        )
        return row.payload_hash


def _require_answerable(row: AuthorisationRequest, actor: Principal, at: datetime) -> None:
    facts = facts_of(row, ())
    if not is_visible(facts, actor):
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    if actor.user_id != facts.maker_id and actor.person_id not in facts.maker_people:
        raise NotPermitted("NOT_THE_MAKER", "Only its maker answers.")
    if not facts.is_open:
        raise Conflict("AUTHORISATION_CLOSED", "It is closed already.", {"state": facts.state})
    if facts.state != SENT_BACK:
        raise Conflict("NOT_SENT_BACK", "Nobody asked you anything about it.")
    if at >= facts.expires_at:
        raise Refused("AUTHORISATION_EXPIRED", "The time to decide is over; it must be asked for again.")


def _require_same_policy(row: AuthorisationRequest, anew: Anew, at: datetime) -> None:
    """What it became must not need more people than what it was: the policy stays with the request."""
    rows = standing_policies(at=at, kind=row.kind)
    now = choose(rows, desk_id=row.desk_id, value=anew.value, currency=anew.currency)
    if now is None or now.checkers > row.checkers or now.row.right != row.right:
        raise Refused("MORE_CHECKERS_NEEDED", "What you ask for now needs other people; withdraw it and ask again.")


def _keep_version(row: AuthorisationRequest, at: datetime) -> None:
    assert row.asked_by_id is not None
    assert row.asked_at is not None
    RequestVersion.objects.create(
        request=row,
        question=row.question,
        asked_by_id=row.asked_by_id,
        asked_at=row.asked_at,
        replaced_at=at,
        **{name: getattr(row, name) for name in _ASKED},
    )


def _ask_anew(row: AuthorisationRequest, answer: str, anew: Anew | None, at: datetime) -> None:
    if anew is not None:
        row.payload, row.reasons = jsonable(anew.payload), jsonable(list(anew.reasons))
        row.summary, row.subject_version = anew.summary, anew.subject_version
        row.value, row.currency = anew.value, anew.currency
    row.version += 1
    row.answer = answer
    row.payload_hash = hash_of({"version": row.version, "payload": row.payload, "answer": answer})
    row.question, row.asked_by, row.asked_at = "", None, None
    if row.paused_left_s is not None:
        row.expires_at, row.paused_left_s = at + timedelta(seconds=row.paused_left_s), None
