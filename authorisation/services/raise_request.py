"""Put something before a second person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from authorisation.domain.policy import policy_of
from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from authorisation.services._events import record
from journal.bulk import insert_rows, one_transaction
from kernel.canonical import jsonable
from kernel.canonical import payload_hash as hash_of
from kernel.errors import InvariantBroken
from kernel.ids import new_id

_FIELDS = (
    "id",
    "kind",
    "subject_type",
    "subject_id",
    "subject_version",
    "desk_id",
    "payload",
    "payload_hash",
    "summary",
    "reasons",
    "maker_id",
    "state",
    "outcome",
    "created_at",
    "expires_at",
)


@dataclass(frozen=True, slots=True)
class RaisedRequest:
    """The request's id, the hash a decision must name, and when it lapses."""

    id: UUID
    payload_hash: str
    expires_at: datetime


def raise_request(
    *,
    actor: Principal,
    at: datetime,
    kind: str,
    subject_type: str,
    subject_id: str,
    subject_version: int,
    payload: Mapping[str, Any],
    summary: str,
    reasons: Sequence[Mapping[str, Any]] = (),
    desk_id: int | None = None,
    expires_at: datetime | None = None,
    request_id: UUID | None = None,
    correlation_id: UUID | None = None,
) -> RaisedRequest:
    """Open a request with ``actor`` as its maker, inside the caller's transaction.

    ``payload`` is what a decision binds to; ``summary`` one line for the list; ``reasons`` codes and sentences. A
    process cannot be a maker: nobody could be the second person.
    """
    policy = policy_of(kind)
    if actor.is_process:
        raise InvariantBroken("MAKER_MISSING", "A process cannot ask for a second person without a first.")
    identity, digest = request_id or new_id(), hash_of(payload)
    until = expires_at or at + policy.patience
    values = (
        identity,
        kind,
        subject_type,
        subject_id,
        subject_version,
        desk_id,
        jsonable(payload),
        digest,
        summary,
        jsonable(list(reasons)),
        actor.user_id,
        AuthorisationRequest.State.PENDING.value,
        "",
        at,
        until,
    )
    with one_transaction():
        insert_rows(AuthorisationRequest, [values], fields=_FIELDS)
        record(
            stream=f"authorisation:{identity}",
            kind="AuthorisationRaised",
            actor=actor,
            at=at,
            payload={"kind": kind, "subject_type": subject_type, "subject_id": subject_id, "payload_hash": digest},
            correlation_id=correlation_id,
        )
    return RaisedRequest(identity, digest, until)
