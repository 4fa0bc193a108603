"""Orders at a venue, its reports with disorder, and what must come of them: for benchmarks and tests of the inbox.

A :class:`Book` is a set of orders that were handed over on a session of its own. ``messages`` are the venue's reports as
FIX text, in the order they reach the inbox: 5 % come twice (half under the same MsgSeqNum, half as PossResend under a new
one), 2 % are late by up to 40 places. ``expected`` is reckoned from the script alone, in integers, without our core.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import CashBalance, Holding
from journal.bulk import raw_cursor, write_rows
from kernel.clock import utc_now
from kernel.fix import OrdType, Side
from kernel.ids import new_id, shard_of_cl_ord_id
from orders.domain.terms import OrderTerms
from orders.services.capture_orders import capture_orders
from orders.services.record_hand_over import record_hand_over
from tests.factories import DeskWorld, give_stock, make_account
from venues.domain.fix_codec import format_message
from venues.models import FixSession, Venue, WireMessage

ADAPTER = "fix44"
FILLS = 9
REPORTS = FILLS + 1
FILL_QTY = 100
ORDER_QTY = FILLS * FILL_QTY
PRICES = (7240, 7245, 7250)  # hundredths of a penny
CHUNK = 500
_FIELDS = (
    "direction", "session", "epoch", "msg_seq_num", "msg_type", "poss_dup",
    "cl_ord_id", "venue_order_id", "shard", "raw", "sent_at", "recorded_at",
)  # fmt: skip


@dataclass(frozen=True)
class Book:
    """Orders of one session: ClOrdIDs, whether each buys, and the account of each, by the order's number."""

    name: str
    session: str
    accounts: tuple[UUID, ...]
    order_ids: tuple[UUID, ...]
    cl_ord_ids: tuple[str, ...]

    def account_of(self, order: int) -> UUID:
        return self.accounts[order % len(self.accounts)]

    @staticmethod
    def buys(order: int) -> bool:
        return order % 4 != 3


@dataclass(frozen=True, slots=True)
class Said:
    """One report: its place in the life of an order, the number it came under, and whether it was said before."""

    order: int
    step: int
    number: int
    again: str = ""  # "", poss_dup, poss_resend


def make_book(
    world: DeskWorld, name: str, *, accounts: int, orders: int, at: datetime | None = None, session: str = ""
) -> Book:
    """``orders`` limit orders spread over ``accounts``, three buys to a sale, captured and handed over on a new session.

    ``session``: an existing one instead. ``at``: when, for desks whose price is of a fixed moment; now when absent.
    """
    venue, _ = Venue.objects.get_or_create(code="BENCH", defaults={"name": "Bench", "adapter": ADAPTER})
    ends = {"group": session or name, "venue": venue, "sender_comp_id": name, "target_comp_id": "BENCH", "port": 1}
    FixSession.objects.get_or_create(name=session or name, defaults=ends | {"epoch": "e1"})
    rows = [make_account(f"{name}{n:03d}", group=world.group, cash="1000000000") for n in range(accounts)]
    for row in rows:
        give_stock(row, world.listing, "1000000000")
    order_ids: list[UUID] = []
    cl_ord_ids: list[str] = []
    for start in range(0, orders, CHUNK):
        numbers = range(start, min(start + CHUNK, orders))
        wanted = [(str(n), _terms(rows[n % accounts].code, world.listing.symbol, buys=Book.buys(n))) for n in numbers]
        results = capture_orders(
            actor=world.dealer,
            at=at or utc_now(),
            idempotency_key=str(new_id()),
            route="bench",
            rows=wanted,
            source="bench",
        )
        taken = [item.result for item in results if item.result is not None and item.outcome == "released"]
        assert len(taken) == len(wanted), results[0]
        record_hand_over(request_ids=[item.request_id for item in taken], at=at or utc_now())
        order_ids += [item.order_id for item in taken]
        cl_ord_ids += [item.cl_ord_id for item in taken]
    return Book(name, session or name, tuple(row.id for row in rows), tuple(order_ids), tuple(cl_ord_ids))


