"""What confirming reads: allocations as lines, terms, tolerances, confirmations with what the counterparty says of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from allocations.domain.confirm_messages import ACKS, CAME_BACK, Line, said_of, split_charges
from allocations.domain.matching import Ours, Theirs, Tolerance
from allocations.domain.terms import NOBODY, Terms, default_terms
from allocations.models import Block, BlockFill, Confirmation, CounterpartyRecord, CounterpartyTerms, MatchTolerance
from journal.bulk import raw_cursor
from kernel.post_trade import AckStatus, OrderLine, from_json
from orders.models import Order

_LINES = f"""
SELECT a.id, a.number, b.id, b.number, a.round, b.kind, coalesce(nullif(b.session_group, ''), '{NOBODY}'), c.code,
       c.account_class, l.symbol, i.isin, l.market_id, b.currency, b.capacity, a.side, a.qty, a.avg_px, abs(a.gross),
       a.charges::text, abs(a.net), a.trade_date, a.settlement_date, a.state
  FROM allocations_allocation a
  JOIN allocations_block b ON b.id = a.block_id
  JOIN accounts_tradingaccount c ON c.id = a.account_id
  JOIN refdata_listing l ON l.id = b.listing_id
  JOIN refdata_instrument i ON i.id = l.instrument_id
"""  # noqa: S608 a constant of ours
MOST_ORDERS = 200


@dataclass(frozen=True, slots=True)
class Standing:
    """A confirmation with its allocation."""

    row: Confirmation
    line: Line

    @property
    def ours(self) -> Ours:
        """As it is paired: known by its own name and its allocation's."""
        return Ours(self.row.id, self.row.ref, frozenset({self.row.ref, self.line.ref}), self.line.says)


def lines_of_blocks(block_ids: Collection[UUID]) -> list[Line]:
    """The allocations of whole blocks that have a quantity, whatever became of them, by number."""
    return _lines("WHERE a.block_id = ANY(%s) AND NOT a.is_rounding ORDER BY a.number", list(block_ids))


def lines_of(allocation_ids: Collection[UUID]) -> dict[UUID, Line]:
    """These allocations."""
    return {line.allocation_id: line for line in _lines("WHERE a.id = ANY(%s)", list(allocation_ids))}


def _lines(where: str, parameter: list[UUID]) -> list[Line]:
    with raw_cursor() as cursor:
        cursor.execute(_LINES + where, [parameter])
        return [_line(row) for row in cursor.fetchall()]


def _line(row: tuple[Any, ...]) -> Line:
    commission, fees = split_charges(json.loads(row[18]))
    values: Any = (*row[:18], commission, fees, *row[19:])
    return Line(*values)


def standings(rows: Iterable[Confirmation]) -> list[Standing]:
    """The confirmations with their allocations, in the order given."""
    held = list(rows)
    lines = lines_of({row.allocation_id for row in held})
    return [Standing(row, lines[row.allocation_id]) for row in held]


def terms_of(counterparties: Collection[str]) -> dict[str, Terms]:
    """How we confirm with each."""
    found = {name: default_terms(name) for name in counterparties}
    rows = CounterpartyTerms.objects.filter(counterparty__in=counterparties).order_by("version")
    for row in rows:
        found[row.counterparty] = Terms(row.counterparty, row.role, row.channel, row.confirms_direct)
    return found


def tolerances_of(counterparty: str) -> list[Tolerance]:
    """Every version that may concern the counterparty."""
    rows = MatchTolerance.objects.filter(counterparty__in=("", counterparty)).order_by("id")
    return [
        Tolerance(row.counterparty, row.field, row.currency, row.amount, row.bps, row.version, row.auto_affirm)
        for row in rows
    ]


def theirs_of(record: CounterpartyRecord) -> Theirs:
    """What a kept record says, as it is paired."""
    message = from_json(record.says)
    line = message.accounts[0] if message.accounts else None
    names = tuple(name for name in (message.allocation_ref, line.ref if line else "") if name)
    return Theirs(
        id=record.id, kind=record.kind, ref=record.their_ref, said_at=message.transact_at, says=said_of(message, line),
        names=names, ref_of=message.ref_of, trans_type=record.trans_type,
    )  # fmt: skip


def turned_down(counterparty: str, names: Collection[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Of our messages of these names: those that came back, so that they never had them, and those they said no to."""
    answers = CounterpartyRecord.objects.filter(counterparty=counterparty, kind__in=[kind.value for kind in ACKS])
    back = answers.filter(source__startswith=CAME_BACK, their_ref__in=list(names)).values_list("their_ref", flat=True)
    noes = {name: name for name in names} | {f"{name}:{AckStatus.REJECTED.value}"[:64]: name for name in names}
    said = answers.filter(their_ref__in=list(noes), says__ack_status=AckStatus.REJECTED.value)
    return frozenset(back), frozenset(noes[ref] for ref in said.values_list("their_ref", flat=True))


def orders_of_block(block_id: UUID) -> list[OrderLine]:
    """The orders whose executions a block holds, with what each brought; none where they are more than a message may name."""
    sums: dict[UUID, tuple[Decimal, Decimal]] = {}
    for order_id, qty, px in BlockFill.objects.filter(block_id=block_id, qty__gt=0).values_list(
        "order_id", "qty", "px"
    ):
        had, notional = sums.get(order_id, (Decimal(0), Decimal(0)))
        sums[order_id] = (had + qty, notional + qty * px)
    if len(sums) > MOST_ORDERS:
        return []
    rows = Order.objects.filter(id__in=sums).order_by("id").values_list("id", "cl_ord_id", "venue_order_id")
    return [
        OrderLine(
            cl_ord_id or "", venue_id or "", sums[pk][0], (sums[pk][1] / sums[pk][0]).quantize(Decimal("0.00000001"))
        )
        for pk, cl_ord_id, venue_id in rows
    ]


def counterparties_of(block_ids: Collection[UUID]) -> list[str]:
    """With whom these blocks are confirmed, by name."""
    groups = Block.objects.filter(id__in=block_ids).values_list("session_group", flat=True)
    return sorted({group or NOBODY for group in groups})
