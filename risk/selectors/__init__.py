"""All reads of risk: whether trading is on, which blocks stand and which limits apply in the scopes of an order.

One rule of scopes for everybody: the firm, and whichever of desk, dealer, client, account, strategy, instrument and
venue the order names; for blocks also its account in its instrument.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from risk.domain.facts import BlockFact, LimitFact, WaiverFact
from risk.domain.in_force import DatedLimit, in_force
from risk.models import POSITION, Block, Limit, Scope, position_scope_id

TRADING_SWITCH = "trading_switch"

# On only when a block of the switch was once lifted: a house without any row is off. That none stands is in the blocks.
TRADING_WAS_SWITCHED_ON_SQL = (
    "EXISTS (SELECT FROM risk_block WHERE source = 'trading_switch' AND scope = 'firm' AND lifted_at IS NOT NULL)"
)
LIMITS_SQL = """(SELECT json_agg(json_build_array(l.kind, l.scope, l.scope_id, l.currency, l.warn::text, l.hard::text,
                        l.effective_from, l.effective_until) ORDER BY l.id)
                   FROM scopes s JOIN risk_limit l ON l.scope = s.scope AND l.scope_id = s.scope_id)::text"""
BLOCKS_SQL = """(SELECT json_agg(json_build_array(b.scope, b.scope_id, b.source, b.reason,
                        (SELECT json_agg(json_build_array(w.id, w.account_id, w.until)) FROM risk_waiver w
                          WHERE w.block_id = b.id AND w.ended_at IS NULL
                            AND (w.account_id = '' OR ('account', w.account_id) IN (SELECT a.scope, a.scope_id FROM scopes a)))))
                   FROM scopes s JOIN risk_block b ON b.scope = s.scope AND b.scope_id = s.scope_id
                  WHERE b.lifted_at IS NULL)::text"""
"""Columns for a statement that defines ``scopes(scope, scope_id)``; :func:`marks_from_row` reads them."""
USAGE_SQL = """(SELECT json_agg(json_build_array(u.key, u.version, u.open_orders, u.open_buy::text, u.open_sell::text,
                        (SELECT json_agg(json_build_array(d.business_date, d.bought::text, d.sold::text))
                           FROM (SELECT * FROM risk_dailyusage d WHERE d.key = u.key
                                  ORDER BY d.business_date DESC LIMIT 4) d)))
                   FROM scopes s JOIN risk_limitusage u ON u.key = s.scope || ':' || s.scope_id)::text"""
"""What the counted scopes of such a statement use, with their last four days; :func:`usage_from_text` reads it."""

_MARKS = f"""
WITH scopes AS (SELECT * FROM unnest(%(scopes)s::text[], %(scope_ids)s::text[]) AS t(scope, scope_id))
SELECT {TRADING_WAS_SWITCHED_ON_SQL}, {LIMITS_SQL}, {BLOCKS_SQL}
"""  # noqa: S608


_TRADING_IS_ON = f"""
SELECT {TRADING_WAS_SWITCHED_ON_SQL} AND NOT EXISTS (
       SELECT FROM risk_block WHERE source = '{TRADING_SWITCH}' AND scope = 'firm' AND lifted_at IS NULL)
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Scopes:
    """The scopes of one order, as they appear in ``scope_id``."""

    desk_id: int
    dealer_id: int
    client_id: UUID
    account_id: UUID
    instrument_id: UUID
    mic: str
    strategy: str = ""

    def pairs(self) -> list[tuple[str, str]]:
        """(scope, scope_id) of every scope, the firm included."""
        found = [
            (Scope.FIRM.value, ""),
            (Scope.DESK.value, str(self.desk_id)),
            (Scope.DEALER.value, str(self.dealer_id)),
            (Scope.CLIENT.value, str(self.client_id)),
            (Scope.ACCOUNT.value, str(self.account_id)),
            (Scope.INSTRUMENT.value, str(self.instrument_id)),
            (Scope.VENUE.value, self.mic),
            (POSITION, position_scope_id(self.account_id, self.instrument_id)),
        ]
        if self.strategy:
            found.append((Scope.STRATEGY.value, self.strategy))
        return found


