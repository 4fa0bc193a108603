"""A block, what somebody wants of it, and the plan that follows: for the preview, the request for a second person and the booking.

Nothing is locked here: who books has locked the block (and, for target positions, the accounts) before. ``read_case`` raises Invalid for
what cannot be read; what the method itself refuses is ``Case.plan`` as a :class:`NotAllocated`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import NamedTuple
from uuid import UUID

from django.db.models import BigIntegerField, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast

from accounts.models import TradingAccount
from allocations.domain.allocating import Plan, make_plan
from allocations.domain.block import Block as BlockFacts
from allocations.domain.block import tie_seed
from allocations.domain.lines import Lines, NotAllocated, Turns
from allocations.domain.methods import (
    AMOUNT_KEY,
    Stated,
    mark_from_json,
    parameters_to_json,
    read_method,
    read_parameters,
    read_stated,
    turns_from_json,
)
from allocations.domain.second_person import Wanted, Why, Worth, why_second_person
from allocations.domain.words import AllocationCode, Method
from allocations.models import Allocation, Block, BlockFill, IntendedAllocation, Scheme
from allocations.selectors.means import CASH_COLUMN, CASH_TABLE, MEANS_COLUMNS, MEANS_TABLES, Means
from authorisation.domain.principal import Principal
from authorisation.selectors.policies import standing_policies
from journal.bulk import raw_cursor
from journal.domain.pg_text import array_literal
from kernel.errors import Invalid
from kernel.fix import Side
from kernel.numbers import ZERO, Money, round_money
from orders.permissions import visible_groups
from refdata.selectors import get_fx_rates

KIND = "allocation"
MANUAL_INTENDED = frozenset({Method.PRO_RATA.value, Method.FIXED.value, Method.MANUAL.value})
IN_UNITS = frozenset({Method.PRO_RATA, Method.FIXED})
STANDING = ("booked", "parked")
HOUSE = "house"
"""The class of the firm's own accounts: whoever types the lines cannot make clients of them."""
_ACCOUNTS = """
SELECT count(a.id), array_agg(a.id ORDER BY nth), string_agg(a.account_class, ' ' ORDER BY nth),
       string_agg(a.state, ' ' ORDER BY nth){columns}
  FROM unnest(%(codes)s::text[]) WITH ORDINALITY AS named(code, nth)
  LEFT JOIN accounts_tradingaccount a ON a.code = named.code
   AND (%(everyone)s OR a.group_id = ANY(%(groups)s::bigint[]))
   AND a.id NOT IN (
       SELECT account_id FROM accounts_canaryaccount UNION ALL SELECT account_id FROM accounts_suspenseaccount
       UNION ALL SELECT account_id FROM allocations_washaccount){tables}
"""
_NAMED = _ACCOUNTS.format(columns="", tables="")
_WITH_CASH = _ACCOUNTS.format(columns=f", {CASH_COLUMN}", tables=CASH_TABLE.format(account="a.id"))
_WITH_MEANS = _ACCOUNTS.format(columns=f", {MEANS_COLUMNS}", tables=MEANS_TABLES.format(account="a.id"))
_FILLS = """
SELECT array_agg(execution_id), array_agg(DISTINCT order_id) FROM allocations_blockfill WHERE block_id = %s AND qty > 0
"""
_ORDERS = "SELECT id, root_id, strategy, order_qty FROM orders_order WHERE id = ANY(%s::uuid[])"
_ELSEWHERE = "SELECT sum(qty) FROM allocations_blockfill WHERE order_id = ANY(%s::uuid[]) AND block_id <> %s"
_POSITIONS = """
SELECT account_id, settled + pending - short FROM accounts_holding WHERE account_id = ANY(%s::uuid[]) AND instrument_id = %s
"""


class NamedAccounts(NamedTuple):
    """The accounts of the lines, in their order, as columns; ``means`` where they were read along."""

    codes: Sequence[str]
    ids: Sequence[UUID]
    classes: Sequence[str]
    states: Sequence[str]
    means: Means | None = None


class OrderOfBlock(NamedTuple):
    """An order that executions of a block are of."""

    id: UUID
    root_id: UUID
    strategy: str
    order_qty: Decimal | None


class Traded(NamedTuple):
    """The executions of a block that have units, and the orders they are of."""

    execution_ids: tuple[UUID, ...]
    order_ids: tuple[UUID, ...]
    orders: tuple[OrderOfBlock, ...]


