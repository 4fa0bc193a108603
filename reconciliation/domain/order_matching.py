"""Which order of a file is which of ours, and what differs. Pure.

Any request of an order's lineage names it, and so does any OrderID the venue has called it by. A line under an older name is
history where a newer line of the order is there, unless both claim to be working. One matter is told once: a status or leaves
that follow from another executed quantity are not told beside it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from kernel.fix import OrdStatus
from kernel.numbers import ZERO
from reconciliation.domain.causes import Causes
from reconciliation.domain.findings import Category, Difference, Finding, number_difference
from reconciliation.domain.order_findings import duplicate, missing_external, missing_internal, pair_finding
from reconciliation.domain.order_records import Figures, OurOrder, TheirOrder
from reconciliation.domain.rules import Rules
from reconciliation.domain.trade_findings import side_word

MOST_CANDIDATES = 3
BY_FILLS = frozenset({OrdStatus.NEW.value, OrdStatus.PARTIALLY_FILLED.value, OrdStatus.FILLED.value})
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class Judgement:
    """What was found, and how many of our orders agree beyond those that had at first sight; ``beyond`` were not expected."""

    findings: list[Finding] = field(default_factory=list)
    matched: int = 0
    beyond: int = 0


def judge_orders(ours: Iterable[OurOrder], theirs: Iterable[TheirOrder], *, rules: Rules, causes: Causes) -> Judgement:
    """Compare the orders that did not agree at first sight with every line that names them."""
    books = {one.id: one for one in sorted(ours, key=lambda one: one.ref)}
    lines: defaultdict[UUID, list[TheirOrder]] = defaultdict(list)
    strangers = []
    for row in sorted(theirs, key=lambda row: row.line):
        if row.order_id in books:
            lines[row.order_id].append(row)
        else:
            strangers.append(row)
    judgement = Judgement()
    for order_id, order in books.items():
        if named := lines.get(order_id):
            _judge_named(order, named, judgement, rules)
    left = [one for one in books.values() if one.id not in lines and one.expected and not one.agreed]
    copies: defaultdict[tuple[str, str], int] = defaultdict(int)
    for row in strangers:
        alike = [one for one in left if _alike(one, row)][:MOST_CANDIDATES]
        copy = copies[row.cl_ord_id, row.venue_order_id]
        copies[row.cl_ord_id, row.venue_order_id] += 1
        judgement.findings.append(missing_internal(row, alike, causes, rules, copy))
    for order in left:
        if order.now.status == OrdStatus.REJECTED:
            judgement.matched += 1  # they said no, and do not list what they did not take
        else:
            hints = [row for row in strangers if _alike(order, row)][:MOST_CANDIDATES]
            judgement.findings.append(missing_external(order, hints))
    return judgement


def _judge_named(order: OurOrder, named: Sequence[TheirOrder], judgement: Judgement, rules: Rules) -> None:
    main, repeated = _main_line(order, named)
    found = [duplicate(order, row, place) for place, row in enumerate(repeated)]
    for category, differences in compare_order(order, main, rules):
        found.append(pair_finding(category, differences, order, main))
    judgement.findings += found
    judgement.beyond += not order.expected
    if not found:
        judgement.matched += 1


def _main_line(order: OurOrder, named: Sequence[TheirOrder]) -> tuple[TheirOrder, list[TheirOrder]]:
    """The line that tells how the order stands, and those that should not be there beside it."""

    def newness(row: TheirOrder) -> tuple[int, datetime, int]:
        seq = order.names.index(row.cl_ord_id) if row.cl_ord_id in order.names else -1
        return (seq, row.transact_time or LONG_AGO, -row.line)

    main = max(named, key=newness)
    superseded = {row.orig_cl_ord_id for row in named if row.orig_cl_ord_id}
    repeated = []
    for row in named:
        if row is main:
            continue
        same_name = row.cl_ord_id == main.cl_ord_id
        if (same_name and row.figures == main.figures) or (
            not same_name and row.is_live and main.is_live and row.cl_ord_id not in superseded
        ):
            repeated.append(row)
        elif same_name and row.transact_time == main.transact_time:
            repeated.append(row)  # two words about one moment
    return main, repeated


def compare_order(order: OurOrder, row: TheirOrder, rules: Rules) -> list[tuple[Category, list[Difference]]]:
    """What differs, by category; nothing where it agrees now or agreed at the file's cut."""
    found = _compare(order, order.now, row, rules)
    if found and order.then is not None:
        then = _compare(order, order.then, row, rules)
        return then if len(then) < len(found) else found
    return found


