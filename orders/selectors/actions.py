"""Corporate actions as the rooms from here up read them: what is due, who is concerned, what one would do if applied now.

The preview is a dry run on the facts of now. Accounts that the actor may not see are counted and summed, never named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q

from accounts.as_at import get_positions_before, list_who_ever_held
from accounts.domain.action_rules import rule_of
from accounts.domain.entitlement import NOTHING, Entitlement, Position, entitlement
from accounts.models import ActionEntry, TradingAccount
from accounts.selectors import visible_group_ids
from authorisation.domain.principal import Principal
from journal.bulk import raw_cursor
from kernel.errors import NotFound, Unavailable
from kernel.numbers import ZERO, plain
from orders.domain.action_orders import Planned, Treatment, Working, plan, undone
from orders.models import ActionOrder, Order, OrderRequest
from orders.permissions import can_see
from refdata.as_at import terms_of
from refdata.domain.action_terms import ActionTerms
from refdata.domain.action_transitions import (
    ANNOUNCED,
    APPLYING,
    APPROVED,
    CANCELED,
    CHECKED,
    EX_APPLIED,
    NOT_BEGUN,
    PAYING,
    STANDS,
    UNDOING,
    UNDONE,
)
from refdata.models import CorporateAction
from refdata.selectors import find_listings, get_listing, get_market_clock
from risk.models import Limit, Scope

POSITIONS_A_SLICE = 500
_IN_UNITS = (Limit.Kind.ORDER_QTY, Limit.Kind.POSITION_QTY)
_SENT = (OrderRequest.State.HANDED_OVER, OrderRequest.State.UNKNOWN, OrderRequest.State.ACCEPTED)
_WORKING = (APPLYING, PAYING, UNDOING)
_UNDECIDED = (ANNOUNCED, CHECKED)
_LATE = """
SELECT DISTINCT account_id FROM accounts_booking
 WHERE id > %s AND instrument_id = %s AND account_id > %s AND kind NOT IN ('split', 'dividend')
   AND (trade_date < %s OR kind IN ('bust', 'correction'))
 ORDER BY account_id LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class AccountLine:
    """What the action comes to for one account, and whether any of it is booked."""

    account_id: UUID
    code: str
    position: Position
    entitled: Entitlement
    booked: bool

    @property
    def long_after(self) -> Decimal:
        return self.position.long + self.entitled.units + self.entitled.short_units

    @property
    def short_after(self) -> Decimal:
        return self.position.short + self.entitled.short_units


@dataclass(frozen=True, slots=True)
class OrderLine:
    """An open order of the instrument and what becomes of it."""

    order: Order
    planned: Planned

    @property
    def must_end_first(self) -> bool:
        return self.planned.treatment is Treatment.CANCEL


@dataclass(frozen=True, slots=True)
class Preview:
    """A dry run of now. Sums are over all accounts; ``hidden`` ones the actor may not see, they are not among ``accounts``."""

    terms: ActionTerms
    accounts: tuple[AccountLine, ...]
    orders: tuple[OrderLine, ...]
    hidden_accounts: int
    hidden_orders: int
    ending: int
    long: Decimal
    long_after: Decimal
    short: Decimal
    short_after: Decimal
    units: Decimal
    cash: Decimal
    last: Decimal | None
    last_after: Decimal | None
    volume: Decimal | None
    volume_after: Decimal | None
    price_unit: str
    obstacles: tuple[str, ...]


def get_action(action_id: UUID) -> CorporateAction:
    """The action with its instrument and listing. Raises NotFound ACTION_UNKNOWN."""
    found = CorporateAction.objects.select_related("instrument", "listing__market").filter(id=action_id).first()
    if found is None:
        raise NotFound("ACTION_UNKNOWN", "There is no such corporate action.")
    return found


def is_due(action: CorporateAction, at: datetime) -> bool:
    """Whether the business date of its market has reached the ex date; beyond the loaded calendar the local date counts."""
    return today_of(action, at) >= action.ex_date


def today_of(action: CorporateAction, at: datetime) -> date:
    """The business date of the action's market; beyond the loaded calendar the local date."""
    clock = get_market_clock(action.listing.market_id)
    try:
        return clock.business_date(at)
    except Unavailable:
        return clock.local_date(at)


