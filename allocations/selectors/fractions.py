"""Parts of shares between two sides of a trade: what an account has pending is what its transformed instructions will bring.

An account is entitled on all it holds, rounded once (``accounts.domain.entitlement``); instructions are rounded one by one, as both
sides of each do. Where that comes to other whole shares, those move from pending stock to pending money at the action's price of a
share, or back, so that pending stock is what will change hands, to the share. Short sales are a leg of their own that no instruction
settles.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from accounts.as_at import get_positions_before
from accounts.domain.action_rules import rule_of
from accounts.domain.entitlement import Position, entitlement
from accounts.domain.ledger import Layer
from accounts.services.book_action import EX, kept_lines
from allocations.domain import transitions as moves
from allocations.domain.instructing import RECEIVE
from allocations.domain.transforming import transformed
from allocations.models import SettlementInstruction
from journal.bulk import raw_cursor
from kernel.fix import Side
from kernel.numbers import ZERO, round_money
from refdata.domain.action_terms import ActionTerms, Fractions
from refdata.domain.action_transitions import STANDS
from refdata.models import CorporateAction

NAME = "fractions_of"
"""By what the payload of such a booking's event names the action."""
_MOVED = """
SELECT b.account_id, coalesce(sum(b.amount) FILTER (WHERE b.instrument_id IS NOT NULL), 0),
       coalesce(sum(b.amount) FILTER (WHERE b.instrument_id IS NULL), 0)
  FROM accounts_booking b JOIN journal_event e ON e.id = b.event_id
 WHERE b.account_id = ANY(%s::uuid[]) AND b.kind = 'claim' AND e.payload ->> 'fractions_of' = %s GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class Moves:
    """What must have moved of an account's pending stock and pending money beyond its entitlement, and what has."""

    account_id: UUID
    units: Decimal
    money: Decimal
    had_units: Decimal
    had_money: Decimal


@dataclass(frozen=True, slots=True)
class _Lot:
    """One instruction: units in old shares and in new ones, signed as received."""

    old: Decimal
    new: Decimal


def fraction_moves(action: CorporateAction, terms: ActionTerms) -> Iterator[Moves]:
    """Of every account with a transformed instruction, by id; not of one whose entitlement is not booked as it is now."""
    if not terms.kind.is_split:
        return
    lots = _lots(action)
    if not lots:
        return
    positions = get_positions_before(account_ids=lots, instrument_id=action.instrument_id, day=terms.ex_date)
    had = _moved(action, lots)
    for account_id, own in sorted(lots.items()):
        due = _due(action, terms, account_id, positions.get(account_id, Position()), own)
        if due is not None:
            yield Moves(account_id, *due, *had.get(account_id, (ZERO, ZERO)))


def _lots(action: CorporateAction) -> dict[UUID, list[_Lot]]:
    """By account what was transformed and stands, also what has settled or was transformed again since."""
    rows = SettlementInstruction.objects.filter(action=action).select_related("allocation").order_by("id")
    found: defaultdict[UUID, list[_Lot]] = defaultdict(list)
    for row in rows:
        own = found[row.account_id]
        undone = str(action.id) not in row.taken_into
        ended = row.state == moves.CANCELED and row.shares_until is None
        if not undone and not ended and not Side(row.allocation.side).is_short and row.of_qty is not None:
            sign = 1 if row.delivery == RECEIVE else -1
            own.append(_Lot(sign * row.of_qty, sign * row.qty))
    return found


def _moved(action: CorporateAction, account_ids: Iterable[UUID]) -> dict[UUID, tuple[Decimal, Decimal]]:
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_MOVED, [list(account_ids), str(action.id)])
        return {account_id: (stock, cash) for account_id, stock, cash in cursor.fetchall()}


def _due(
    action: CorporateAction, terms: ActionTerms, account_id: UUID, position: Position, lots: Iterable[_Lot]
) -> tuple[Decimal, Decimal] | None:
    """Stock and money that must have moved beyond the entitlement; None while the entitlement itself is not booked as it is now."""
    if action.state not in STANDS:
        return ZERO, ZERO
    rule = rule_of(terms, action.instrument_id)
    assert rule is not None
    wanted = entitlement(rule, position).lines
    kept = kept_lines(action.id, account_id, EX)
    if {key: value for key, value in wanted.items() if value} != {key: value for key, value in kept.items() if value}:
        return None
    pending = sum((part.units for part in position.parts if part.layer is Layer.PENDING), ZERO)
    gained = sum((v for k, v in wanted.items() if k.instrument_id and k.layer is Layer.PENDING), ZERO)
    chosen = list(lots)
    rest = pending - sum((lot.old for lot in chosen), ZERO)
    brought = sum((lot.new for lot in chosen), ZERO) + transformed(rest, terms).qty
    units = brought - (pending + gained)
    return units, _worth(units, terms)


def _worth(units: Decimal, terms: ActionTerms) -> Decimal:
    """Money in the place of shares that do not come; of ones that come beyond, less."""
    if terms.fractions is not Fractions.CASH or terms.fraction_px is None:
        return ZERO
    return round_money(-units * terms.fraction_px, terms.currency)
