"""Which orders a stop is about, and what is proven of those it reached.

Whoever may press stops them all, so what is counted here does not ask who looks; what is named does.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from authorisation.domain.principal import Principal
from journal.bulk import raw_cursor
from orders.domain.stopping import PROVEN, Proof, proof_of
from orders.models import KillSweep
from orders.permissions import visible_desks, visible_groups
from risk.models import Scope

IN_SCOPE: dict[str, str] = {
    Scope.FIRM: "true",
    Scope.DESK: "o.desk_id = %(scope_id)s::bigint",
    Scope.DEALER: "o.owner_id = %(scope_id)s::bigint",
    Scope.CLIENT: "o.account_id IN (SELECT id FROM accounts_tradingaccount WHERE client_id = %(scope_id)s::uuid)",
    Scope.ACCOUNT: "o.account_id = %(scope_id)s::uuid",
    Scope.STRATEGY: "o.strategy = %(scope_id)s",
    Scope.INSTRUMENT: "o.listing_id IN (SELECT id FROM refdata_listing WHERE instrument_id = %(scope_id)s::uuid)",
    Scope.VENUE: "o.listing_id IN (SELECT id FROM refdata_listing WHERE market_id = %(scope_id)s)",
}
"""Condition over ``orders_order o`` for each kind of scope: the scopes of the last boundary, said of rows."""

_REACH = """
SELECT count(*) FILTER (WHERE n.state IS NULL OR n.state NOT IN ('captured', 'pending_authorisation', 'released')),
       count(*) FILTER (WHERE n.state IN ('captured', 'pending_authorisation', 'released'))
  FROM orders_order o LEFT JOIN orders_orderrequest n ON n.order_id = o.id AND n.seq = 1 AND n.kind = 'new'
 WHERE o.is_open AND {condition}
"""


@dataclass(frozen=True, slots=True)
class Reach:
    """How many open orders a stop would end: ``working`` are the venue's to cancel, ``queued`` never left the house."""

    working: int
    queued: int


def count_reach(*, scope: str, scope_id: str) -> Reach:
    """What a stop of the scope would reach now. One statement over the open orders."""
    with raw_cursor() as cursor:
        cursor.execute(_REACH.format(condition=IN_SCOPE[scope]), {"scope_id": scope_id})
        row = cursor.fetchone()
    return Reach(*row) if row else Reach(0, 0)


_NEXT = """
SELECT o.id FROM orders_order o
 WHERE o.is_open AND {condition} AND (%(position)s::uuid IS NULL OR o.id > %(position)s::uuid)
   AND NOT EXISTS (SELECT FROM orders_stoppedorder s WHERE s.sweep_id = %(sweep_id)s AND s.order_id = o.id)
 ORDER BY o.id LIMIT %(limit)s
"""
_REVIVABLE = """
SELECT DISTINCT o.id FROM orders_orderrequest r JOIN orders_order o ON o.id = r.order_id
 WHERE r.state IN ('captured', 'pending_authorisation', 'released') AND r.kind = 'replace' AND NOT o.is_open
   AND {condition} ORDER BY o.id LIMIT %(limit)s
"""
_UNDONE = """
SELECT o.id, s.found, s.asked, c.state, c.answered_at
  FROM orders_stoppedorder s
  JOIN orders_order o ON o.id = s.order_id AND o.is_open
  CROSS JOIN LATERAL (SELECT r.state, coalesce(r.answered_at, r.captured_at) AS answered_at FROM orders_orderrequest r
                       WHERE r.order_id = o.id AND r.kind = 'cancel' ORDER BY r.seq DESC LIMIT 1) AS c
 WHERE s.sweep_id = %(sweep_id)s AND s.asked < %(most)s
   AND c.state IN ('refused', 'declined', 'lapsed', 'withdrawn', 'rejected')
 ORDER BY o.id LIMIT %(limit)s
"""


def find_to_stop(*, sweep_id: UUID, scope: str, scope_id: str, position: UUID | None, limit: int) -> list[UUID]:
    """Open orders of the scope behind ``position`` that the stop has not reached yet."""
    values = {"sweep_id": sweep_id, "scope_id": scope_id, "position": position, "limit": limit}
    return _ids(_NEXT.format(condition=IN_SCOPE[scope]), values)