def _terms(code: str, symbol: str, *, buys: bool) -> OrderTerms:
    return OrderTerms(
        account=code,
        symbol=symbol,
        side=Side.BUY if buys else Side.SELL,
        ord_type=OrdType.LIMIT,
        order_qty=Decimal(ORDER_QTY),
        price=Decimal("72.50"),
    )


def script(orders: Sequence[int], *, seed: int, reports: int = REPORTS) -> list[Said]:
    """Every report of the orders in the order it reaches us; each order's own come in turn but for the late ones."""
    chance = random.Random(seed)
    turns = [order for order in orders for _ in range(reports)]
    chance.shuffle(turns)
    told: dict[int, int] = defaultdict(int)
    line: list[tuple[float, int, int, str]] = []  # place, order, step, again
    for place, order in enumerate(turns):
        step = told[order]
        told[order] += 1
        line.append((place, order, step, ""))
        if chance.random() < 0.05:
            again = "poss_dup" if chance.random() < 0.5 else "poss_resend"
            line.append((place + chance.uniform(1, 200), order, step, again))
    line.sort()
    first: dict[tuple[int, int], int] = {}
    said: list[Said] = []
    number = 0
    for _, order, step, again in line:
        if again != "poss_dup":
            number += 1
        first.setdefault((order, step), number)
        said.append(Said(order, step, first[order, step] if again == "poss_dup" else number, again))
    late = [place + chance.uniform(1, 40) if chance.random() < 0.02 else float(place) for place in range(len(said))]
    return [said[place] for place in sorted(range(len(said)), key=late.__getitem__)]


def messages(book: Book, said: Sequence[Said], *, epoch: str = "e1") -> Iterator[tuple[Any, ...]]:
    """The reports as rows of the inbox."""
    at = utc_now()
    stamp = at.astimezone(UTC).strftime("%Y%m%d-%H:%M:%S.%f")
    for item in said:
        cl_ord_id = book.cl_ord_ids[item.order]
        yield (
            "in", book.session, epoch, item.number, "8", item.again == "poss_dup", cl_ord_id, _venue_id(book, item.order),
            shard_of_cl_ord_id(cl_ord_id), _raw(book, item, stamp), at, at,
        )  # fmt: skip


def store(rows: Sequence[tuple[Any, ...]]) -> None:
    """Put messages into the inbox as the recorder does."""
    write_rows(WireMessage, rows, fields=_FIELDS)


def _venue_id(book: Book, order: int) -> str:
    return f"{book.name}-V{order}"


def _price(order: int, fill: int) -> int:
    return PRICES[(order + fill) % len(PRICES)]


def _end(order: int) -> str:
    """How the last report of an order's life differs: one in twenty corrects its third fill, one busts its second."""
    return {7: "correct", 13: "bust"}.get(order % 20, "trade")


def ends_in_trade(order: int) -> bool:
    """Whether the last report of the order's life is one more fill."""
    return _end(order) == "trade"


def _raw(book: Book, item: Said, stamp: str) -> str:
    order, step = item.order, item.step
    last = step == REPORTS - 1
    kind = "new" if step == 0 else _end(order) if last else "trade"
    code, status = {"new": ("0", "0"), "trade": ("F", "1"), "correct": ("G", "1"), "bust": ("H", "1")}[kind]
    filled = min(step, FILLS) * FILL_QTY
    if kind == "trade" and filled == ORDER_QTY:
        status = "2"
    fields = [(35, "8"), (34, str(item.number)), (49, "BENCH"), (56, book.session), (52, stamp)]
    if item.again:
        fields.append((43 if item.again == "poss_dup" else 97, "Y"))
    fields += [
        (37, _venue_id(book, order)), (11, book.cl_ord_ids[order]), (17, f"X{order}.{step}"), (150, code),
        (39, status), (55, "VOD"), (54, "1" if Book.buys(order) else "2"), (38, str(ORDER_QTY)), (44, "72.50"),
    ]  # fmt: skip
    if kind == "trade":
        fields += [(32, str(FILL_QTY)), (31, _text(_price(order, step)))]
    elif kind == "correct":
        fields += [(19, f"X{order}.3"), (32, "50"), (31, _text(7242))]
        filled = (FILLS - 1) * FILL_QTY - FILL_QTY + 50
    elif kind == "bust":
        fields.append((19, f"X{order}.2"))
        filled = (FILLS - 1) * FILL_QTY - FILL_QTY
    fields += [(14, str(filled)), (151, str(ORDER_QTY - filled)), (60, stamp)]
    return format_message("FIX.4.4", fields)


