"""The broker's back office at the venue: what it answers to allocations, with figures of its own; and a client that allocates to us.

As broker (DOMAIN 28) it takes AllocationInstructions (35=J), answers P twice (received, then accepted or rejected), reports the block
(AS) and confirms each account (AK); it takes AT and AU. As a client it sends J, and answers AS by AT and AK by AU. Whatever it
says of a trade comes from its own executions: quantity, average price, gross; the average price a member states is taken when it
agrees with its own to ``PRICE_AGREES``. Commission and fees are those the member states (as agreed between them), else of its own
table. Pure: time comes in, messages go out with the seconds after which they are due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from kernel.numbers import ZERO, round_money
from kernel.post_trade import AccountLine, AckStatus, MessageKind, OrderLine, PostTradeMessage, TransType
from refdata.domain.price_units import divisor_of
from venues.simulator.floor import TradingFloor
from venues.simulator.units import to_decimal
from venues.simulator.venue_order import VenueOrder

ANSWER_S, REPORT_S, AFFIRM_S = 0.2, 0.4, 0.6
PRICE_AGREES = Decimal("0.0001")
PRICE_PLACES = Decimal("0.00000001")
COMMISSION_BPS, LEAST_COMMISSION = Decimal(5), Decimal(1)
STAMP_DUTY_BPS = Decimal(50)  # on purchases in London
BPS = Decimal(10_000)
KEPT = 5_000

UNKNOWN_EXECUTION, WRONG_QUANTITY, WRONG_PRICE, OTHER, WRONG_SHARES = "10", "1", "2", "7", "8"
UNKNOWN_ORDER, MISMATCHED = "12", "11"


@dataclass(frozen=True, slots=True)
class Said:
    """A message and when it is due. ``about`` is the AllocID it concerns, for the ledger."""

    message: PostTradeMessage
    about: str
    after: float = 0.0


@dataclass(frozen=True, slots=True)
class No:
    """Why an instruction is rejected: AllocRejCode (88) and a sentence."""

    code: str
    text: str


@dataclass(slots=True)
class Instruction:
    """What a member allocated. ``confirmed`` holds the confirmation that stands for each account; ``undone`` ones stand no more."""

    message: PostTradeMessage
    report: str = ""
    confirmed: dict[str, PostTradeMessage] = field(default_factory=dict)
    undone: bool = False


class Broker:
    """One venue's back office. ``refuses`` says whether the script wants a block rejected."""

    def __init__(self, floor: TradingFloor, *, refuses: Callable[[PostTradeMessage], bool] = lambda _: False) -> None:
        self._floor = floor
        self._refuses = refuses
        self.instructions: dict[str, Instruction] = {}
        self.words: dict[str, AckStatus] = {}
        self.counter = 0

    def hear(self, message: PostTradeMessage, *, at: datetime, again: bool = False) -> list[Said]:
        """What it says to a message of a member; ``counterparty`` is the session it came by. ``again``: it is flagged as one that
        may have come already (PossResend): then what is there is said to be there, and nothing is taken twice."""
        match message.kind:
            case MessageKind.ALLOCATION_INSTRUCTION if again and message.ref in self.instructions:
                return [replace(_answer(message, AckStatus.ACCEPTED, at), about="")]
            case MessageKind.ALLOCATION_INSTRUCTION:
                return self._instructed(message, at)
            case MessageKind.ALLOCATION_REPORT:
                return [_ack(MessageKind.ALLOCATION_REPORT_ACK, message, AckStatus.ACCEPTED, at, after=ANSWER_S)]
            case MessageKind.CONFIRMATION:
                is_cancel = message.trans_type is TransType.CANCEL
                word = AckStatus.RECEIVED if is_cancel else AckStatus.AFFIRMED
                return [_ack(MessageKind.CONFIRMATION_ACK, message, word, at, after=AFFIRM_S)]
            case _:
                if message.ack_status is not None:
                    self.words[message.ref_of] = message.ack_status
                return []

    def amended(self, order_id: str, *, at: datetime) -> list[Said]:
        """An execution of the order was busted or corrected: what was confirmed of it stands no more."""
        order = self._floor.orders.get(order_id)
        if order is None:
            return []
        said = []
        for instruction in list(self.instructions.values()):
            if not instruction.undone and _concerns(instruction.message, order):
                said += self._undo(instruction, at, "An execution was withdrawn or corrected")
        return said

    def allocate(
        self, order: VenueOrder, shares: Sequence[tuple[str, Decimal]], *, settlement_date: date, at: datetime
    ) -> Said:
        """The client's instruction for an order it gave us to execute: who gets how much."""
        qty, avg_px = _figures([order])
        ref = self._name("C")
        listing = self._floor.listings[order.symbol]
        message = PostTradeMessage(
            kind=MessageKind.ALLOCATION_INSTRUCTION, ref=ref, block_ref=ref, counterparty=order.session, transact_at=at,
            side=order.side.value, symbol=order.symbol, isin=listing.isin, mic=order.mic, currency=listing.currency,
            qty=sum((share for _, share in shares), ZERO), avg_px=avg_px, trade_date=at.date(),
            settlement_date=settlement_date, orders=(OrderLine(order.cl_ord_id, order.order_id, qty, avg_px),),
            accounts=tuple(AccountLine(f"{ref}-{n}", name, share, avg_px) for n, (name, share) in enumerate(shares, 1)),
        )  # fmt: skip
        return Said(message, ref)

    # -- the broker's side ---------------------------------------------------------------------------------------------

    def _instructed(self, message: PostTradeMessage, at: datetime) -> list[Said]:
        if message.ref in self.instructions:
            duplicate = _answer(message, AckStatus.REJECTED, at, No(OTHER, "Duplicate AllocID"))
            return [replace(duplicate, about="")]  # the first one stands
        received = _answer(message, AckStatus.RECEIVED, at)
        before = self.instructions.get(message.ref_of) if message.trans_type is not TransType.NEW else None
        no = self._refusal(message, before)
        if no is not None:
            return [received, replace(_answer(message, AckStatus.REJECTED, at, no), after=ANSWER_S)]
        taken = [received, replace(_answer(message, AckStatus.ACCEPTED, at), after=ANSWER_S)]
        if message.trans_type is TransType.CANCEL and before is not None:
            return [*taken, *self._undo(before, at, "Canceled by the client")]
        instruction = self._keep(message)
        said = self._confirm(instruction, before, at)
        if before is not None:
            before.undone = True
        return [*taken, *said]

    def _keep(self, message: PostTradeMessage) -> Instruction:
        instruction = self.instructions[message.ref] = Instruction(message)
        while len(self.instructions) > KEPT:
            del self.instructions[next(iter(self.instructions))]
        return instruction

    def _refusal(self, message: PostTradeMessage, before: Instruction | None) -> No | None:
        if message.trans_type is not TransType.NEW and before is None:
            return No(OTHER, f"Unknown RefAllocID {message.ref_of}")
        if message.trans_type is TransType.CANCEL:
            return None
        if self._refuses(message):
            return No(OTHER, "The block is not accepted")
        orders, no = self._orders_of(message)
        if no is not None:
            return no
        if any(order.side.value != message.side for order in orders):
            return No(MISMATCHED, "The side is not that of the orders")
        qty, avg_px = _figures(orders)
        others = [one for one in self._standing(message.block_ref) if one is not before]
        allocated = sum((one.message.qty or ZERO for one in others), message.qty or ZERO)
        if allocated > qty:
            return No(WRONG_QUANTITY, f"{allocated} are allocated, {qty} were executed")
        if sum((line.qty for line in message.accounts), ZERO) != message.qty:
            return No(WRONG_SHARES, "The accounts do not add up to the block")
        if message.avg_px is None or abs(message.avg_px - avg_px) > PRICE_AGREES:
            return No(WRONG_PRICE, f"The average price is {avg_px}")
        return None

    def _orders_of(self, message: PostTradeMessage) -> tuple[list[VenueOrder], No | None]:
        """The member's orders that an instruction names, by themselves or by their executions; of none, all of the kind."""
        session = message.counterparty
        found: dict[str, VenueOrder] = {}
        for line in message.orders:
            order = self._floor.find(session, line.cl_ord_id) or self._floor.orders.get(line.venue_order_id)
            if order is None or order.session != session:
                return [], No(UNKNOWN_ORDER, f"Unknown order {line.cl_ord_id}")
            found[order.order_id] = order
        for fill in message.fills:
            order = next((one for one in self._floor.orders.values() if fill.exec_id in one.trades), None)
            if order is None or order.session != session or to_decimal(order.trades[fill.exec_id].qty) != fill.qty:
                return [], No(UNKNOWN_EXECUTION, f"Unknown or changed execution {fill.exec_id}")
            found[order.order_id] = order
        if not message.orders and not message.fills:
            symbol = self._floor.resolve(message.mic, message.symbol, message.isin)
            of_kind = [one for one in self._floor.orders.values() if (one.session, one.symbol) == (session, symbol)]
            found = {one.order_id: one for one in of_kind if one.cum and one.side.value == message.side}
        return list(found.values()), None if found else No(MISMATCHED, "Nothing of the kind was executed")

    def _standing(self, block_ref: str) -> Iterable[Instruction]:
        return [one for one in self.instructions.values() if one.message.block_ref == block_ref and not one.undone]

    def _confirm(self, instruction: Instruction, before: Instruction | None, at: datetime) -> list[Said]:
        """The report of the block, and what its accounts are told: what stays as it was is not said again."""
        message, about = instruction.message, instruction.message.ref
        had = dict(before.confirmed) if before is not None and not before.undone else {}
        lines = tuple(self._own(message, line) for line in message.accounts)
        instruction.report = self._name("R")
        replaces = before is not None and bool(had)
        report = replace(
            message, kind=MessageKind.ALLOCATION_REPORT, ref=instruction.report, transact_at=at, accounts=lines,
            ref_of=before.report if before is not None and replaces else message.ref, fills=(), text="",
            trans_type=TransType.REPLACE if replaces else TransType.NEW, ack_status=AckStatus.ACCEPTED,
        )  # fmt: skip
        said = [Said(report, about, REPORT_S)]
        for line in lines:
            old = had.pop(line.ref or line.account, None)
            if old is not None and old.accounts == (line,) and old.settlement_date == message.settlement_date:
                continue
            confirmation = replace(
                report, kind=MessageKind.CONFIRMATION, ref=self._name("K"), allocation_ref=line.ref, qty=line.qty,
                ref_of=message.ref if old is None else old.ref, avg_px=line.avg_px, accounts=(line,), ack_status=None,
                trans_type=TransType.NEW if old is None else TransType.REPLACE, capacity=message.capacity or "A",
            )  # fmt: skip
            said.append(Said(confirmation, about, REPORT_S))
        return [*said, *(self._take_back(old, about, at, "No longer allocated") for old in had.values())]

    def _undo(self, instruction: Instruction, at: datetime, why: str) -> list[Said]:
        if instruction.undone:
            return []
        instruction.undone = True
        about = instruction.message.ref
        report = replace(
            instruction.message, kind=MessageKind.ALLOCATION_REPORT, ref=self._name("R"), ref_of=instruction.report,
            trans_type=TransType.CANCEL, transact_at=at, text=why, ack_status=AckStatus.ACCEPTED, fills=(), accounts=(),
        )  # fmt: skip
        gone = [self._take_back(one, about, at, why) for one in instruction.confirmed.values()]
        return [Said(report, about, REPORT_S), *gone]

    def _take_back(self, confirmation: PostTradeMessage, about: str, at: datetime, why: str) -> Said:
        had = " after it was affirmed" if self.words.get(confirmation.ref) is AckStatus.AFFIRMED else ""
        message = replace(
            confirmation,
            ref=self._name("K"),
            ref_of=confirmation.ref,
            trans_type=TransType.CANCEL,
            transact_at=at,
            text=why + had,
        )
        return Said(message, about, REPORT_S)

    def _own(self, message: PostTradeMessage, line: AccountLine) -> AccountLine:
        """An account's line with the broker's own money."""
        symbol = self._floor.resolve(message.mic, message.symbol, message.isin)
        listing = self._floor.listings[symbol]
        divisor = divisor_of(listing.price_unit or listing.currency, listing.currency) or 1
        price = message.avg_px or ZERO
        gross = round_money(line.qty * price / divisor, listing.currency)
        commission = line.commission
        if commission is None:
            commission = max(round_money(gross * COMMISSION_BPS / BPS, listing.currency), LEAST_COMMISSION)
        fees, buys = line.fees, message.side == "1"
        if fees is None:
            duty = STAMP_DUTY_BPS if buys and message.mic == "XLON" else ZERO
            fees = round_money(gross * duty / BPS, listing.currency)
        net = gross + commission + fees if buys else gross - commission - fees
        return replace(line, avg_px=price, gross=gross, commission=commission, fees=fees, net=net)

    def _name(self, kind: str) -> str:
        self.counter += 1
        return f"{self._floor.code}-{kind}{self.counter:07d}"

    # -- what was heard and said, now and before a restart -------------------------------------------------------------

    def heard(self, message: PostTradeMessage) -> None:
        """A line of the ledger from before a restart: a member said this."""
        if message.kind is MessageKind.ALLOCATION_INSTRUCTION:
            if message.trans_type is not TransType.CANCEL and message.ref not in self.instructions:
                self._keep(message)
        elif message.ack_status is not None and message.kind is not MessageKind.ALLOCATION_REPORT:
            self.words[message.ref_of] = message.ack_status

    def is_stale(self, said: Said) -> bool:
        """Whether a confirmation became untrue while it waited to be said."""
        instruction = self.instructions.get(said.about)
        tells = said.message.kind is MessageKind.CONFIRMATION and said.message.trans_type is not TransType.CANCEL
        return tells and instruction is not None and instruction.undone

    def note(self, message: PostTradeMessage, *, about: str) -> None:
        """It is being said, or was before a restart: from now on it stands, as it was said."""
        kind, instruction = message.kind, self.instructions.get(about)
        if instruction is None:
            return
        if kind is MessageKind.ALLOCATION_ACK and message.ack_status is AckStatus.REJECTED:
            del self.instructions[about]
        elif kind is MessageKind.ALLOCATION_ACK and message.ack_status is AckStatus.ACCEPTED:
            before = self.instructions.get(instruction.message.ref_of)
            if before is not None and before is not instruction:
                instruction.confirmed, before.undone = dict(before.confirmed), True
        elif kind is MessageKind.ALLOCATION_REPORT:
            instruction.report = message.ref
            instruction.undone = instruction.undone or message.trans_type is TransType.CANCEL
        elif kind is MessageKind.CONFIRMATION:
            key = message.allocation_ref or message.accounts[0].account
            if message.trans_type is not TransType.CANCEL:
                instruction.confirmed[key] = message
                return
            for one in self.instructions.values():
                if key in one.confirmed and one.confirmed[key].ref == message.ref_of:
                    del one.confirmed[key]