def find_revivable(*, scope: str, scope_id: str, limit: int) -> list[UUID]:
    """Orders of the scope that are over but have a replace that has not left: it might revive them, or enter them anew."""
    return _ids(_REVIVABLE.format(condition=IN_SCOPE[scope]), {"scope_id": scope_id, "limit": limit})


class Undone(NamedTuple):
    """A stopped order that works on although its newest cancel has ended."""

    order_id: UUID
    found: str
    asked: int
    cancel_state: str
    ended_at: datetime


def find_undone(*, sweep_id: UUID, most: int, limit: int) -> list[Undone]:
    """Those whose cancel came to nothing and was asked for less than ``most`` times."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_UNDONE, {"sweep_id": sweep_id, "most": most, "limit": limit})
        return [Undone(*row) for row in cursor.fetchall()]


def _ids(sql: str, values: Mapping[str, Any]) -> list[UUID]:
    with raw_cursor(binary=True) as cursor:
        cursor.execute(sql, values)
        return [row[0] for row in cursor.fetchall()]


def find_money_of(order_ids: Collection[UUID]) -> tuple[set[UUID], set[UUID]]:
    """Accounts and instruments of the orders: their locks come before the orders'."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT account_id, (instrument_snapshot ->> 'instrument_id')::uuid FROM orders_order "
            "WHERE id = ANY(%s::uuid[])",
            [sorted(set(order_ids))],
        )
        rows = cursor.fetchall()
    return {row[0] for row in rows}, {row[1] for row in rows}


def find_waiting_approvals(order_ids: Collection[UUID]) -> list[UUID]:
    """Authorisation requests that wait for a decision about these orders, ascending: their locks come first."""
    sql = (
        "SELECT authorisation_id FROM orders_orderrequest WHERE order_id = ANY(%(ids)s::uuid[]) "
        "AND state = 'pending_authorisation' AND authorisation_id IS NOT NULL ORDER BY authorisation_id"
    )
    return _ids(sql, {"ids": sorted(set(order_ids))})


_PROOF = """
  FROM orders_stoppedorder s
  JOIN orders_order o ON o.id = s.order_id
  LEFT JOIN LATERAL (SELECT r.state, r.cl_ord_id, r.outcome_text, r.handed_over_at, r.answered_at
                       FROM orders_orderrequest r
                      WHERE r.order_id = o.id AND r.kind = 'cancel' ORDER BY r.seq DESC LIMIT 1) AS c ON true
 WHERE s.sweep_id = ANY(%(sweep_ids)s::uuid[])
"""
_COUNTS = f"""
SELECT s.sweep_id, s.found, o.is_open, o.ord_status, c.state, o.session_group, count(*),
       count(*) FILTER (WHERE o.cum_qty > s.cum_qty), min(c.handed_over_at), max(c.handed_over_at),
       max(CASE WHEN NOT o.is_open THEN coalesce(c.answered_at, o.updated_at) END)
{_PROOF} GROUP BY 1, 2, 3, 4, 5, 6
"""
_ROWS = f"""
SELECT o.id, o.ref, o.desk_id, a.group_id, a.code, l.symbol, o.side, o.leaves_qty, o.cum_qty, o.cum_qty - s.cum_qty,
       o.session_group, o.venue_order_id, s.found, o.is_open, o.ord_status, s.asked, c.state, c.cl_ord_id, c.outcome_text,
       c.handed_over_at, c.answered_at
{_PROOF.replace(" WHERE", " JOIN accounts_tradingaccount a ON a.id = o.account_id JOIN refdata_listing l ON l.id = o.listing_id WHERE")}
   AND o.desk_id = ANY(%(desks)s::bigint[]) AND a.group_id = ANY(%(groups)s::bigint[])
 ORDER BY o.is_open DESC, o.id LIMIT %(limit)s
"""
_NOT_REACHED = """
SELECT k.id, count(*)
  FROM orders_order o
  JOIN accounts_tradingaccount a ON a.id = o.account_id
  JOIN refdata_listing l ON l.id = o.listing_id
 CROSS JOIN LATERAL (VALUES ('firm', ''), ('desk', o.desk_id::text), ('dealer', o.owner_id::text),
       ('client', a.client_id::text), ('account', a.id::text), ('strategy', o.strategy),
       ('instrument', l.instrument_id::text), ('venue', l.market_id)) AS v(scope, scope_id)
  JOIN orders_killsweep k ON k.scope = v.scope AND k.scope_id = v.scope_id
 WHERE o.is_open AND k.ended_at IS NULL AND k.id = ANY(%(sweep_ids)s::uuid[])
   AND NOT EXISTS (SELECT FROM orders_stoppedorder s WHERE s.sweep_id = k.id AND s.order_id = o.id)
 GROUP BY 1
"""


