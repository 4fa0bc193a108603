"""What every move of a request has in common: whoever held it lets it go; what is closed says when and why."""

from __future__ import annotations

from datetime import datetime

from authorisation.models import AuthorisationRequest


def drop_claim(row: AuthorisationRequest) -> None:
    """Nobody holds it any more. The caller saves."""
    row.claimed_by, row.claimed_until = None, None


def save_closed(row: AuthorisationRequest, *, outcome: str, at: datetime) -> None:
    """Keep the closed state the row was moved to, with its outcome."""
    drop_claim(row)
    row.outcome, row.closed_at = outcome, at
    row.save(update_fields=["state", "outcome", "closed_at", "claimed_by", "claimed_until"])


def save_open(row: AuthorisationRequest, *fields: str) -> None:
    """Keep an open state, its claim, and the named fields."""
    row.save(update_fields=["state", "claimed_by", "claimed_until", *fields])
