"""A day on which everything happens to orders once: every door, every end, corrections, busts, disorder. Real services only.

Each account is opened and funded through its services, so the journal tells all there is; nothing is written past it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import CashBalance, SuspenseAccount, TradingAccount
from accounts.services.ask_withdrawal import ask_withdrawal
from accounts.services.decide_withdrawal import decide_withdrawal
from accounts.services.deposit import Deposit, deposit
from accounts.services.open_account import open_account
from authorisation.domain.principal import DECIDE_STATIC_DATA, process_principal
from authorisation.models import AuthorisationRequest
from kernel.fix import ExecType, OrdStatus, Side, TimeInForce
from orders.domain.report import Position, Report
from orders.domain.results import CaptureResult
from orders.domain.terms import ReplaceTerms
from orders.services.accept_excess import accept_excess
from orders.services.apply_reports import apply_reports
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.capture_orders import capture_orders
from orders.services.decide_order_request import decide_order_request
from orders.services.decide_suspense import decide_suspense
from orders.services.lapse_order_requests import lapse_order_requests
from orders.services.mark_unknown import mark_unknown
from orders.services.record_hand_over import record_hand_over
from orders.services.record_phoned_order import record_phoned_order
from orders.services.record_routes import record_routes
from orders.services.refuse_unsent import refuse_unsent
from orders.services.replace_order import replace_order
from orders.services.roll_days import roll_days
from refdata.permissions import ASK_STATIC_DATA
from risk.domain.answers import Acknowledgement
from tests.factories import AT, DeskWorld, charge_as_published, make_desk, terms
from tests.factories.accounts import located

LATER = AT + timedelta(seconds=5)
HELD_QTY = Decimal(55000)  # above the warning, below the limit: asks for a second person
PX = Decimal("72.50")


def told_desk(code: str = "EQ1", *, cash: str = "400000", stock: str = "20000", charged: bool = True) -> DeskWorld:
    """A desk as ``make_desk`` makes it, whose account the journal tells of from its opening on; it may sell short.

    ``charged``: as the published schedules of London say, else nothing.
    """
    world = make_desk(code)
    if charged:
        charge_as_published()
    CashBalance.objects.filter(account=world.account).delete()
    TradingAccount.objects.filter(id=world.account.id).delete()
    actor, day = process_principal("test"), AT.date()
    account = open_account(
        actor=actor,
        at=AT,
        business_date=day,
        code=f"TOLD-{code}",
        name=code,
        client=world.account.client,
        group=world.group,
        base_currency="GBP",
        short_allowed=True,
    )
    lines = [
        Deposit(account.id, Decimal(cash), currency="GBP"),
        Deposit(account.id, Decimal(stock), instrument_id=world.listing.instrument_id),
    ]
    deposit(actor=actor, at=AT, business_date=day, deposits=lines, kind="opening")
    deposit(actor=actor, at=AT, business_date=day, deposits=[Deposit(account.id, Decimal("12.34"), currency="EUR")])
    suspense = open_account(
        actor=actor, at=AT, business_date=day, code=f"SUSPENSE-{code}", name="", client=world.account.client,
        group=world.group, base_currency="GBP",
    )  # fmt: skip
    SuspenseAccount.objects.create(desk=None, account=suspense)
    world.account = account
    located(account, world.listing.instrument_id, "50", ref="L1")
    located(account, world.listing.instrument_id, "10", ref="L2")
    return world


@dataclass
class Day:
    """Orders by the name of what happened to them. ``seq`` numbers the venue's messages."""

    world: DeskWorld
    orders: dict[str, UUID] = field(default_factory=dict)
    seq: int = 0

    def capture(self, name: str, **changes: Any) -> CaptureResult:
        """Through the ticket's door."""
        acknowledgements = changes.pop("acknowledgements", ())
        result = capture_order(
            actor=self.world.dealer,
            at=AT,
            idempotency_key=name,
            route="ticket",
            terms=terms(self.world, **changes),
            source="ticket",
            acknowledgements=acknowledgements,
        )
        self.orders[name] = result.order_id
        return result

    def send(self, name: str, **changes: Any) -> CaptureResult:
        """Captured, routed and handed over."""
        result = self.capture(name, **changes)
        assert result.outcome == "released", result.checks
        record_routes(routes={result.order_id: "SIM1"}, at=AT)
        record_hand_over(request_ids=[result.request_id], at=AT)
        return result

    def replace(self, name: str, key: str, **changes: Any) -> Any:
        return replace_order(
            actor=self.world.dealer,
            at=LATER,
            idempotency_key=f"{name}:{key}",
            route="ticket",
            order_id=self.orders[name],
            terms=ReplaceTerms(**changes),
            acknowledgements=[Acknowledgement("ORDER_QTY_LIMIT", "asked")],
        )

    def cancel(self, name: str, reason: str = "client") -> Any:
        return cancel_order(
            actor=self.world.dealer,
            at=LATER,
            idempotency_key=f"{name}:cancel",
            route="ticket",
            order_id=self.orders[name],
            reason=reason,
        )

    def report(self, order: CaptureResult, kind: ExecType | None, status: OrdStatus | None, **more: Any) -> Report:
        """The venue's next message on the order."""
        self.seq += 1
        values: dict[str, Any] = {
            "msg_type": "8",
            "position": Position("e1", self.seq),
            "identity": f"e1:{self.seq}",
            "received_at": LATER,
            "event_at": LATER,
            "trade_date": AT.date(),
            "exec_type": kind,
            "ord_status": status,
            "cl_ord_id": order.cl_ord_id,
            "venue_order_id": f"V-{order.ref}",
            "exec_id": f"X{self.seq}",
            "session": "SIM1-A",
        }
        return Report(**(values | more))

    def trade(self, order: CaptureResult, qty: int, px: str, **more: Any) -> Report:
        values = {"last_qty": Decimal(qty), "last_px": Decimal(px), "last_mkt": "XLON", "wire_message_id": self.seq}
        return self.report(order, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, **(values | more))

    def says(self, *reports: Report) -> None:
        """The reports arrive together."""
        apply_reports(reports=reports, at=LATER + timedelta(seconds=self.seq))

    def decide(self, order: CaptureResult, verdict: str) -> None:
        assert order.authorisation_id is not None
        request = AuthorisationRequest.objects.get(id=order.authorisation_id)
        decide_order_request(
            actor=self.world.checker,
            at=LATER,
            authorisation_id=request.id,
            verdict=verdict,
            reason_code="CLIENT_CONFIRMED",
            reason="Spoken to the client.",
            payload_hash=request.payload_hash,
        )


