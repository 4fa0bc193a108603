"""Which execution of a file is which of ours, in layers of names; what is left over, and what that means. Pure.

Each record is used once. Names decide, never economics: the same ExecID on the same order first, then a declared alternate,
then an ExecID alone where the file names no order. A broker's one line for many fills agrees only with all unmatched fills
of that very order. What agrees in economics alone is a suggestion for a person (``candidates``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import TypeVar
from uuid import UUID

from kernel.numbers import ZERO
from reconciliation.domain.causes import Causes
from reconciliation.domain.findings import Finding
from reconciliation.domain.rules import Rules
from reconciliation.domain.trade_findings import (
    duplicate_of_ours,
    duplicate_of_theirs,
    missing_external,
    missing_internal,
    of_pair,
)
from reconciliation.domain.trade_records import OurTrade, TheirTrade, Told, tell

MOST_CANDIDATES = 3
_Record = TypeVar("_Record")


@dataclass(slots=True)
class Judgement:
    """What was found, and how many of our records agree with the file beyond those that had agreed before.

    ``beyond``: how many of these the file was not asked for, being of another day or after its cut.
    """

    findings: list[Finding] = field(default_factory=list)
    matched: int = 0
    beyond: int = 0


def judge_trades(ours: Iterable[OurTrade], theirs: Iterable[TheirTrade], *, rules: Rules, causes: Causes) -> Judgement:
    """Compare the records that did not agree at first sight, each with every other record that has one of its names."""
    books = sorted(ours, key=lambda one: (one.event_at, one.exec_id, str(one.id)))
    told = tell(theirs)
    free = _Free(books)
    for layer in (_by_order, _by_version, _by_alternate, _by_exec_id):
        for exactly in (True, False):
            for one in told:
                if one.ours is None:
                    found = free.take(layer(one, free), one, exactly)
                    one.ours = found
    judgement = Judgement()
    loose = [one for one in told if one.ours is None]
    left = [one for one in books if free.has(one)]
    _groups(loose, left, judgement, rules)
    for one in told:
        if one.ours is not None:
            _keep(judgement, of_pair(one, one.ours, rules), one.ours)
    _left_with_them(loose, books, left, judgement, causes, rules)
    _left_with_us(left, books, loose, judgement, causes)
    return judgement


class _Free:
    """Our records that no line has taken yet, by every name."""

    def __init__(self, books: Sequence[OurTrade]) -> None:
        self._free = {one.id: one for one in books if not one.agreed}
        self.by_order: defaultdict[tuple[UUID | None, str], list[OurTrade]] = defaultdict(list)
        self.by_version: defaultdict[tuple[UUID | None, str], list[OurTrade]] = defaultdict(list)
        self.by_exec_id: defaultdict[str, list[OurTrade]] = defaultdict(list)
        self.by_their_name: defaultdict[tuple[str, str], list[OurTrade]] = defaultdict(list)
        for one in books:
            self.by_order[one.order_id, one.exec_id].append(one)
            self.by_exec_id[one.exec_id].append(one)
            if one.exec_ref_id and one.exec_ref_id != one.exec_id:
                self.by_version[one.order_id, one.exec_ref_id].append(one)
            if one.order_id is None:
                for name in {one.venue_order_id, one.cl_ord_id} - {""}:
                    self.by_their_name[name, one.exec_id].append(one)

    def has(self, one: OurTrade) -> bool:
        return one.id in self._free

    def take(self, found: Iterable[OurTrade], told: Told, exactly: bool) -> OurTrade | None:
        """The free record that is nearest in figures; with ``exactly`` only one that has the same."""
        fitting = [one for one in found if one.id in self._free]
        if exactly:
            fitting = [one for one in fitting if _same_figures(one, told)]
        if not fitting:
            return None
        best = min(fitting, key=lambda one: (abs(one.qty - told.qty), abs(one.px - told.px), not one.expected))
        return self._free.pop(best.id)


def _same_figures(ours: OurTrade, told: Told) -> bool:
    return ours.qty == told.qty and (not told.qty or ours.px == told.px)


def _by_order(told: Told, free: _Free) -> Iterable[OurTrade]:
    """Layer 1: an ExecID of the trade on the order that the line names; an order that is nobody's by its own names."""
    if told.order_id is not None:
        return [one for name in sorted(told.ids) for one in free.by_order.get((told.order_id, name), ())]
    orders = [name for name in (told.row.venue_order_id, told.row.cl_ord_id) if name]
    names = [(order, name) for order in orders for name in sorted(told.ids)]
    return [one for name in names for one in free.by_their_name.get(name, ())]


def _by_version(told: Told, free: _Free) -> Iterable[OurTrade]:
    """Layer 1 again: the file lists what a correction left under the correction's own ExecID."""
    if told.order_id is None:
        return ()
    return [one for name in sorted(told.ids) for one in free.by_version.get((told.order_id, name), ())]


def _by_alternate(told: Told, free: _Free) -> Iterable[OurTrade]:
    """Layer 2: a declared alternate."""
    if not told.row.mapped_exec_id:
        return ()
    found = free.by_exec_id.get(told.row.mapped_exec_id, ())
    return [one for one in found if told.order_id is None or one.order_id == told.order_id]


def _by_exec_id(told: Told, free: _Free) -> Iterable[OurTrade]:
    """Layer 1 for files that name no orders: the ExecID, where side and instrument do not speak against it."""
    if told.row.named:
        return ()
    return [
        one
        for name in sorted(told.ids)
        for one in free.by_exec_id.get(name, ())
        if (not told.row.side or told.row.side == one.side) and told.row.instrument_id in (None, one.instrument_id)
    ]


