"""What the demo desk lets differ between its confirmations and the brokers': pennies. SIM1 is affirmed by itself, SIM2 by people."""

from __future__ import annotations

from datetime import datetime

from allocations.domain.confirm_rules import read_change
from allocations.services.set_first_confirm_rules import set_first_confirm_rules
from authorisation.domain.principal import Principal

TOLERANCES = (
    {"counterparty": "", "field": "avg_px", "amount": "0.0001"},
    {"counterparty": "", "field": "gross", "amount": "0.05"},
    {"counterparty": "", "field": "commission", "amount": "0.05"},
    {"counterparty": "", "field": "fees", "amount": "0.05"},
    {"counterparty": "", "field": "net", "amount": "0.10"},
    {"counterparty": "SIM1", "field": "*", "auto_affirm": "yes"},
)


def seed_confirming(*, actor: Principal, at: datetime) -> None:
    """Lay down what is missing."""
    set_first_confirm_rules(actor=actor, at=at, changes=[read_change("tolerance", one) for one in TOLERANCES])