def busy_day(world: DeskWorld | None = None) -> Day:
    """Play it."""
    day = Day(world or told_desk())
    _ours(day)
    _second_persons(day)
    _fills(day)
    _replaces(day)
    _ends(day)
    _withdrawals(day)
    return day


def _withdrawals(day: Day) -> None:
    """One that is paid, one that is declined, one that waits."""
    rights = frozenset({ASK_STATIC_DATA, DECIDE_STATIC_DATA})
    maker, checker = replace(day.world.dealer, rights=rights), replace(day.world.checker, rights=rights)
    for name, verdict in (("paid", "approve"), ("declined", "decline"), ("waits", "")):
        withdrawal_id = ask_withdrawal(
            actor=maker, at=LATER, idempotency_key=name, account_id=day.world.account.id, currency="GBP",
            amount=Decimal("1234.56"), purpose=name,
        )  # fmt: skip
        if verdict:
            request = AuthorisationRequest.objects.get(id=withdrawal_id)
            decide_withdrawal(
                actor=checker, at=LATER, authorisation_id=withdrawal_id, verdict=verdict, reason_code="OTHER",
                reason="Called back.", payload_hash=request.payload_hash,
            )  # fmt: skip


def _ours(day: Day) -> None:
    """What ends or waits with us, and the other doors."""
    day.capture("waiting")
    assert day.capture("refused", order_qty=Decimal(200000)).outcome == "refused"
    day.capture("canceled unsent")
    day.cancel("canceled unsent")
    refused = day.capture("refused at the boundary")
    refuse_unsent(request_id=refused.request_id, at=LATER, code="VENUE_CLOSED", sentence="Closed.")
    rows = [(str(n), terms(day.world, order_qty=Decimal(n), client_order_id=f"C{n}")) for n in (1, 2)]
    results = capture_orders(
        actor=day.world.dealer, at=AT, idempotency_key="batch", route="batch", rows=rows, source="api"
    )
    day.orders["batch"] = results[0].result.order_id  # type: ignore[union-attr]
    child = day.capture(
        "child",
        parent_id=day.orders["waiting"],
        strategy="vwap",
        instructed_at=AT - timedelta(hours=1),
        instructed_by="Mr Fox",
        discretion="price",
    )
    assert child.outcome == "released"


