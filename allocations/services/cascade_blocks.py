"""Sweeper: a booked block whose executions are no longer those it was booked for goes through everything that followed it (ADR 0053).

A block of a wash account is booked anew as it was wanted (``rebook_allocation``). A direct one is told anew, or, where it has
settled, compensated by a trade of today. Confirmations, notes, feed and settlement listen to what is told and undo or amend by
their own rules. What cannot be done is a matter with the exact difference (CASCADE_STUCK) and tried again; nothing is edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts.domain.fees import Charge
from accounts.locks import lock_allocated
from accounts.services.redate_trade import Redating, redate_trade
from allocations.domain import transitions as moves
from allocations.domain.cascade import Difference, Figures, Way, added, difference, figures_of
from allocations.locks import lock_blocks
from allocations.models import Allocation, Block, BlockFill
from allocations.selectors.settled import settled_of
from allocations.services import _direct_trades as direct
from allocations.services._writing import next_numbers, told_of_row
from allocations.services.rebook_allocation import rebook_allocation
from journal.bulk import raw_cursor
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.errors import OmsError
from kernel.fix import Side
from kernel.numbers import ZERO, plain, round_money
from orders.selectors.executed import find_charges
from refdata.selectors import get_market_clock

CASCADE_STUCK = "CASCADE_STUCK"
SETTLED_TRADE_CHANGED = "SETTLED_TRADE_CHANGED"
_CHANGED_SINCE = """
SELECT x.exec_id FROM allocations_blockfill f JOIN journal_event e ON e.id = f.event_id JOIN orders_execution x ON x.id = f.execution_id
 WHERE f.block_id = %s AND e.position > (
       SELECT max(b.position) FROM allocations_allocation a JOIN journal_event b ON b.id = a.booked_event_id WHERE a.block_id = %s)
 ORDER BY e.position
