"""What a key's owner and its predecessor must be, as asking for it, deciding about it and making it look at it."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q

from authorisation.models import ApiKey, User
from authorisation.selectors import is_live
from kernel.errors import Conflict, NotFound, Refused


def require_service_account(user_id: int) -> User:
    """The active service account; raises NotFound USER_UNKNOWN, Refused KEY_NEEDS_SERVICE_ACCOUNT."""
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise NotFound("USER_UNKNOWN", "There is no such active user.")
    if user.kind != User.Kind.SERVICE:
        raise Refused("KEY_NEEDS_SERVICE_ACCOUNT", "Keys that sign belong to service accounts, never to people.")
    return user


def require_rotatable(old: ApiKey, *, at: datetime) -> None:
    """Raise Refused KEY_ENDED unless it lives, Conflict KEY_ROTATION_OPEN while another of its line lives too."""
    if not is_live(old, at=at):
        raise Refused("KEY_ENDED", "This key is over; issue a new one.")
    others = ApiKey.objects.select_related("user").filter(
        Q(replaces=old) | Q(pk__in=[one for one in [old.replaces_id] if one])
    )
    if any(is_live(one, at=at) for one in others):
        raise Conflict("KEY_ROTATION_OPEN", "Two keys live already: let the older one end, or revoke it.")