class DefaultScheme(NamedTuple):
    """The version of a scheme that is the default of an account."""

    id: int
    event_id: UUID
    code: str
    strategy: str
    books_alone: bool


class Beforehand(NamedTuple):
    """What was said of a block before anybody typed: intended for its orders, and the default of its account."""

    traded: Traded
    intended: Wanted | None
    default: Wanted | None

    @property
    def said(self) -> Wanted | None:
        """What it is allocated by when nobody says otherwise."""
        return self.intended or self.default


@dataclass(frozen=True)
class Case:
    """A block with what is wanted of it. ``named``: the accounts of its lines, in the order of the plan. ``whys``: why a second person must
    look; none: one may book it. ``turns``: of a rotation, where it starts, for whoever books to keep."""

    block: Block
    wanted: Wanted
    facts: BlockFacts
    named: NamedAccounts
    plan: Plan | NotAllocated
    whys: tuple[Why, ...]
    order_ids: tuple[UUID, ...]
    worth: Worth
    turns: Turns | None = None

    @cached_property
    def codes(self) -> dict[UUID, str]:
        """What the accounts of its lines are called."""
        return dict(zip(self.named.ids, self.named.codes, strict=True))


def read_case(
    *,
    actor: Principal,
    at: datetime,
    block: Block,
    wanted: Wanted,
    beforehand: Beforehand | None = None,
    with_means: bool = False,
) -> Case:
    """Raises Invalid METHOD_UNKNOWN, LINES_INVALID, PARAMETERS_INVALID, SCHEME_UNKNOWN. ``beforehand``: where it is read already."""
    beforehand = beforehand or read_beforehand(block)
    traded, said = beforehand.traded, beforehand.intended
    order_ids = traded.order_ids
    wanted = _filled_in(wanted, block.desk_id)
    method = read_method(wanted.method)
    stated, kept = read_stated(method, wanted.lines)
    parameters = read_parameters(wanted.parameters or {})
    wanted = _in_words_said(Wanted(method.value, wanted.scheme, kept, parameters_to_json(parameters)), beforehand)
    named = accounts_of(actor, stated.accounts, block if with_means else None)
    lot = parameters.lot or block.listing.lot_size
    facts = _facts(block, traded, lot)
    given = _given_elsewhere(block, order_ids) if said is not None and said.says_as(wanted) else {}
    lines = _lines(block, method, stated, named, said, given)
    rules, turns = parameters.rules, None
    if method is Method.ROTATION:
        turns = find_turns(block, wanted.scheme)
        rules = replace(rules, start=turns.start)
    worth = worth_of(block, at=at)
    whys = why_second_person(
        wanted,
        worth=worth,
        intended=said,
        default=beforehand.default,
        booked_before=block.round > 0 and block.state == "booked",
        marks=[row for row in standing_policies(at=at, kind=KIND) if row.desk_id in (None, block.desk_id)],
    )
    return Case(
        block,
        wanted,
        facts,
        named,
        make_plan(method, facts, lines, rules),
        whys,
        order_ids,
        worth,
        turns,
    )


def worth_of(block: Block, *, at: datetime) -> Worth:
    """What the block is worth, by the house's exchange rates as they stand."""
    own = Money(round_money(abs(block.cash), block.currency), block.currency)
    return Worth(own, get_fx_rates(), at)


def said_for(block: Block) -> Wanted | None:
    """What the block is allocated by when nobody says otherwise: what was intended, else the default of its account."""
    return read_beforehand(block).said


def read_beforehand(block: Block) -> Beforehand:
    """What was said of the block's orders, and of its account."""
    traded = read_traded(block)
    return Beforehand(traded, find_intended(traded), find_default(block, traded))


def read_traded(block: Block) -> Traded:
    """Its executions and their orders, ascending."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_FILLS, [block.id])
        execution_ids, order_ids = cursor.fetchall()[0]
        cursor.execute(_ORDERS, [order_ids or []])
        orders = tuple(OrderOfBlock(*one) for one in cursor.fetchall())
    return Traded(tuple(execution_ids or ()), tuple(order_ids or ()), orders)


def find_intended(traded: Traded) -> Wanted | None:
    """What was intended for the orders before they traded, where it is the same for all of them."""
    named = {one for order in traded.orders for one in (order.id, order.root_id)}
    rows = IntendedAllocation.objects.filter(order_id__in=named).order_by("order_id", "-version").distinct("order_id")
    by_order = {row.order_id: Wanted(row.method, row.scheme, row.lines, row.parameters) for row in rows}
    found = [by_order.get(order.id) or by_order.get(order.root_id) for order in traded.orders]
    first = found[0] if found else None
    if first is None or any(one is None or not one.says_as(first) for one in found):
        return None
    return first


def find_default(block: Block, traded: Traded) -> Wanted | None:
    """The default of the block's account: of the strategy of its orders where there is one, else of any."""
    found = find_default_scheme(block, traded)
    return _written(found.id, found.event_id) if found else None