"""
MOST = 500
NAMED = 5
NAMED_SHARES = 50
OPPOSITE = {Side.BUY: Side.SELL, Side.SELL: Side.BUY, Side.SELL_SHORT: Side.BUY, Side.SELL_SHORT_EXEMPT: Side.BUY}


def cascade_blocks(*, at: datetime) -> int:
    """Work every changed block in a transaction of its own. Returns how many came to rest; again at once, none."""
    done = 0
    changed = Block.objects.filter(state=moves.CHANGED).order_by("updated_at", "id")[:MOST]
    for block_id in list(changed.values_list("id", flat=True)):
        try:
            with transaction.atomic():
                _cascade(block_id, at=at)
                _tell_stuck(block_id, "", at=at)
        except OmsError as error:
            _tell_stuck(block_id, error.sentence, at=at)
            continue
        done += 1
    return done


def _cascade(block_id: UUID, *, at: datetime) -> None:
    block = lock_blocks([block_id])[block_id]
    if block.state != moves.CHANGED:
        return
    if block.kind == Block.Kind.BLOCK:
        rebook_allocation(actor=direct.ACTOR, at=at, block_id=block_id, why=_why(block))
    else:
        _direct(block, at=at)


def _why(block: Block) -> str:
    """Which executions are others than they were, by what venues call them."""
    with raw_cursor() as cursor:
        cursor.execute(_CHANGED_SINCE, [block.id, block.id])
        names = [row[0] for row in cursor.fetchall()]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    if not names:
        return "Its executions changed."
    return f"Execution {', '.join(names[:NAMED])}{more} came, changed or was busted after it was booked."


def _direct(block: Block, *, at: datetime) -> None:
    lock_allocated(account_ids={block.account_id}, instrument_id=block.instrument_id)
    rows = list(Allocation.objects.filter(block=block).exclude(state=moves.REVERSED).order_by("number"))
    base = next((row for row in rows if row.compensates_id is None), None)
    settled = bool(settled_of([row.id for row in rows], lock=True))
    now = figures_of(_charged(block), qty=block.qty, gross=block.cash)
    change = difference(standing=added([_figures(block, row) for row in rows]), now=now, settled=settled)
    if change.way in (Way.ANEW, Way.UNDONE):
        _anew(block, rows, at=at)
    elif base is not None and change.way in (Way.COMPENSATED, Way.MONEY_ALONE):
        _compensate(block, base, change, at=at)
    _rest(block, at=at)


def _charged(block: Block) -> tuple[Charge, ...]:
    order_id = BlockFill.objects.filter(block=block).values_list("order_id", flat=True)[:1].get()
    return find_charges([order_id]).get((order_id, block.trade_date), ())


def _figures(block: Block, row: Allocation) -> Figures:
    charges = [Charge(kind, name, version, Decimal(amount)) for kind, name, version, amount in row.charges]
    return figures_of(charges, qty=row.qty if row.side == block.side else -row.qty, gross=row.gross)


def _anew(block: Block, rows: Sequence[Allocation], *, at: datetime) -> None:
    """Nothing of it has settled: what stood is told as undone, what is there now as new."""
    why = _why(block)
    if rows:
        undone = [(direct.of_round(block, row.round), told_of_row(row)) for row in rows]
        event_ids = direct.tell("DirectTradesReversed", undone, at=at, day=block.trade_date, why=why)
        direct.end(rows, state=moves.REVERSED, event_ids=event_ids, why=why, at=at)
    if block.qty:
        block.round += 1
        line = direct.whole_line(block, next_numbers(1)[0], _charged(block))
        trades = [(direct.of_round(block, block.round), line)]
        direct.keep(trades, direct.tell("DirectTradesFormed", trades, at=at, day=block.trade_date), at=at)


def _compensate(block: Block, base: Allocation, change: Difference, *, at: datetime) -> None:
    """It has settled: what is different is a line of today, and the bookings of its order settle with it."""
    clock, why = get_market_clock(block.listing.market_id), _why(block)
    today = clock.business_date(at)
    side = Side(block.side) if change.qty >= 0 else OPPOSITE[Side(block.side)]
    fees = sum((charge.amount for charge in change.charges), ZERO)
    block.round += 1
    line = direct.whole_line(block, next_numbers(1)[0], change.charges)._replace(
        side=side.value,
        qty=abs(change.qty),
        avg_px=base.avg_px if change.qty else ZERO,
        gross=change.gross,
        fees=fees,
        net=change.gross - fees,
        trade_date=today,
        settlement_date=clock.settlement_date(today),
        is_rounding=not change.qty,
        reason=why,
        compensates=base.id,
    )
    trades = [(direct.of_round(block, block.round), line)]
    event_ids = direct.tell("DirectTradesCompensated", trades, at=at, day=today, why=why)
    direct.keep(trades, event_ids, at=at)
    if not block.qty and base.state == moves.BOOKED:
        direct.end([base], state=moves.COMPENSATED, event_ids={base.id: event_ids[line.allocation_id]}, why=why, at=at)
    is_buy = Side(block.side).is_buy
    redate_trade(
        redating=Redating(
            event_ids[line.allocation_id], block.account_id, block.instrument_id, block.currency, Side(block.side).is_short,
            change.qty if is_buy else -change.qty, line.net, block.trade_date, block.settlement_date, line.settlement_date,
        ),
        at=at,
    )  # fmt: skip
    _tell_changed(block, line.net, change, at=at)


def _rest(block: Block, *, at: datetime) -> None:
    if block.qty:
        block.book()
    else:
        block.dissolve()
    block.booked_at, block.booked_by, block.updated_at, block.version = at, direct.ACTOR.actor, at, block.version + 1
    block.save(update_fields=["state", "round", "booked_at", "booked_by", "updated_at", "version"])


def _tell_changed(block: Block, net: Decimal, change: Difference, *, at: datetime) -> None:
    units = (
        f"{plain(abs(change.qty))} units {'more' if change.qty > 0 else 'fewer'}" if change.qty else "the same units"
    )
    sentence = (
        f"{block.ref} of {block.trade_date.isoformat()} had settled when its executions changed: {units}, {plain(net)} {block.currency} "
        "net. What is different settles on its own; charges that were passed on are claimed back by hand."
    )
    _set(
        block, SETTLED_TRADE_CHANGED, f"settled-changed:{block.id}:{block.round}", sentence, wrong=True, at=at, net=net
    )


def _tell_stuck(block_id: UUID, sentence: str, *, at: datetime) -> None:
    block = Block.objects.get(pk=block_id)
    units, money = block.qty - block.allocated_qty, block.cash - block.allocated_cash
    said = sentence or f"{block.ref} is its executions again."
    if sentence:
        said = f"{sentence} Difference: {plain(units)} units, {plain(money)} {block.currency}."
    _set(
        block, CASCADE_STUCK, f"cascade:{block.id}", said, wrong=bool(sentence), at=at, net=money,
        shares=_shares(block, units, money) if sentence else [],
    )  # fmt: skip


def _shares(block: Block, units: Decimal, money: Decimal) -> list[dict[str, str]]:
    """The difference by account, in proportion to what each has: what is missing where nothing could be booked."""
    rows = Allocation.objects.filter(block=block, state__in=[moves.BOOKED, moves.PARKED], qty__gt=0).order_by("number")
    had: dict[str, Decimal] = {}
    for code, side, qty in rows.values_list("account__code", "side", "qty"):
        had[code] = had.get(code, ZERO) + (qty if side == block.side else -qty)
    whole = sum(had.values(), ZERO)
    if not whole:
        return []
    return [
        {
            "account": code,
            "has": plain(qty),
            "units": plain(round(units * qty / whole, 8)),
            "money": plain(round_money(money * qty / whole, block.currency)),
        }
        for code, qty in had.items()
    ][:NAMED_SHARES]


def _set(
    block: Block, kind: str, key: str, sentence: str, *, wrong: bool, at: datetime, net: Decimal,
    shares: Sequence[dict[str, str]] = (),
) -> None:  # fmt: skip
    anomaly = Anomaly(
        kind=kind,
        severity=Severity.HIGH,
        subject_type="block",
        subject_id=str(block.id),
        sentence=sentence,
        dedupe_key=key,
        evidence={
            "block": block.ref,
            "account_id": str(block.account_id),
            "currency": block.currency,
            "net": plain(net),
            **({"shares": list(shares)} if shares else {}),
        },
    )
    set_anomaly(anomaly=anomaly, wrong=wrong, actor=direct.ACTOR.actor, at=at)