def _compare(
    order: OurOrder, figures: Figures, row: TheirOrder, rules: Rules
) -> list[tuple[Category, list[Difference]]]:
    quantity = _quantity(order, figures, row, rules)
    status = _status(order, figures, row, quantity)
    price = _price(order, figures, row, rules)
    if not quantity and not status and row.leaves_qty is not None and row.leaves_qty != figures.leaves_qty:
        quantity.append(number_difference("leaves_qty", figures.leaves_qty, row.leaves_qty))
    told = ((Category.STATUS, status), (Category.QUANTITY, quantity), (Category.PRICE, price))
    return [(category, differences) for category, differences in told if differences]


def _quantity(order: OurOrder, figures: Figures, row: TheirOrder, rules: Rules) -> list[Difference]:
    differences = []
    if figures.order_qty is not None and not rules.within("qty", figures.order_qty, row.order_qty):
        differences.append(number_difference("order_qty", figures.order_qty, row.order_qty))
    if row.cum_qty is not None and not rules.within("qty", figures.cum_qty, row.cum_qty):
        differences.append(number_difference("cum_qty", figures.cum_qty, row.cum_qty))
    if row.side and row.side != order.side:
        differences.append(Difference("side", side_word(order.side), side_word(row.side)))
    if row.instrument and row.instrument_id != order.instrument_id:
        differences.append(Difference("instrument", order.isin, row.instrument))
    if row.account and row.account_id != order.account_id:
        differences.append(Difference("account", order.account, row.account))
    return differences


def _status(order: OurOrder, figures: Figures, row: TheirOrder, quantity: Sequence[Difference]) -> list[Difference]:
    differences = []
    if row.word != figures.status:
        by_fills = {"cum_qty", "order_qty"} & {one.field for one in quantity}
        if not (by_fills and {row.word, figures.status} <= BY_FILLS):
            differences.append(Difference("ord_status", status_word(figures.status), status_word(row.status)))
    if row.ord_type and row.ord_type != order.ord_type:
        differences.append(Difference("ord_type", order.ord_type, row.ord_type))
    if row.time_in_force and row.time_in_force != order.time_in_force:
        differences.append(Difference("time_in_force", order.time_in_force, row.time_in_force))
    return differences


def _price(order: OurOrder, figures: Figures, row: TheirOrder, rules: Rules) -> list[Difference]:
    if row.price is None or (not row.price and figures.price is None):
        return []
    if figures.price is None:
        return [Difference("price", "", f"{row.price:f}")]
    if rules.within("price", figures.price, row.price, order.currency):
        return []
    return [number_difference("price", figures.price, row.price)]


def status_word(status: str) -> str:
    """``Partially filled`` for 1."""
    try:
        name = OrdStatus(status).name
    except ValueError:
        return status
    return name.replace("_", " ").capitalize()


def _alike(order: OurOrder, row: TheirOrder) -> bool:
    """Same instrument, side, quantity and limit: no identity, a hint."""
    return (
        row.order_qty == (order.now.order_qty or ZERO)
        and row.side in ("", order.side)
        and row.instrument_id in (None, order.instrument_id)
        and row.account_id in (None, order.account_id)
        and (row.price is None or row.price == order.now.price)
    )
