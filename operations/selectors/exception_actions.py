"""What is safe to press about an exception, what it blocks now, and what it is linked to: for one actor.

A button leads to a page or calls an existing service that asks or shows; the service's own guard decides, and what it would
refuse stands beside the button.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from accounts.models import TradingAccount
from accounts.selectors import visible_accounts
from authorisation.domain.principal import Principal
from operations.domain import exception_kinds as kinds
from operations.models import ExceptionItem
from operations.selectors.exception_subjects import subject_of
from operations.selectors.frame import visible_exceptions
from operations.selectors.recon.break_page import find_break
from operations.selectors.scopes import scope_names
from orders.models import Order
from orders.selectors import visible_orders
from risk.models import Block, Scope
from risk.selectors import TRADING_SWITCH
from venues.models import FixSession
from venues.permissions import may_switch_session

MOST_BLOCKS = 20


@dataclass(frozen=True, slots=True)
class Button:
    """``post`` calls a service at the address, else it is a link; ``why_not`` is why it cannot be pressed."""

    title: str
    href: str
    post: bool = False
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class Bite:
    """A block that stands: where, why, and whether this very matter imposed it."""

    where: str
    block: Block
    by_this: bool


@dataclass(frozen=True, slots=True)
class Link:
    """Something the item has to do with; without ``href`` the actor may not see it."""

    title: str
    href: str = ""


def list_buttons(item: ExceptionItem, actor: Principal) -> list[Button]:
    """The safe actions of the item's kind that lead somewhere for it."""
    return buttons_for(item.about.actions, item, actor)


def buttons_for(names: Iterable[str], item: ExceptionItem | None, actor: Principal) -> list[Button]:
    """Buttons of these actions; without an item those that need none."""
    made = (_BUILDERS[name](item, actor) for name in names if name in _BUILDERS)
    return [button for button in made if button is not None]


def list_bites(item: ExceptionItem) -> list[Bite]:
    """Blocks in force where the matter is: on its order's account, desk and instrument, or imposed by its own source."""
    sources = _sources(item)
    where = Q(source__in=sources)
    for scope, scope_id in _places(item):
        where |= Q(scope=scope, scope_id=scope_id)
    rows = list(
        Block.objects.filter(where, lifted_at=None)
        .exclude(source=TRADING_SWITCH)
        .order_by("imposed_at", "id")[:MOST_BLOCKS]
    )
    names = scope_names([(row.scope, row.scope_id) for row in rows])
    return [Bite(names[row.scope, row.scope_id], row, row.source in sources) for row in rows]


def break_of(item: ExceptionItem) -> str:
    """The reference of the break it is about: the matter of a break calls it so, what a break leads to gives it as its reference."""
    return (
        str(item.evidence.get("break") or item.evidence.get("ref") or "") if kinds.BREAK in item.about.actions else ""
    )


def suggestion_of(item: ExceptionItem, actor: Principal) -> str:
    """What the break it is about suggests to do; empty for any other matter, and where the break is not the actor's to see."""
    ref = break_of(item)
    found = find_break(actor=actor, text=ref) if ref else None
    return found.suggestion if found is not None else ""


def list_links(item: ExceptionItem, actor: Principal) -> list[Link]:
    """The item's links as the actor may follow them."""
    return [_link(one["kind"], str(one["key"]), actor) for one in item.links]


def _link(kind: str, key: str, actor: Principal) -> Link:
    if kind == "order":
        seen = visible_orders(actor).filter(ref=key).exists()
        return Link(f"Order {key}", f"/o/{key}") if seen else Link("An order that you may not see")
    if kind == "exception":
        row = visible_exceptions(actor).filter(pk=_uuid(key)).first()
        return Link(row.about.title, f"/exceptions/{key}") if row else Link("An exception that you may not see")
    return Link(f"Break {key}", f"/b/{key}") if kind == "break" else Link(f"Approval {key[:8]}", f"/approvals?id={key}")


def _places(item: ExceptionItem) -> list[tuple[str, str]]:
    kind, key = subject_of(item)
    if item.order_id is not None:
        row = (
            Order.objects.filter(pk=item.order_id)
            .values_list("account_id", "desk_id", "listing__instrument_id")
            .first()
        )
        if row is None:
            return []
        return [
            (Scope.ACCOUNT.value, str(row[0])),
            (Scope.DESK.value, str(row[1])),
            (Scope.INSTRUMENT.value, str(row[2])),
        ]
    return [(Scope.ACCOUNT.value, key)] if kind == "account" else []


