"""Put something before a second person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from authorisation.domain.policy import Chosen, choose, policy_of
from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from authorisation.selectors.policies import standing_policies
from authorisation.services._events import record
from journal.bulk import insert_rows, one_transaction
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from kernel.canonical import jsonable
from kernel.canonical import payload_hash as hash_of
from kernel.errors import InvariantBroken
from kernel.ids import new_id
from kernel.numbers import plain

_FIELDS = (
    "id",
    "kind",
    "subject_type",
    "subject_id",
    "subject_version",
    "desk_id",
    "group_id",
    "payload",
    "payload_hash",
    "summary",
    "reasons",
    "value",
    "currency",
    "maker_id",
    "on_behalf_of",
    "policy_id",
    "right",
    "checkers",
    "state",
    "outcome",
    "created_at",
    "expires_at",
)
PATIENCE_WITHOUT_POLICY = timedelta(hours=1)


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
    group_id: int | None = None,
    value: Decimal | None = None,
    currency: str = "",
    expires_at: datetime | None = None,
    request_id: UUID | None = None,
    correlation_id: UUID | None = None,
) -> RaisedRequest:
    """Open a request with ``actor`` as its maker, inside the caller's transaction.

    ``payload`` is what a decision binds to; ``summary`` one line for the list; ``reasons`` codes and sentences;
    ``value`` in ``currency`` what it is about, where that can be said; ``desk_id`` and ``group_id`` whose it is: who may
    not see these does not see it. The policy of ``at`` is kept with it. Where none stands it waits all the same, nobody
    may decide it, and somebody is told.
    A process cannot be a maker: nobody could be the second person.
    """
    _require_askable(kind, actor)
    identity, digest = request_id or new_id(), hash_of(payload)
    chosen = choose(standing_policies(at=at, kind=kind), desk_id=desk_id, value=value, currency=currency)
    ruling = (chosen.row.id, chosen.row.right, chosen.checkers) if chosen else (None, "", 1)
    until = expires_at or at + (timedelta(seconds=chosen.row.patience_s) if chosen else PATIENCE_WITHOUT_POLICY)
    values = (
        identity,
        kind,
        subject_type,
        subject_id,
        subject_version,
        desk_id,
        group_id,
        jsonable(payload),
        digest,
        summary,
        jsonable(list(reasons)),
        value,
        currency,
        actor.user_id,
        actor.on_behalf_of,
        *ruling,
        AuthorisationRequest.State.PENDING.value,
        "",
        at,
        until,
    )
    told = {
        "kind": kind,
        "subject_type": subject_type,
        "subject_id": subject_id,
        "payload_hash": digest,
        "desk_id": desk_id,
        "group_id": group_id,
        "value": plain(value) if value is not None else None,
        "currency": currency,
    }
    with one_transaction():
        insert_rows(AuthorisationRequest, [values], fields=_FIELDS)
        _tell(identity, told, chosen, actor=actor, at=at, correlation_id=correlation_id)
        if chosen is None:
            _tell_that_nobody_may(kind, identity, desk_id, at)
    return RaisedRequest(identity, digest, until)


def _require_askable(kind: str, actor: Principal) -> None:
    policy_of(kind)
    if actor.is_process:
        raise InvariantBroken("MAKER_MISSING", "A process cannot ask for a second person without a first.")


def _tell(
    request_id: UUID,
    told: Mapping[str, Any],
    chosen: Chosen | None,
    *,
    actor: Principal,
    at: datetime,
    correlation_id: UUID | None,
) -> None:
    policy = {
        "policy_id": chosen.row.id if chosen else None,
        "checkers": chosen.checkers if chosen else None,
    }
    record(
        stream=f"authorisation:{request_id}",
        kind="AuthorisationRaised",
        actor=actor,
        at=at,
        payload={**told, **policy},
        correlation_id=correlation_id,
    )


def _tell_that_nobody_may(kind: str, request_id: UUID, desk_id: int | None, at: datetime) -> None:
    raise_anomaly(
        anomaly=Anomaly(
            kind="APPROVAL_POLICY_MISSING",
            severity=Severity.HIGH,
            subject_type="authorisation",
            subject_id=str(request_id),
            sentence=f"No policy says who decides {policy_of(kind).title.lower()} requests: nobody may decide this one.",
            dedupe_key=f"approval-policy:{request_id}",
            evidence={"kind": kind, "desk_id": desk_id},
        ),
        actor="process:authorisation",
        at=at,
    )