@dataclass(frozen=True, slots=True)
class Marks:
    """What bounds an order: the switch, the limits that apply, and the blocks that stand (the switch's own left out)."""

    trading_on: bool
    limits: tuple[LimitFact, ...]
    blocks: tuple[BlockFact, ...]

    def within(self, pairs: Iterable[tuple[str, str]]) -> Marks:
        """The part of marks read for many orders that concerns one."""
        own = set(pairs)
        return Marks(
            trading_on=self.trading_on,
            limits=tuple(item for item in self.limits if (item.scope, item.scope_id) in own),
            blocks=tuple(item for item in self.blocks if (item.scope, item.scope_id) in own),
        )


@dataclass(frozen=True, slots=True)
class StandingBlock:
    """One block as screens list it."""

    id: UUID
    scope: str
    scope_id: str
    source: str
    reason: str
    imposed_by: str
    imposed_at: datetime


_parsed_limits: dict[str, tuple[DatedLimit, ...]] = {}
_undated: dict[str, tuple[LimitFact, ...]] = {}


def marks_from_row(switched_on: bool, limits: str | None, blocks: str | None, *, at: datetime) -> Marks:
    """The three columns of the statement as values, with the marks in force ``at`` a time.

    Equal limit texts give the same values, so they are parsed once.
    """
    standing = [_block(*row) for row in json.loads(blocks)] if blocks else []
    off = any(block.source == TRADING_SWITCH and block.scope == Scope.FIRM for block in standing)
    return Marks(
        trading_on=switched_on and not off,
        limits=_limits(limits, at) if limits else (),
        blocks=tuple(block for block in standing if block.source != TRADING_SWITCH),
    )


def get_marks(pairs: Iterable[tuple[str, str]], *, at: datetime) -> Marks:
    """Marks of the given scopes in one statement, limits as they are in force ``at`` a time."""
    chosen = sorted(set(pairs))
    with connection.cursor() as cursor:
        cursor.execute(_MARKS, {"scopes": [pair[0] for pair in chosen], "scope_ids": [pair[1] for pair in chosen]})
        row = cursor.fetchone()
    return marks_from_row(*row, at=at)


def trading_is_on() -> bool:
    """Whether the firm's trading switch is on."""
    with connection.cursor() as cursor:
        cursor.execute(_TRADING_IS_ON)
        row = cursor.fetchone()
    return bool(row[0])


def list_standing_blocks() -> tuple[StandingBlock, ...]:
    """Every block that stands, oldest first, the trading switch included."""
    rows = Block.objects.filter(lifted_at__isnull=True).order_by("imposed_at", "id")
    return tuple(
        StandingBlock(
            id=row.id,
            scope=row.scope,
            scope_id=row.scope_id,
            source=row.source,
            reason=row.reason,
            imposed_by=row.imposed_by,
            imposed_at=row.imposed_at,
        )
        for row in rows
    )


def list_limits() -> tuple[Mapping[str, Any], ...]:
    """Every limit with its version and owner, by scope and kind."""
    return tuple(
        Limit.objects.order_by("scope", "scope_id", "kind", "currency", "id").values(
            "id", "scope", "scope_id", "kind", "currency", "warn", "hard", "owner", "version"
        )
    )


def _block(scope: str, scope_id: str, source: str, reason: str, waivers: Sequence[Any] | None) -> BlockFact:
    said = tuple(WaiverFact(id, account_id, datetime.fromisoformat(until)) for id, account_id, until in waivers or ())
    return BlockFact(scope, scope_id, source, reason, said)


def _limits(text: str, at: datetime) -> tuple[LimitFact, ...]:
    undated = _undated.get(text)
    if undated is not None:
        return undated
    dated = _parsed_limits.get(text)
    if dated is None:
        if len(_parsed_limits) >= 1024:
            _parsed_limits.clear()
            _undated.clear()
        dated = _parsed_limits[text] = tuple(_dated(row) for row in json.loads(text))
    found = in_force(dated, at)
    if all(item.since is None and item.until is None for item in dated):
        _undated[text] = found
    return found


def _dated(row: Sequence[Any]) -> DatedLimit:
    kind, scope, scope_id, currency, warn, hard, since, until = row
    limit = LimitFact(kind, scope, scope_id, currency, Decimal(warn) if warn is not None else None, Decimal(hard))
    return DatedLimit(
        limit,
        datetime.fromisoformat(since) if since else None,
        datetime.fromisoformat(until) if until else None,
    )