def _text(price: int) -> str:
    return f"{price // 100}.{price % 100:02d}"


def effective(order: int) -> list[tuple[int, int]]:
    """The order's executions at the end of its life, (quantity, price) in integers; a busted one is worth nothing."""
    fills = {step: (FILL_QTY, _price(order, step)) for step in range(1, FILLS + 1)}
    if _end(order) != "trade":
        del fills[FILLS]
    if _end(order) == "correct":
        fills[3] = (50, 7242)
    if _end(order) == "bust":
        fills[2] = (0, 0)
    return [fills[step] for step in sorted(fills)]


def money_of(qty: int, price: int) -> Decimal:
    """Quantity times price in pounds, half-even to the penny: 100 pence a pound, prices in hundredths of a penny."""
    pence, rest = divmod(qty * price, 100)
    pence += rest > 50 or (rest == 50 and pence % 2 == 1)
    return Decimal(pence) / 100


State = tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]


def expected(book: Book) -> State:
    """Orders and accounts at the end, reckoned from the script alone."""
    orders: list[tuple[Any, ...]] = []
    cash: dict[UUID, Decimal] = defaultdict(Decimal)
    stock: dict[UUID, int] = defaultdict(int)
    held_cash: dict[UUID, Decimal] = defaultdict(Decimal)
    held_stock: dict[UUID, int] = defaultdict(int)
    for order in range(len(book.order_ids)):
        fills, account = effective(order), book.account_of(order)
        filled = sum(qty for qty, _ in fills)
        worth = sum((money_of(qty, price) for qty, price in fills), Decimal(0))
        average = Decimal(sum(qty * price for qty, price in fills)) / filled / 100
        orders.append(
            (
                "2" if filled == ORDER_QTY else "1",
                Decimal(filled),
                Decimal(ORDER_QTY - filled),
                average.quantize(Decimal("0.0000000001")),
                len(fills),
            )
        )
        cash[account] += -worth if Book.buys(order) else worth
        stock[account] += filled if Book.buys(order) else -filled
        if Book.buys(order):
            held_cash[account] += money_of(ORDER_QTY - filled, 7250)
        else:
            held_stock[account] += ORDER_QTY - filled
    accounts = [(cash[a], held_cash[a], Decimal(stock[a]), Decimal(held_stock[a])) for a in book.accounts]
    return orders, accounts


def found(book: Book) -> State:
    """Orders and accounts as the tables have them."""
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT o.id, o.ord_status, o.cum_qty, o.leaves_qty, o.avg_px, count(e.id), sum(e.effective_qty) "
            "FROM orders_order o JOIN orders_execution e ON e.order_id = o.id WHERE o.id = ANY(%s::uuid[]) GROUP BY o.id",
            [list(book.order_ids)],
        )
        rows = {row[0]: row[1:] for row in cursor.fetchall()}
    orders = []
    for order_id in book.order_ids:
        status, cum, leaves, average, count, effective_qty = rows[order_id]
        assert effective_qty == cum, f"executions of {order_id} amount to {effective_qty}, the order says {cum}"
        orders.append((status, cum, leaves, average, count))
    cash = {row.account_id: row for row in CashBalance.objects.filter(account_id__in=book.accounts)}
    stock = {row.account_id: row for row in Holding.objects.filter(account_id__in=book.accounts)}
    return orders, [(cash[a].pending, cash[a].reserved, stock[a].pending, stock[a].reserved) for a in book.accounts]


def verify(book: Book) -> State:
    """The tables hold exactly what the script amounts to; returns it, to be compared between runs."""
    wanted, have = expected(book), found(book)
    for what, left, right in (("order", wanted[0], have[0]), ("account", wanted[1], have[1])):
        for place, (one, other) in enumerate(zip(left, right, strict=True)):
            assert one == other, f"{book.session}: {what} {place} should be {one}, is {other}"
    return have
