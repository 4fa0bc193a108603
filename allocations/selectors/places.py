"""Where trades of an account settle, by its standing instructions, for those who only name the place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from allocations.models import StandingInstruction


@dataclass(frozen=True, slots=True)
class Place:
    """Depository and custodian by BIC, and the accounts there."""

    place: str
    agent: str
    safekeeping_account: str
    cash_account: str

    @property
    def as_told(self) -> dict[str, Any]:
        """As other systems are told it."""
        return {
            "place": self.place, "agent": self.agent, "safekeeping_account": self.safekeeping_account,
            "cash_account": self.cash_account,
        }  # fmt: skip


def places_of(wanted: Sequence[tuple[UUID, str, str, date]]) -> list[Place | None]:
    """For each (account, market, currency, settlement date) the instruction in force, in order; None where there is none.

    The newest version of a scope counts; a market's own goes before that for any market. One statement.
    """
    rows = StandingInstruction.objects.filter(account_id__in={one[0] for one in wanted}).order_by("version")
    newest = {(row.account_id, row.mic, row.currency): row for row in rows}
    return [_place(newest, *one) for one in wanted]


def _place(
    newest: dict[tuple[UUID, str, str], StandingInstruction], account_id: UUID, mic: str, currency: str, on: date
) -> Place | None:
    for scope in (mic, ""):
        row = newest.get((account_id, scope, currency))
        if row is None or row.ended or row.effective_from > on or (row.effective_to and row.effective_to < on):
            continue
        return Place(row.place, row.agent, row.safekeeping_account, row.cash_account)
    return None
