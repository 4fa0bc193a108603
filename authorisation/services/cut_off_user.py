"""Cut somebody off at once: sessions, keys and roles end, and the next request is refused. One administrator suffices.

What the person looked at as a checker is free again. Whose the open orders are from then on is for the room of orders
(``orders.services.reown_orders``).

It passes even where nobody is left for a right that somebody must hold: a stolen account is worse than a vacancy. Then an
anomaly names the right. Letting the person in again takes two (``enable_user``), and brings back neither roles nor keys.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction

from authorisation.domain.access import ROLE_LEFT, USER_DISABLED
from authorisation.domain.keepers import too_few
from authorisation.domain.principal import Principal, process_principal
from authorisation.domain.transitions import OPEN
from authorisation.locks import lock_rights, lock_user
from authorisation.models import ApiKey, AuthorisationRequest, RoleTerm
from authorisation.permissions import USER_RIGHT, require_administrator
from authorisation.selectors import holders_by_right
from authorisation.services._events import record
from authorisation.services.end_sessions import end_sessions
from authorisation.services.release_claim import release_claim
from authorisation.services.revoke_api_key import revoke_api_key
from authorisation.services.withdraw_request import withdraw_request
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from kernel.errors import Conflict, Invalid

MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class CutOff:
    """What ended: sessions, keys, roles by name, the person's own questions about rights that waited, and what it looked at."""

    username: str
    sessions: int
    keys: int
    roles: tuple[str, ...]
    withdrawn: int
    claims: int


def cut_off_user(*, actor: Principal, at: datetime, user_id: int, reason: str) -> CutOff:
    """Raises NotPermitted RIGHT_MISSING, Invalid REASON_INVALID, NotFound USER_UNKNOWN, Conflict USER_CUT_OFF; then
    nothing changed."""
    require_administrator(actor, confirmed=False)
    if not reason.strip() or len(reason) > MAX_REASON:
        sentence = f"Say why, in at most {MAX_REASON} characters."
        raise Invalid("REASON_INVALID", sentence, {"reason": [sentence]})
    with transaction.atomic():
        withdrawn = _withdraw_questions(actor, at, user_id)  # requests are locked before people and rights
        claims = _let_go(actor, at, user_id)
        lock_rights()
        user = lock_user(user_id)
        if not user.is_active:
            raise Conflict("USER_CUT_OFF", f"{user.username} is cut off already.")
        before = holders_by_right()
        user.is_active = False
        user.save(update_fields=["is_active"])
        because = f"cut off: {reason.strip()}"
        sessions = end_sessions(actor=actor, at=at, user_id=user_id, reason="cut off")
        live = list(ApiKey.objects.filter(user=user, revoked_at=None).values_list("id", flat=True))
        for key_id in live:
            revoke_api_key(actor=actor, at=at, key_id=key_id, because=because)
        roles = tuple(user.groups.order_by("name").values_list("name", flat=True))
        user.groups.clear()
        RoleTerm.objects.filter(user=user, ended_at=None).update(ended_at=at)
        for role in roles:
            payload = {"role": role, "because": because}
            record(stream=f"user:{user.pk}", kind=ROLE_LEFT, actor=actor, at=at, payload=payload)
        told = {"reason": reason.strip(), "sessions": sessions, "keys": len(live), "roles": list(roles)}
        record(stream=f"user:{user.pk}", kind=USER_DISABLED, actor=actor, at=at, payload=told)
        for right in too_few(before, holders_by_right()):
            _tell_of_vacancy(user.username, right, actor, at)
    return CutOff(user.username, sessions, len(live), roles, withdrawn, claims)


def _withdraw_questions(actor: Principal, at: datetime, user_id: int) -> int:
    """Nobody decides what a person asked about rights who is no longer trusted. What holds orders back waits for its checker."""
    asked = AuthorisationRequest.objects.filter(maker_id=user_id, kind=USER_RIGHT, state__in=OPEN)
    ids = list(asked.order_by("id").values_list("id", flat=True))
    for request_id in ids:
        withdraw_request(actor=_house(actor), at=at, authorisation_id=request_id, reason="The maker was cut off.")
    return len(ids)


def _let_go(actor: Principal, at: datetime, user_id: int) -> int:
    """What the person looked at is free for another checker at once."""
    held = AuthorisationRequest.objects.filter(claimed_by_id=user_id, claimed_until__gt=at, state__in=OPEN)
    released = 0
    for request_id in held.order_by("id").values_list("id", flat=True):
        try:
            release_claim(actor=_house(actor), at=at, authorisation_id=request_id)
        except Conflict:
            continue  # it was let go of, or decided, a moment ago
        released += 1
    return released


def _house(actor: Principal) -> Principal:
    return replace(process_principal("cut-off"), on_behalf_of=actor.actor)


def _tell_of_vacancy(username: str, right: str, actor: Principal, at: datetime) -> None:
    raise_anomaly(
        anomaly=Anomaly(
            kind="RIGHT_VACANT",
            severity=Severity.HIGH,
            subject_type="right",
            subject_id=right,
            sentence=f"{username} was cut off, and too few people are left who hold {right}. Give it to somebody.",
            dedupe_key=f"right-vacant:{right}",
            evidence={"right": right, "user": username},
        ),
        actor=actor.actor,
        at=at,
    )
