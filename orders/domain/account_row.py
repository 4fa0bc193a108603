"""The account as a capture needs it: what decides visibility, scopes and state."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from accounts.domain.fee_book import STANDARD


@dataclass(frozen=True, slots=True)
class AccountRow:
    """The account as a capture needs it."""

    account_id: UUID
    code: str
    state: str
    short_allowed: bool
    group_id: int
    desk_id: int
    client_id: UUID
    client_active: bool
    overdrawn: bool
    account_class: str = STANDARD
    opens_currencies: bool = False
