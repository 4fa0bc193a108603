"""Whose the open orders are: those of one person, by desk and account group, and those of people who were cut off.

An order stays somebody's while it is open, and while a replace of it waits or is staged: what follows it is theirs too.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from authorisation.domain.principal import ENTER_ORDER, Principal
from authorisation.models import User
from authorisation.selectors import get_principals
from journal.bulk import raw_cursor
from orders.permissions import may_own

DEDUPE = "owner-gone:"
_ALIVE = """
(SELECT o.id, o.ref, o.desk_id, o.account_id, o.owner_id FROM orders_order o WHERE o.is_open
  UNION
 SELECT o.id, o.ref, o.desk_id, o.account_id, o.owner_id FROM orders_order o
  WHERE o.id IN (SELECT r.order_id FROM orders_orderrequest r
                  WHERE r.kind = 'replace' AND r.state IN ('captured', 'pending_authorisation', 'released')))
"""
_OWNED = f"""
SELECT o.id, o.desk_id, a.group_id FROM {_ALIVE} AS o JOIN accounts_tradingaccount a ON a.id = o.account_id
 WHERE o.owner_id = %s ORDER BY o.id
"""  # noqa: S608
_PLACES = f"""
SELECT o.desk_id, d.code, a.group_id, g.code, count(*)
  FROM {_ALIVE} AS o JOIN accounts_tradingaccount a ON a.id = o.account_id
  JOIN accounts_accountgroup g ON g.id = a.group_id JOIN authorisation_desk d ON d.id = o.desk_id
 WHERE o.owner_id = %s GROUP BY o.desk_id, d.code, a.group_id, g.code ORDER BY d.code, g.code
"""  # noqa: S608
_GONE = f"""
SELECT u.id, u.username, u.is_active, count(o.id)
  FROM authorisation_user u LEFT JOIN {_ALIVE} AS o ON o.owner_id = u.id AND NOT u.is_active
 GROUP BY u.id, u.username, u.is_active
HAVING count(o.id) > 0 OR EXISTS (SELECT FROM journal_event e WHERE e.stream = 'anomaly:{DEDUPE}' || u.id)
 ORDER BY u.id
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Owned:
    """An open order, and what must be granted to have it."""

    order_id: UUID
    desk_id: int
    group_id: int


@dataclass(frozen=True, slots=True)
class Place:
    """So many open orders of somebody on one desk and account group."""

    desk_id: int
    desk: str
    group_id: int
    group: str
    orders: int


@dataclass(frozen=True, slots=True)
class Heir:
    """A person who may trade ``orders`` of them."""

    user_id: int
    username: str
    orders: int


@dataclass(frozen=True, slots=True)
class Gone:
    """Somebody with open orders and no way in, or of whom that was said before; then ``orders`` may be none."""

    user_id: int
    username: str
    is_active: bool
    orders: int


def find_owned(user_id: int) -> list[Owned]:
    """Every open order of a person, by id."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_OWNED, [user_id])
        return [Owned(*row) for row in cursor.fetchall()]


def count_owned(user_id: int) -> list[Place]:
    """How many open orders a person owns, by desk and account group: what is traded there is not told."""
    with raw_cursor() as cursor:
        cursor.execute(_PLACES, [user_id])
        return [Place(*row) for row in cursor.fetchall()]


def find_heirs(user_id: int, places: Iterable[Place]) -> list[Heir]:
    """The people who may trade any of a person's open orders, who may trade the most of them first."""
    owned = list(places)
    if not owned:
        return []
    people = User.objects.filter(
        is_active=True, kind=User.Kind.PERSON, groups__permissions__codename=ENTER_ORDER
    ).exclude(pk=user_id)
    found = get_principals(list(people.distinct().order_by("username")))
    heirs = [Heir(one.user_id, one.username, _taken(one, owned)) for one in found]
    return sorted((one for one in heirs if one.orders), key=lambda one: (-one.orders, one.username))


def _taken(actor: Principal, places: Iterable[Place]) -> int:
    return sum(one.orders for one in places if may_own(actor, desk_id=one.desk_id, group_id=one.group_id))


def find_gone() -> list[Gone]:
    """Everybody who was cut off and owns open orders, and everybody of whom that was told once."""
    with raw_cursor() as cursor:
        cursor.execute(_GONE)
        return [Gone(*row) for row in cursor.fetchall()]
