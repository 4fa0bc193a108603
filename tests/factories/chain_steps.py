"""Random days of the whole chain as lists of small numbers, which shrink: what each step is depends on the numbers and the books alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time
from decimal import Decimal

from accounts.models import TradingAccount
from allocations.models import Allocation, Block, Confirmation, SettlementInstruction
from allocations.services.release_parked import release_parked
from kernel.fix import Side
from kernel.numbers import plain
from refdata.models import Listing
from tests.factories.chain import CLIENTS, MARKETS, SECOND_CLIENTS, SHORT, Chain
from tests.factories.chain_parts import Placed, Said, taken

D = Decimal
Step = tuple[str, int, int, int]
SYMBOLS = tuple(MARKETS)
EVERYBODY = (*CLIENTS, *SECOND_CLIENTS)
LOTS = (37, 100, 250, 333, 1)
TICKS = ("0", "0.01", "-0.02", "0.07", "-0.05")
SHARES = ((5, 3, 2), (1, 1, 1), (7, 0, 3), (1, 0, 0))
NAMES = (
    "order", "order", "fill", "fill", "fill", "fill", "bust", "price", "units", "late", "book", "book", "divide", "freeze", "thaw",
    "release", "affirm", "note", "settle", "settle", "settle", "part", "fail", "reject", "cut", "split", "dividend", "rename", "night",
    "over", "over", "accept", "accept", "anew", "clock", "season", "relay", "relay", "relay",
)  # fmt: skip


def play(chain: Chain, steps: Sequence[Step], *, limit: int = 0) -> list[str]:
    """Take the steps, with the house at rest after each; those that were taken, by name. ``limit``: how many events are heard at once."""
    done = []
    for step in steps:
        if _STEPS[step[0]](chain, *step[1:]):
            done.append(step[0])
            if step[0] in ("split", "dividend", "rename"):
                chain.night()
        chain.relay(limit=limit or (500, 1, 3)[step[3] % 3])
        chain.prove()
    return done


def _order(chain: Chain, a: int, b: int, c: int) -> bool:
    if len(chain.orders) > 5:
        return False
    side = Side.SELL if c % 4 == 3 else Side.BUY
    return taken(lambda: chain.order(a % 6, 1000, symbol=SYMBOLS[b % 3], side=side))


def _px(chain: Chain, listing: Listing, c: int) -> str:
    symbol = next(name for name, one in chain.listings.items() if one.id == listing.id)  # as of the first day
    if MARKETS[symbol][1] == "JPY":
        return plain(D(MARKETS[symbol][2]) + (-1, 0, 1, 2, 3)[c % 5])
    return plain(D(MARKETS[symbol][2]) + D(TICKS[c % 5]))


def _open(chain: Chain, a: int, *, dead: bool = False) -> Placed | None:
    live = [one for one in chain.orders if one.left > 0 and (dead or not one.dead) and one.anew == 1]
    return live[a % len(live)] if live else None


def _fill(chain: Chain, a: int, b: int, c: int) -> bool:
    placed = _open(chain, a)
    if placed is None:
        return False
    qty = int(min(placed.left, D(LOTS[b % 5]))) if b % 7 else int(placed.left)
    chain.fill(placed, qty, _px(chain, placed.listing, c))
    return True


def _over(chain: Chain, a: int, b: int, c: int) -> bool:
    """More than is left of an order, or of one that is filled."""
    orders = [one for one in chain.orders if not one.dead and one.anew == 1]
    if not orders:
        return False
    placed = orders[a % len(orders)]
    chain.fill(placed, int(max(placed.left, D(0))) + LOTS[b % 5], _px(chain, placed.listing, c))
    return True


def _accept(chain: Chain, a: int, b: int, c: int) -> bool:
    placed = chain.orders[a % len(chain.orders)] if chain.orders else None
    return placed is not None and taken(lambda: chain.accept(placed, (D(1), D("0.5"), D("0.3"))[b % 3]))


def _anew(chain: Chain, a: int, b: int, c: int) -> bool:
    """Of an order that is filled, which a split ends nowhere."""
    filled = [one for one in chain.orders if one.left <= 0 and not one.dead and one.anew in (1, 2)]
    if filled:
        chain.state_anew(filled[a % len(filled)], (D(2), D("0.5"))[b % 2])
    return bool(filled)


def _late(chain: Chain, a: int, b: int, c: int) -> bool:
    """An execution of the first day, told now, perhaps of an order that is over."""
    placed = _open(chain, a, dead=True)
    if placed is None:
        return False
    day = min([one.day for one in chain.said if one.order is placed.result], default=None)
    chain.fill(placed, int(min(placed.left, D(LOTS[b % 5]))), _px(chain, placed.listing, c), day=day)
    return True


def _one(chain: Chain, a: int) -> Said | None:
    return chain.said[a % len(chain.said)] if chain.said else None


def _bust(chain: Chain, a: int, b: int, c: int) -> bool:
    one = _one(chain, a)
    if one is not None:
        chain.bust(one)
    return one is not None


def _price(chain: Chain, a: int, b: int, c: int) -> bool:
    one = _one(chain, a)
    if one is not None:
        chain.correct(one, px=D(_px(chain, one.listing, c)))
    return one is not None


def _units(chain: Chain, a: int, b: int, c: int) -> bool:
    one = _one(chain, a)
    if one is None or one.qty < 2:
        return False
    chain.correct(one, qty=D(max(1, int(one.qty) * (1 + b % 3) // 4)))
    return True


def _blocks(*states: str) -> list[Block]:
    return list(
        Block.objects.filter(kind="block", state__in=states, qty__gt=0).select_related("listing").order_by("number")
    )


def _book(chain: Chain, a: int, b: int, c: int) -> bool:
    blocks = _blocks("forming", "ready")
    return bool(blocks) and _divide_one(chain, blocks[a % len(blocks)], b, c)


def _divide(chain: Chain, a: int, b: int, c: int) -> bool:
    blocks = _blocks("booked")
    return bool(blocks) and _divide_one(chain, blocks[a % len(blocks)], b, c)


def _divide_one(chain: Chain, block: Block, b: int, c: int) -> bool:
    method, key = (("weights", "weight"), ("percentage", "percent"), ("fixed", "qty"))[c % 3]
    if method == "percentage":
        amounts = ["50", "30", "20"]
    elif method == "fixed":
        first = int(block.qty) // 2
        amounts = [str(int(block.qty) - first), str(first), "0"]
    else:
        amounts = [str(part) for part in SHARES[b % 4]]
    clients = chain.team_of(block).clients
    lines = [{"account": code, key: amount} for code, amount in zip(clients, amounts, strict=True) if amount != "0"]
    return taken(lambda: chain.book(block, method, lines))


def _freeze(chain: Chain, a: int, b: int, c: int) -> bool:
    return bool(TradingAccount.objects.filter(code=EVERYBODY[a % 6]).update(state="frozen"))


def _thaw(chain: Chain, a: int, b: int, c: int) -> bool:
    return bool(TradingAccount.objects.filter(code__in=EVERYBODY).update(state="active"))


def _release(chain: Chain, a: int, b: int, c: int) -> bool:
    rows = list(Allocation.objects.filter(state="parked").select_related("block").order_by("number"))
    if not rows:
        return False
    row = rows[a % len(rows)]
    dealer = chain.team_of(row.block).dealer
    return taken(lambda: release_parked(actor=dealer, at=chain.now, allocation_ref=row.ref))


def _affirm(chain: Chain, a: int, b: int, c: int) -> bool:
    rows = Confirmation.objects.filter(state__in=["waiting", "sent", "matched"]).order_by("allocation__number")
    blocks = list(dict.fromkeys(rows.values_list("allocation__block_id", flat=True)))
    return bool(blocks) and taken(lambda: chain.affirm(Block.objects.get(pk=blocks[a % len(blocks)])))


def _note(chain: Chain, a: int, b: int, c: int) -> bool:
    rows = Allocation.objects.values_list("block__listing__market_id", "trade_date").distinct()
    days = list(rows.order_by("trade_date", "block__listing__market_id"))
    return bool(days) and taken(lambda: chain.note(*days[a % len(days)]))


def _instructions(*states: str) -> list[SettlementInstruction]:
    rows = SettlementInstruction.objects.filter(state__in=states)
    return list(rows.order_by("allocation__number", "version"))


def _settle(chain: Chain, a: int, b: int, c: int) -> bool:
    rows = _instructions("instructed", "matched", "pending", "partial", "failed", "rejected")
    if not rows:
        return False
    row = rows[a % len(rows)]
    chain.custodian(row, "settled", row.qty - row.settled_qty)
    return True


def _part(chain: Chain, a: int, b: int, c: int) -> bool:
    rows = [
        row
        for row in _instructions("instructed", "matched", "pending", "partial", "failed")
        if row.qty - row.settled_qty > 1
    ]
    if not rows:
        return False
    row = rows[a % len(rows)]
    chain.custodian(row, "settled", D(1 + (int(row.qty - row.settled_qty) - 1) * (1 + b % 3) // 4))
    return True


def _word(status: str) -> Callable[[Chain, int, int, int], bool]:
    def say(chain: Chain, a: int, b: int, c: int) -> bool:
        rows = _instructions("instructed", "matched", "pending")
        if rows:
            chain.custodian(rows[a % len(rows)], status)
        return bool(rows)

    return say


def _cut(chain: Chain, a: int, b: int, c: int) -> bool:
    listing = chain.listings[SYMBOLS[b % 3]]
    chain.cut((*EVERYBODY, SHORT)[a % 7], listing.currency, listing.instrument_id)
    return True


def _split(chain: Chain, a: int, b: int, c: int) -> bool:
    ratio = (("2", "1"), ("3", "2"))[a % 2]
    return taken(lambda: chain.action("split", ratio_new=ratio[0], ratio_old=ratio[1]))


def _dividend(chain: Chain, a: int, b: int, c: int) -> bool:
    return taken(lambda: chain.action("cash_dividend"))


def _rename(chain: Chain, a: int, b: int, c: int) -> bool:
    """Another symbol, or another ISIN, or both, from the next day on."""
    number = len(chain.orders) * 10 + chain.seq
    names = {"new_symbol": f"VOD{number}.L", "new_venue_symbol": f"VOD{number}"} if a % 3 else {}
    isin = {"new_isin": isin_of(number)} if a % 3 != 1 else {}
    return taken(lambda: chain.action("name_change", **{"new_symbol": "", "new_venue_symbol": "", **names, **isin}))


def _clock(chain: Chain, a: int, b: int, c: int) -> bool:
    """On to an edge of a day: London's midnight, the last trades of New York, the first of Tokyo, the end of the day of UTC."""
    then = datetime.combine(chain.now.date(), (time(0, 0), time(14, 59), time(21, 30), time(23, 59, 59))[a % 4], UTC)
    chain.now = max(chain.now, then)
    return chain.now == then