def find_default_scheme(block: Block, traded: Traded) -> DefaultScheme | None:
    """As :func:`find_default`: which scheme it is."""
    strategies = {order.strategy for order in traded.orders}
    own = strategies.pop() if len(strategies) == 1 else ""
    newest = Scheme.objects.order_by("code", "-version").distinct("code").values("id")
    rows = Scheme.objects.filter(pk__in=newest, ended=False, wash_account_id=block.account_id, strategy__in=("", own))
    found = [DefaultScheme(*row) for row in rows.values_list(*DefaultScheme._fields)]
    return max(found, key=lambda row: (bool(row.strategy), row.code), default=None)


@lru_cache(maxsize=16)
def _written(scheme_id: int, event_id: UUID) -> Wanted:
    """What a version of a scheme says. It never changes (trigger), so whoever was told which one it is may remember that; the event that
    saved it names it in any database."""
    scheme = Scheme.objects.get(pk=scheme_id, event_id=event_id)
    return Wanted(scheme.method, scheme.code, scheme.lines, scheme.parameters)


def find_scheme(code: str, desk_id: int | None = None) -> Scheme:
    """The newest version of a saved scheme; with ``desk_id`` only of that desk or of everybody. Raises Invalid SCHEME_UNKNOWN."""
    row = Scheme.objects.filter(code=code).order_by("-version").first()
    if row is None or row.ended or (desk_id is not None and row.desk_id not in (None, desk_id)):
        raise Invalid("SCHEME_UNKNOWN", f"There is no scheme {code[:24]!r}.", {"scheme": ["There is no such scheme."]})
    return row


def find_turns(block: Block, scheme: str) -> Turns:
    """Where the rotation of a scheme begins in this block: where it began at first, else where the block before it ended.

    By its number and not by a moment: of two that wait for the lock the one that asked first may come last.
    """
    own = block.parameters.get("turns")
    if own and own["scheme"] == scheme:
        return turns_from_json(own)
    rows = Block.objects.filter(
        scheme=scheme, method=Method.ROTATION, account_id=block.account_id, booked_at__isnull=False
    )
    nth = Cast(KeyTextTransform("nth", KeyTextTransform("turns", "parameters")), BigIntegerField())
    rows = rows.exclude(pk=block.pk).order_by(nth.desc(nulls_last=True), "-booked_at", "-id")
    kept = rows.values_list("parameters", flat=True).first() or {}
    mark, before = kept.get("rotation"), kept.get("turns")
    return Turns(scheme, mark_from_json(mark) if mark else None, before["nth"] + 1 if before else 1)


def _in_words_said(wanted: Wanted, beforehand: Beforehand) -> Wanted:
    """With the lines of what was said, where they are the same: then nobody compares them again."""
    for said in (beforehand.intended, beforehand.default):
        if said is not None and said.says_as(wanted):
            return replace(wanted, lines=said.lines)
    return wanted


def _filled_in(wanted: Wanted, desk_id: int) -> Wanted:
    """A scheme that is named without lines brings its own."""
    if not wanted.scheme or wanted.lines:
        return wanted
    scheme = find_scheme(wanted.scheme, desk_id)
    return Wanted(scheme.method, scheme.code, scheme.lines, scheme.parameters)