@dataclass(frozen=True, slots=True)
class ProofCount:
    """So many stopped orders of one session group are in one state; ``filled_more``: they executed after the press."""

    proof: Proof
    session_group: str
    orders: int
    filled_more: int


@dataclass(frozen=True, slots=True)
class ProofCounts:
    """Where a stop stands: orders it has ``to_reach`` yet, and those it reached by what is proven of them.

    Times are of the gateway and of us: the first and last cancel handed to the engine, the last outcome known.
    """

    to_reach: int
    reached_at: datetime | None  # when everything that was open had been asked or ended
    counts: tuple[ProofCount, ...]
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    last_outcome_at: datetime | None

    def of(self, *proofs: Proof) -> int:
        """How many orders are in one of these states."""
        return sum(one.orders for one in self.counts if one.proof in proofs)

    @property
    def reached(self) -> int:
        return sum(one.orders for one in self.counts)

    @property
    def proven(self) -> int:
        return self.of(*PROVEN)

    @property
    def unproven(self) -> int:
        return self.to_reach + self.reached - self.proven


def list_proof_counts(*, sweep_ids: Collection[UUID]) -> dict[UUID, ProofCounts]:
    """The proof of stops in figures, in three statements for any number; one that orders has not heard of is absent."""
    ids = dict(KillSweep.objects.filter(id__in=list(sweep_ids)).values_list("id", "reached_at"))
    if not ids:
        return {}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_COUNTS, {"sweep_ids": list(ids)})
        rows = cursor.fetchall()
        cursor.execute(_NOT_REACHED, {"sweep_ids": list(ids)})
        to_reach = dict(cursor.fetchall())
    return {
        one: _counts([row[1:] for row in rows if row[0] == one], to_reach.get(one, 0), reached_at)
        for one, reached_at in ids.items()
    }


def _counts(rows: list[tuple[Any, ...]], to_reach: int, reached_at: datetime | None) -> ProofCounts:
    found: dict[tuple[Proof, str], list[int]] = {}
    for row in rows:
        proof = proof_of(found=row[0], is_open=row[1], ord_status=row[2], cancel_state=row[3])
        sums = found.setdefault((proof, row[4]), [0, 0])
        sums[0] += row[5]
        sums[1] += row[6]
    return ProofCounts(
        to_reach=to_reach,
        reached_at=reached_at,
        counts=tuple(ProofCount(proof, group, *sums) for (proof, group), sums in sorted(found.items())),
        first_sent_at=min((row[7] for row in rows if row[7]), default=None),
        last_sent_at=max((row[8] for row in rows if row[8]), default=None),
        last_outcome_at=max((row[9] for row in rows if row[9]), default=None),
    )


@dataclass(frozen=True, slots=True)
class ProofRow:
    """One stopped order: what is proven, by which cancel, and what it executed since the stop reached it."""

    order_id: UUID
    ref: str
    account: str
    symbol: str
    side: str
    leaves_qty: Decimal
    cum_qty: Decimal
    filled_since: Decimal
    session_group: str
    venue_order_id: str
    proof: Proof
    asked: int
    cl_ord_id: str
    text: str
    sent_at: datetime | None
    answered_at: datetime | None

    @property
    def is_proven(self) -> bool:
        return self.proof in PROVEN


def list_proof(*, actor: Principal, sweep_id: UUID, limit: int) -> list[ProofRow]:
    """The stopped orders that the actor may see, those that are not over first."""
    desks, groups = sorted(visible_desks(actor)), sorted(visible_groups(actor))
    values = {"sweep_ids": [sweep_id], "desks": desks, "groups": groups, "limit": limit}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_ROWS, values)
        return [
            ProofRow(
                order_id=row[0], ref=row[1], account=row[4], symbol=row[5], side=row[6], leaves_qty=row[7],
                cum_qty=row[8], filled_since=row[9], session_group=row[10], venue_order_id=row[11] or "",
                proof=proof_of(found=row[12], is_open=row[13], ord_status=row[14], cancel_state=row[16]),
                asked=row[15], cl_ord_id=row[17] or "", text=row[18] or "", sent_at=row[19], answered_at=row[20],
            )
            for row in cursor.fetchall()
        ]  # fmt: skip