def _sources(item: ExceptionItem) -> set[str]:
    """The sources under which this matter blocks: its own key, or what its kind imposes."""
    fixed = {"PICTURE_DIFFERS": "picture", "FSCK_FAILED": "fsck", "KILL_SWITCH_ENGAGED": "kill_switch"}
    return {item.dedupe_key, *([fixed[item.kind]] if item.kind in fixed else [])}


def _session(item: ExceptionItem) -> str:
    kind, key = subject_of(item)
    stated = item.evidence.get("session") or (key if kind == "session" else "")
    if stated or item.order_id is None:
        return str(stated)
    group = Order.objects.filter(pk=item.order_id).values_list("session_group", flat=True).first()
    return FixSession.objects.filter(group=group or "").order_by("name").values_list("name", flat=True).first() or ""


def _open_order(item: ExceptionItem | None, actor: Principal) -> Button | None:
    if item is None or item.order_id is None:
        return None
    return Button(kinds.SAFE_ACTIONS[kinds.ORDER], f"/o/{item.order_id}")


def _open_session(item: ExceptionItem | None, actor: Principal) -> Button:
    name = _session(item) if item is not None else ""
    return Button(kinds.SAFE_ACTIONS[kinds.SESSION], f"/venues/{name}" if name else "/venues")


def _ask_status(item: ExceptionItem | None, actor: Principal) -> Button | None:
    name = _session(item) if item is not None else ""
    if not name:
        return None
    why_not = "" if may_switch_session(actor) else "Your role may not ask a venue."
    return Button(kinds.SAFE_ACTIONS[kinds.ASK_STATUS], f"/venues/{name}/ask", post=True, why_not=why_not)


def _suspense(item: ExceptionItem | None, actor: Principal) -> Button | None:
    return (
        None
        if item is None or not item.is_open
        else Button(kinds.SAFE_ACTIONS[kinds.SUSPENSE], f"/exceptions/{item.pk}#suspense")
    )


def _account(item: ExceptionItem | None, actor: Principal) -> Button | None:
    if item is None or subject_of(item)[0] != "account":
        return Button(kinds.SAFE_ACTIONS[kinds.ACCOUNT], "/positions")
    row: TradingAccount | None = visible_accounts(actor).filter(pk=_uuid(subject_of(item)[1])).first()
    return Button(kinds.SAFE_ACTIONS[kinds.ACCOUNT], f"/positions/{row.code}") if row is not None else None


def _action(item: ExceptionItem | None, actor: Principal) -> Button:
    key = subject_of(item)[1] if item is not None and subject_of(item)[0] == "corporate_action" else ""
    return Button(kinds.SAFE_ACTIONS[kinds.ACTIONS], f"/corporate-actions/{key}" if key else "/corporate-actions")


def _break(item: ExceptionItem | None, actor: Principal) -> Button | None:
    ref = break_of(item) if item is not None else ""
    return Button(kinds.SAFE_ACTIONS[kinds.BREAK], f"/b/{ref}") if ref else None


def _page(name: str, path: str) -> Builder:
    return lambda item, actor: Button(kinds.SAFE_ACTIONS[name], path)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


Builder = Callable[[ExceptionItem | None, Principal], Button | None]
_BUILDERS: dict[str, Builder] = {
    kinds.ORDER: _open_order,
    kinds.SESSION: _open_session,
    kinds.ASK_STATUS: _ask_status,
    kinds.SUSPENSE: _suspense,
    kinds.ACCOUNT: _account,
    kinds.ACTIONS: _action,
    kinds.BREAK: _break,
    kinds.STOPS: _page(kinds.STOPS, "/risk"),
    kinds.LIMITS: _page(kinds.LIMITS, "/risk/limits"),
    kinds.RULES: _page(kinds.RULES, "/risk/rules"),
    kinds.RUNS: _page(kinds.RUNS, "/recon"),
    kinds.SETTLEMENT: _page(kinds.SETTLEMENT, "/settlement"),
    kinds.CONFIRMATIONS: _page(kinds.CONFIRMATIONS, "/confirmations"),
    kinds.PRICES: _page(kinds.PRICES, "/prices"),
    kinds.WEBHOOKS: _page(kinds.WEBHOOKS, "/admin/webhooks"),
    kinds.ACCESS: _page(kinds.ACCESS, "/admin/access"),
    kinds.REVIEWS: _page(kinds.REVIEWS, "/admin/access-review"),
    kinds.APPROVALS: _page(kinds.APPROVALS, "/approvals"),
}
