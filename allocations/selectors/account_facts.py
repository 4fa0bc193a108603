"""What is known of the accounts of a block: what they may pay with and deliver, what stops them, what they are charged by.

Read in one statement for all of them, with their names (a preview) or under the locks of who books. What holds for firm, desk or class
is found once and not once a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from accounts.domain.fee_book import FeeScope, Selected, side_word
from accounts.selectors.fees import get_fee_book
from allocations.domain.account_checks import AccountFacts, FactColumns, Have
from allocations.domain.charging import Earlier
from allocations.models import Block
from allocations.selectors.cases import Case, NamedAccounts
from allocations.selectors.means import Means, means_of
from journal.bulk import raw_cursor
from kernel.columns import looked_up
from kernel.fix import Side
from kernel.numbers import ZERO
from kernel.texts import id_text
from risk.domain.rulebook.book import Rulebook
from risk.domain.rulebook.entries import MandateEntry
from risk.models import POSITION, Scope
from risk.rulebook import get_rulebook

NO_RULEBOOK = "The rulebook cannot be read, so nothing can be judged by it."
_BLOCKS = """
SELECT scope, scope_id, reason FROM risk_block
 WHERE lifted_at IS NULL AND (scope IN ('account', 'client') OR scope = 'position' AND scope_id LIKE %s)
   AND NOT EXISTS (SELECT FROM risk_waiver w WHERE w.block_id = risk_block.id AND w.ended_at IS NULL AND w.until > %s)
"""
_CLIENTS = """
SELECT array_agg(a.client_id ORDER BY nth) FROM unnest(%s::uuid[]) WITH ORDINALITY AS named(id, nth)
  JOIN accounts_tradingaccount a ON a.id = named.id
"""
_EARLIER = """
SELECT a.account_id, a.qty, abs(a.gross), a.charges
  FROM allocations_allocation a JOIN allocations_block b ON b.id = a.block_id
 WHERE b.id <> %(block)s AND b.trade_date = %(day)s AND b.side = %(side)s AND a.state = 'booked' AND a.compensates_id IS NULL
   AND b.id IN (SELECT f.block_id FROM allocations_blockfill f WHERE f.order_id = ANY(%(orders)s::uuid[]))
"""


@dataclass(frozen=True)
class Known:
    """Facts of the accounts ``ids``, in their order, schedules by class, and what other blocks of the same orders' day gave and charged
    them."""

    ids: Sequence[UUID]
    columns: FactColumns
    selected: Mapping[str, Selected]
    earlier: Mapping[UUID, Earlier]

    @cached_property
    def facts(self) -> dict[UUID, AccountFacts]:
        """By account."""
        return dict(zip(self.ids, self.columns.rows, strict=True))


NOTHING_KNOWN = Known((), FactColumns((), Have(), (), (), (), "", (), ()), {}, {})
"""Of no account."""


def read_known(case: Case, *, at: datetime) -> Known:
    """All of it for the accounts of a case."""
    block, named = case.block, case.named
    scope = _scope(block)
    book = get_fee_book()
    selected = {name: book.select(scope._replace(account_class=name), block.trade_date) for name in set(named.classes)}
    means = named.means or means_of(named.ids, currency=block.currency, instrument_id=block.instrument_id)
    return Known(named.ids, _facts(block, named, selected, means, at=at), selected, _earlier(block, case.order_ids))


def _scope(block: Block) -> FeeScope:
    listing = block.listing
    instrument = listing.instrument
    return FeeScope(
        listing.market_id, instrument.isin, instrument.asset_class, "", side_word(Side(block.side)), block.currency
    )


def _facts(
    block: Block, named: NamedAccounts, selected: Mapping[str, Selected], means: Means, *, at: datetime
) -> FactColumns:
    side, count = Side(block.side), len(named.ids)
    adds_risk = side.is_buy or side.is_short
    judge = _Judge(block, get_rulebook(), adds_risk, at)
    restricted, outside = [False] * count, [judge.same_for_all or ""] * count
    if judge.same_for_all is None:
        accounts = list(zip(named.codes, named.ids, _clients_of(named), strict=True))
        restricted = [judge.restricted(account_id, client_id) for _, account_id, client_id in accounts]
        outside = [judge.outside_mandate(*account) for account in accounts]
    covered = {name: one.covered for name, one in selected.items()}
    return FactColumns(
        state=named.states, means=means, restricted=restricted,
        outside_mandate=outside, covered=looked_up(covered, named.classes), currency=block.currency,
        blocked=_blocked(block, named, at) if adds_risk else [""] * count, account_class=named.classes,
    )  # fmt: skip


def _blocked(block: Block, named: NamedAccounts, at: datetime) -> list[str]:
    """Why a block stands on each account, on its client or on its position; the narrowest word of them is the account's."""
    with raw_cursor() as cursor:
        cursor.execute(_BLOCKS, [f"%:{block.instrument_id}", at])
        reasons = {(scope, scope_id): reason for scope, scope_id, reason in cursor.fetchall()}
    found, scopes = [""] * len(named.ids), {scope for scope, _ in reasons}
    for scope, suffix in ((POSITION, f":{block.instrument_id}"), (Scope.CLIENT.value, ""), (Scope.ACCOUNT.value, "")):
        if scope in scopes:
            column = _clients_of(named) if scope == Scope.CLIENT.value else named.ids
            keys = ((scope, id_text(one) + suffix) for one in column)
            found = [reasons.get(key, before) for key, before in zip(keys, found, strict=True)]
    return found


