"""What is asked for about a key that signs: a new one, or a second one while the first ends. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from authorisation.domain.api_keys import KeyTerms

KIND = "api_key"
ISSUE, ROTATE = "issue", "rotate"
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class KeyChange:
    """``replaces`` is the key that ends ``overlap_s`` after the new one is made; None for one that takes over from none."""

    user_id: int
    username: str
    terms: KeyTerms
    reason: str
    expires_at: datetime | None = None
    replaces: UUID | None = None
    overlap_s: int = 0

    @property
    def words(self) -> str:
        """One line for lists."""
        if self.replaces is not None:
            return f"A second key {self.terms.name} for {self.username}, while the first ends"
        return f"A key {self.terms.name} for {self.username}: {', '.join(self.terms.scopes)}"


def to_payload(change: KeyChange) -> dict[str, Any]:
    """As plain JSON."""
    return {
        "change": ROTATE if change.replaces else ISSUE,
        "user_id": change.user_id,
        "username": change.username,
        "name": change.terms.name,
        "scopes": list(change.terms.scopes),
        "addresses": list(change.terms.addresses),
        "rate": change.terms.rate,
        "burst": change.terms.burst,
        "expires_at": change.expires_at.isoformat() if change.expires_at else None,
        "replaces": str(change.replaces) if change.replaces else None,
        "overlap_s": change.overlap_s,
        "reason": change.reason,
    }


def from_payload(payload: Mapping[str, Any]) -> KeyChange:
    """The change that was asked for."""
    return KeyChange(
        user_id=payload["user_id"],
        username=payload["username"],
        terms=KeyTerms(
            payload["name"],
            tuple(payload["scopes"]),
            tuple(payload["addresses"]),
            payload["rate"],
            payload["burst"],
        ),
        reason=payload["reason"],
        expires_at=datetime.fromisoformat(payload["expires_at"]) if payload["expires_at"] else None,
        replaces=UUID(payload["replaces"]) if payload["replaces"] else None,
        overlap_s=payload["overlap_s"],
    )
