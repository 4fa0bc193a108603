"""Say something about an exception. Whoever is named with @ and may see it is told; the others are named as not told."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

from django.db.models.functions import Lower

from authorisation.domain.principal import Principal
from authorisation.models import User
from authorisation.selectors import get_principals
from operations.services._exception_acts import Acted, acting, sees, told, wanted_text
from operations.services._exception_events import COMMENTED

MENTION = re.compile(r"(?<![\w.@])@([a-z][a-z0-9._-]{1,39})", re.IGNORECASE)
MOST_NAMED = 10


def comment_exception(*, actor: Principal, at: datetime, item_id: UUID, text: str) -> Acted:
    """Kept for ever in the item's history; there is no version to name, because a comment contradicts nobody.

    Raises as ``acting``, Invalid TEXT_MISSING, TEXT_TOO_LONG.
    """
    text = wanted_text(text, least=1, name="text", sentence="There is nothing in the comment.")
    with acting(actor=actor, at=at, item_id=item_id, version=None, counts=False) as item:
        names = list(dict.fromkeys(name.rstrip(".-_").lower() for name in MENTION.findall(text)))[:MOST_NAMED]
        users = list(
            User.objects.annotate(name=Lower("username"))
            .filter(name__in=names, is_active=True, kind=User.Kind.PERSON)
            .order_by("pk")
        )
        named = [one.username.lower() for one in get_principals(users) if sees(one, item)] if users else []
        unknown = [name for name in names if name not in named]
        payload = {"text": text, "named": named, "not_told": unknown}
        sentence = "Said." if not unknown else f"Said. Not told, as they may not see it: {', '.join(unknown)}."
        return told(item, COMMENTED, payload, actor=actor, at=at, sentence=sentence)
