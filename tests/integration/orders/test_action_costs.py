"""Cost follows a split: the same money for more units, and what fractions brought is taken off it; an undo gives it back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.services.deposit import Deposit, deposit
from authorisation.domain.principal import process_principal
from orders.selectors.costs import list_costs
from tests.factories import AT, make_account
from tests.factories.actions import approved, sweep
from tests.factories.trading import Desk
from tests.integration.orders.test_corporate_actions import undo

pytestmark = pytest.mark.django_db


def test_a_split_keeps_the_cost_and_takes_off_what_a_fraction_brought() -> None:
    desk = Desk()
    account, instrument_id = make_account("ODD", group=desk.world.group), desk.world.listing.instrument_id
    units = Deposit(account.id, Decimal(75), instrument_id=instrument_id, cost=Decimal("75.00"), cost_currency="GBP")
    deposit(actor=process_principal("test"), at=AT, business_date=AT.date(), deposits=[units])
    before = list_costs(account_id=account.id)[instrument_id]
    action_id = approved("split", ratio_new="3", ratio_old="2", fraction_px="10.01")
    sweep()

    split = list_costs(account_id=account.id)[instrument_id]
    assert (split.qty, split.value, dict(split.realised)) == (Decimal(112), Decimal("70.00"), {})
    undo(action_id)
    after = list_costs(account_id=account.id)[instrument_id]
    assert (after.qty, after.value, dict(after.realised)) == (before.qty, before.value, {})
