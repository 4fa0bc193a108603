"""How the lines of a round reach tables, balances and the journal: by COPY and arrays, in parts of a thousand lines an event."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import UUID

from accounts.domain.allocating import AllocationEvent, AllocationMove
from accounts.domain.fees import Charge
from accounts.selectors import list_suspense_accounts
from accounts.services.book_allocations import book_allocations
from allocations.domain import transitions as moves
from allocations.domain.telling import LINES_A_PART, BlockTold, LineTold, charges_text, parts
from allocations.models import Allocation, Block
from allocations.selectors.standing_lines import Kept
from authorisation.domain.principal import Principal
from journal.bulk import raw_cursor, update_rows, write_text
from journal.domain.chain import EventDraft
from journal.domain.pg_text import copy_text
from journal.domain.records import ANOMALY_CLEARED, ANOMALY_RAISED
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from kernel.crash_points import crash_point
from kernel.fix import Side
from kernel.ids import new_id
from kernel.texts import id_text, utc_text

_FIELDS = (
    "id", "number", "block_id", "round", "account_id", "booked_account_id", "side", "qty", "avg_px", "gross", "charges",
    "fees", "net", "is_rounding", "trade_date", "settlement_date", "state", "reason", "compensates_id", "booked_event_id",
    "booked_at",
)  # fmt: skip
BUY = Side.BUY.value
_NULL = "\\N"
_ENDED = ("state", "reason", "ended_event_id", "ended_at")


@dataclass(frozen=True, slots=True)
class Group:
    """Lines told by one kind of event. ``sign`` -1 undoes what their figures say; ``round`` is that of the lines."""

    kind: str
    booking: str
    lines: Sequence[LineTold]
    sign: int
    round: int
    why: str
    from_account_id: UUID | None = None


def next_numbers(count: int) -> list[int]:
    """So many numbers of allocations, ascending."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT nextval('allocations_allocation_number') FROM generate_series(1, %s::int)", [count])
        return [row[0] for row in cursor.fetchall()]


def write_round(
    *, block: Block, groups: Sequence[Group], actor: Principal, at: datetime, ended: Sequence[Kept] = ()
) -> None:
    """Tell, book and keep the lines of all groups; ``ended`` are settled lines of which nothing is left."""
    drafts: list[EventDraft] = []
    booked: list[AllocationEvent] = []
    fresh: list[str] = []
    over: list[tuple[Any, ...]] = []
    for group in groups:
        for event_id, lines, payload in _parts(block, group):
            drafts.append(_draft(block, group, payload, event_id, actor, at))
            booked += _moves(block, group, lines, event_id)
            if group.from_account_id is not None:
                continue  # released: whoever does it writes its one row
            if group.sign < 0:
                over += [(line.allocation_id, moves.REVERSED, group.why, event_id, at) for line in lines]
            else:
                fresh.append(_rows(block, group, lines, event_id, at))
        if group.kind == "AllocationCompensated" and group.lines:
            over += [(row.id, moves.COMPENSATED, group.why, drafts[-1].id, at) for row in ended]
    if not drafts:
        return
    update_rows(Allocation, over, key=("id",), fields=_ENDED)
    write_text(Allocation, fresh, fields=_FIELDS)
    append_to_stream(drafts=drafts, at=at)
    crash_point("round.told")
    done = book_allocations(events=booked, at=at)
    crash_point("round.booked")
    suspense = {str(account_id) for account_id in list_suspense_accounts()} if done.raised or done.cleared else set()
    append_to_stream(
        drafts=[
            anomaly_draft(anomaly=item, actor=actor.actor, at=at, kind=kind)
            for items, kind in ((done.raised, ANOMALY_RAISED), (done.cleared, ANOMALY_CLEARED))
            for item in items
            if item.subject_id not in suspense
        ],
        at=at,
    )


def _parts(block: Block, group: Group) -> Iterator[tuple[UUID, Sequence[LineTold], dict[str, Any]]]:
    shared = told_block(block, round_=group.round)
    for place, payload in enumerate(parts(shared, group.lines, why=group.why)):
        if group.from_account_id is not None:
            payload["from_account_id"] = str(group.from_account_id)
        yield new_id(), group.lines[place * LINES_A_PART : (place + 1) * LINES_A_PART], payload


