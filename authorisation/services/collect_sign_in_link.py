"""The administrator who asked for a reset collects its link, once, after another approved it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.one_time import SIGN_IN_RESET_KIND
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import APPROVED
from authorisation.locks import lock_request_row
from authorisation.models import SignInLink
from authorisation.permissions import require_administrator
from authorisation.services.issue_sign_in_link import issue_sign_in_link
from kernel.errors import Conflict, NotFound


def collect_sign_in_link(*, actor: Principal, at: datetime, authorisation_id: UUID) -> str:
    """The token. Raises NotPermitted, NotFound AUTHORISATION_UNKNOWN, Conflict RESET_NOT_APPROVED or LINK_COLLECTED."""
    require_administrator(actor)
    with transaction.atomic():
        request = lock_request_row(authorisation_id)
        if request.kind != SIGN_IN_RESET_KIND or request.maker_id != actor.user_id:
            raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
        if request.state != APPROVED:
            raise Conflict("RESET_NOT_APPROVED", "Nobody has approved it, or it is over.")
        if SignInLink.objects.filter(request=request).exists():
            raise Conflict("LINK_COLLECTED", "The link was collected already; ask for another reset if it was lost.")
        return issue_sign_in_link(actor=actor, at=at, user_id=int(request.subject_id), request=request)
