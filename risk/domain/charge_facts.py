"""What checks know of an order's charges: by which terms it is charged, and whether anybody has said so. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.domain.fees import FeeSet


@dataclass(frozen=True, slots=True)
class ChargeFacts:
    """``terms`` are those of the trade date. Not ``covered``: no schedule of commission applies, so nobody knows the cost."""

    terms: FeeSet = ()
    covered: bool = True


NO_CHARGES = ChargeFacts()