def _draft(
    block: Block, group: Group, payload: dict[str, Any], event_id: UUID, actor: Principal, at: datetime
) -> EventDraft:
    return EventDraft(
        id=event_id, stream=f"block:{block.id}", kind=group.kind, actor=actor.actor, on_behalf_of=actor.on_behalf_of,
        correlation_id=block.id, event_at=at, received_at=at, business_date=block.trade_date, payload=payload,
    )  # fmt: skip


def _moves(block: Block, group: Group, lines: Sequence[LineTold], event_id: UUID) -> Iterator[AllocationEvent]:
    """What the lines move, one for each side and settlement date they have: of a round all have the same.

    Booked on the day of the trade, whenever that is and also what undoes a settled share: a share that was undone was never there
    for a record date, and the account of blocks is flat day by day, by trade and by settlement date.
    """
    by_terms: dict[tuple[str, date], list[AllocationMove]] = {}
    signed: dict[tuple[tuple[str, str, int, str], ...], tuple[Charge, ...]] = {(): ()}
    sign = group.sign
    for line in lines:
        charges = signed.get(line.charges)
        if charges is None:
            charges = signed[line.charges] = tuple(
                Charge(kind, name, version, sign * Decimal(amount)) for kind, name, version, amount in line.charges
            )
        units = line.qty if (sign > 0) == (line.side == BUY) else -line.qty
        move = AllocationMove(line.allocation_id, line.booked_account_id, units, sign * line.gross, charges)
        by_terms.setdefault((line.side, line.settlement_date), []).append(move)
    giver = group.from_account_id or block.account_id
    for (side, settles), chosen in by_terms.items():
        yield AllocationEvent(
            event_id, group.booking, giver, Side(side), block.instrument_id, block.currency, block.trade_date, settles, chosen,
            gives_on=block.settlement_date,
        )  # fmt: skip


def _rows(block: Block, group: Group, lines: Sequence[LineTold], event_id: UUID, at: datetime) -> str:
    """The lines as COPY text. What equal shares have alike is written down once."""
    head, tail = f"{id_text(block.id)}\t{group.round}", f"{event_id}\t{utc_text(at)}\n"
    written = []
    for line in lines:
        account = id_text(line.account_id)
        booked = account if line.booked_account_id is line.account_id else id_text(line.booked_account_id)
        undoes = _NULL if line.compensates is None else id_text(line.compensates)
        written.append(
            f"{id_text(line.allocation_id)}\t{line.number}\t{head}\t{account}\t{booked}\t{_figures(*line[4:15])}\t"
            f"{copy_text(line.reason) if line.reason else ''}\t{undoes}\t{tail}"
        )
    return "".join(written)


@lru_cache(maxsize=16_384)
def _figures(
    side: str, qty: Decimal, avg_px: Decimal, gross: Decimal, fees: Decimal, net: Decimal, trade_date: date, settlement_date: date,
    charges: tuple[tuple[str, str, int, str], ...], is_rounding: bool, state: str,
) -> str:  # fmt: skip
    """The columns from side to state, whose values come in the order of :class:`LineTold`."""
    told, rounding = copy_text(charges_text(charges)), "t" if is_rounding else "f"
    return (
        f"{side}\t{qty}\t{avg_px}\t{gross}\t{told}\t{fees}\t{net}\t{rounding}\t{trade_date}\t{settlement_date}\t{state}"
    )


def told_block(block: Block, *, round_: int) -> BlockTold:
    """The block as the events of a round tell it."""
    return BlockTold(
        block.id, block.number, block.kind, round_, block.account_id, block.desk_id, block.listing_id, block.instrument_id,
        block.side, block.currency, block.price_divisor, block.capacity, block.session_group, block.trade_date,
        block.settlement_date, block.method, block.scheme,
    )  # fmt: skip


def told_of_row(row: Kept | Allocation) -> LineTold:
    """A line as it stands."""
    return LineTold(
        row.id, row.number, row.account_id, row.booked_account_id, row.side, row.qty, row.avg_px, row.gross, row.fees, row.net,
        row.trade_date, row.settlement_date, tuple([(a, b, c, d) for a, b, c, d in row.charges]), row.is_rounding, row.state,
        row.reason, row.compensates_id,
    )  # fmt: skip
