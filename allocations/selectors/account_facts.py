"""What is known of the accounts of a block: what they may pay with and deliver, what stops them, what they are charged by.

Read in one statement for all of them. Who books has their balances locked; a preview reads the same without.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.fee_book import FeeScope, Selected, side_word
from accounts.selectors.fees import get_fee_book
from allocations.domain.account_checks import AccountFacts
from allocations.domain.charging import Earlier
from allocations.models import Block
from allocations.selectors.cases import AccountOfLine, Case
from journal.bulk import raw_cursor
from journal.domain.pg_text import array_literal
from kernel.fix import Side
from kernel.numbers import ZERO
from risk.domain.rulebook.book import Rulebook
from risk.models import POSITION, Scope
from risk.rulebook import get_rulebook

NO_RULEBOOK = "The rulebook cannot be read, so nothing can be judged by it."
_MONEY = """
SELECT a, coalesce(c.settled + c.pending - c.reserved, 0), coalesce(h.settled + h.pending - h.reserved, 0), coalesce(h.short, 0)
  FROM unnest(%s::uuid[]) a
  LEFT JOIN accounts_cashbalance c ON c.account_id = a AND c.currency = %s
  LEFT JOIN accounts_holding h ON h.account_id = a AND h.instrument_id = %s
"""
_BLOCKS = """
SELECT scope, scope_id, reason FROM risk_block
 WHERE lifted_at IS NULL AND (scope IN ('account', 'client') OR scope = 'position' AND scope_id LIKE %s)
"""
_EARLIER = """
SELECT a.account_id, a.qty, abs(a.gross), a.charges
  FROM allocations_allocation a JOIN allocations_block b ON b.id = a.block_id
 WHERE b.id <> %(block)s AND b.trade_date = %(day)s AND b.side = %(side)s AND a.state = 'booked' AND a.compensates_id IS NULL
   AND b.id IN (SELECT f.block_id FROM allocations_blockfill f WHERE f.order_id = ANY(%(orders)s::uuid[]))
"""


@dataclass(frozen=True, slots=True)
class Known:
    """Facts and class by account, schedules by class, and what other blocks of the same orders' day gave and charged them."""

    facts: Mapping[UUID, AccountFacts]
    selected: Mapping[str, Selected]
    earlier: Mapping[UUID, Earlier]
    classes: Mapping[UUID, str] = field(default_factory=dict)


def read_known(case: Case, *, at: datetime) -> Known:
    """All of it for the accounts of a case."""
    block, accounts = case.block, list(case.accounts.values())
    scope = _scope(block)
    book = get_fee_book()
    selected = {
        name: book.select(scope._replace(account_class=name), block.trade_date)
        for name in {one.account_class for one in accounts}
    }
    classes = {one.id: one.account_class for one in accounts}
    return Known(_facts(block, accounts, selected, at=at), selected, _earlier(block, case.order_ids), classes)


def _scope(block: Block) -> FeeScope:
    listing = block.listing
    instrument = listing.instrument
    return FeeScope(
        listing.market_id, instrument.isin, instrument.asset_class, "", side_word(Side(block.side)), block.currency
    )


def _facts(
    block: Block, accounts: Sequence[AccountOfLine], selected: Mapping[str, Selected], *, at: datetime
) -> dict[UUID, AccountFacts]:
    side = Side(block.side)
    adds_risk = side.is_buy or side.is_short
    blocked = _blocked(block) if adds_risk else {}
    judge = _Judge(block, get_rulebook(), adds_risk, at)
    with raw_cursor(binary=True) as cursor:
        ids = array_literal("uuid", [one.id for one in accounts])
        cursor.execute(_MONEY, [ids, block.currency, block.instrument_id])
        money = {row[0]: row[1:] for row in cursor.fetchall()}
    return {
        one.id: AccountFacts(
            one.state,
            cash=money[one.id][0],
            stock=money[one.id][1],
            short=money[one.id][2],
            restricted=judge.restricted(one),
            outside_mandate=judge.outside_mandate(one),
            covered=selected[one.account_class].covered,
            currency=block.currency,
            blocked=next((blocked[key] for key in _keys(one, block) if key in blocked), ""),
        )
        for one in accounts
    }


def _blocked(block: Block) -> dict[tuple[str, str], str]:
    with raw_cursor() as cursor:
        cursor.execute(_BLOCKS, [f"%:{block.instrument_id}"])
        return {(scope, scope_id): reason for scope, scope_id, reason in cursor.fetchall()}


def _keys(account: AccountOfLine, block: Block) -> tuple[tuple[str, str], ...]:
    return (
        (Scope.ACCOUNT.value, str(account.id)),
        (Scope.CLIENT.value, str(account.client_id)),
        (POSITION, f"{account.id}:{block.instrument_id}"),
    )


class _Judge:
    """What the rulebook says of an account's share of one block."""

    def __init__(self, block: Block, book: Rulebook | None, adds_risk: bool, at: datetime) -> None:
        self.block, self.book, self.adds_risk, self.at = block, book, adds_risk, at
        self.side = Side(block.side)
        self.asset_class = block.listing.instrument.asset_class

    def _pairs(self, account: AccountOfLine) -> tuple[tuple[str, str], ...]:
        return (
            ("firm", ""),
            ("desk", str(self.block.desk_id)),
            ("client", str(account.client_id)),
            ("account", str(account.id)),
        )

    def restricted(self, account: AccountOfLine) -> bool:
        if not self.adds_risk or self.book is None:
            return False
        subjects = (("instrument", str(self.block.instrument_id)),)
        found = self.book.restrictions(subjects, self._pairs(account), self.at)
        return any(not entry.watch and entry.concerns(buys=self.side.is_buy) for entry in found)

    def outside_mandate(self, account: AccountOfLine) -> str:
        if not self.adds_risk:
            return ""
        if self.book is None:
            return NO_RULEBOOK
        mandates = self.book.mandates(self._pairs(account))
        if not mandates:
            return f"No mandate says what account {account.code} may trade."
        listing = self.block.listing
        for mandate in mandates:
            for word, value, allowed in (
                ("market", listing.market_id, mandate.markets),
                ("asset class", self.asset_class, mandate.asset_classes),
                ("currency", self.block.currency, mandate.currencies),
            ):
                if allowed is not None and value not in allowed:
                    return f"The {mandate.pair[0]}'s mandate does not include the {word} {value}."
            if self.side.is_short and not mandate.short_allowed:
                return f"The {mandate.pair[0]}'s mandate includes no short sales."
        return ""


def _earlier(block: Block, order_ids: Sequence[UUID]) -> dict[UUID, Earlier]:
    values = {"block": block.id, "day": block.trade_date, "side": block.side, "orders": list(order_ids)}
    found: dict[UUID, Earlier] = {}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_EARLIER, values)
        rows = cursor.fetchall()
    for account_id, qty, value, charged in rows:
        had = found.get(account_id, Earlier(ZERO, ZERO, {}))
        booked = dict(had.booked)
        for _, name, _, amount in charged:
            booked[name] = booked.get(name, ZERO) + Decimal(amount)
        found[account_id] = Earlier(had.qty + qty, had.value + value, booked)
    return found
