"""What becomes of a staged replace: nothing is entered before proof, never more than is left, and doubt ends it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from accounts.domain.arithmetic import HoldAmounts
from kernel.fix import OrdType, Side
from orders.domain.holding import Asked, held_for
from orders.domain.staging import Ended, Enter, Proof, next_step
from risk.domain.exposure import Priced

D = Decimal
CANCELED = Proof(ref="O-1", is_open=False, ord_status="4", cum_qty=D(400), said_cum_qty=D(400), cancel_state="accepted")
OPEN = replace(CANCELED, is_open=True, ord_status="1", said_cum_qty=None, cancel_state="handed_over")


def test_what_is_left_of_the_total_is_entered_once_the_cancel_is_proven() -> None:
    assert next_step(CANCELED, wanted=D(1200)) == Enter(D(800))


@pytest.mark.parametrize("state", ["released", "handed_over", "unknown", "accepted"])
def test_an_open_order_is_waited_for(state: str) -> None:
    assert next_step(replace(OPEN, cancel_state=state), wanted=D(1200)) is None


@pytest.mark.parametrize("said", [None, D(401)])
def test_trades_the_venue_counts_and_we_have_not_are_waited_for(said: Decimal | None) -> None:
    assert next_step(replace(CANCELED, said_cum_qty=said), wanted=D(1200)) is None


def test_a_trade_that_was_busted_since_counts_as_left() -> None:
    assert next_step(replace(CANCELED, said_cum_qty=D(500)), wanted=D(1200)) is None
    assert next_step(replace(CANCELED, cum_qty=D(300), said_cum_qty=D(300)), wanted=D(1200)) == Enter(D(900))


@pytest.mark.parametrize(
    ("proof", "code", "nothing_works"),
    [
        (replace(OPEN, cancel_state="rejected", cancel_text="Too late."), "CANCEL_NOT_DONE", False),
        (replace(OPEN, cancel_state="refused"), "CANCEL_NOT_DONE", False),
        (replace(CANCELED, ord_status="2", cum_qty=D(1000)), "FILLED_MEANWHILE", True),
        (replace(CANCELED, cum_qty=D(1200)), "FILLED_MEANWHILE", False),
        (replace(CANCELED, ord_status="C"), "ENDED_OTHERWISE", True),
        (replace(CANCELED, ord_status="8", cum_qty=D(0)), "ENDED_OTHERWISE", True),
        (replace(CANCELED, matters=["LATE_TRADE", "PARKED_BUST"]), "EXECUTED_QTY_DISPUTED", True),
    ],
)
def test_what_ends_it(proof: Proof, code: str, nothing_works: bool) -> None:
    step = next_step(proof, wanted=D(1200))
    assert isinstance(step, Ended)
    assert (step.code, step.nothing_works, "O-1" in step.sentence) == (code, nothing_works, True)


def test_a_late_trade_that_was_counted_disputes_nothing() -> None:
    assert next_step(replace(CANCELED, matters=["LATE_TRADE"]), wanted=D(1200)) == Enter(D(800))


def test_only_what_is_staged_stays_held_when_its_order_is_over() -> None:
    terms = Priced(Side.BUY, OrdType.LIMIT, D("72.50"), None, None, "GBP", 100)
    wish = Asked(D(1200), D("72.40"), None)
    for staged, held in ((False, D(0)), (True, D("579.20"))):
        asked = [replace(wish, staged=staged)]
        over = held_for(terms, leaves_qty=D(0), cum_qty=D(400), is_open=False, asked=asked)
        assert over == HoldAmounts(held, D(0))
    open_still = held_for(terms, leaves_qty=D(600), cum_qty=D(400), is_open=True, asked=[replace(wish, staged=True)])
    assert open_still.cash == D("579.20")