def _clients_of(named: NamedAccounts) -> list[UUID]:
    """Whose the accounts are, in their order; few blocks need to know."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_CLIENTS, [list(named.ids)])
        clients: list[UUID] | None = cursor.fetchall()[0][0]
    return clients or []


class _Judge:
    """What the rulebook says of an account's share of one block; what it says of firm and desk is asked once for all."""

    def __init__(self, block: Block, book: Rulebook | None, adds_risk: bool, at: datetime) -> None:
        self.block, self.book = block, book
        self.side = Side(block.side)
        self.adds_risk = adds_risk
        self.general = (("firm", ""), ("desk", str(block.desk_id)))
        self.entries: set[tuple[str, str]] = set()
        self.mandates: list[MandateEntry] = []
        self.own = False
        self.general_why = ""
        if adds_risk and book is not None:
            found = book.restricted([("instrument", str(block.instrument_id))], at)
            self.entries = {
                one.pair for one in found if not one.watch and one.concerns(buys=self.side.is_buy)
            }  # fmt: skip
            self.mandates = book.mandates(self.general)
            self.own = bool(book.mandated & {"client", "account"})
            self.general_why = self._outside(self.mandates)

    @property
    def same_for_all(self) -> str | None:
        """Why every account is outside a mandate (empty: none is), where nothing in the book is about one of them alone."""
        if not self.adds_risk:
            return ""
        if self.book is None:
            return NO_RULEBOOK
        return self.general_why if self.mandates and not self.own and not self.entries else None

    def restricted(self, account_id: UUID, client_id: UUID) -> bool:
        """Whether an entry of the restricted list is for it."""
        if not self.entries:
            return False
        return not self.entries.isdisjoint((*self.general, *_own(account_id, client_id)))

    def outside_mandate(self, code: str, account_id: UUID, client_id: UUID) -> str:
        """Why it is outside a mandate; empty where it is within all, and takes only risk away."""
        if not self.adds_risk:
            return ""
        if self.book is None:
            return NO_RULEBOOK
        own = self.book.mandates(_own(account_id, client_id)) if self.own else []
        if not own and not self.mandates:
            return f"No mandate says what account {code} may trade."
        return self.general_why or (self._outside(own) if own else "")

    def _outside(self, mandates: Iterable[MandateEntry]) -> str:
        listing = self.block.listing
        for mandate in mandates:
            for word, value, allowed in (
                ("market", listing.market_id, mandate.markets),
                ("asset class", listing.instrument.asset_class, mandate.asset_classes),
                ("currency", self.block.currency, mandate.currencies),
            ):
                if allowed is not None and value not in allowed:
                    return f"The {mandate.pair[0]}'s mandate does not include the {word} {value}."
            if self.side.is_short and not mandate.short_allowed:
                return f"The {mandate.pair[0]}'s mandate includes no short sales."
        return ""


def _own(account_id: UUID, client_id: UUID) -> tuple[tuple[str, str], ...]:
    return ("client", id_text(client_id)), ("account", id_text(account_id))


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
