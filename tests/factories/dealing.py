"""One account, everything we may do with its money and everything a venue may say, each as one step that is taken or refused.

``act`` steps are decisions of ours, ``fact`` steps are what the venue reports. A step that the house refuses changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import CashBalance, Holding
from accounts.services.ask_withdrawal import ask_withdrawal
from accounts.services.decide_withdrawal import decide_withdrawal
from authorisation.models import AuthorisationRequest
from journal.selectors.anomalies import is_raised
from kernel.errors import OmsError
from kernel.fix import ExecType, OrdStatus, Side
from kernel.ids import new_id
from operations.fsck.prove import failing, prove
from operations.fsck.registry import BY_CODE
from operations.fsck.snapshot import snapshot_of_transaction
from orders.domain.report import Position, Report
from orders.domain.terms import ReplaceTerms
from orders.models import Execution, Order
from orders.selectors.locates import list_locates
from orders.services.apply_reports import apply_reports
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.record_hand_over import record_hand_over
from orders.services.replace_order import replace_order
from tests.factories import AT, DeskWorld, terms
from tests.factories.accounts import located
from tests.factories.busy_day import told_desk

LATER = AT + timedelta(seconds=5)
PROVED = (
    *("CASH_DIFFERS", "STOCK_DIFFERS", "RESERVED_CASH_DIFFERS", "RESERVED_STOCK_DIFFERS", "RESERVATION_ORPHANED"),
    *(
        "RESERVATION_DIFFERS",
        "EXECUTION_BOOKED_WRONGLY",
        "BOOKING_EVENT_DIFFERS",
        "MONEY_FROM_NOWHERE",
        "SUSPENSE_DIFFERS",
    ),
    *("OVERDRAWN_UNMARKED", "WITHDRAWAL_HOLD_DIFFERS", "LOCATE_DIFFERS", "LOCATE_OVERUSED_UNTOLD"),
)


@dataclass
class Dealing:
    """``available`` is small enough that most steps meet its end."""

    world: DeskWorld = field(default_factory=lambda: told_desk(cash="1000", stock="1000"))
    orders: list[UUID] = field(default_factory=list)
    withdrawals: list[UUID] = field(default_factory=list)
    seq: int = 0

    def __post_init__(self) -> None:
        located(self.world.account, self.world.listing.instrument_id, "800", ref="D1", at=AT)

    def act(self, what: str, size: int, place: int) -> bool:
        """One decision of ours; False when it was refused."""
        before = self.shortfalls()
        done = self.attempt(what, size, place)
        after = self.shortfalls()
        for name, short in after.items():
            assert short <= before.get(name, Decimal(0)), (what, size, name, before.get(name), short)
        return done

    def attempt(self, what: str, size: int, place: int) -> bool:
        """The same without looking at what became of it, for many at once."""
        try:
            return self._decide(what, size, place)
        except OmsError:
            return False

    def _decide(self, what: str, size: int, place: int) -> bool:
        actor, key = self.world.dealer, str(new_id())
        if what in ("buy", "sell", "short"):
            side = {"buy": Side.BUY, "sell": Side.SELL, "short": Side.SELL_SHORT}[what]
            wanted = terms(
                self.world, side=side, order_qty=Decimal(size), locate_ref="D1" if side is Side.SELL_SHORT else ""
            )
            result = capture_order(
                actor=actor, at=AT, idempotency_key=key, route="api", terms=wanted, source="api"
            )  # fmt: skip
            if result.outcome != "released":
                return False
            record_hand_over(request_ids=[result.request_id], at=AT)
            self.orders.append(result.order_id)
            return True
        if what == "withdraw":
            keeper = replace(actor, rights=frozenset({"ask_static_data"}))
            self.withdrawals.append(
                ask_withdrawal(
                    actor=keeper, at=AT, idempotency_key=key, account_id=self.world.account.id, currency="GBP",
                    amount=Decimal(size), purpose="test",
                )
            )  # fmt: skip
            return True
        if what in ("approve", "decline"):
            return self._decide_withdrawal(what, place)
        if not self.orders:
            return False
        order_id = self.orders[place % len(self.orders)]
        if what == "replace":
            asked = ReplaceTerms(order_qty=Decimal(size))
            done = replace_order(
                actor=actor, at=LATER, idempotency_key=key, route="api", order_id=order_id, terms=asked
            )
            if done.outcome == "released":
                record_hand_over(request_ids=[done.request_id], at=LATER)
            return done.outcome == "released"
        cancel_order(actor=actor, at=LATER, idempotency_key=key, route="api", order_id=order_id, reason="")
        return True

    def _decide_withdrawal(self, verdict: str, place: int) -> bool:
        if not self.withdrawals:
            return False
        withdrawal_id = self.withdrawals[place % len(self.withdrawals)]
        request = AuthorisationRequest.objects.get(id=withdrawal_id)
        decided = decide_withdrawal(
            actor=replace(self.world.checker, rights=frozenset({"decide_static_data"})), at=LATER,
            authorisation_id=withdrawal_id, verdict=verdict, reason_code="OTHER", reason="test",
            payload_hash=request.payload_hash,
        )  # fmt: skip
        return decided.outcome == "applied"

    def fact(self, what: str, size: int, place: int) -> bool:
        """One report of the venue; False when there is nothing it could be about."""
        if not self.orders:
            return False
        order = Order.objects.get(id=self.orders[place % len(self.orders)])
        trades = list(Execution.objects.filter(order=order, effective_qty__gt=0).order_by("id"))
        said: dict[str, Any] = {}
        kind, status = ExecType.TRADE, OrdStatus.PARTIALLY_FILLED
        if what == "fill":  # as often as not more than is left
            said = {"last_qty": Decimal(size), "last_px": Decimal("72.50") + Decimal(place % 3)}
        elif what == "canceled":
            kind, status = ExecType.CANCELED, OrdStatus.CANCELED
        elif not trades:
            return False
        elif what == "bust":
            kind, said = ExecType.TRADE_CANCEL, {"exec_ref_id": trades[place % len(trades)].exec_id}
        else:
            kind = ExecType.TRADE_CORRECT
            ref = trades[place % len(trades)].exec_id
            said = {"exec_ref_id": ref, "last_qty": Decimal(size), "last_px": Decimal("71.25")}
        self.seq += 1
        report = Report(
            msg_type="8", position=Position("e1", self.seq), identity=f"e1:{self.seq}", received_at=LATER,
            event_at=LATER + timedelta(seconds=self.seq), trade_date=AT.date(), exec_type=kind, ord_status=status,
            cl_ord_id=order.cl_ord_id, venue_order_id=f"V-{order.ref}", exec_id=f"X{self.seq}", session="SIM1-A", **said,
        )  # fmt: skip
        apply_reports(reports=[report], at=LATER + timedelta(seconds=self.seq))
        self.flagged()
        return True

    def shortfalls(self) -> dict[str, Decimal]:
        """By what is below zero: how far."""
        found: dict[str, Decimal] = {}
        for cash in CashBalance.objects.filter(account=self.world.account):
            found[cash.currency] = cash.reserved - cash.settled - cash.pending
        for stock in Holding.objects.filter(account=self.world.account):
            found["stock"] = stock.reserved - stock.settled - stock.pending
        for use in list_locates(self.world.account.id):
            found[use.ref] = -use.left
        return {name: short for name, short in found.items() if short > 0}

    def flagged(self) -> None:
        """What facts took beyond what there is names them, and somebody was told."""
        account = self.world.account
        names = self.shortfalls()
        marked = {
            row.currency for row in CashBalance.objects.filter(account=account, overdrawn_by_event__isnull=False)
        }  # fmt: skip
        if Holding.objects.filter(account=account, overdrawn_by_event__isnull=False).exists():
            marked.add("stock")
        uses = {use.ref: use for use in list_locates(account.id)}
        assert marked == names.keys() - uses.keys()
        for name in marked:
            what = self.world.listing.instrument_id if name == "stock" else name
            assert is_raised(f"overdrawn:{account.id}:{what}"), name
        for use in uses.values():
            assert is_raised(f"locate:{use.locate_id}") == (use.ref in names), use.ref


def prove_money() -> None:
    """Every balance is the sum of its bookings, every hold has who needs it, every event its booking."""
    found = failing(prove(snapshot_of_transaction(at=AT), [BY_CODE[code] for code in PROVED]))
    assert {one.check.code: one.examples for one in found} == {}
