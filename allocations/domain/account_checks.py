"""Whether an account may take its share, on facts handed in. Pure.

A trade that was executed cannot be refused (it happened): a line that does not pass is *parked*, booked to suspense with a
reason until somebody mends that. What is restricted says so in the words everybody may read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from itertools import repeat
from operator import le, neg
from typing import Any, NamedTuple, Protocol

from kernel.columns import rows_of
from kernel.fix import Side
from kernel.numbers import ZERO, plain

ACTIVE = "active"


class ParkCode(StrEnum):
    """Why a share is parked."""

    ACCOUNT_CLOSED = "ACCOUNT_CLOSED"
    ACCOUNT_FROZEN = "ACCOUNT_FROZEN"
    ACCOUNT_REDUCE_ONLY = "ACCOUNT_REDUCE_ONLY"
    ACCOUNT_BLOCKED = "ACCOUNT_BLOCKED"
    RESTRICTED = "RESTRICTED"
    OUTSIDE_MANDATE = "OUTSIDE_MANDATE"
    NOT_CHARGEABLE = "NOT_CHARGEABLE"
    CASH_SHORT = "CASH_SHORT"
    STOCK_SHORT = "STOCK_SHORT"


class LineCheck(NamedTuple):
    """One reason why a line is parked."""

    code: ParkCode
    sentence: str


class AccountFacts(NamedTuple):
    """What is known of an account when a share is looked at.

    ``cash`` in the block's currency and ``stock`` in its instrument: what may be traded, reservations taken off; ``short``: units
    sold short. ``blocked``: why a block stands on account, client or position. ``covered``: some schedule says what it is charged;
    ``account_class``: by which one.
    """

    state: str
    cash: Decimal = ZERO
    stock: Decimal = ZERO
    short: Decimal = ZERO
    restricted: bool = False
    outside_mandate: str = ""
    covered: bool = True
    currency: str = ""
    blocked: str = ""
    account_class: str = ""


class MeansColumns(Protocol):
    """Cash, stock and units sold short of many accounts, as of :class:`AccountFacts`."""

    @property
    def cash(self) -> Sequence[Decimal]: ...
    @property
    def stock(self) -> Sequence[Decimal]: ...
    @property
    def short(self) -> Sequence[Decimal]: ...


class Have(NamedTuple):
    """The same, written down."""

    cash: Sequence[Decimal] = ()
    stock: Sequence[Decimal] = ()
    short: Sequence[Decimal] = ()


@dataclass(frozen=True)
class FactColumns:
    """What is known of many accounts, a column a fact (:class:`AccountFacts`), in one order."""

    state: Sequence[str]
    means: MeansColumns
    restricted: Sequence[bool]
    outside_mandate: Sequence[str]
    covered: Sequence[bool]
    currency: str
    blocked: Sequence[str]
    account_class: Sequence[str]

    @cached_property
    def rows(self) -> list[AccountFacts]:
        """Account by account."""
        means = self.means
        return rows_of(
            AccountFacts, self.state, means.cash, means.stock, means.short, self.restricted, self.outside_mandate,
            self.covered, repeat(self.currency), self.blocked, self.account_class,
        )  # fmt: skip


def all_checks(
    side: Side, quantities: Sequence[Decimal], nets: Sequence[Decimal], facts: FactColumns
) -> dict[int, tuple[LineCheck, ...]]:
    """:func:`checks_of` for a share of each account, by place; who is not there passes.

    Each fact is looked at a column at a time; only accounts of which any could speak against their share are looked at one by one.
    """
    found = {}
    for place in sorted(_doubtful(side, quantities, nets, facts)):
        checks = checks_of(side, quantities[place], nets[place], facts.rows[place])
        if checks:
            found[place] = checks
    return found


def _doubtful(side: Side, quantities: Sequence[Decimal], nets: Sequence[Decimal], facts: FactColumns) -> set[int]:
    """Places of all that do not pass, and maybe of some that do."""
    found: set[int] = set()
    plainly: tuple[tuple[Sequence[Any], Any], ...] = (
        (facts.state, ACTIVE),
        (facts.covered, True),
        (facts.restricted, False),
        (facts.outside_mandate, ""),
        (facts.blocked, ""),
    )
    for column, good in plainly:
        if column.count(good) != len(column):
            found.update([place for place, value in enumerate(column) if value != good])
    for needed, there in _needs(side, quantities, nets, facts):
        if not all(map(le, needed, there)):
            found.update([place for place, (need, has) in enumerate(zip(needed, there, strict=True)) if need > has])
    return found


def _needs(
    side: Side, quantities: Sequence[Decimal], nets: Sequence[Decimal], facts: FactColumns
) -> Iterator[tuple[Sequence[Decimal], Sequence[Decimal]]]:
    """What must not be more than what is there, each as two columns."""
    yield list(map(neg, nets)), facts.means.cash
    if side is Side.SELL:
        yield quantities, facts.means.stock


def checks_of(side: Side, qty: Decimal, net: Decimal, facts: AccountFacts) -> tuple[LineCheck, ...]:
    """Everything that speaks against ``qty`` for ``net`` money (signed, charges included) in this account; empty: it passes."""
    if not qty or _plainly(side, qty, net, facts):
        return ()
    return tuple(
        check
        for check in (
            _state(side, qty, facts),
            _blocked(facts),
            _restricted(facts),
            _mandate(facts),
            _charges(facts),
            _cash(net, facts),
            _stock(side, qty, facts),
        )
        if check is not None
    )


def _plainly(side: Side, qty: Decimal, net: Decimal, facts: AccountFacts) -> bool:
    """Whether nothing at all speaks against it, asked once: what nearly every account answers."""
    state, cash, stock, _, restricted, outside_mandate, covered, _, blocked, _ = facts
    return (
        state == ACTIVE
        and covered
        and not (restricted or outside_mandate or blocked)
        and (net >= 0 or -net <= cash)
        and (side is not Side.SELL or qty <= stock)
    )


def _state(side: Side, qty: Decimal, facts: AccountFacts) -> LineCheck | None:
    if facts.state == "closed":
        return LineCheck(ParkCode.ACCOUNT_CLOSED, "The account is closed.")
    if facts.state == "frozen":
        return LineCheck(ParkCode.ACCOUNT_FROZEN, "The account is frozen.")
    if facts.state == "reduce_only":
        reduces = qty <= facts.short if side.is_buy else not side.is_short and qty <= facts.stock
        if not reduces:
            return LineCheck(ParkCode.ACCOUNT_REDUCE_ONLY, "The account may only reduce what it has.")
    return None


def _blocked(facts: AccountFacts) -> LineCheck | None:
    return LineCheck(ParkCode.ACCOUNT_BLOCKED, f"Blocked: {facts.blocked.rstrip('.')}.") if facts.blocked else None


def _restricted(facts: AccountFacts) -> LineCheck | None:
    return LineCheck(ParkCode.RESTRICTED, "Restricted: contact compliance.") if facts.restricted else None


def _mandate(facts: AccountFacts) -> LineCheck | None:
    return LineCheck(ParkCode.OUTSIDE_MANDATE, facts.outside_mandate) if facts.outside_mandate else None


def _charges(facts: AccountFacts) -> LineCheck | None:
    if facts.covered:
        return None
    return LineCheck(ParkCode.NOT_CHARGEABLE, "No schedule says what the account is charged for this trade.")


def _cash(net: Decimal, facts: AccountFacts) -> LineCheck | None:
    missing = -net - facts.cash
    if net >= 0 or missing <= 0:
        return None
    return LineCheck(ParkCode.CASH_SHORT, f"{plain(missing)} {facts.currency} is missing to pay for it.")


def _stock(side: Side, qty: Decimal, facts: AccountFacts) -> LineCheck | None:
    if side is not Side.SELL or qty <= facts.stock:
        return None
    return LineCheck(ParkCode.STOCK_SHORT, f"{plain(qty - facts.stock)} units are missing to deliver it.")
