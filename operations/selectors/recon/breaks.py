"""The breaks of a run, of an order or of an account: the tiles above a list, and the list itself in pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Min, QuerySet, Sum
from django.db.models.functions import Coalesce

from authorisation.domain.principal import Principal
from operations.domain.recon_words import BY_NAME, FAMILIES, FAMILY_OF, Family
from operations.models import ExceptionItem
from operations.selectors.frame import visible_exceptions
from reconciliation.models import Break, Run, RunBreak
from reconciliation.selectors.seeing import break_sight, visible_breaks

PAGE = 100
MOST_BESIDE = 20  # beside an order or an account


@dataclass
class Tile:
    """What a run found of one family: ``net`` sums the exposures of what is not closed, by currency."""

    family: Family
    count: int = 0
    new: int = 0
    closed: int = 0
    oldest: datetime | None = None
    net: dict[str, Decimal] = field(default_factory=dict)

    def take(self, word: str, number: int, currency: str, amount: Decimal | None, oldest: datetime | None) -> None:
        """Add a group of breaks the database has summed."""
        if word == RunBreak.Word.CLOSED:
            self.closed += number
            return
        self.count += number
        self.new += number if word == RunBreak.Word.NEW else 0
        self.oldest = min(filter(None, (self.oldest, oldest)), default=None)
        if currency and amount is not None:
            self.net[currency] = self.net.get(currency, Decimal(0)) + amount


def list_tiles(*, actor: Principal, run: Run) -> list[Tile]:
    """Every family, in order, with what of it the actor sees. One statement."""
    tiles = {family.name: Tile(family) for family in FAMILIES}
    rows = (
        RunBreak.objects.filter(break_sight(actor, before="item__"), run=run)
        .order_by()
        .values_list("item__category", "word", "item__exposure_currency")
        .annotate(
            number=Count("id"),
            amount=Sum("item__exposure"),
            oldest=Min(Coalesce("item__event_at", "item__found_at")),
        )
    )
    for category, word, currency, number, amount, oldest in rows:
        tiles[FAMILY_OF[category].name].take(word, number, currency, amount, oldest)
    return list(tiles.values())


def net_of(tiles: Sequence[Tile]) -> dict[str, Decimal]:
    """The sums of all tiles by currency."""
    found: dict[str, Decimal] = {}
    for tile in tiles:
        for currency, amount in tile.net.items():
            found[currency] = found.get(currency, Decimal(0)) + amount
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class BreakRow:
    """A break in a list, with its exception where there is one the actor sees. ``word``: as the run of the list saw it."""

    item: Break
    matter: ExceptionItem | None
    at: datetime
    word: str = ""

    @property
    def since(self) -> datetime:
        """What it ages from."""
        return self.item.event_at or self.item.found_at

    @property
    def age_s(self) -> float:
        return ((self.item.closed_at or self.at) - self.since).total_seconds()

    @property
    def owner(self) -> str:
        """Who has it in hand: a person, else the group; nothing once nobody has to."""
        if self.matter is None:
            return ""
        return self.matter.owner.username if self.matter.owner else self.matter.owner_group

    @property
    def about(self) -> str:
        """The names both sides use, the most telling first, at most three."""
        ids = self.item.ids
        known = [str(ids[name]) for name in TELLING if ids.get(name)]
        return " · ".join(known[:3] or [str(value) for value in ids.values() if value][:3])


TELLING = (
    "order_ref", "ref", "exec_id", "cl_ord_id", "venue_order_id", "account", "symbol", "isin", "currency", "entry_ref",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BreakPage:
    """``rows`` by number, oldest first; ``next_after`` is the number to go on behind, 0 at the end."""

    rows: tuple[BreakRow, ...]
    next_after: int = 0


def list_breaks_of_run(
    *,
    actor: Principal,
    run: Run,
    at: datetime,
    family: str = "",
    word: str = "",
    after: int = 0,
    limit: int = PAGE,
) -> BreakPage:
    """What the run saw, of a family and a word where given. Three statements, whatever the number of breaks."""
    seen = RunBreak.objects.filter(break_sight(actor, before="item__"), run=run, item__number__gt=after)
    if family in BY_NAME:
        seen = seen.filter(item__category__in=BY_NAME[family].categories)
    if word in RunBreak.Word.values:
        seen = seen.filter(word=word)
    found = list(seen.select_related("item").order_by("item__number")[: limit + 1])
    shown = found[:limit]
    words = {one.item_id: one.word for one in shown}
    rows = with_matters(actor, [one.item for one in shown], at=at, words=words)
    return BreakPage(tuple(rows), shown[-1].item.number if found[limit:] else 0)


def with_matters(
    actor: Principal, items: Sequence[Break], *, at: datetime, words: dict[UUID, str] | None = None
) -> list[BreakRow]:
    """The breaks with the exception of each that is open: one statement for all."""
    keys = [matter_key(item) for item in items if item.closed_at is None]
    matters = {
        one.dedupe_key: one
        for one in visible_exceptions(actor).filter(dedupe_key__in=keys, closed_at=None).select_related("owner")
    }
    return [BreakRow(one, matters.get(matter_key(one)), at, (words or {}).get(one.pk, "")) for one in items]


def matter_key(item: Break) -> str:
    """The dedupe key of the anomaly that a break raises."""
    return f"break:{item.key}"


def open_breaks(actor: Principal) -> QuerySet[Break]:
    """What is not closed and exists for the actor."""
    return visible_breaks(actor).filter(closed_at=None)


def list_breaks_of_order(*, actor: Principal, order_id: UUID) -> list[Break]:
    """Every break about the order, open ones first, newest first, at most 20."""
    rows = visible_breaks(actor).filter(order_id=order_id).order_by("-number")[:MOST_BESIDE]
    return sorted(rows, key=lambda one: one.closed_at is not None)


def list_breaks_of_account(*, actor: Principal, account_id: UUID) -> list[Break]:
    """Open breaks of the account, oldest first, at most 20."""
    return list(open_breaks(actor).filter(account_id=account_id).order_by("number")[:MOST_BESIDE])