def find_entitled(action: CorporateAction, terms: ActionTerms) -> dict[UUID, tuple[Position, Entitlement]]:
    """Every account that held the instrument before the ex date, and what it is entitled to."""
    rule = rule_of(terms, action.instrument_id)
    holders = list_who_ever_held(action.instrument_id)
    found: dict[UUID, tuple[Position, Entitlement]] = {}
    for start in range(0, len(holders), POSITIONS_A_SLICE):
        positions = get_positions_before(
            account_ids=holders[start : start + POSITIONS_A_SLICE],
            instrument_id=action.instrument_id,
            day=terms.ex_date,
        )
        for account_id, position in positions.items():
            found[account_id] = (position, entitlement(rule, position) if rule is not None else NOTHING)
    return found


def find_unbooked(action: CorporateAction, terms: ActionTerms) -> list[UUID]:
    """Accounts that are entitled to something and have no booking of it yet, by id."""
    booked = set(ActionEntry.objects.filter(action=action, part="ex").values_list("account_id", flat=True))
    return [key for key, (_, due) in find_entitled(action, terms).items() if due.lines and key not in booked]


def find_booked(action: CorporateAction) -> list[UUID]:
    """Accounts with a booking of the action, by id."""
    rows = ActionEntry.objects.filter(action=action).order_by("account_id").values_list("account_id", flat=True)
    return list(rows.distinct())


def find_unreversed(action: CorporateAction) -> list[UUID]:
    """Accounts whose last booking of the action is no reversal, by id."""
    rows = ActionEntry.objects.filter(action=action, part="ex").order_by("account_id", "-round").distinct("account_id")
    return [row.account_id for row in rows if not row.undoes]


def find_actions_at_work(*, before: date) -> list[UUID]:
    """Actions that are being carried out, paid or undone, and approved ones with an ex date before that day."""
    rows = CorporateAction.objects.filter(Q(state__in=_WORKING) | Q(state=APPROVED, ex_date__lt=before))
    return list(rows.order_by("ex_date", "id").values_list("id", flat=True))


def find_actions_to_review(*, since: datetime, claims_since: date, before: date) -> list[UUID]:
    """Notices that may be late, payments that may be due, and actions whose claims are still looked after."""
    rows = CorporateAction.objects.filter(
        Q(state__in=_UNDECIDED, ex_date__lt=before)
        | Q(state__in=(*_UNDECIDED, CANCELED), updated_at__gte=since)
        | Q(state=EX_APPLIED)
        | Q(state__in=(APPLYING, *STANDS), ex_date__gte=claims_since)
    )
    return list(rows.order_by("ex_date", "id").values_list("id", flat=True))


def find_late(action: CorporateAction, *, after: int, beyond: UUID, limit: int) -> list[UUID]:
    """Accounts with bookings after that one that may belong to trades of before the ex date, by id from ``beyond`` on."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_LATE, [after, action.instrument_id, beyond, action.ex_date, limit])
        return [row[0] for row in cursor.fetchall()]


def last_booking_id() -> int:
    """The number of the last booking that is committed."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM accounts_booking")
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def find_open_orders(action: CorporateAction) -> list[Order]:
    """Every open order of the action's instrument, oldest first."""
    rows = Order.objects.filter(is_open=True, listing__instrument_id=action.instrument_id)
    return list(rows.select_related("listing", "account", "desk").order_by("id"))


def plan_orders(
    action: CorporateAction, terms: ActionTerms, orders: Sequence[Order], *, undoing: bool, at: datetime
) -> list[OrderLine]:
    """What becomes of each order by the convention of its market."""
    sent = set(
        OrderRequest.objects.filter(
            order_id__in=[order.id for order in orders], kind=OrderRequest.Kind.NEW, state__in=_SENT
        ).values_list("order_id", flat=True)
    )
    lines = []
    listings = find_listings({order.listing_id for order in orders}, at=at)
    for order in orders:
        listing = listings[order.listing_id]
        working = working_of(order, at_venue=order.id in sent or order.ord_status is not None)
        if undoing:
            planned = undone(working, terms)
        else:
            planned = plan(working, terms, ticks=listing.ticks, lot=listing.lot_size, divisor=listing.price_divisor)
        lines.append(OrderLine(order, planned))
    return lines


def working_of(order: Order, *, at_venue: bool = True) -> Working:
    """The order's terms as they work."""
    return Working(
        side=order.side,
        order_qty=order.order_qty,
        price=order.price,
        stop_px=order.stop_px,
        mic=order.instrument_snapshot["mic"],
        at_venue=at_venue,
    )


