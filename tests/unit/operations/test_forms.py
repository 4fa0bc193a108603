"""Figures as people type them become exact terms, and every slip is named by its field."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kernel.errors import Invalid
from kernel.fix import OrdType, Side, TimeInForce
from operations.forms import missing_terms, read_acknowledgements, read_choice, read_replace, read_ticket
from orders.domain.terms import ReplaceTerms
from risk.domain.answers import Acknowledgement

TICKET = {"side": "1", "symbol": " vod.l", "qty": "10k", "price": "72.34", "account": "ac4471", "ord_type": "2"}


def test_a_ticket_as_typed() -> None:
    terms = read_ticket(TICKET)
    assert (terms.symbol, terms.account, terms.side) == ("VOD.L", "AC4471", Side.BUY)
    assert (terms.order_qty, terms.price) == (Decimal(10_000), Decimal("72.34"))
    assert (terms.ord_type, terms.time_in_force) == (OrdType.LIMIT, TimeInForce.DAY)
    assert read_ticket(TICKET) == terms, "a second send of the same fields must be the same order"


def test_fields_of_another_type_are_left_out() -> None:
    market = read_ticket(TICKET | {"ord_type": "1", "stop_px": "70", "locate_ref": "L1"})
    assert (market.price, market.stop_px, market.locate_ref) == (None, None, "")


def test_every_slip_is_named() -> None:
    with pytest.raises(Invalid) as caught:
        read_ticket(TICKET | {"qty": "ten", "price": "1.2.3", "time_in_force": "6", "expire_date": "tomorrow"})
    assert set(caught.value.fields) == {"qty", "price", "expire_date"}


@pytest.mark.parametrize("qty", ["NaN", "Infinity", "1e"])
def test_what_is_no_number_is_refused(qty: str) -> None:
    with pytest.raises(Invalid):
        read_ticket(TICKET | {"qty": qty})


def test_what_is_still_missing_is_said_in_words() -> None:
    assert missing_terms({"symbol": "VOD.L"}) == ["quantity", "account", "limit"]
    assert missing_terms(TICKET | {"ord_type": "1", "price": ""}) == []
    assert missing_terms(TICKET | {"side": "5"}) == ["locate reference"]


def test_a_warning_counts_only_when_ticked_with_a_reason() -> None:
    data = {"ack_A": "on", "reason_A": "HEDGE", "ack_B": "on", "reason_B": "", "reason_C": "HEDGE"}
    assert read_acknowledgements(data) == (Acknowledgement("A", "HEDGE"),)


def test_an_amend_holds_only_what_was_given() -> None:
    assert read_replace({"qty": "1.2m", "price": ""}) == ReplaceTerms(order_qty=Decimal(1_200_000))


def test_a_choice_outside_the_list_is_invalid() -> None:
    with pytest.raises(Invalid) as caught:
        read_choice({"reason": "BECAUSE"}, "reason", ["OTHER"], "Choose why.")
    assert caught.value.fields == {"reason": ["Choose why."]}