def accounts_of(actor: Principal, codes: Sequence[str], block: Block | None = None) -> NamedAccounts:
    """The accounts that lines name; of a ``block`` what they may trade with as well. One statement. Raises Invalid LINES_INVALID by the
    number of the line where one cannot be allocated to: it is not there, the actor may not see it, or it is the firm's for blocks,
    suspense or proofs."""
    values = {
        "codes": array_literal("text", codes),
        "everyone": actor.is_process,
        "groups": [] if actor.is_process else sorted(visible_groups(actor)),
        "currency": block.currency if block else None,
        "instrument": block.instrument_id if block else None,
    }
    statement = _NAMED if block is None else _WITH_MEANS if block.side == Side.SELL else _WITH_CASH
    with raw_cursor(binary=True) as cursor:
        cursor.execute(statement, values)
        found, ids, classes, states, *means = cursor.fetchall()[0]
    if found < len(codes):
        wrong = {
            f"lines.{number}": ["There is no such account that you may allocate a block to."]
            for number, account_id in enumerate(ids, start=1)
            if account_id is None
        }
        raise Invalid(
            "LINES_INVALID", f"{len(wrong)} of {len(codes)} lines name no account that you may allocate to.", wrong
        )
    known = Means(ids or (), block.instrument_id, *means) if block else None
    return NamedAccounts(codes, ids or (), (classes or "").split(), (states or "").split(), known)


def _facts(block: Block, traded: Traded, lot: Decimal) -> BlockFacts:
    ordered = sum((order.order_qty for order in traded.orders if order.order_qty is not None), ZERO)
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_ELSEWHERE, [list(traded.order_ids), block.id])
        elsewhere = cursor.fetchall()[0][0]
    return BlockFacts(
        id=block.id,
        side=Side(block.side),
        qty=block.qty,
        notional=block.notional,
        cash=block.cash,
        currency=block.currency,
        seed=tie_seed(block.id, traded.execution_ids),
        divisor=block.price_divisor,
        lot=lot,
        order_qty=ordered - (elsewhere or ZERO),
    )


def _given_elsewhere(block: Block, order_ids: Sequence[UUID]) -> dict[UUID, Decimal]:
    """What other blocks of the same orders have given each account: an order that trades on many days was intended once."""
    others = BlockFill.objects.filter(order_id__in=order_ids).exclude(block=block).values("block_id")
    lines = Allocation.objects.filter(block_id__in=others, state__in=STANDING, compensates=None, is_rounding=False)
    return dict(lines.values_list("account_id").annotate(Sum("qty")).order_by())


def _lines(
    block: Block,
    method: Method,
    stated: Stated,
    named: NamedAccounts,
    said: Wanted | None,
    given: Mapping[UUID, Decimal],
) -> Lines:
    """``given``: what other blocks have given of what was intended; taken off lines that say it in units."""
    ids, count = named.ids, len(named.ids)
    amounts = stated.amounts
    if given and method in IN_UNITS:
        left = zip(ids, amounts, strict=True)
        amounts = [max(ZERO, amount - given[one]) if one in given else amount for one, amount in left]
    houses = stated.houses
    if HOUSE in named.classes:
        houses = [house or kind == HOUSE for house, kind in zip(houses, named.classes, strict=True)]
    positions, intended = [ZERO] * count, _intended_by_account(said)
    if method is Method.TARGET_POSITION:
        had = _positions(block, ids)
        positions = [had.get(one, ZERO) for one in ids]
    before = [intended.get(code) for code in named.codes] if intended else [None] * count
    return Lines(ids, amounts, range(count), stated.minimums, houses, positions, before)


def _positions(block: Block, account_ids: Sequence[UUID]) -> dict[UUID, Decimal]:
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_POSITIONS, [list(account_ids), block.instrument_id])
        return dict(cursor.fetchall())


def _intended_by_account(said: Wanted | None) -> dict[str, Decimal]:
    """Units that were intended for each account, where they were said in units."""
    if said is None or said.method not in MANUAL_INTENDED:
        return {}
    key = AMOUNT_KEY[Method(said.method)]
    return {line["account"]: Decimal(line.get(key, "0")) for line in said.lines}


def require_plan(case: Case) -> Plan:
    """The plan, or Invalid under the code the method refused with, line by line where it is theirs."""
    if isinstance(case.plan, NotAllocated):
        fields = {case.codes[fault.account_id]: [fault.sentence] for fault in case.plan.faults}
        raise Invalid(str(case.plan.code), case.plan.sentence, fields)
    return case.plan


def case_of_account(block: Block, account: TradingAccount, *, at: datetime) -> Case:
    """A block with one account in it and nothing wanted: for what is known of that account."""
    one = NamedAccounts([account.code], [account.id], [account.account_class], [account.state])
    traded = read_traded(block)
    facts = _facts(block, traded, block.listing.lot_size)
    nothing = NotAllocated(AllocationCode.NO_LINES, "Nothing is divided.")
    return Case(block, Wanted(""), facts, one, nothing, (), traded.order_ids, worth_of(block, at=at))