def preview_action(actor: Principal, action_id: UUID, *, at: datetime) -> Preview:
    """What it would do, or has done: accounts with shares and money before and after, orders, reference data, obstacles."""
    action = get_action(action_id)
    terms = terms_of(action)
    undoing = action.state in (UNDOING, UNDONE)
    entitled = find_entitled(action, terms)
    booked = set(find_booked(action))
    groups = visible_group_ids(actor)
    seen = {
        row.id: row.code for row in TradingAccount.objects.filter(id__in=entitled, group_id__in=groups).order_by("code")
    }
    lines = [
        AccountLine(account_id, code, *entitled[account_id], account_id in booked) for account_id, code in seen.items()
    ]
    orders = plan_orders(action, terms, find_open_orders(action), undoing=undoing, at=at)
    shown = [one for one in orders if can_see(actor, desk_id=one.order.desk_id, group_id=one.order.account.group_id)]
    long = sum((position.long for position, _ in entitled.values()), ZERO)
    short = sum((position.short for position, _ in entitled.values()), ZERO)
    units = sum((one.units for _, one in entitled.values()), ZERO)
    short_units = sum((one.short_units for _, one in entitled.values()), ZERO)
    listing = get_listing(action.listing_id, at=at)
    last = listing.price.last if listing.price else None
    volume = listing.average_daily_volume
    new, old = terms.ratio if terms.kind.is_split else (Decimal(1), Decimal(1))
    changes = action.state in NOT_BEGUN
    return Preview(
        terms=terms,
        accounts=tuple(lines),
        orders=tuple(shown),
        hidden_accounts=len(entitled) - len(lines),
        hidden_orders=len(orders) - len(shown),
        ending=sum(one.must_end_first for one in orders),
        long=long,
        long_after=long + units + short_units,
        short=short,
        short_after=short + short_units,
        units=units,
        cash=sum((one.cash for _, one in entitled.values()), ZERO),
        last=last,
        last_after=round(last * old / new, 8) if last is not None and changes else last,
        volume=volume,
        volume_after=round(volume * new / old, 8) if volume is not None and changes else volume,
        price_unit=listing.price_unit,
        obstacles=_obstacles(action, terms, orders, at),
    )


def _obstacles(
    action: CorporateAction, terms: ActionTerms, orders: Sequence[OrderLine], at: datetime
) -> tuple[str, ...]:
    """What cannot be done at once, named."""
    found = [
        f"{line.order.ref} works at its venue and must end first: it is canceled when the action begins."
        for line in orders
        if line.must_end_first and line.order.ord_status is not None
    ]
    others = CorporateAction.objects.filter(instrument_id=action.instrument_id, ex_date=terms.ex_date)
    marks = find_marks_in_old_shares(action, at=at) if terms.kind.is_split else []
    if marks:
        found.append(
            f"Limits stay in old shares until a change of them is asked for and approved: {marks_in_words(marks, terms)}."
        )
    found += [
        f"{other} of the same instrument has the same ex date: each is reckoned on the position before that day."
        for other in others.exclude(id=action.id).exclude(state__in=("canceled", "undone")).order_by("id")
    ]
    return tuple(found)


def find_marks_in_old_shares(action: CorporateAction, *, at: datetime) -> list[Limit]:
    """Limits in force that bound units of this instrument alone and were set before the action began (or would begin now)."""
    rows = Limit.objects.filter(scope=Scope.INSTRUMENT, scope_id=str(action.instrument_id), kind__in=_IN_UNITS)
    rows = rows.filter(Q(effective_until__isnull=True) | Q(effective_until__gt=at))
    return list(
        rows.filter(Q(effective_from__isnull=True) | Q(effective_from__lt=action.begun_at or at)).order_by("id")
    )


def marks_in_words(marks: Sequence[Limit], terms: ActionTerms) -> str:
    """Each mark as it stands and what it would be in new shares."""
    new, old = terms.ratio
    said = [
        f"{one.get_kind_display()}: {plain(one.hard)} is {plain(round(one.hard * new / old, 8))} new" for one in marks
    ]
    return "; ".join(said)


def list_action_orders(actor: Principal, action_id: UUID) -> list[ActionOrder]:
    """What became of the orders, as far as the actor may see them."""
    rows = ActionOrder.objects.filter(action_id=action_id).select_related("order__account", "order__listing")
    return [
        row
        for row in rows.order_by("undoing", "order_id")
        if can_see(actor, desk_id=row.order.desk_id, group_id=row.order.account.group_id)
    ]


def list_action_entries(actor: Principal, action_id: UUID) -> list[ActionEntry]:
    """What was booked, account by account, as far as the actor may see them."""
    rows = ActionEntry.objects.filter(action_id=action_id, account__group_id__in=visible_group_ids(actor))
    return list(rows.select_related("account").order_by("account__code", "id"))