def _groups(loose: list[Told], left: list[OurTrade], judgement: Judgement, rules: Rules) -> None:
    """One line at the average price for all fills of an order that no other line told of: the key is the order."""
    lines: defaultdict[UUID, list[Told]] = defaultdict(list)
    fills: defaultdict[UUID, list[OurTrade]] = defaultdict(list)
    for one in loose:
        if one.order_id is not None:
            lines[one.order_id].append(one)
    for ours in left:
        if ours.order_id is not None and ours.qty and ours.expected:
            fills[ours.order_id].append(ours)
    for order_id, named in lines.items():
        group = fills.get(order_id, [])
        if len(named) == 1 and len(group) > 1 and _is_average(named[0], group, rules):
            judgement.matched += len(group)
            loose.remove(named[0])
            for ours in group:
                left.remove(ours)


def _is_average(line: Told, group: Sequence[OurTrade], rules: Rules) -> bool:
    """Same side, same sum, and the price is theirs rounded as they show it."""
    first = group[0]
    if (line.row.side and line.row.side != first.side) or line.row.instrument_id not in (None, first.instrument_id):
        return False
    total = sum((one.qty for one in group), ZERO)
    if line.qty != total or not total:
        return False
    average = sum((one.qty * one.px for one in group), ZERO) / total
    exponent = line.px.as_tuple().exponent
    places = min(max(-exponent, 0), 8) if isinstance(exponent, int) else 8
    shown = average.quantize(Decimal(1).scaleb(-places))
    return shown == line.px or rules.within("price", average, line.px, first.currency)


def _keep(judgement: Judgement, findings: list[Finding], ours: OurTrade) -> None:
    """A pair that agrees counts, if the file was to have it."""
    judgement.findings += findings
    if not findings:
        judgement.matched += 1
    judgement.beyond += not ours.expected


def _left_with_them(
    loose: Sequence[Told], books: Sequence[OurTrade], left: Sequence[OurTrade], judgement: Judgement, causes: Causes,
    rules: Rules,
) -> None:  # fmt: skip
    taken: defaultdict[tuple[UUID | None, str], list[OurTrade]] = defaultdict(list)
    by_exec_id: defaultdict[str, list[OurTrade]] = defaultdict(list)
    for ours in books:
        taken[ours.order_id, ours.exec_id].append(ours)
        by_exec_id[ours.exec_id].append(ours)
    by_figures: defaultdict[tuple[Decimal, Decimal], list[OurTrade]] = defaultdict(list)
    for ours in left:
        by_figures[ours.qty, ours.px].append(ours)
    copies: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for one in loose:
        name = one.row.exec_id if not one.orphan else one.row.exec_ref_id or one.row.exec_id
        namesakes = taken.get((one.order_id, name), []) if one.order_id else []
        if not one.row.named:
            namesakes = [o for o in by_exec_id.get(name, []) if one.row.instrument_id in (None, o.instrument_id)]
        same = next((ours for ours in namesakes if _same_figures(ours, one)), None)
        identity = (name, one.row.cl_ord_id, one.row.venue_order_id, str(same is not None))
        copy = copies[identity]
        copies[identity] += 1
        if same is not None:
            judgement.findings.append(duplicate_of_theirs(one, same, copy))
            continue
        elsewhere = [ours for ours in by_exec_id.get(name, []) if ours.order_id != one.order_id]
        alike = _first(ours for ours in by_figures.get((one.qty, one.px), ()) if _economics(one, ours))
        judgement.findings.append(missing_internal(one, name, namesakes, elsewhere, alike, causes, rules, copy))


def _left_with_us(
    left: Sequence[OurTrade], books: Sequence[OurTrade], loose: Sequence[Told], judgement: Judgement, causes: Causes
) -> None:
    gone = {one.id for one in left}
    told_of: defaultdict[tuple[UUID | None, str], list[OurTrade]] = defaultdict(list)
    for ours in books:
        if ours.id not in gone:
            told_of[ours.order_id, ours.exec_id].append(ours)
    by_figures: defaultdict[tuple[Decimal, Decimal], list[Told]] = defaultdict(list)
    for line in loose:
        by_figures[line.qty, line.px].append(line)
    copies: defaultdict[tuple[UUID | None, str], int] = defaultdict(int)
    for ours in left:
        if not ours.expected:
            continue
        if not ours.qty:
            judgement.matched += 1  # busted with us and not listed: both say that it is nothing
            continue
        copy = copies[ours.order_id, ours.exec_id]
        copies[ours.order_id, ours.exec_id] += 1
        namesakes = told_of.get((ours.order_id, ours.exec_id), [])
        same = next((one for one in namesakes if (one.qty, one.px) == (ours.qty, ours.px)), None)
        if same is not None:
            judgement.findings.append(duplicate_of_ours(ours, same, copy))
            continue
        alike = _first(line for line in by_figures.get((ours.qty, ours.px), ()) if _economics(line, ours))
        judgement.findings.append(missing_external(ours, namesakes, alike, causes, copy))


def _first(fitting: Iterable[_Record]) -> list[_Record]:
    """No more than are shown are looked for: where a day is all of one size, each may fit each."""
    return list(islice(fitting, MOST_CANDIDATES))


def _economics(told: Told, ours: OurTrade) -> bool:
    """Same instrument, side, quantity and price on the same day: no identity, a hint."""
    return (
        _same_figures(ours, told)
        and told.row.side in ("", ours.side)
        and told.row.instrument_id in (None, ours.instrument_id)
        and told.row.account_id in (None, ours.account_id)
        and told.row.trade_date in (None, ours.trade_date)
    )