def _second_persons(day: Day) -> None:
    for name, verdict in (("approved", "approve"), ("declined", "decline")):
        day.decide(day.capture(name, order_qty=HELD_QTY, acknowledgements=[]), verdict)
    day.capture("withdrawn", order_qty=HELD_QTY)
    day.cancel("withdrawn")
    day.capture("lapsed", order_qty=HELD_QTY)
    lapse_order_requests(at=AT + timedelta(minutes=31))


def _fills(day: Day) -> None:
    """Bought, sold, sold short; corrected, busted, corrected again, bust before its trade, over-filled, late."""
    order = day.send("filled")
    ack = day.report(order, ExecType.NEW, OrdStatus.NEW)
    first, second = day.trade(order, 400, "72.40"), day.trade(order, 600, "72.50")
    day.says(ack, first)
    day.says(second, second)
    day.says(day.trade(order, 300, "72.41", exec_type=ExecType.TRADE_CORRECT, exec_ref_id=first.exec_id))
    day.says(day.report(order, ExecType.TRADE_CANCEL, OrdStatus.PARTIALLY_FILLED, exec_ref_id=second.exec_id))
    sale = day.send("sold", side=Side.SELL, order_qty=Decimal(500))
    trade = day.trade(sale, 200, "72.60")
    bust = day.report(sale, ExecType.TRADE_CANCEL, OrdStatus.NEW, exec_ref_id=trade.exec_id)
    day.says(bust)
    day.says(trade, day.trade(sale, 100, "72.61"))
    short = day.send("short", side=Side.SELL_SHORT, order_qty=Decimal(50), locate_ref="L1")
    day.says(day.trade(short, 20, "72.55"))
    _suspense(day)
    phoned = record_phoned_order(
        actor=day.world.dealer, at=AT, account=day.world.account.code, symbol=day.world.listing.symbol, side=Side.BUY,
        session_group="SIM1", venue_order_id="V-PHONE",
    )  # fmt: skip
    day.orders["phoned"] = phoned
    by_phone = {"cl_ord_id": None, "venue_order_id": "V-PHONE", "order_qty": Decimal(70)}
    day.says(day.trade(order, 30, "72.45", **by_phone))


def _suspense(day: Day) -> None:
    """More than was ordered, a part of it accepted; and a trade on an order of nobody."""
    over = day.send("over", order_qty=Decimal(10))
    day.says(day.trade(over, 8, "72.50"))
    day.says(day.trade(over, 7, "72.53"))
    actor, order_id = day.world.dealer, day.orders["over"]
    asked = accept_excess(
        actor=actor,
        at=LATER,
        idempotency_key="x1",
        route="suspense",
        order_id=order_id,
        reason="Client takes it.",
        qty=Decimal(2),
    )
    request = AuthorisationRequest.objects.get(id=asked.authorisation_id)
    decide_suspense(
        actor=day.world.checker, at=LATER, authorisation_id=request.id, verdict="approve",
        reason_code="CLIENT_CONFIRMED", reason="Spoken to the client.", payload_hash=request.payload_hash,
    )  # fmt: skip
    short = day.send("over short", side=Side.SELL_SHORT, order_qty=Decimal(10), locate_ref="L2")
    day.says(day.trade(short, 12, "72.50"))
    named = {"cl_ord_id": None, "venue_order_id": "V-NOBODY", "symbol": "VOD", "market": "XLON", "side": "2"}
    day.says(day.trade(over, 40, "72.51", **named))


