"""The peers of an order: orders like it a moment ago, and open orders on the other side that it would trade with.

``orders_peers`` (a function of the database) finds those that are written; the rows of one batch, not yet written, are
each other's peers by the same rules, which are said here once more for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from kernel.fix import OrdType, Side
from risk.domain.conduct import Opposite, Twin
from risk.domain.rulebook.entries import Policy

MOST = 5


@dataclass(frozen=True, slots=True)
class Peers:
    """Latest twins first, nearest opposites first; at most five of each."""

    twins: tuple[Twin, ...] = ()
    opposite: tuple[Opposite, ...] = ()


NO_PEERS = Peers()


class PeersAsked(NamedTuple):
    """The order whose peers are asked for. ``qty`` None asks for no twins; ``but`` is never a peer."""

    account_id: UUID
    client_id: UUID
    listing_id: UUID
    side: str
    ord_type: str
    qty: Decimal | None
    px: Decimal | None
    but: UUID | None


def peers_of(text: str | None) -> Peers:
    """What the function answered: None for none, else ``[twins, opposites]``."""
    if text is None:
        return NO_PEERS
    twins, opposite = orjson.loads(text)
    return Peers(
        twins=tuple(Twin(ref, datetime.fromisoformat(entered_at), state) for ref, entered_at, state in twins or ()),
        opposite=tuple(
            Opposite(ref, nearness, Decimal(price) if price is not None else None, Decimal(leaves))
            for ref, nearness, price, leaves in opposite or ()
        ),
    )


class Drafted(NamedTuple):
    """A row of a batch that will be written: what makes it a peer of the rows behind it."""

    ref: str
    account_id: UUID
    client_id: UUID
    listing_id: UUID
    side: Side
    ord_type: OrdType
    order_qty: Decimal
    price: Decimal | None
    state: str


class RowsBefore:
    """The rows of a batch so far, where a row behind them looks for its peers."""

    def __init__(self) -> None:
        self._twins: dict[tuple[Any, ...], list[Drafted]] = {}
        self._sides: dict[tuple[UUID, bool], list[Drafted]] = {}

    def add(self, row: Drafted) -> None:
        """Keep a row that will be written."""
        key = (row.account_id, row.listing_id, row.side.value, row.ord_type.value, row.order_qty, row.price)
        self._twins.setdefault(key, []).append(row)
        self._sides.setdefault((row.listing_id, row.side.is_buy), []).append(row)

    def added_to(self, written: Peers, asked: PeersAsked, *, policy: Policy, at: datetime) -> Peers:
        """Peers among what is written, then those among the rows before."""
        twins = written.twins
        if policy.duplicate_window_s:
            key = (asked.account_id, asked.listing_id, asked.side, asked.ord_type, asked.qty, asked.px)
            twins = (*(Twin(row.ref, at, row.state) for row in self._twins.get(key, ())[-MOST:]), *twins)
        rows = self._sides.get((asked.listing_id, not Side(asked.side).is_buy), ())
        found = [
            Opposite(row.ref, _nearness(asked, row), row.price, row.order_qty) for row in rows if _crosses(asked, row)
        ]
        if not found:
            return Peers(twins[:MOST], written.opposite)
        return Peers(twins[:MOST], tuple(sorted([*written.opposite, *found], key=_rank)[:MOST]))


def _crosses(asked: PeersAsked, row: Drafted) -> bool:
    """Whether an order as asked would trade with this one of the other side: their limits meet, and neither waits for a stop."""
    immediate = (OrdType.MARKET.value, OrdType.LIMIT.value)
    if asked.ord_type not in immediate or row.ord_type.value not in immediate:
        return False
    if asked.px is None or row.price is None:
        return True
    return row.price <= asked.px if Side(asked.side).is_buy else row.price >= asked.px


_NEARNESS = ("account", "client", "firm")


def _nearness(asked: PeersAsked, row: Drafted) -> str:
    if row.account_id == asked.account_id:
        return "account"
    return "client" if row.client_id == asked.client_id else "firm"


def _rank(item: Opposite) -> tuple[int, str]:
    return _NEARNESS.index(item.nearness), item.ref
