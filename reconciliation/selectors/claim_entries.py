"""Entries of bank statements that look like the payment of a market claim: offered to a person, never booked by themselves.

An entry that our books know nothing of is a break. One that names a claim is offered for it, whatever it pays; without a name one of
the same account, currency and amount is, where the claim had been raised by the day of the entry. Who asks a second person for the
payment takes day and reference from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from allocations.models import Claim
from authorisation.domain.principal import Principal
from kernel.numbers import plain
from reconciliation.domain import transitions as moves
from reconciliation.domain.records import Kind
from reconciliation.models import Break
from reconciliation.selectors.seeing import visible_breaks

MOST = 500
_NAMED = re.compile(r"\bMC-(\d{1,18})\b", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class ClaimEntry:
    """The day and the bank's reference of an entry, and what speaks for it; ``differs`` where it pays another amount."""

    break_id: UUID
    break_ref: str
    paid_on: date
    reference: str
    sentence: str
    differs: bool = False


def entries_for_claims(actor: Principal, claims: Iterable[Claim]) -> dict[UUID, ClaimEntry]:
    """By claim the entry that looks most like it, by name before figures; an entry is offered once, to the oldest."""
    wanted = {row.number: row for row in claims if row.currency}
    if not wanted:
        return {}
    rows = visible_breaks(actor).filter(
        kind=Kind.CASH.value,
        category=Break.Category.MISSING_INTERNAL,
        account_id__in={row.account_id for row in wanted.values()},
    )
    entries = list(rows.exclude(state=moves.CLOSED).order_by("business_date", "number")[:MOST])
    found: dict[UUID, ClaimEntry] = {}
    used: set[UUID] = set()
    for by_name in (True, False):
        for number, claim in sorted(wanted.items()):
            entry = next((one for one in entries if one.id not in used and _fits(one, claim, number, by_name)), None)
            if entry is not None and claim.id not in found:
                found[claim.id] = _offered(entry, claim, by_name=by_name)
                used.add(entry.id)
    return found


def _fits(entry: Break, claim: Claim, number: int, by_name: bool) -> bool:
    said = entry.theirs
    if entry.account_id != claim.account_id or said.get("currency") != claim.currency:
        return False
    if by_name:
        text = " ".join(str(said.get(name, "")) for name in ("our_ref", "entry_ref", "narrative"))
        return number in {int(one) for one in _NAMED.findall(text)}
    return Decimal(said.get("amount", "0")) == claim.amount and entry.business_date >= claim.raised_at.date()


def _offered(entry: Break, claim: Claim, *, by_name: bool) -> ClaimEntry:
    said, ref = entry.theirs, entry.ref
    amount = Decimal(said.get("amount", "0"))
    differs = amount != claim.amount
    why = f"names {claim.ref}" if by_name else "is of the same account and amount, and names no claim"
    words = f"An entry of {entry.source} over {plain(amount)} {claim.currency} {why} ({ref})"
    return ClaimEntry(
        entry.id, ref, date.fromisoformat(said["value_date"]) if said.get("value_date") else entry.business_date,
        str(said.get("entry_ref") or said.get("our_ref") or ref)[:60],
        f"{words}: {plain(abs(claim.amount - amount))} {claim.currency} apart." if differs else f"{words}.", differs,
    )  # fmt: skip
