"""A desk whose trades go the whole way: ordered, executed, allocated, confirmed, noted, instructed, settled, and undone at any of it.

Every step is taken through the services that people, venues and custodians use, or refused by them. ``said`` is the test's own record
of what the venue says of each execution, from which ``prove`` reckons what every account must have, with arithmetic of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from importlib import import_module
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.models import Booking, CashBalance, Holding, TradingAccount
from accounts.services.book_statement import Statement, book_statement, open_statement, weigh_statement
from allocations.models import Allocation, Block, BlockFill, Confirmation, SettlementInstruction, WashAccount
from allocations.services.affirm_confirmation import affirm_confirmation
from allocations.services.book_allocation import PENDING, book_allocation
from allocations.services.decide_allocation import decide_allocation
from allocations.services.intend_allocation import intend_allocation
from allocations.services.issue_due_notes import issue_due_notes
from allocations.services.issue_notes import issue_notes
from allocations.services.receive_statuses import receive_statuses
from authorisation.domain.principal import Principal, process_principal
from authorisation.models import AuthorisationRequest
from journal.models import Event
from journal.services.run_listener import run_listener
from kernel.errors import Conflict
from kernel.fix import ExecType, OrdStatus, Side
from kernel.ids import new_id
from kernel.numbers import minor_unit, plain
from oms_project.flow import LISTENERS
from operations.fsck.check import Check
from operations.fsck.prove import failing, prove
from operations.fsck.registry import CHECKS
from operations.fsck.snapshot import snapshot_of_transaction
from operations.services import on_anomaly_raised
from operations.services.compare_replay import compare_replay
from orders.domain.report import Position, Report
from orders.domain.results import CaptureResult
from orders.domain.state import ONE
from orders.models import Execution, Order
from orders.selectors.executed import find_charges
from orders.services._suspense import excess_of
from orders.services.accept_excess import accept_excess
from orders.services.apply_corporate_actions import apply_corporate_actions
from orders.services.apply_reports import apply_reports
from orders.services.capture_order import capture_order
from orders.services.decide_suspense import decide_suspense
from orders.services.record_hand_over import record_hand_over
from orders.services.review_corporate_actions import review_corporate_actions
from refdata.models import CorporateAction, Listing
from refdata.selectors import get_market_clock
from refdata.services.confirm_payment import confirm_payment
from tests.factories import (
    AT,
    DeskWorld,
    terms,
)
from tests.factories.actions import announce, clerk, decide
from tests.factories.chain_parts import Placed, Said, Team

D = Decimal
HOUSE = process_principal("test")
MARKETS = {"VOD.L": ("XLON", "GBP", "72.50"), "MSFT": ("XNYS", "USD", "39.25"), "7203.T": ("XTKS", "JPY", "2781")}
CLIENTS = ("C1", "C2", "C3")
SECOND_CLIENTS = ("E1", "E2", "E3")
SHORT = "S1"
"""A client who sells what it has not, with a locate, and buys it back."""
DIRECT = {2: ("C1", None), 4: (SHORT, Side.SELL_SHORT), 5: (SHORT, Side.BUY)}
FED = tuple(one for one in LISTENERS if one.name.startswith("allocations.") and one.name != "allocations.post_trade")
SWEPT = (
    "allocations.services.complete_blocks", "allocations.services.cascade_blocks", "allocations.services.instruct_settlements",
    "allocations.services.watch_settlements", "allocations.services.watch_wash", "orders.services.watch_restated",
)  # fmt: skip
QUIET = timedelta(minutes=6)
"""Longer than a note waits for what else may come."""
HEADER = "our_ref,status,their_ref,quantity,amount,currency,reason_code,reason,effective_at\n"
NOT_HERE = frozenset({"HAND_OVER_MISSING", "ITEM_STANDS_STILL", "SSI_UNAPPROVED"})
"""Checks of what a test does not do: the gateway, people at work on exceptions, two people who set where trades settle."""


@dataclass
class Chain:
    """``now`` moves by steps. ``log`` is every step that was taken."""

    desk: DeskWorld
    wash: WashAccount
    accounts: dict[str, TradingAccount]
    listings: dict[str, Listing]
    dealer: Principal
    compliance: Principal
    clerk: Principal
    second: Team
    now: datetime = AT
    seq: int = 0
    orders: list[Placed] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    paid: int = 0

    @property
    def first(self) -> Team:
        return Team(self.desk, self.wash, self.dealer, CLIENTS)

    def team_of(self, block: Block) -> Team:
        """Whose block it is."""
        return self.second if block.account_id == self.second.wash.account_id else self.first

    # What people do

    def order(self, what: int, qty: int, *, symbol: str = "VOD.L", side: Side = Side.BUY) -> Placed:
        """0: for the wash account, 1: the same and intended, 2: for a client's own account, 3: for the wash account of the second
        desk, 4: a short sale, 5: what buys it back. ``symbol`` is the one of the first day."""
        listing = self.listings[symbol]
        listing.refresh_from_db()
        team = self.second if what == 3 else self.first
        account, own_side = DIRECT.get(what, (team.wash.account.code, None))
        side = own_side or side
        self.seq += 1
        result = capture_order(
            actor=team.dealer, at=AT, idempotency_key=f"o{self.seq}", route="t", source="ticket",
            terms=terms(
                team.desk, account=account, symbol=listing.symbol, side=side, order_qty=D(qty), price=D(MARKETS[symbol][2]),
                locate_ref=f"L-{symbol}" if side.is_short else "",
            ),
        )  # fmt: skip
        if result.outcome != "released":
            raise Conflict("NOT_RELEASED", result.sentence)
        if what == 1:
            lines = [
                {"account": code, "target": plain(D(qty) * part / 10)}
                for code, part in zip(CLIENTS, (5, 3, 2), strict=True)
            ]
            intend_allocation(actor=self.dealer, at=AT, order_id=result.order_id, method="pro_rata", lines=lines)
        record_hand_over(request_ids=[result.request_id], at=AT)
        self.orders.append(Placed(result, listing, account, side, D(qty), D(qty)))
        return self.orders[-1]

    def book(self, block: Block, method: str, lines: Sequence[dict[str, str]], *, decided: bool = True) -> str:
        """By the dealer, and where a second person must look, by compliance."""
        self.seq += 1
        done = book_allocation(
            actor=self.team_of(block).dealer, at=self.now, idempotency_key=f"b{self.seq}", block_ref=block.ref, method=method, lines=lines,
            reason="as agreed",
        )  # fmt: skip
        if done.outcome == PENDING and done.authorisation_id and decided:
            return self.decide(AuthorisationRequest.objects.get(id=done.authorisation_id))
        return done.outcome

    def decide(self, request: AuthorisationRequest) -> str:
        """Compliance says yes to an allocation."""
        return decide_allocation(
            actor=self.compliance, at=self.now, authorisation_id=request.id, verdict="approve", reason_code="checked",
            reason="looked at it", payload_hash=request.payload_hash,
        ).outcome  # fmt: skip

    def affirm(self, block: Block) -> None:
        rows = Confirmation.objects.filter(allocation__block=block, state__in=["waiting", "sent", "matched"])
        self.seq += 1
        affirm_confirmation(
            actor=self.clerk, at=self.now, idempotency_key=f"a{self.seq}", route="t",
            confirmation_ids=list(rows.values_list("id", flat=True)), reason="agreed by telephone",
        )  # fmt: skip

    def accept(self, placed: Placed, part: Decimal) -> None:
        """``part`` of what was executed beyond the order is its own: one asks, another decides."""
        order = Order.objects.get(pk=placed.result.order_id)
        qty = (excess_of(order) * part).quantize(ONE, ROUND_HALF_UP)
        team = self.second if placed.account == self.second.wash.account.code else self.first
        self.seq += 1
        asked = accept_excess(
            actor=team.dealer, at=self.now, idempotency_key=f"x{self.seq}", route="t", order_id=order.id, reason="the client takes it",
            qty=qty,
        )  # fmt: skip
        request = AuthorisationRequest.objects.get(id=asked.authorisation_id)
        done = decide_suspense(
            actor=team.desk.checker, at=self.now, authorisation_id=request.id, verdict="approve", reason_code="CLIENT_CONFIRMED",
            reason="spoken to them", payload_hash=request.payload_hash,
        )  # fmt: skip
        assert done.outcome == "applied", done
        placed.accepted += qty / placed.anew

    def note(self, mic: str, day: date) -> None:
        issue_notes(actor=process_principal("notes"), at=self.now, mic=mic, day=day)

    # What the venue says

    def fill(self, placed: Placed, qty: int, px: str, *, day: date | None = None) -> Said:
        """One execution; ``day`` of its trade when it is told late."""
        day = day or get_market_clock(placed.listing.market_id).business_date(self.now)
        placed.left -= qty
        status = OrdStatus.PARTIALLY_FILLED if placed.left > 0 else OrdStatus.FILLED
        number = self._say(placed.result, ExecType.TRADE, status, day, last_qty=D(qty), last_px=D(px))
        one = Said(placed.result, placed.listing, placed.account, placed.side, number, D(qty), D(px), day, f"X{number}")
        self.said.append(one)
        return one

    def bust(self, one: Said) -> None:
        """On the day of now, whatever day the trade was of."""
        self._say(one.order, ExecType.TRADE_CANCEL, OrdStatus.PARTIALLY_FILLED, self.now.date(), exec_ref_id=one.ref)
        self.said.remove(one)

    def correct(self, one: Said, *, qty: Decimal | None = None, px: Decimal | None = None) -> None:
        """In the shares of the day of the trade, whatever the venue speaks of by now."""
        one.qty, one.px = one.qty if qty is None else qty, one.px if px is None else px
        anew = next(placed.anew for placed in self.orders if placed.result is one.order)
        number = self._say(
            one.order, ExecType.TRADE_CORRECT, OrdStatus.PARTIALLY_FILLED, self.now.date(), exec_ref_id=one.ref,
            last_qty=one.qty * anew, last_px=one.px / anew,
        )  # fmt: skip
        one.ref = f"X{number}"

    def state_anew(self, placed: Placed, ratio: Decimal) -> None:
        """The venue tells an order with what was executed of it in the shares of after a split."""
        placed.anew *= ratio
        self._say(
            placed.result, ExecType.RESTATED, OrdStatus.FILLED, self.now.date(), order_qty=placed.ordered * placed.anew,
            restatement_reason="0",
        )  # fmt: skip

    def _say(self, order: CaptureResult, kind: ExecType, status: OrdStatus, day: date, **values: Any) -> int:
        self.seq += 1
        said = Report(
            msg_type="8", position=Position("e1", self.seq), identity=f"e1:{self.seq}", received_at=self.now, event_at=self.now,
            trade_date=day, exec_type=kind, ord_status=status, cl_ord_id=order.cl_ord_id, venue_order_id=f"V{order.ref}",
            exec_id=f"X{self.seq}", session="SIM1-A", **values,
        )  # fmt: skip
        apply_reports(reports=[said], at=self.now)
        return self.seq

    # What custodian and bank say

    def custodian(self, row: SettlementInstruction, status: str, qty: Decimal | None = None) -> None:
        """``qty`` of it settled (in proportion to money, the last of it to the minor unit), or ``status`` is a word."""
        self.seq += 1
        units = money = ""
        if qty is not None:
            left = row.amount - row.settled_amount
            share = (row.amount * qty / row.qty).quantize(minor_unit(row.currency), ROUND_HALF_EVEN)
            units, money = (
                plain(qty),
                plain(left if row.settled_qty + qty == row.qty else min(share, left)),
            )
        line = f"{row.ref},{status},T{self.seq},{units},{money},{row.currency},,,{self.now.isoformat()}\n"
        receive_statuses(actor=HOUSE, at=self.now, content=(HEADER + line).encode(), source="CUSTGB2LXXX")

    def cut(self, code: str, currency: str, instrument_id: UUID) -> None:
        """Bank and registry say that what was due by now has settled for one account."""
        account = self.accounts[code]
        for what, key, rows in (
            ("cash", currency, CashBalance.objects.filter(account=account, currency=currency)),
            ("holdings", instrument_id, Holding.objects.filter(account=account, instrument_id=instrument_id)),
        ):
            row = rows.first()
            if row is None:
                continue
            named = {"currency": key} if what == "cash" else {"instrument_id": key}
            due = Booking.objects.filter(
                account_id=account.id, layer="pending", settlement_date__lte=self.now.date(), **named
            ).values_list("amount", flat=True)
            statement = Statement(new_id(), new_id(), "BANK", what, self.now, self.now.date())
            with transaction.atomic():
                open_statement(statement)
                with connection.cursor() as cursor:
                    cursor.execute(
                        "INSERT INTO accounts_wanted VALUES (%s, %s, %s)",
                        [account.id, key, row.settled + sum(due, D(0))],
                    )
                weigh_statement(statement)
                book_statement(actor=HOUSE, at=self.now, statement=statement)

    # What time brings

    def night(self, days: int = 1) -> None:
        """On to the next business day."""
        for _ in range(days):
            self.now += timedelta(days=1)
            while self.now.weekday() > 4:
                self.now += timedelta(days=1)

    def action(self, kind: str, **changes: Any) -> UUID:
        """Told and approved today, ex tomorrow's business day."""
        ex = self.now.date() + timedelta(days=1)
        while ex.weekday() > 4:
            ex += timedelta(days=1)
        listing = self.listings["VOD.L"]
        listing.refresh_from_db()
        if kind == "cash_dividend":
            changes |= {"record_date": ex + timedelta(days=1), "pay_date": ex + timedelta(days=10)}
        self.seq += 1
        action_id = announce(kind, symbol=listing.symbol, reference=f"R{self.seq}", ex_date=ex, **changes)
        decide(action_id)
        if kind in ("split", "name_change"):
            for one in self.orders:  # the venue ends what it was asked to cancel
                if one.listing.id == listing.id and Order.objects.get(pk=one.result.order_id).is_open:
                    self._say(one.result, ExecType.CANCELED, OrdStatus.CANCELED, self.now.date())
                    one.dead = True
        return action_id

    def actions(self) -> None:
        """The sweepers of corporate actions, until all is done."""
        for _ in range(6):
            self.now += timedelta(seconds=6)  # an instrument stays blocked for some seconds
            done = apply_corporate_actions(at=self.now) + review_corporate_actions(at=self.now)
            at_work = CorporateAction.objects.filter(state__in=["applying", "paying"])
            if not done and not at_work.exists():
                return
        raise AssertionError("a corporate action never comes to its end")

    def pay(self) -> None:
        """A dividend is confirmed by its statement."""
        for row in CorporateAction.objects.filter(state="ex_applied"):
            self.paid += 1
            confirm_payment(
                actor=clerk(), at=self.now, action_id=row.id, today=date(2027, 12, 31), statement=f"MT566-{self.paid}"
            )

    def relay(self, *, limit: int = 500, turns: int = 8) -> None:
        """Every listener and sweeper until nothing is left to do."""
        quiet = False
        for _ in range(turns):  # each sees at most what the one before has done
            before = Event.objects.count()
            for one in FED:
                handle = import_module(one.module).handle
                while run_listener(name=one.name, kinds=one.kinds, handle=handle, at=self.now, limit=limit).handled:
                    pass
            for name in SWEPT:
                sweep: Callable[..., object] = getattr(import_module(name), name.rpartition(".")[2])
                sweep(at=self.now)
            if quiet:
                issue_due_notes(at=self.now)
            if CorporateAction.objects.exists():
                self.actions()
            if Event.objects.count() != before:
                continue
            if quiet:
                return
            quiet, self.now = True, self.now + QUIET
        raise AssertionError("the house never comes to rest")

    # What must hold

    def prove(self) -> None:
        """By arithmetic of the test's own, from what the venue says alone and the lines that stand."""
        lines = list(Allocation.objects.exclude(state="reversed").select_related("block").order_by("number"))
        self._prove_blocks(lines)
        self._prove_accounts(lines)
        self._prove_followers(lines)

    def shares(self) -> Iterator[tuple[Said, tuple[Decimal, Decimal], tuple[Decimal, Decimal]]]:
        """Each execution with what of it (units, money) is the order's own and what is beyond it, in the venue's order."""
        for placed in self.orders:
            room = placed.ordered + placed.accepted
            for one in sorted(self.said, key=lambda one: one.number):
                if one.order is placed.result:
                    whole, own = one.worth(one.qty), one.worth(min(one.qty, max(room, D(0))))
                    room -= one.qty
                    yield one, own, (whole[0] - own[0], whole[1] - own[1])

    def _prove_blocks(self, lines: Sequence[Allocation]) -> None:
        said: defaultdict[str, list[Decimal]] = defaultdict(lambda: [D(0), D(0)])
        for one, its, _ in self.shares():
            execution = Execution.objects.get(order_id=one.order.order_id, exec_id=f"X{one.number}")
            block = Block.objects.get(fill_rows__execution_id=execution.id)
            said[block.ref][0] += abs(its[0])
            said[block.ref][1] += its[1]
        for block in Block.objects.all():
            units, cash = said[block.ref]
            assert (block.qty, block.cash) == (units, cash), (block.ref, block.state)
            own = [one for one in lines if one.block_id == block.id]
            got = sum((one.qty if one.side == block.side else -one.qty for one in own), D(0))
            if block.state in ("booked", "dissolved"):
                assert (got, sum((one.gross for one in own), D(0))) == (units, cash), (block.ref, block.state)
            if block.kind == "direct" and block.state == "booked":
                order_id = BlockFill.objects.filter(block=block).values_list("order_id", flat=True)[:1].get()
                charges = find_charges([order_id]).get((order_id, block.trade_date), ())
                owed = sum((charge.amount for charge in charges), D(0))
                assert sum((one.fees for one in own), D(0)) == owed, (block.ref, "charges")

    def _prove_accounts(self, lines: Sequence[Allocation]) -> None:
        units: defaultdict[tuple[UUID, UUID], Decimal] = defaultdict(lambda: D(0))
        cash: defaultdict[tuple[UUID, str], Decimal] = defaultdict(lambda: D(0))
        for one, *shares in self.shares():
            for code, (qty, money) in zip((one.account, "SUSPENSE"), shares, strict=True):
                units[self.accounts[code].id, one.listing.instrument_id] += qty
                cash[self.accounts[code].id, one.listing.currency] += money
        for line in lines:
            block = line.block
            if block.kind == "block":
                cash[line.booked_account_id, block.currency] -= line.fees
                signed = line.qty if line.side == "1" else -line.qty
                for account_id, sign in ((line.booked_account_id, 1), (block.account_id, -1)):
                    units[account_id, block.instrument_id] += sign * signed
                    cash[account_id, block.currency] += sign * line.gross
        for row in Booking.objects.filter(kind__in=["opening", "split", "dividend", "statement", "claim"]):
            amount = -row.amount if row.layer == "short" else row.amount
            if row.instrument_id is not None:
                units[row.account_id, row.instrument_id] += amount
            else:
                cash[row.account_id, row.currency] += amount
        washes = (self.wash.account.code, self.second.wash.account.code)
        own = {one.result.order_id: one for one in self.orders if one.account not in washes}
        for (order_id, _), charges in find_charges(own).items():
            account, currency = self.accounts[own[order_id].account], own[order_id].listing.currency
            cash[account.id, currency] -= sum((charge.amount for charge in charges), D(0))
        names = {account.id: code for code, account in self.accounts.items()}
        for holding in Holding.objects.all():
            has = holding.settled + holding.pending - holding.short
            assert has == units[holding.account_id, holding.instrument_id], (names[holding.account_id], has)
        for balance in CashBalance.objects.filter(account_id__in=names):
            has = balance.settled + balance.pending
            assert has == cash[balance.account_id, balance.currency], (
                names[balance.account_id], balance.currency, has, cash[balance.account_id, balance.currency]
            )  # fmt: skip

    def _prove_followers(self, lines: Sequence[Allocation]) -> None:
        """Feed, confirmations and instructions are the lines that stand."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT allocation_id FROM (SELECT DISTINCT ON (trade_ref) allocation_id, what FROM allocations_feedentry "
                "ORDER BY trade_ref, version DESC) n WHERE what <> 'cancel'"
            )
            fed = {row[0] for row in cursor.fetchall()}
        assert fed == {line.id for line in lines}
        booked = sorted(line.id for line in lines if line.state == "booked" and line.qty and line.block.kind == "block")
        open_ = Confirmation.objects.exclude(state="canceled").exclude(allocation__state="compensated")
        assert sorted(open_.values_list("allocation_id", flat=True)) == booked
        wanted = {line.id: (line.qty, abs(line.net)) for line in lines if line.state != "parked" and line.qty}
        rows = SettlementInstruction.objects.exclude(state="canceled")
        for row in rows.filter(transforms__isnull=False):  # in other shares, and open for the rest of the money
            assert row.of_qty is not None
            assert row.transforms_id is not None
            before = SettlementInstruction.objects.get(
                pk=row.transforms_id
            )  # itself of new shares after a second action
            assert row.of_qty <= before.qty
            wanted[row.allocation_id] = (row.qty, row.amount)
        assert {row.allocation_id: (row.qty, row.amount) for row in rows} == wanted

    def fsck(self, checks: Sequence[Check] = CHECKS) -> None:
        """Every check of the house on the transaction as it stands, and a replay of all money."""
        kinds = ("AnomalyRaised", "AnomalyCleared")
        while run_listener(
            name="operations.exceptions", kinds=kinds, handle=on_anomaly_raised.handle, at=self.now
        ).handled:
            pass
        chosen = [check for check in checks if check.code not in NOT_HERE]
        found = failing(prove(snapshot_of_transaction(at=self.now), chosen))
        broken = {one.check.code: one.examples for one in found}
        assert broken == {}, broken
        assert [str(one) for one in compare_replay().differences] == []
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")

    def picture(self) -> tuple[Any, ...]:
        """What the whole chain came to, without ids and numbers: for one script played twice."""
        standing = Allocation.objects.exclude(state="reversed").select_related("account", "block")
        return (
            sorted(
                (one.account.code, one.side, plain(one.qty), plain(one.gross), plain(one.net), one.state, str(one.settlement_date))
                for one in standing
            ),
            sorted((block.kind, block.state, plain(block.qty), plain(block.cash), block.round) for block in Block.objects.all()),
            sorted(
                (row.account.code, row.currency, plain(row.settled), plain(row.pending))
                for row in CashBalance.objects.select_related("account")
            ),
            sorted(
                (row.account.code, plain(row.settled), plain(row.pending))
                for row in Holding.objects.select_related("account")
            ),
            sorted(Confirmation.objects.values_list("allocation__account__code", "state", "version")),
            sorted(
                (row.account.code, row.state, plain(row.qty), plain(row.settled_qty), plain(row.amount))
                for row in SettlementInstruction.objects.select_related("account")
            ),
            sorted(Event.objects.values_list("kind", flat=True)),
        )  # fmt: skip
