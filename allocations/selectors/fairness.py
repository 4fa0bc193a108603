"""The blocks of a period as the examination of fairness wants them, and what it found, for whom it may be shown to.

Every block of the desks is looked at whole, or the figures would be wrong; only accounts that were granted to the actor are handed out.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import TradingAccount
from allocations.domain.fairness import AccountRecord, Got, Outcome, examine
from allocations.domain.methods import AMOUNT_KEY
from allocations.domain.transitions import BOOKED, CHANGED
from allocations.domain.words import Method
from allocations.models import Allocation, Block, BlockFill, BlockOutcome, IntendedAllocation, Scheme
from allocations.selectors.seeing import visible_blocks
from authorisation.domain.principal import Principal
from kernel.numbers import ZERO
from orders.permissions import visible_groups
from refdata.models import ReferencePrice

MOST_BLOCKS = 600
_PROPORTIONAL = frozenset({Method.PRO_RATA, Method.FIXED, Method.WEIGHTS, Method.PERCENTAGE, Method.MANUAL})
BY_PROCESS = "process:"


@dataclass(frozen=True)
class Examined:
    """What was found. ``blocks`` were looked at, of which ``unpriced`` have no known close; ``cut`` when there were more of them.

    ``records``: accounts the actor may see; ``hidden`` more were looked at. ``family``: accounts that were tested.
    """

    records: list[AccountRecord]
    names: Mapping[str, str]
    blocks: int
    unpriced: int
    unsaid: int
    cut: bool
    hidden: int
    family: int


def examine_fairness(*, actor: Principal, start: date, end: date, desk_id: int | None = None) -> Examined:
    """Booked blocks of trade dates from ``start`` to ``end`` of desks the actor sees, or of one of them."""
    blocks = _blocks(actor, start, end, desk_id)
    shown = blocks[:MOST_BLOCKS]
    outcomes = _outcomes(shown)
    records = examine(outcomes, seed=_seed(shown))
    accounts = TradingAccount.objects.filter(code__in=[one.account for one in records])
    seen = accounts if actor.is_process else accounts.filter(group_id__in=visible_groups(actor))
    names = dict(seen.values_list("code", "name"))
    return Examined(
        records=[one for one in records if one.account in names],
        names=names,
        blocks=len(shown),
        unpriced=sum(1 for one in outcomes if one.close_px is None),
        unsaid=sum(1 for one in outcomes if all(got.expected is None for got in one.got)),
        cut=len(blocks) > MOST_BLOCKS,
        hidden=len(records) - len(names),
        family=sum(1 for one in records if one.p is not None),
    )


def _blocks(actor: Principal, start: date, end: date, desk_id: int | None) -> list[Block]:
    found = visible_blocks(actor).filter(
        kind=Block.Kind.BLOCK, state__in=[BOOKED, CHANGED], round__gt=0, trade_date__gte=start, trade_date__lte=end
    )
    if desk_id is not None:
        found = found.filter(desk_id=desk_id)
    return list(found.select_related("outcome").order_by("trade_date", "number")[: MOST_BLOCKS + 1])


def _seed(blocks: Sequence[Block]) -> int:
    """Of the blocks looked at: the same period gives the same figures to everybody."""
    text = b"".join(block.id.bytes for block in blocks)
    return int.from_bytes(hashlib.sha256(text).digest()[:8])


def _outcomes(blocks: Sequence[Block]) -> list[Outcome]:
    lines = _lines(blocks)
    expected = _expected(blocks)
    latest = _latest(blocks)
    averages = _day_averages(blocks)
    found = []
    for block in blocks:
        kept: BlockOutcome | None = getattr(block, "outcome", None)
        close = kept.close_px if kept else latest.get((block.listing_id, block.trade_date))
        found.append(
            Outcome(
                block=block.ref,
                stratum=(block.desk_id, block.trade_date),
                buys=block.side == "1",
                qty=block.qty,
                avg_px=block.avg_px,
                got=_got(block, lines[block.id], expected.get(block.id)),
                close_px=close,
                day_px=averages[_day(block)],
                px_when_changed=kept.booked_px if kept else None,
            )
        )
    return found


def _lines(blocks: Sequence[Block]) -> dict[UUID, dict[int, dict[str, Decimal]]]:
    """Of each block and round what each account got; what undid settled lines is none of that."""
    rows = Allocation.objects.filter(
        block_id__in=[block.id for block in blocks], is_rounding=False, compensates=None
    ).values_list("block_id", "round", "account__code", "qty")
    found: dict[UUID, dict[int, dict[str, Decimal]]] = defaultdict(lambda: defaultdict(dict))
    for block_id, number, code, qty in rows:
        found[block_id][number][code] = qty
    return found


def _got(
    block: Block, rounds: Mapping[int, Mapping[str, Decimal]], expected: Mapping[str, Decimal] | None
) -> tuple[Got, ...]:
    """What stands, beside what was expected and what the first round had given where a person divided it anew."""
    now = rounds.get(max(rounds)) if rounds else None
    if now is None:
        return ()
    by_hand = not block.booked_by.startswith(BY_PROCESS)
    first = rounds[min(rounds)] if len(rounds) > 1 else expected if block.method == Method.MANUAL else None
    before: Mapping[str, Decimal] = first if first is not None and by_hand else now
    accounts = {*now, *before, *(expected or {})}
    return tuple(
        Got(
            account=code,
            qty=now.get(code, ZERO),
            expected=None if expected is None else expected.get(code, ZERO),
            changed_by=now.get(code, ZERO) - before.get(code, ZERO),
        )
        for code in sorted(accounts)
    )


def _expected(blocks: Sequence[Block]) -> dict[UUID, dict[str, Decimal]]:
    """What was said beforehand gives each account, in proportion to the stamp of the order or the default scheme of that time."""
    orders: dict[UUID, set[UUID]] = defaultdict(set)
    for block_id, order_id in BlockFill.objects.filter(block__in=blocks).values_list("block_id", "order_id"):
        orders[block_id].add(order_id)
    wanted = {order_id for of in orders.values() for order_id in of}
    stamped = (
        IntendedAllocation.objects.filter(order_id__in=wanted).order_by("order_id", "-version").distinct("order_id")
    )
    by_order = {one.order_id: one for one in stamped}
    schemes = list(Scheme.objects.filter(wash_account__isnull=False, strategy="").order_by("recorded_at", "version"))
    found = {}
    for block in blocks:
        said = [by_order.get(order_id) for order_id in orders[block.id]]
        first: IntendedAllocation | Scheme | None = said[0] if said else None
        if first is None or any(one is None or one.lines != first.lines for one in said):
            first = _default(schemes, block.account_id, block.created_at) if not any(said) else None
        shares = _proportional(first.method, first.lines, block.qty) if first is not None else None
        if shares is not None:
            found[block.id] = shares
    return found


def _default(schemes: Sequence[Scheme], account_id: UUID, at: datetime) -> Scheme | None:
    newest: dict[str, Scheme] = {}
    for one in schemes:
        if one.wash_account_id == account_id and one.recorded_at <= at:
            newest[one.code] = one
    return min((one for one in newest.values() if not one.ended), key=lambda one: one.code, default=None)


def _proportional(method: str, lines: Sequence[Mapping[str, Any]], qty: Decimal) -> dict[str, Decimal] | None:
    """Shares of the executed quantity; None by methods whose shares follow from positions or turns."""
    if method not in _PROPORTIONAL:
        return None
    key = AMOUNT_KEY[Method(method)]
    amounts = {line["account"]: Decimal(line.get(key, "0")) for line in lines}
    total = sum(amounts.values(), ZERO)
    return {account: qty * amount / total for account, amount in amounts.items()} if total else None


def _day(block: Block) -> tuple[UUID, str, date]:
    return (block.listing_id, block.side, block.trade_date)


def _day_averages(blocks: Sequence[Block]) -> dict[tuple[UUID, str, date], Decimal]:
    """The average price of all these blocks by listing, side and day."""
    sums: dict[tuple[UUID, str, date], tuple[Decimal, Decimal]] = {}
    for block in blocks:
        qty, notional = sums.get(_day(block), (ZERO, ZERO))
        sums[_day(block)] = (qty + block.qty, notional + block.notional)
    return {day: notional / qty if qty else ZERO for day, (qty, notional) in sums.items()}


def _latest(blocks: Sequence[Block]) -> dict[tuple[UUID, date], Decimal]:
    """Of days whose outcome is not kept yet: the price so far, where it was made on that day."""
    days: dict[UUID, set[date]] = defaultdict(set)
    for block in blocks:
        if not hasattr(block, "outcome"):
            days[block.listing_id].add(block.trade_date)
    return {
        (price.listing_id, price.priced_at.date()): price.last
        for price in ReferencePrice.objects.filter(listing_id__in=days)
        if price.priced_at.date() in days[price.listing_id]
    }
