"""Keep the hash of a password that is about to be replaced, and no more of them than are asked about."""

from __future__ import annotations

from datetime import datetime

from authorisation.models import FormerPassword, User
from authorisation.password_rules import LAST
from kernel.ids import new_id


def keep_former(user: User, *, at: datetime) -> None:
    """Of a person who has one; in the caller's transaction, the user being locked."""
    if not user.has_usable_password():
        return
    FormerPassword.objects.create(id=new_id(), user=user, password=user.password, replaced_at=at)
    former = FormerPassword.objects.filter(user=user).order_by("-replaced_at", "id")
    former.exclude(id__in=list(former.values_list("id", flat=True)[:LAST])).delete()
