"""The trading switch and blocks: who may set them, who may lift them, and that a house without a row is off."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from authorisation.domain.principal import Principal, process_principal
from journal.models import Event
from kernel.errors import Invalid, NotFound, NotPermitted
from risk.domain.stops import OPENED_BY_FACTS
from risk.models import Block
from risk.selectors import get_marks, list_standing_blocks, trading_is_on
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block
from risk.services.switch_trading import switch_trading
from tests.factories import AT

pytestmark = pytest.mark.django_db
RECOVERY = process_principal("recovery")
DEALER = Principal(user_id=7, username="d", actor="user:7", persona="dealer", rights=frozenset({"enter_order"}))
WHERE: dict[str, Any] = {"scope": "account", "scope_id": "A1", "source": "recovery:SIM1"}


def kinds() -> list[str]:
    return list(Event.objects.order_by("position").values_list("kind", flat=True))


def test_a_house_without_a_row_is_off() -> None:
    assert not trading_is_on()


def test_on_off_on() -> None:
    for on, changed in ((True, True), (True, False), (False, True), (False, False), (True, True)):
        result = switch_trading(actor=RECOVERY, at=AT, on=on, reason="test")
        assert (result.is_on, result.changed, trading_is_on()) == (on, changed, on)
    assert kinds() == ["TradingSwitchedOn", "TradingSwitchedOff", "TradingSwitchedOn"]


def test_the_reason_for_switching_off_stands_where_screens_list_it() -> None:
    switch_trading(actor=RECOVERY, at=AT, on=True, reason="")
    switch_trading(actor=RECOVERY, at=AT, on=False, reason="Close")
    assert [(block.scope, block.source, block.reason) for block in list_standing_blocks()] == [
        ("firm", "trading_switch", "Close")
    ]


def test_a_dealer_may_neither_switch_nor_block() -> None:
    with pytest.raises(NotPermitted):
        switch_trading(actor=DEALER, at=AT, on=True, reason="please")
    with pytest.raises(NotPermitted):
        impose_block(actor=DEALER, at=AT, reason="mine", **WHERE)
    assert (Block.objects.count(), kinds(), trading_is_on()) == (0, [], False)


@pytest.mark.parametrize("kind", OPENED_BY_FACTS)
def test_what_a_fact_opens_no_person_imposes_or_lifts(kind: str) -> None:
    head = Principal(user_id=8, username="h", actor="user:8", persona="risk", rights=frozenset({"impose_block"}))
    where = {**WHERE, "source": f"{kind}:BANK-CASH"}
    with pytest.raises(Invalid) as refused:
        impose_block(actor=head, at=AT, reason="mine", **where)
    assert refused.value.sentence == OPENED_BY_FACTS[kind]
    impose_block(actor=RECOVERY, at=AT, reason="No file yet", **where)
    with pytest.raises(Invalid) as refused:
        lift_block(actor=head, at=AT, reason="let me", **where)
    assert (refused.value.code, refused.value.sentence) == ("BLOCK_INVALID", OPENED_BY_FACTS[kind])
    assert [block.source for block in list_standing_blocks()] == [where["source"]]


def test_a_block_stands_once_and_only_its_source_lifts_it() -> None:
    first = impose_block(actor=RECOVERY, at=AT, reason="Recovering", **WHERE)
    again = impose_block(actor=RECOVERY, at=AT, reason="Still", **WHERE)
    assert (first.changed, again.changed, again.block_id) == (True, False, first.block_id)
    with pytest.raises(NotFound):
        lift_block(actor=RECOVERY, at=AT, reason="", **(WHERE | {"source": "other"}))
    assert [block.reason for block in get_marks([("account", "A1")], at=AT).blocks] == ["Recovering"]
    assert get_marks([("account", "A2")], at=AT).blocks == ()
    lift_block(actor=RECOVERY, at=AT, reason="Recovered", **WHERE)
    assert get_marks([("account", "A1")], at=AT).blocks == ()
    assert kinds() == ["BlockImposed", "BlockLifted"]


@pytest.mark.parametrize(
    "wrong",
    [{"scope": "galaxy"}, {"scope": "firm"}, {"scope_id": ""}, {"source": "trading_switch"}, {"reason": " "}],
)
def test_a_block_that_makes_no_sense_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        impose_block(actor=RECOVERY, at=AT, **({"reason": "r"} | WHERE | wrong))
    assert (Block.objects.count(), kinds()) == (0, [])


def test_blocks_are_never_deleted() -> None:
    impose_block(actor=RECOVERY, at=AT, reason="r", **WHERE)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM risk_block")
    assert Block.objects.count() == 1


def test_the_marks_for_prices_exist_from_the_start() -> None:
    assert sorted((limit.kind, limit.warn, limit.hard) for limit in get_marks([("firm", "")], at=AT).limits) == [
        ("price_age", Decimal(15), Decimal(3600)),
        ("price_collar", Decimal("0.10"), Decimal("0.30")),
    ]
