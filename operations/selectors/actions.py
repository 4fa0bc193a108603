"""What the pages say of corporate actions: the list, one action with its dry run and its results, and its effect for a checker."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.models import ActionEntry
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from kernel.numbers import ZERO, plain
from operations.domain.effect import Effect, EffectLine
from orders.models import ActionOrder
from orders.selectors.actions import (
    Preview,
    get_action,
    list_action_entries,
    list_action_orders,
    preview_action,
    today_of,
)
from orders.services.ask_corporate_action import APPLY, KIND
from refdata.as_at import terms_of
from refdata.domain.action_terms import ActionTerms, terms_from_json
from refdata.domain.action_transitions import (
    ANNOUNCED,
    APPLIED,
    CANCELED,
    CHECKED,
    EX_APPLIED,
    NOT_BEGUN,
    UNDONE,
)
from refdata.models import CorporateAction, CorporateActionVersion

VIEWS = {"open": "Open", "done": "Done", "all": "All"}
_DONE = (APPLIED, UNDONE, CANCELED)
MOST = 200


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One line of the list: the action, its terms, and the request that waits for a second person, if one does."""

    action: CorporateAction
    terms: ActionTerms
    waits: bool


@dataclass(frozen=True, slots=True)
class ActionPage:
    """All that the page of one action shows."""

    action: CorporateAction
    terms: ActionTerms
    preview: Preview
    versions: tuple[CorporateActionVersion, ...]
    entries: tuple[ActionEntry, ...]
    orders: tuple[ActionOrder, ...]
    pending: AuthorisationRequest | None
    payable: bool


def list_actions(view: str) -> list[ActionRow]:
    """By ex date, those to come first; ``open`` leaves out what is over."""
    rows = CorporateAction.objects.select_related("instrument", "listing")
    if view == "open":
        rows = rows.exclude(state__in=_DONE)
    elif view == "done":
        rows = rows.filter(state__in=_DONE)
    found = list(rows.order_by("-ex_date", "-id")[:MOST])
    versions = CorporateActionVersion.objects.filter(action__in=found).values_list("action_id", "number", "terms")
    terms = {(action_id, number): body for action_id, number, body in versions}
    waiting = set(AuthorisationRequest.objects.filter(kind=KIND, state__in=OPEN).values_list("subject_id", flat=True))
    return [
        ActionRow(action, terms_from_json(terms[action.id, action.version]), str(action.id) in waiting)
        for action in found
    ]


def get_action_page(actor: Principal, action_id: UUID, *, at: datetime) -> ActionPage:
    """The action as it stands now. Raises NotFound ACTION_UNKNOWN."""
    action = get_action(action_id)
    terms = terms_of(action)
    pending = AuthorisationRequest.objects.filter(kind=KIND, subject_id=str(action.id), state__in=OPEN).first()
    return ActionPage(
        action=action,
        terms=terms,
        preview=preview_action(actor, action_id, at=at),
        versions=tuple(action.versions.order_by("-number")),
        entries=tuple(list_action_entries(actor, action_id)),
        orders=tuple(list_action_orders(actor, action_id)),
        pending=pending,
        payable=action.state == EX_APPLIED and terms.pay_date is not None and today_of(action, at) >= terms.pay_date,
    )


def describe_action(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """The effect of applying or taking back, by a dry run of now."""
    asked = facts.payload
    action = get_action(UUID(asked["action_id"]))
    preview = preview_action(actor, action.id, at=at)
    applies = asked["decision"] == APPLY
    name = f"{action.listing.symbol} · {preview.terms.sentence}"
    if not applies:
        return Effect(
            headline=f"Takes back {name}: every booking of it is reversed to the last unit, the instrument is blocked meanwhile.",
            button="take it back",
            lines=_undo_lines(action),
            warnings=("An account that has sold too much keeps what it lacks as an exception.",),
            obstacle=_obstacle(action, asked),
        )
    return Effect(
        headline=f"On {preview.terms.ex_date} the house applies {name}.",
        button=f"apply on {preview.terms.ex_date}",
        lines=_apply_lines(preview),
        warnings=(*preview.obstacles, *_moved(asked, preview)),
        obstacle=_obstacle(action, asked),
        irreversible="What was canceled for it does not come back when it is taken back.",
    )


def _apply_lines(preview: Preview) -> tuple[EffectLine, ...]:
    """Figures of all accounts, seen or not: a checker answers for the whole."""
    terms, unit = preview.terms, preview.price_unit
    accounts = str(len(preview.accounts) + preview.hidden_accounts)
    lines = [EffectLine("Accounts concerned", accounts, accounts, "by trades of before the ex date, settled or not")]
    if terms.kind.is_split:
        lines += [
            EffectLine("Shares held long", _figure(preview.long), _figure(preview.long_after)),
            EffectLine("Shares sold short", _figure(preview.short), _figure(preview.short_after)),
            EffectLine("Average daily volume", _figure(preview.volume), _figure(preview.volume_after)),
            EffectLine("Last price", _figure(preview.last, unit), _figure(preview.last_after, unit)),
        ]
    if terms.currency:
        lines.append(
            EffectLine("Money of the accounts", _figure(ZERO), _figure(preview.cash, terms.currency), "long less short")
        )
    orders = len(preview.orders) + preview.hidden_orders
    lines.append(
        EffectLine("Open orders", str(orders), str(orders - preview.ending), f"{preview.ending} are canceled first")
    )
    return tuple(lines)


def _undo_lines(action: CorporateAction) -> tuple[EffectLine, ...]:
    booked = ActionEntry.objects.filter(action=action)
    units = sum((row.units for row in booked), Decimal(0))
    cash: dict[str, Decimal] = {}
    for row in booked.filter(part="ex"):
        if row.cash:
            cash[row.currency] = cash.get(row.currency, Decimal(0)) + row.cash
    lines = [EffectLine("Shares booked by it", _figure(units), "0")]
    lines += [EffectLine(f"{currency} booked by it", _figure(amount), "0") for currency, amount in sorted(cash.items())]
    return tuple(lines)


def _obstacle(action: CorporateAction, asked: Mapping[str, Any]) -> str:
    if action.version == asked["version"]:
        return ""
    return f"It was corrected since it was asked: version {action.version}; approving will not apply it."


def _moved(asked: Mapping[str, Any], preview: Preview) -> tuple[str, ...]:
    """Figures that are not what they were when it was asked."""
    found = []
    if plain(preview.cash) != asked["cash"]:
        found.append(f"Money was {asked['cash']} when it was asked and is {plain(preview.cash)} now.")
    if plain(preview.units) != asked["units"]:
        found.append(f"Shares moved were {asked['units']} when it was asked and are {plain(preview.units)} now.")
    return tuple(found)


def _figure(value: Decimal | None, unit: str = "") -> str:
    if value is None:
        return "not known"
    text = f"{value.normalize():,f}"
    return f"{text} {unit}".strip()


def is_correctable(action: CorporateAction) -> bool:
    """Whether a further version may still be written."""
    return action.state in NOT_BEGUN


def may_undo(action: CorporateAction) -> bool:
    """Whether there is something that can be taken back."""
    return action.state in (EX_APPLIED, APPLIED)


def may_apply(action: CorporateAction) -> bool:
    """Whether it can be put before a second person."""
    return action.state in (ANNOUNCED, CHECKED)
