"""Blocks as the allocation pages show them: the list with its clocks, and one block with its executions and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from allocations.domain.transitions import BOOKED, CHANGED, FORMING, PARKED, READY
from allocations.models import (
    Allocation,
    Block,
    BlockFill,
    Confirmation,
    ContractNote,
    Scheme,
    SettlementInstruction,
)
from allocations.selectors.seeing import allocation_sight, visible_blocks
from authorisation.domain.principal import Principal
from authorisation.models import Desk
from kernel.numbers import ZERO
from operations.selectors.order_page import names_of
from orders.models import Execution, Order
from orders.permissions import visible_desks

VIEWS = {
    "open": "Unallocated",
    "waiting": "Waiting",
    "changed": "Changed",
    "booked": "Booked",
    "direct": "Direct",
    "all": "All",
}
PAGE = 100
MOST_FILLS = 50
MOST_LINES = 500
SOON_S = 3600
_OF_VIEW: dict[str, Q] = {
    "open": Q(kind="block", state__in=[FORMING, READY], request_id=None),
    "waiting": Q(kind="block", request_id__isnull=False),
    "changed": Q(kind="block", state=CHANGED),
    "booked": Q(kind="block", state=BOOKED),
    "direct": Q(kind="direct"),
    "all": Q(kind="block"),
}
_TO_DO = (FORMING, READY, CHANGED)


@dataclass(frozen=True, slots=True)
class BlockRow:
    """A block with its clock: ``left_s`` seconds to its cut-off (negative: past it), None where none runs."""

    block: Block
    left_s: float | None
    parked: int = 0

    @property
    def value(self) -> Decimal:
        """What it is worth, not signed."""
        return abs(self.block.cash)

    @property
    def clock(self) -> str:
        """How near the cut-off is, as the page marks it."""
        if self.left_s is None:
            return ""
        return "late" if self.left_s < 0 else "soon" if self.left_s < SOON_S else "ok"


@dataclass(frozen=True, slots=True)
class BlockPage:
    """Rows, newest first; ``next_before`` leads to older ones."""

    rows: list[BlockRow]
    next_before: int | None


def list_blocks(
    *,
    actor: Principal,
    at: datetime,
    view: str,
    desk_id: int | None = None,
    day: date | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> BlockPage:
    """Blocks of a view the actor may see."""
    found = _filtered(actor, desk_id, day).filter(_OF_VIEW[view])
    if before is not None:
        found = found.filter(number__lt=before)
    blocks = list(found.select_related("listing", "account", "desk").order_by("-number")[: limit + 1])
    shown = blocks[:limit]
    parked = _parked(shown)
    rows = [BlockRow(block, _left(block, at), parked.get(block.pk, 0)) for block in shown]
    return BlockPage(rows, shown[-1].number if len(blocks) > limit else None)


def _filtered(actor: Principal, desk_id: int | None, day: date | None) -> QuerySet[Block]:
    found = visible_blocks(actor)
    if desk_id is not None:
        found = found.filter(desk_id=desk_id)
    return found if day is None else found.filter(trade_date=day)


def count_blocks(*, actor: Principal, desk_id: int | None = None, day: date | None = None) -> dict[str, int]:
    """How many blocks each view has. One statement."""
    counts = {name: Count("pk", filter=where) for name, where in _OF_VIEW.items()}
    return dict(_filtered(actor, desk_id, day).aggregate(**counts))


def _parked(blocks: Iterable[Block]) -> dict[UUID, int]:
    booked = [block.pk for block in blocks if block.round]
    if not booked:
        return {}
    rows = Allocation.objects.filter(block_id__in=booked, state=PARKED).values_list("block_id").annotate(Count("pk"))
    return dict(rows.order_by())


def _left(block: Block, at: datetime) -> float | None:
    if block.allocate_by is None or block.kind != Block.Kind.BLOCK or block.state not in _TO_DO:
        return None
    return (block.allocate_by - at).total_seconds()


def list_desks(actor: Principal) -> list[tuple[int, str]]:
    """Desks the actor sees, by code."""
    return list(Desk.objects.filter(pk__in=visible_desks(actor)).order_by("code").values_list("pk", "code"))


@dataclass(frozen=True, slots=True)
class AllocationRow:
    """A line that was booked, and where it stands with the counterparty, the client and the custodian."""

    allocation: Allocation
    confirmation: Confirmation | None = None
    instruction: SettlementInstruction | None = None
    note: ContractNote | None = None


@dataclass(frozen=True)
class BlockStory:
    """Everything around one block. ``hidden``: lines of accounts the actor may not see. ``rounds``: older ones, newest first."""

    row: BlockRow
    orders: list[tuple[str, Decimal | None]]
    fills: list[BlockFill]
    rows: list[AllocationRow] = field(default_factory=list)
    rounds: list[tuple[int, list[Allocation]]] = field(default_factory=list)
    hidden: int = 0
    booked_by: str = ""
    exec_ids: dict[UUID, str] = field(default_factory=dict)

    @property
    def more_fills(self) -> int:
        return self.row.block.fills - len(self.fills)

    @property
    def booked(self) -> Decimal:
        """Money of the lines that are shown."""
        return sum((row.allocation.gross for row in self.rows), ZERO)


def get_block_story(*, actor: Principal, at: datetime, block: Block) -> BlockStory:
    """Its orders, its latest executions, its lines now and before."""
    fills = list(BlockFill.objects.filter(block=block).order_by("-updated_at", "execution_id")[:MOST_FILLS])
    order_ids = BlockFill.objects.filter(block=block).values("order_id")
    orders = list(Order.objects.filter(pk__in=order_ids).order_by("ref").values_list("ref", "order_qty"))
    lines = _lines(actor, block)
    standing = [line for line in lines if line.round == block.round]
    rounds: dict[int, list[Allocation]] = {}
    for line in lines:
        if line.round != block.round:
            rounds.setdefault(line.round, []).append(line)
    total = Allocation.objects.filter(block=block, round=block.round).count() if block.round else 0
    row = BlockRow(block, _left(block, at), sum(line.state == PARKED for line in standing))
    older = sorted(rounds.items(), reverse=True)
    names = Execution.objects.filter(pk__in=[fill.execution_id for fill in fills]).values_list("pk", "exec_id")
    hidden, by = total - len(standing), _by(block.booked_by)
    return BlockStory(row, orders, fills, _with_states(standing), older, hidden, by, dict(names))


def _by(actor: str) -> str:
    """Who booked it, by name."""
    kind, _, number = actor.partition(":")
    if kind == "user" and number.isdecimal():
        return names_of({int(number)}).get(int(number), actor)
    return actor


def _lines(actor: Principal, block: Block) -> list[Allocation]:
    if not block.round:
        return []
    mine = Allocation.objects.filter(allocation_sight(actor), block=block).select_related("account")
    return list(mine.order_by("-round", "is_rounding", "number")[:MOST_LINES])


def _with_states(lines: list[Allocation]) -> list[AllocationRow]:
    """Each line with its newest confirmation, instruction and contract note, three statements for all."""
    ids = [line.pk for line in lines]
    if not ids:
        return []
    confirmations = {
        one.allocation_id: one for one in Confirmation.objects.filter(allocation_id__in=ids).order_by("version")
    }
    instructions = {
        one.allocation_id: one
        for one in SettlementInstruction.objects.filter(allocation_id__in=ids).order_by("version")
    }
    notes: dict[UUID, ContractNote] = {}
    for note in (
        ContractNote.objects.filter(allocations__in=ids).order_by("issued_at", "number").prefetch_related("allocations")
    ):
        for allocation in note.allocations.all():
            notes[allocation.pk] = note
    return [
        AllocationRow(line, confirmations.get(line.pk), instructions.get(line.pk), notes.get(line.pk)) for line in lines
    ]


def list_schemes(desk_id: int) -> list[Scheme]:
    """Schemes in use of the firm and of a desk, by code."""
    rows = Scheme.objects.filter(Q(desk=None) | Q(desk_id=desk_id)).order_by("code", "-version").distinct("code")
    return [scheme for scheme in rows if not scheme.ended]
