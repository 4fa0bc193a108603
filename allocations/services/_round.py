"""One round of a block: what stands is undone, what is wanted is booked, in one transaction (ADR 0047).

What has not settled is reversed to the minor unit and booked anew. What has settled cannot be: where the account is to have less (or
more) than it has, a trade the other way (or the same way) is booked today at the price it was allocated at, so that positions are
equal; what that leaves of the block's money, and charges that are given back, go to the error account and are told.

Invariants: quantities and money of all lines that stand are the block's (also by constraint, at commit); a line whose account does not
pass its checks is parked in suspense, never dropped; every line is told by the event that its bookings name.

The block is locked by the caller. Its accounts are locked here, before anything about their money is read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from uuid import UUID

from accounts.domain.fees import Charge
from accounts.locks import lock_allocated
from accounts.models import Booking
from accounts.selectors import find_suspense_account
from allocations.domain import transitions as moves
from allocations.domain.account_checks import AccountFacts, checks_of
from allocations.domain.allocating import Plan, PlanLine
from allocations.domain.block import half_even
from allocations.domain.charging import Biller, Earlier, charges_of, costs_of
from allocations.domain.methods import mark_to_json, turns_to_json
from allocations.domain.telling import LineTold
from allocations.models import Block, WashAccount
from allocations.selectors.account_facts import NOTHING_KNOWN, read_known
from allocations.selectors.cases import Case
from allocations.selectors.settled import settled_of
from allocations.selectors.standing_lines import Kept, standing_lines
from allocations.services._writing import Group, next_numbers, told_of_row, write_round
from authorisation.domain.principal import Principal
from kernel.crash_points import crash_point
from kernel.errors import Conflict
from kernel.fix import Side
from kernel.ids import new_id, new_ids
from kernel.numbers import ZERO, minor_unit
from refdata.selectors import get_market_clock

OPPOSITE = {Side.BUY: Side.SELL, Side.SELL: Side.BUY, Side.SELL_SHORT: Side.BUY, Side.SELL_SHORT_EXEMPT: Side.BUY}
GIVEN_BACK = "charges_given_back"


@dataclass(frozen=True, slots=True)
class BookedRound:
    """What came of it: lines by what became of them, what rounding left, and what went to the error account: money that
    undoing settled lines leaves, and charges that were given back."""

    round: int
    booked: int
    parked: int
    reversed: int
    compensated: int
    rounding: Decimal
    error: Decimal
    given_back: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Proposed:
    """What is wanted of a block, and the plan it came to."""

    case: Case
    plan: Plan


@dataclass(slots=True)
class _Standing:
    """What an account has of the block by lines that have settled, with what undid parts of them; ``given_back``: charges."""

    row: Kept
    qty: Decimal = ZERO
    gross: Decimal = ZERO
    charged: dict[str, Decimal] = field(default_factory=dict)
    given_back: Decimal = ZERO

    def count(self, row: Kept) -> None:
        """A line of it."""
        self.qty += row.qty if row.side == self.row.side else -row.qty
        self.gross += row.gross
        for _, name, _, amount in row.charges:
            self.charged[name] = self.charged.get(name, ZERO) + Decimal(amount)
        if row.compensates_id and row.fees < 0:
            self.given_back -= row.fees


def book_round(*, block: Block, proposed: Proposed | None, actor: Principal, at: datetime, why: str) -> BookedRound:
    """Undo what stands and book what is proposed (None: nothing is left of the block). Raises Conflict SUSPENSE_ACCOUNT_MISSING."""
    wash = WashAccount.objects.get(pk=block.account_id)
    standing_rows = standing_lines(block.id)
    suspense = find_suspense_account(block.desk_id)
    _lock(block, wash, suspense, standing_rows, proposed)
    kept, undone = _kept_and_undone(standing_rows)  # behind the balances: nothing settles any more until commit
    was = [told_of_row(row) for row in undone]
    undoing = Group("AllocationReversed", Booking.Kind.ALLOCATION, was, -1, block.round, why)
    write_round(block=block, groups=[undoing], actor=actor, at=at)
    crash_point("round.undone")

    maker = _Maker(block, wash, suspense, proposed, at)
    fresh, changes = maker.lines(kept), maker.changes(kept)
    rounding = maker.rounding()
    error = maker.error(kept, [*fresh, *changes, *rounding])
    numbered = _numbered([*fresh, *rounding, *changes, *error])
    split = len(fresh) + len(rounding)
    _adopt(block, proposed)
    booking = Group("AllocationBooked", Booking.Kind.ALLOCATION, numbered[:split], 1, block.round + 1, "")
    undone_after = Group(
        "AllocationCompensated", Booking.Kind.COMPENSATION, numbered[split:], 1, block.round + 1, why
    )  # fmt: skip
    gone = [one.row for one in kept.values() if one.row.state == moves.BOOKED and not maker.left(one)]
    write_round(block=block, groups=[booking, undone_after], actor=actor, at=at, ended=gone)
    _move_block(block, proposed, actor, at)
    parked = sum(line.state == moves.PARKED for line in fresh)
    back = sum((line.fees for line in error), ZERO)
    return BookedRound(
        block.round, len(fresh) - parked, parked, len(undone), len(changes), _money(rounding), _money(error), back
    )


def _money(lines: Sequence[LineTold]) -> Decimal:
    return sum((line.gross for line in lines), ZERO)


def _kept_and_undone(rows: Sequence[Kept]) -> tuple[dict[UUID, _Standing], list[Kept]]:
    """Lines that have settled, even in part, by account, with what compensates them; and the rest, which can be reversed."""
    settled = settled_of([row.id for row in rows], lock=True)
    if not settled:
        return {}, list(rows)
    kept = {row.account_id: _Standing(row) for row in rows if row.id in settled and not row.compensates_id}
    undone = []
    for row in rows:
        held = kept.get(row.account_id)
        if held is not None and held.row.id in (row.id, row.compensates_id):
            held.count(row)
        else:
            undone.append(row)
    return kept, undone


def _lock(
    block: Block, wash: WashAccount, suspense: UUID | None, rows: Iterable[Kept], proposed: Proposed | None
) -> None:
    accounts = {block.account_id, wash.rounding_account_id, wash.error_account_id}
    accounts |= {row.booked_account_id for row in rows}
    accounts |= {line.account_id for line in proposed.plan.booked} if proposed else set()
    accounts |= {suspense} if suspense else set()
    lock_allocated(account_ids=accounts, instrument_id=block.instrument_id)


class _Maker:
    """Makes the lines of one round, on what is known of the accounts once the last round is undone; numbers come last."""

    def __init__(
        self, block: Block, wash: WashAccount, suspense: UUID | None, proposed: Proposed | None, at: datetime
    ) -> None:
        self.block, self.wash, self.suspense, self.proposed = block, wash, suspense, proposed
        self.side = Side(block.side)
        clock = get_market_clock(block.listing.market_id)
        self.today = clock.business_date(at)
        self.settles = clock.settlement_date(self.today)
        self.known = read_known(proposed.case, at=at) if proposed else NOTHING_KNOWN
        self.biller = Biller(self.known.selected, block.currency)

    @cached_property
    def wanted(self) -> dict[UUID, PlanLine]:
        """What accounts are to have."""
        return {line.account_id: line for line in self.proposed.plan.booked} if self.proposed else {}

    def lines(self, kept: dict[UUID, _Standing]) -> list[LineTold]:
        """A line for every account that has nothing settled."""
        if self.proposed is None:
            return []
        plan = self.proposed.plan
        fresh = [pair for pair in zip(plan.lines, self.known.columns.rows, strict=True) if pair[0].qty]
        if kept:
            fresh = [(line, facts) for line, facts in fresh if line.account_id not in kept]
        self._work_out(fresh)
        ids, px = new_ids(len(fresh)), plan.kept_px
        return [self._line(one, line, facts, px) for one, (line, facts) in zip(ids, fresh, strict=True)]

    def _work_out(self, fresh: Iterable[tuple[PlanLine, AccountFacts]]) -> None:
        """Charges of every class and size there is, each class in one go."""
        earlier, sizes = self.known.earlier, defaultdict[str, set[tuple[Decimal, Decimal]]](set)
        for line, facts in fresh:
            if not earlier or line.account_id not in earlier:
                sizes[facts.account_class].add((line.qty, line.gross))
        for account_class, shares in sizes.items():
            self.biller.work_out(account_class, list(shares))

    def _line(self, allocation_id: UUID, line: PlanLine, facts: AccountFacts, px: Decimal) -> LineTold:
        block, account_id, gross = self.block, line.account_id, line.gross
        earlier = self.known.earlier.get(account_id) if self.known.earlier else None
        costs = self.biller.costs(facts.account_class, line.qty, gross, earlier)
        net = gross - costs.fees
        failed = checks_of(self.side, line.qty, net, facts)
        made = LineTold(
            allocation_id, 0, account_id, account_id, block.side, line.qty, px, gross, costs.fees, net, block.trade_date,
            block.settlement_date, costs.told,
        )  # fmt: skip
        if not failed:
            return made
        if self.suspense is None:
            raise Conflict(
                "SUSPENSE_ACCOUNT_MISSING",
                "Neither the desk nor the firm has a suspense account for what must be parked.",
            )
        return made._replace(
            booked_account_id=self.suspense, charges=(), fees=ZERO, net=line.gross, state=moves.PARKED,
            reason=" ".join(check.sentence for check in failed),
        )  # fmt: skip

    def left(self, standing: _Standing) -> Decimal:
        """What the account of a settled line is to have."""
        line = self.wanted.get(standing.row.account_id)
        return line.qty if line else ZERO

    def changes(self, kept: dict[UUID, _Standing]) -> list[LineTold]:
        """What brings accounts whose lines have settled to what they are to have: trades of today."""
        return [change for standing in kept.values() if (change := self._change(standing)) is not None]

    def _change(self, standing: _Standing) -> LineTold | None:
        row, left = standing.row, self.left(standing)
        difference = left - standing.qty
        if not difference:
            return None
        gross = self._priced(difference, row.avg_px) if left else -standing.gross
        side = self.side if difference > 0 else OPPOSITE[self.side]
        made = _told(self.block, row.account_id, abs(difference), row.avg_px, gross, self._recharged(standing))
        return made._replace(
            side=side.value, trade_date=self.today, settlement_date=self.settles, compensates=row.id
        )  # fmt: skip

    def _priced(self, qty: Decimal, px: Decimal) -> Decimal:
        """Money of units at the price they were allocated at, signed as the account sees it."""
        unit = minor_unit(self.block.currency)
        exact = Fraction(px) * Fraction(qty) / self.block.price_divisor / Fraction(unit)
        minor = half_even(exact.numerator, exact.denominator)
        return unit * (-minor if self.side.is_buy else minor)

    def _recharged(self, standing: _Standing) -> tuple[Charge, ...]:
        """What is owed for what is left, less what was charged: given back where it is less. Of nothing nothing is owed."""
        row, left = standing.row, self.left(standing)
        if not left:
            named = {name: (kind, version) for kind, name, version, _ in row.charges}
            return tuple(
                Charge(*(named[name][0], name, named[name][1]), -amount)
                for name, amount in standing.charged.items()
                if amount and name in named
            )
        selected = self.known.selected[self.known.facts[row.account_id].account_class]
        qty, value = left - standing.qty, abs(self._priced(left, row.avg_px)) - abs(standing.gross)
        earlier = Earlier(standing.qty, abs(standing.gross), standing.charged)
        return charges_of(selected, qty=qty, value=value, currency=self.block.currency, earlier=earlier)

    def rounding(self) -> list[LineTold]:
        """The line of the rounding account, where there is something to round."""
        if self.proposed is None or not self.proposed.plan.residual:
            return []
        plan = self.proposed.plan
        made = _told(self.block, self.wash.rounding_account_id, ZERO, plan.kept_px, plan.residual, ())
        return [made._replace(is_rounding=True)]

    def error(self, kept: dict[UUID, _Standing], lines: Sequence[LineTold]) -> list[LineTold]:
        """What undoing settled lines leaves of the block's money, and costs in charges that are given back."""
        if not kept:
            return []
        held = kept.values()
        money = self.block.cash - _money(lines) - sum((one.gross for one in held), ZERO)
        back = sum((one.given_back for one in held), ZERO)
        back -= sum((line.fees for line in lines if line.compensates and line.fees < 0), ZERO)
        if not money and not back:
            return []
        charges = (Charge("fee", GIVEN_BACK, 1, back),) if back else ()
        made = _told(self.block, self.wash.error_account_id, ZERO, ZERO, money, charges)
        return [made._replace(is_rounding=True, trade_date=self.today, settlement_date=self.settles)]


