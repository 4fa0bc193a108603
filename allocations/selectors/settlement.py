"""Settlement as it is read: the ladder by date, one instruction with its history, standing instructions. Rows an actor may not see
are neither listed nor counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, Q, QuerySet, Sum, When

from accounts.models import TradingAccount
from allocations.domain import transitions as moves
from allocations.domain.instructing import RECEIVE
from allocations.models import SettlementFile, SettlementInstruction, SettlementStatus, StandingInstruction
from allocations.selectors.seeing import allocation_sight
from authorisation.domain.principal import Principal
from kernel.errors import NotFound
from orders.permissions import visible_groups

MOST = 200
LOOKS_BACK = timedelta(days=7)
STEPS = (
    moves.WAITING,
    moves.INSTRUCTED,
    moves.MATCHED,
    moves.PENDING,
    moves.PARTIAL,
    moves.SETTLED,
    moves.FAILED,
    moves.REJECTED,
)
OVER = (moves.SETTLED, moves.CANCELED)


@dataclass(frozen=True, slots=True)
class Step:
    """How many instructions of a date are in a state, and what cash they bring (+) or cost (-)."""

    state: str
    count: int
    net: Decimal


@dataclass(slots=True)
class Rung:
    """A settlement date in a currency, with every state in the order of ``STEPS``; None where there is none."""

    day: date
    currency: str
    steps: dict[str, Step] = field(default_factory=dict)

    @property
    def cells(self) -> list[Step | None]:
        return [self.steps.get(state) for state in STEPS]

    @property
    def count(self) -> int:
        return sum(step.count for step in self.steps.values())


def visible_instructions(actor: Principal) -> QuerySet[SettlementInstruction]:
    """Instructions that exist for the actor."""
    rows = SettlementInstruction.objects.filter(allocation_sight(actor, before="allocation__"))
    return rows.select_related("account", "standing", "transforms", "allocation__block__listing")


def ladder(actor: Principal, *, today: date) -> list[Rung]:
    """Every date on which something is open, and the last days; one statement."""
    cash = Case(When(delivery=RECEIVE, then=-F("amount")), default=F("amount"))
    rows = (
        visible_instructions(actor)
        .exclude(state=moves.CANCELED)
        .filter(~Q(state=moves.SETTLED) | Q(settlement_date__gte=today - LOOKS_BACK))
        .select_related(None)
        .values("settlement_date", "currency", "state")
        .annotate(count=Count("id"), net=Sum(cash))
        .order_by("settlement_date", "currency", "state")
    )
    rungs: dict[tuple[date, str], Rung] = {}
    for row in rows:
        place = (row["settlement_date"], row["currency"])
        rung = rungs.setdefault(place, Rung(*place))
        rung.steps[row["state"]] = Step(row["state"], row["count"], row["net"])
    return list(rungs.values())


@dataclass(frozen=True, slots=True)
class InstructionPage:
    """An instruction, what custodians said of it as it came, its other versions, and the files it went out in."""

    row: SettlementInstruction
    statuses: Sequence[SettlementStatus]
    versions: Sequence[SettlementInstruction]
    files: Sequence[SettlementFile]

    @property
    def became(self) -> SettlementInstruction | None:
        """What takes its place in other shares; the newest of those."""
        return next((one for one in reversed(self.versions) if one.transforms_id == self.row.id), None)


def find_instruction(actor: Principal, ref: str) -> SettlementInstruction:
    """Raises NotFound INSTRUCTION_UNKNOWN."""
    row = visible_instructions(actor).filter(ref=ref.strip().upper()[:16]).first()
    if row is None:
        raise NotFound(
            "INSTRUCTION_UNKNOWN", f"There is no instruction {ref[:16]!r} that you may see.", {"ref": ref[:16]}
        )
    return row


def get_instruction(actor: Principal, ref: str) -> InstructionPage:
    """Raises NotFound INSTRUCTION_UNKNOWN."""
    row = find_instruction(actor, ref)
    versions = SettlementInstruction.objects.filter(allocation_id=row.allocation_id).exclude(pk=row.pk)
    files = SettlementFile.objects.filter(instructions__contains=[row.ref]).defer("content")
    return InstructionPage(
        row,
        list(row.statuses.order_by("effective_at", "id")),
        list(versions.order_by("version")),
        list(files.order_by("made_at", "place")),
    )


def list_standing(actor: Principal, *, account: str = "", most: int = MOST) -> list[StandingInstruction]:
    """The newest version of every scope of accounts the actor sees."""
    rows: QuerySet[StandingInstruction] = StandingInstruction.objects.select_related("account")
    if not actor.is_process:
        accounts = TradingAccount.objects.filter(group_id__in=visible_groups(actor)).values("id")
        rows = rows.filter(account_id__in=accounts)
    if account:
        rows = rows.filter(account__code__iexact=account)
    names = ("account__code", "currency", "mic")
    return list(rows.order_by(*names, "-version").distinct(*names)[:most])


def seen_accounts(actor: Principal) -> QuerySet[Any]:
    """Ids of accounts whose money the actor sees, for sums over all of them."""
    accounts = TradingAccount.objects.order_by("id")
    if not actor.is_process:
        accounts = accounts.filter(group_id__in=visible_groups(actor))
    return accounts.values_list("id", flat=True)