def _season(chain: Chain, a: int, b: int, c: int) -> bool:
    """On to the eve of a day on which New York, then London, puts its clocks on."""
    then = datetime(2027, 3, (12, 26)[a % 2], (4, 20, 23)[b % 3], 30, tzinfo=UTC)
    if b % 2 or then <= chain.now:
        return False
    for _ in range(2):  # nobody sleeps through a winter: what the first nights bring is done
        chain.night()
        chain.relay()
    chain.now = then
    return True


def isin_of(number: int) -> str:
    """One of London with its check digit."""
    body = f"GB{number:09d}"
    digits = "".join(str(int(letter, 36)) for letter in body)
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
    return f"{body}{-sum(value // 10 + value % 10 for value in doubled) % 10}"


def _night(chain: Chain, a: int, b: int, c: int) -> bool:
    chain.night(1 + a % 3)
    if b % 2:
        chain.pay()
    return True


def _relay(chain: Chain, a: int, b: int, c: int) -> bool:
    return True


_STEPS: dict[str, Callable[[Chain, int, int, int], bool]] = {
    "order": _order, "fill": _fill, "over": _over, "accept": _accept, "anew": _anew, "rename": _rename, "clock": _clock,
    "season": _season, "late": _late, "bust": _bust, "price": _price, "units": _units, "book": _book,
    "divide": _divide, "freeze": _freeze, "thaw": _thaw, "release": _release, "affirm": _affirm, "note": _note, "settle": _settle,
    "part": _part, "fail": _word("pending"), "reject": _word("rejected"), "cut": _cut, "split": _split, "dividend": _dividend,
    "night": _night, "relay": _relay,
}  # fmt: skip