def _figures(orders: Sequence[VenueOrder]) -> tuple[Decimal, Decimal]:
    """Executed quantity and average price, from the executions as they stand."""
    trades = [trade for order in orders for trade in order.trades.values()]
    qty = sum(trade.qty for trade in trades)
    if not qty:
        return ZERO, ZERO
    value = sum(trade.qty * trade.px for trade in trades)
    return to_decimal(qty), (Decimal(value) / Decimal(qty)).scaleb(-8).quantize(PRICE_PLACES, ROUND_HALF_EVEN)


def _concerns(message: PostTradeMessage, order: VenueOrder) -> bool:
    names = {*order.lineage, order.order_id}
    return any(one.cl_ord_id in names or one.venue_order_id in names for one in message.orders) or any(
        fill.exec_id in order.trades for fill in message.fills
    )


def _answer(message: PostTradeMessage, status: AckStatus, at: datetime, no: No | None = None) -> Said:
    return _ack(MessageKind.ALLOCATION_ACK, message, status, at, no=no)


def _ack(
    kind: MessageKind,
    message: PostTradeMessage,
    status: AckStatus,
    at: datetime,
    *,
    no: No | None = None,
    after: float = 0.0,
) -> Said:
    ack = PostTradeMessage(
        kind=kind, ref=f"{message.ref}:{status.value}", counterparty=message.counterparty, transact_at=at, ref_of=message.ref,
        block_ref="" if kind is MessageKind.CONFIRMATION_ACK else message.block_ref, ack_status=status,
        reject_code=no.code if no else "", text=no.text if no else "", trade_date=message.trade_date,
    )  # fmt: skip
    return Said(ack, message.ref, after)
