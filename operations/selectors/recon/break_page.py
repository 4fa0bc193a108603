"""Everything about one break on one page: why, both records, what it stops, when it was seen, what it was before."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count

from accounts.models import TradingAccount
from authorisation.domain.principal import Principal
from kernel.errors import NotFound
from operations.domain.raw_records import Side, read_side
from operations.selectors.desk import visible_orders
from operations.selectors.recon.breaks import BreakRow, with_matters
from operations.selectors.scopes import scope_names
from reconciliation.domain.effects import SENTENCES, Stands
from reconciliation.models import Break, RunBreak
from reconciliation.selectors.seeing import visible_breaks
from refdata.models import Listing
from risk.models import Block

REF = re.compile(r"^(?:BRK-?)?0*(\d{1,12})$", re.IGNORECASE)
MOST_SEEN = 50
LATELY = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of which the sides say different things. ``by`` is empty where no number differs."""

    field: str
    ours: Any
    theirs: Any
    by: Any


@dataclass(frozen=True, slots=True)
class BreakDetail:
    """All the page shows. ``stops`` says what its policy does now, ``blocks`` where; ``past`` counts how breaks like it ended;
    ``seen`` newest first; ``others`` are the same matter at other times."""

    row: BreakRow
    account: str
    symbol: str
    order_ref: str
    ours: Side
    theirs: Side
    differences: tuple[Difference, ...]
    candidates: tuple[Side, ...]
    stops: str
    blocks: tuple[tuple[str, Block], ...]
    past: tuple[tuple[str, int], ...]
    seen: tuple[RunBreak, ...]
    others: tuple[Break, ...]

    @property
    def item(self) -> Break:
        return self.row.item


def number_of(text: str) -> int | None:
    """The number of a break as people write it: ``BRK-000192``, ``brk192``; None for anything else."""
    found = REF.match(text.strip())
    return int(found[1]) if found else None


def find_break(*, actor: Principal, text: str) -> Break | None:
    """The break that a text names, where it exists for the actor; the prefix must be there."""
    number = number_of(text) if text.strip()[:3].upper() == "BRK" else None
    return None if number is None else visible_breaks(actor).filter(number=number).first()


def get_break(*, actor: Principal, ref: str) -> Break:
    """By reference. Raises NotFound BREAK_UNKNOWN, also for what the actor may not see."""
    number = number_of(ref)
    item = visible_breaks(actor).filter(number=number).first() if number is not None else None
    if item is None:
        raise NotFound("BREAK_UNKNOWN", f"There is no break {ref} that you may see.")
    return item


def get_break_detail(*, actor: Principal, item: Break, at: datetime) -> BreakDetail:
    """The page of a break that was already found visible: a fixed number of statements."""
    account, symbol, order_ref = _names(actor, item)
    return BreakDetail(
        row=with_matters(actor, [item], at=at)[0],
        account=account,
        symbol=symbol,
        order_ref=order_ref,
        ours=read_side(item.ours),
        theirs=read_side(item.theirs),
        differences=tuple(_difference(one) for one in item.differences),
        candidates=tuple(read_side(one) for one in item.candidates),
        stops="" if item.closed_at else SENTENCES[Stands(item.effect)],
        blocks=_standing(item),
        past=_past(actor, item, at),
        seen=tuple(item.seen.select_related("run").order_by("-run__created_at", "-id")[:MOST_SEEN]),
        others=tuple(
            visible_breaks(actor).filter(key=item.key).exclude(pk=item.pk).order_by("-recurrence")[:MOST_SEEN]
        ),
    )


def _past(actor: Principal, item: Break, at: datetime) -> tuple[tuple[str, int], ...]:
    """How breaks of the kind, category and source that the actor sees have ended lately: the usual way first."""
    like = visible_breaks(actor).filter(
        kind=item.kind, category=item.category, source=item.source, closed_at__gt=at - LATELY
    )
    counted = (
        like.exclude(pk=item.pk).values_list("closed_as").annotate(number=Count("id")).order_by("-number", "closed_as")
    )
    return tuple((Break.ClosedAs(how).label, number) for how, number in counted)


def _standing(item: Break) -> tuple[tuple[str, Block], ...]:
    """What its policy has imposed and not lifted, with where it bites."""
    source = f"break:{item.ref}"
    rows = Block.objects.filter(source__in=(source, f"{source}:new"), lifted_at=None).order_by("scope", "scope_id")
    names = scope_names([(row.scope, row.scope_id) for row in rows])
    return tuple((names[row.scope, row.scope_id], row) for row in rows)


def _names(actor: Principal, item: Break) -> tuple[str, str, str]:
    """Account code, symbol and order reference, where there are any the actor sees."""
    account = symbol = order = None
    if item.account_id:
        account = TradingAccount.objects.filter(pk=item.account_id).values_list("code", flat=True).first()
    if item.instrument_id:
        listings = Listing.objects.filter(instrument_id=item.instrument_id).order_by("symbol")
        symbol = listings.values_list("symbol", flat=True).first()
    if item.order_id:
        order = visible_orders(actor).filter(pk=item.order_id).values_list("ref", flat=True).first()
    return account or "", symbol or "", order or ""


def _difference(one: dict[str, Any]) -> Difference:
    return Difference(str(one.get("field", "")), one.get("ours"), one.get("theirs"), one.get("difference"))
