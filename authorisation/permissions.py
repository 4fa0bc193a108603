"""Who may administer people, keys and grants, and what one administrator may not do alone."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import ADMINISTER_USERS, REVIEW_ACCESS, RUN_ACCESS_REVIEW, SEE_ACCESS, Principal
from authorisation.domain.stepping_up import require_confirmed
from authorisation.domain.transitions import APPROVED
from authorisation.models import AuthorisationRequest
from kernel.errors import NotPermitted

USER_RIGHT = "user_right"


def require_administrator(actor: Principal, *, confirmed: bool = True) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor administers users; our own processes do.

    Changing who may do what wants to be confirmed (STEP_UP_NEEDED); looking, and cutting somebody off, do not.
    """
    if actor.is_process:
        return
    actor.require(ADMINISTER_USERS, "Keys and grants need the right to administer users.")
    if confirmed:
        require_confirmed(actor)


def reads_every_review(actor: Principal) -> bool:
    """Whether all lines of all access reviews exist for the actor: who runs them, who
    administers what they are about, and who sees all access."""
    return not actor.rights.isdisjoint({RUN_ACCESS_REVIEW, ADMINISTER_USERS, SEE_ACCESS})


def require_review_runner(actor: Principal) -> None:
    """Raise NotPermitted unless the actor, a person, may open access reviews and ask for their close."""
    actor.require(RUN_ACCESS_REVIEW, "Your role may not open or close access reviews.")
    _require_person(actor)


def require_reviewer(actor: Principal) -> None:
    """Raise NotPermitted unless the actor, a person, may say which access is still needed."""
    actor.require(REVIEW_ACCESS, "Your role may not review access.")
    _require_person(actor)


def _require_person(actor: Principal) -> None:
    if actor.is_service or actor.is_process:
        raise NotPermitted("REVIEWER_NOT_A_PERSON", "Only a person may review access, not a service.")


def require_second_person(actor: Principal, *, at: datetime, decision: UUID | None) -> None:
    """Raise NotPermitted SECOND_PERSON_NEEDED unless ``decision`` is a request about rights approved at this very moment.

    Rights are taken by one administrator and given by two. Our own processes (seed, first run) give them alone.
    """
    require_administrator(actor)
    if actor.is_process:
        return
    approved = AuthorisationRequest.objects.filter(kind=USER_RIGHT, state=APPROVED, closed_at=at)
    if decision is None or not approved.filter(pk=decision).exists():
        raise NotPermitted("SECOND_PERSON_NEEDED", "Rights are given by two people: ask for it under Access.")
