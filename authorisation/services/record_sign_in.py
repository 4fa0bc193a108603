"""Say that somebody signed in: with what, from where, and whether in a browser never seen with this person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authorisation import security_log
from authorisation.models import User
from authorisation.selectors import get_principal
from authorisation.selectors.sign_in import is_known_browser
from authorisation.services._events import record


@dataclass(frozen=True, slots=True)
class Browser:
    """What a browser shows of itself. ``browser_id`` is the digest of a cookie it keeps for a year."""

    browser_id: str
    device: str
    source: str


def record_sign_in(*, user: User, at: datetime, session_id: UUID, factor: str, browser: Browser) -> bool:
    """Append SignedIn, and NewDeviceSeen in a browser that is new; returns whether it is."""
    actor = get_principal(user)
    stream = f"user:{user.pk}"
    is_new = not is_known_browser(user_id=user.pk, browser_id=browser.browser_id)
    payload = {
        "session_id": str(session_id),
        "factor": factor,
        "source": browser.source,
        "device": browser.device,
        "browser_id": browser.browser_id,
    }
    record(stream=stream, kind="SignedIn", actor=actor, at=at, payload=payload)
    if is_new:
        record(stream=stream, kind="NewDeviceSeen", actor=actor, at=at, payload=payload)
    security_log.write(
        "SIGNED_IN", user=actor.actor, source=browser.source, factor=factor, device=browser.device, new_device=is_new
    )
    return is_new