def _told(
    block: Block, account_id: UUID, qty: Decimal, avg_px: Decimal, gross: Decimal, charges: tuple[Charge, ...]
) -> LineTold:
    costs = costs_of(charges)
    return LineTold(
        new_id(), 0, account_id, account_id, block.side, qty, avg_px, gross, costs.fees, gross - costs.fees, block.trade_date,
        block.settlement_date, costs.told,
    )  # fmt: skip


def _numbered(lines: Sequence[LineTold]) -> list[LineTold]:
    numbers = next_numbers(len(lines))
    return [LineTold._make((line[0], number, *line[2:])) for line, number in zip(lines, numbers, strict=True)]


def _adopt(block: Block, proposed: Proposed | None) -> None:
    """What a later round goes on from: what was wanted, and where its rotation began and ended."""
    if proposed is None:
        return
    case, mark = proposed.case, proposed.plan.allocation.rotation
    block.method, block.scheme = case.wanted.method, case.wanted.scheme
    turns = turns_to_json(case.turns) if case.turns else block.parameters.get("turns")
    kept = {"turns": turns} if turns else {}
    block.parameters = {"wanted": case.wanted.to_json(), "rotation": mark_to_json(mark) if mark else None, **kept}


def _move_block(block: Block, proposed: Proposed | None, actor: Principal, at: datetime) -> None:
    if proposed is None:
        block.dissolve()
    elif block.state != moves.BOOKED:
        block.book()
    block.round, block.request_id, block.booked_at, block.booked_by = block.round + 1, None, at, actor.actor
    block.updated_at, block.version = at, block.version + 1
    block.save(
        update_fields=[
            "state", "round", "method", "scheme", "parameters", "request_id", "booked_at", "booked_by", "updated_at", "version",
        ]
    )  # fmt: skip
