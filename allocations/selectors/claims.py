"""Market claims as people see them, and what an action and its claims left on an account."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.db.models import Case, Count, F, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Abs

from allocations.models import Claim
from allocations.models.claims import OPEN
from allocations.selectors.settlement import visible_instructions
from allocations.selectors.settlement_list import A_PAGE
from authorisation.domain.principal import Principal
from journal.bulk import raw_cursor
from kernel.errors import Invalid, NotFound
from kernel.numbers import ZERO

MOST = 200
_RESIDUAL = """
SELECT coalesce(sum(b.amount), 0) FROM accounts_actionentry e
  JOIN accounts_booking b ON b.event_id = e.event_id AND b.account_id = e.account_id
 WHERE e.action_id = %s AND e.account_id = %s AND b.layer = 'pending' AND b.currency <> ''
"""
_SHIFTED = """
SELECT coalesce(-sum(b.amount), 0) FROM accounts_booking b JOIN journal_event e ON e.id = b.event_id
 WHERE b.account_id = %s AND b.kind = 'claim' AND b.layer = 'pending' AND e.payload ->> 'action_id' = %s
   AND b.currency = %s
"""


@dataclass(frozen=True, slots=True)
class ClaimRow:
    """One of the page: ``age`` in days since it was expected, zero before."""

    row: Claim
    age: int

    @property
    def is_open(self) -> bool:
        return self.row.state in OPEN


@dataclass(frozen=True, slots=True)
class ClaimSum:
    """What is claimed in one currency: to come and to go, and how much of either is late."""

    currency: str
    to_come: Decimal
    to_go: Decimal
    late: Decimal
    count: int


def residual_of(action_id: UUID, account_id: UUID) -> Decimal:
    """What the action itself left pending of the account's cash."""
    with raw_cursor() as cursor:
        cursor.execute(_RESIDUAL, [action_id, account_id])
        ((amount,),) = cursor.fetchall()
        return Decimal(amount)


def shifted_of(action_id: UUID, account_id: UUID, currency: str) -> Decimal:
    """What claims of the action moved from pending to settled of the account so far: of a currency, without one of its shares."""
    with raw_cursor() as cursor:
        cursor.execute(_SHIFTED, [account_id, str(action_id), currency])
        ((amount,),) = cursor.fetchall()
        return Decimal(amount)


def visible_claims(actor: Principal) -> QuerySet[Claim]:
    """Claims of instructions that the actor sees."""
    return Claim.objects.filter(instruction__in=visible_instructions(actor)).select_related(
        "account", "instruction", "action__listing"
    )


def find_claim(actor: Principal, ref: str) -> Claim:
    """The claim people call ``ref`` (MC-7). Raises NotFound CLAIM_UNKNOWN."""
    head, _, number = ref.strip().upper().partition("-")
    known = head == "MC" and number.isascii() and number.isdigit() and len(number) < 19
    found = visible_claims(actor).filter(number=int(number)).first() if known else None
    if found is None:
        raise NotFound("CLAIM_UNKNOWN", f"There is no market claim {ref[:24]!r} that you may see.", {"ref": ref[:24]})
    return found


def list_claims(actor: Principal, *, today: date, most: int = MOST) -> list[ClaimRow]:
    """Open ones first, the oldest on top, then what ended last."""
    rows = visible_claims(actor)
    still = list(rows.filter(state__in=OPEN).order_by("expected_on", "number")[:most])
    over = list(rows.exclude(state__in=OPEN).order_by("-ended_at", "-number")[: most - len(still)])
    return [ClaimRow(row, _age(row, today)) for row in (*still, *over)]


def sum_open_claims(actor: Principal, *, today: date) -> list[ClaimSum]:
    """All the open ones that the actor sees, by currency: also those that a list is too short for. Shares of many are no sum: of
    those the number alone."""
    sums = (
        visible_claims(actor)
        .filter(state__in=OPEN)
        .values("currency")
        .annotate(
            to_come=Sum("amount", filter=Q(amount__gt=0)),
            to_go=Sum(-F("amount"), filter=Q(amount__lt=0)),
            late=Sum(Abs("amount"), filter=Q(expected_on__lt=today)),
            count=Count("id"),
        )
        .order_by("currency")
    )
    return [
        ClaimSum(one["currency"], one["to_come"] or ZERO, one["to_go"] or ZERO, one["late"] or ZERO, one["count"])
        for one in sums
    ]


@dataclass(frozen=True, slots=True)
class ClaimPage:
    """Rows, and where the next page begins; empty on the last."""

    rows: Sequence[ClaimRow]
    next_after: str


def page_of_claims(
    actor: Principal, *, today: date, states: Collection[str] = (), after: str = "", most: int = A_PAGE
) -> ClaimPage:
    """Open ones first, each by the day from which it ages. Raises Invalid PLACE_INVALID for a place that no page gave."""
    rows = visible_claims(actor).annotate(over=Case(When(state__in=OPEN, then=Value(0)), default=Value(1)))
    if states:
        rows = rows.filter(state__in=states)
    if after:
        over, day, number = _read_place(after)
        beyond = Q(expected_on__gt=day) | Q(expected_on=day, number__gt=number)
        rows = rows.filter(Q(over__gt=over) | Q(beyond, over=over))
    found = list(rows.order_by("over", "expected_on", "number")[: most + 1])
    last = found[most - 1] if len(found) > most else None
    place = f"{int(last.state not in OPEN)}.{last.expected_on.isoformat()}.{last.number}" if last else ""
    return ClaimPage([ClaimRow(row, _age(row, today)) for row in found[:most]], place)


def _read_place(text: str) -> tuple[int, date, int]:
    """``0.2026-11-25.7``."""
    try:
        over, day, number = text.split(".")
        return int(over), date.fromisoformat(day), int(number[:18])
    except ValueError:
        raise Invalid("PLACE_INVALID", "No page goes on there.", {"after": ["No page goes on there."]}) from None


def _age(row: Claim, today: date) -> int:
    return max((today - row.expected_on).days, 0) if row.state in OPEN else 0