def _replaces(day: Day) -> None:
    """Accepted, rejected, refused, held and declined, open; and a status answer."""
    order = day.send("replaced", time_in_force=TimeInForce.GTC)
    day.says(day.report(order, ExecType.NEW, OrdStatus.NEW))
    wish = day.replace("replaced", "up", order_qty=Decimal(1500), price=Decimal("72.40"))
    assert wish.outcome == "released", wish.checks
    record_hand_over(request_ids=[wish.request_id], at=LATER)
    day.says(
        day.report(
            order, ExecType.REPLACED, OrdStatus.REPLACED, cl_ord_id=wish.cl_ord_id, orig_cl_ord_id=order.cl_ord_id,
            order_qty=Decimal(1500), price=Decimal("72.40"), leaves_qty=Decimal(1500),
        )
    )  # fmt: skip
    assert day.replace("replaced", "far", order_qty=Decimal(200000)).outcome == "refused"
    held = day.replace("replaced", "held", order_qty=HELD_QTY)
    assert held.outcome == "pending_authorisation", held.checks
    day.decide(held, "decline")
    down = day.replace("replaced", "down", order_qty=Decimal(900))
    record_hand_over(request_ids=[down.request_id], at=LATER)
    named = {"cl_ord_id": down.cl_ord_id, "orig_cl_ord_id": wish.cl_ord_id}
    day.says(
        day.report(order, None, OrdStatus.NEW, msg_type="9", reject_code="0", text="too late", exec_id="", **named)
    )
    opened = day.send("replace open")
    day.says(day.report(opened, ExecType.NEW, OrdStatus.NEW))
    assert day.replace("replace open", "open", order_qty=Decimal(1200)).outcome == "released"


def _ends(day: Day) -> None:
    """Rejected, canceled, done for the day, unknown and answered, unknown for good."""
    rejected = day.send("rejected")
    day.says(day.report(rejected, ExecType.REJECTED, OrdStatus.REJECTED, reject_code="99", text="no"))
    canceled = day.send("canceled")
    day.says(day.report(canceled, ExecType.NEW, OrdStatus.NEW))
    cancel = day.cancel("canceled")
    record_hand_over(request_ids=[cancel.request_id], at=LATER)
    named = {"cl_ord_id": cancel.cl_ord_id, "orig_cl_ord_id": canceled.cl_ord_id}
    day.says(day.report(canceled, ExecType.PENDING_CANCEL, OrdStatus.PENDING_CANCEL, **named))
    day.says(day.report(canceled, ExecType.CANCELED, OrdStatus.CANCELED, **named))
    day.says(day.trade(canceled, 5, "72.50"))
    done = day.send("done for the day", time_in_force=TimeInForce.GTC)
    day.says(day.report(done, ExecType.DONE_FOR_DAY, OrdStatus.DONE_FOR_DAY))
    roll_days(at=AT + timedelta(days=3))
    answered = day.send("unknown and answered")
    mark_unknown(request_ids=[answered.request_id], at=LATER, sentence="Restarted without proof.")
    day.says(day.report(answered, ExecType.NEW, OrdStatus.NEW))
    lost = day.send("unknown")
    mark_unknown(request_ids=[lost.request_id], at=LATER, sentence="No answer.")
    assert day.capture("held", order_qty=HELD_QTY).outcome == "pending_authorisation"
    day.send("handed over")
