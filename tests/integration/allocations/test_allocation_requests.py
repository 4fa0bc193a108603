"""An allocation before a second person: what is shown of it, who decides, and how it ends in every way."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from allocations.models import Allocation
from allocations.services import on_requests_closed
from allocations.services.book_allocation import BookedAllocation, book_allocation, is_waiting
from allocations.services.decide_allocation import decide_allocation
from authorisation.domain.principal import Principal
from authorisation.domain.toxic import require_harmless
from authorisation.models import AuthorisationRequest
from authorisation.selectors.requests import facts_of
from authorisation.services.lapse_requests import lapse_requests
from journal.services.run_listener import run_listener
from kernel.errors import Conflict, NotFound, NotPermitted, OmsError, Refused
from kernel.fix import ExecType, OrdStatus
from operations.domain.effect import Effect
from operations.selectors.alloc import count_blocks
from operations.selectors.allocation_effects import describe_allocation
from operations.selectors.payload_shown import HIDDEN, shown_payload
from operations.services.withdraw_approval import withdraw_approval
from tests.factories import AT, make_principal
from tests.factories.blocks import BlockWorld, D, block_world

pytestmark = pytest.mark.django_db
ALL_TO_C1 = [{"account": "C1", "weight": "1"}]


class Asked:
    """A block of 1,000 that nothing was said of; a dealer wants all of it for C1."""

    def __init__(self) -> None:
        self.world: BlockWorld = block_world()
        self.order = self.world.traded((1000, "72.50"))
        self.keys = 0
        self.done = self.ask()

    def ask(self, lines: list[dict[str, str]] = ALL_TO_C1) -> BookedAllocation:
        self.keys += 1
        return book_allocation(
            actor=self.world.dealer, at=AT, idempotency_key=f"b{self.keys}", block_ref=self.world.block.ref, method="weights",
            lines=lines, reason="its only client",
        )  # fmt: skip

    @property
    def request(self) -> AuthorisationRequest:
        return AuthorisationRequest.objects.latest("created_at", "id")

    def decide(self, actor: Principal | None = None, verdict: str = "approve", at: datetime = AT) -> str:
        return decide_allocation(
            actor=actor or self.world.compliance, at=at, authorisation_id=self.request.id, verdict=verdict,
            reason_code="OTHER", reason="looked at", payload_hash=self.request.payload_hash,
        ).outcome  # fmt: skip

    def effect(self, actor: Principal | None = None) -> Effect:
        return describe_allocation(actor or self.world.compliance, facts_of(self.request), AT)

    def heard(self) -> None:
        kinds = ("AuthorisationLapsed", "AuthorisationWithdrawn")
        while run_listener(name="allocations.requests", kinds=kinds, handle=on_requests_closed.handle, at=AT).handled:
            pass

    def assert_unallocated(self) -> None:
        """Nobody waits, nothing is booked, and it stands in the list of what is to be allocated."""
        block, counts = self.world.block, count_blocks(actor=self.world.dealer)
        assert (block.request_id, is_waiting(block), Allocation.objects.count()) == (None, False, 0)
        assert (counts["open"], counts["waiting"]) == (1, 0)


def shown(effect: Effect) -> list[tuple[str, str, str]]:
    return [(line.label, line.now, line.then) for line in effect.lines]


def test_what_is_shown_is_what_is_booked_and_then_what_would_change() -> None:
    asked = Asked()
    assert (asked.request.value, asked.request.currency) == (D(725), "GBP")
    effect = asked.effect()
    assert effect.headline == f"{asked.world.block.ref}: 1,000 VOD.L are divided by weights. Reason: its only client"
    assert shown(effect) == [("C1", "0", "1,000"), ("Rounding account", "", "0.00 GBP")]
    assert (effect.obstacle, effect.warnings) == (
        "", ("Nothing was said about this block before it traded, and its account has no default.",),
    )  # fmt: skip
    assert asked.decide() == "applied"
    asked.ask([{"account": "C1", "weight": "3"}, {"account": "C2", "weight": "1"}])
    again = asked.effect()
    assert shown(again)[:3] == [("C1", "1,000", "750"), ("C2", "0", "250"), ("All 2 accounts", "1,000", "1,000")]
    assert any("reversed and booked anew" in warning for warning in again.warnings)
    assert asked.decide() == "applied"
    asked.world.prove()


def test_a_checker_sees_no_account_beyond_his_grants_and_still_the_sums() -> None:
    asked = Asked()
    desk = asked.world.desk
    narrow = make_principal(
        "narrow", role="narrow", rights=("decide_allocation",), desks=(desk.desk,), trades=False, persona="compliance"
    )
    effect = asked.effect(narrow)
    assert "C1" not in repr(effect)
    assert shown(effect)[0] == ("1 account that you may not see", "0", "1,000")
    facts = facts_of(asked.request)
    assert (shown_payload(narrow, facts)["lines"], shown_payload(narrow, facts)[HIDDEN]) == ([], 1)
    assert shown_payload(asked.world.compliance, facts) == facts.payload
    stranger = replace(narrow, grants={})
    with pytest.raises(NotFound):
        asked.decide(stranger)
    assert asked.decide(narrow) == "applied"


def test_nobody_decides_his_own_and_nobody_who_trades() -> None:
    asked = Asked()
    both = replace(asked.world.dealer, rights=asked.world.dealer.rights | {"decide_allocation"})
    for person, code in ((asked.world.dealer, "SELF_APPROVAL"), (both, "SELF_APPROVAL")):
        with pytest.raises(NotPermitted) as told:
            asked.decide(person)
        assert told.value.code == code
    colleague = make_principal(
        "colleague", role="dealer", rights=("enter_order", "allocate_block"), desks=(asked.world.desk.desk,),
        groups=(asked.world.desk.group,),
    )  # fmt: skip
    with pytest.raises(NotPermitted) as told:
        asked.decide(colleague)
    assert told.value.code == "RIGHT_MISSING"
    with pytest.raises(Refused, match="TOXIC_RIGHTS"):
        require_harmless({"enter_order", "decide_allocation"}, holder="A dealer")
    assert asked.world.block.request_id == asked.request.id


def test_declined_taken_back_or_lapsed_it_is_unallocated_again() -> None:
    asked = Asked()
    assert asked.decide(verdict="decline") == "declined"
    asked.assert_unallocated()

    asked.ask()
    with pytest.raises(OmsError):
        withdraw_approval(actor=asked.world.compliance, at=AT, approval_id=asked.request.id)
    withdraw_approval(actor=asked.world.dealer, at=AT, approval_id=asked.request.id)
    asked.heard()
    asked.assert_unallocated()

    lapsing = asked.ask()
    over = asked.request.expires_at
    with pytest.raises(Conflict):
        asked.ask()
    with pytest.raises(OmsError):
        asked.decide(at=over + timedelta(seconds=1))
    assert [one.id for one in lapse_requests(at=over + timedelta(seconds=1))] == [lapsing.authorisation_id]
    newer: Any = asked.ask()  # asked again before anybody has heard of the end: the newer one is not freed by it
    asked.heard()
    assert asked.world.block.request_id == newer.authorisation_id
    assert asked.decide() == "applied"


def test_a_block_that_changed_since_is_not_booked_and_the_page_says_so_before() -> None:
    asked = Asked()
    asked.world.says(asked.order, ExecType.TRADE_CANCEL, OrdStatus.PARTIALLY_FILLED, exec_ref_id="X11")
    assert asked.effect().obstacle
    assert asked.decide() == "not_applied"
    assert (Allocation.objects.count(), asked.world.block.request_id) == (0, None)
