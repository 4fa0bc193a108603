"""What is done about a market claim, and what it moves. Pure.

Who traded before the ex date is entitled (``accounts.domain.entitlement``), so the whole dividend is pending money of the account and
becomes settled when the issuer is known to have paid. The issuer paid whoever was on its register, though: what is claimed of the other
side goes back to pending until the other side pays, and what the other side will claim stays settled until we pay it.

Invariant, account by account, once an action is paid: what it left pending, and what claims moved, are together what is still claimed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from kernel.errors import Invalid

SUBJECT = "market_claim"
AGREE, DISPUTE, PAY, WRITE_OFF = "agree", "dispute", "pay", "write_off"
BY_ONE, BY_TWO = (AGREE, DISPUTE), (PAY, WRITE_OFF)
_LONGEST = 60


@dataclass(frozen=True, slots=True)
class ClaimStep:
    """What two people decide: paid on a day by an entry of the bank, or given up."""

    step: str
    paid_on: date | None = None
    reference: str = ""


def due_shift(*, is_paid: bool, residual: Decimal, claimed: Decimal, ended: Decimal) -> Decimal:
    """What claims must have moved from pending to settled (below zero: back) of one account and action.

    ``residual`` is what the action itself left pending, ``claimed`` all open claims, ``ended`` those that were paid or written off; each
    signed. Before the issuer paid, only what the other side paid early has moved.
    """
    return residual - claimed if is_paid else ended


def read_step(said: Mapping[str, Any], *, today: date) -> ClaimStep:
    """Raises Invalid CLAIM_STEP_INVALID, by field."""
    step = str(said.get("step", ""))
    if step not in BY_TWO:
        raise Invalid("CLAIM_STEP_INVALID", "There is no such step.", {"step": [f"One of {', '.join(BY_TWO)}."]})
    if step == WRITE_OFF:
        return ClaimStep(step)
    wrong: dict[str, list[str]] = {}
    reference = str(said.get("reference", "")).strip()
    if not reference or len(reference) > _LONGEST:
        wrong["reference"] = [f"The bank's reference of the entry, in 1 to {_LONGEST} characters."]
    try:
        paid_on = date.fromisoformat(str(said.get("paid_on", "")).strip())
    except ValueError:
        paid_on = None
    if paid_on is None or paid_on > today:
        wrong["paid_on"] = ["The day of the entry on the statement, 2026-11-24, not after today."]
    if wrong:
        raise Invalid("CLAIM_STEP_INVALID", next(iter(wrong.values()))[0], wrong)
    return ClaimStep(step, paid_on, reference)
