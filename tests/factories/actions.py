"""Corporate actions as operations people enter and approve them, and the sweeper's turns until all is done."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, Permission

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest, User
from authorisation.selectors import get_principal
from authorisation.services.decide_request import Decided
from orders.services.apply_corporate_actions import apply_corporate_actions
from orders.services.ask_corporate_action import ask_corporate_action
from orders.services.decide_corporate_action import decide_corporate_action
from refdata.domain.action_terms import ActionKind, ActionTerms, Fractions
from refdata.models import CorporateAction
from refdata.services.announce_action import announce_action
from tests.factories import AT, make_principal

EX = date(2026, 11, 23)  # the Monday after AT
PAY = date(2026, 12, 4)
EX_MORNING = datetime(2026, 11, 23, 6, 0, tzinfo=AT.tzinfo)


def clerk(username: str = "clerk") -> Principal:
    """Somebody of operations, who asks about and decides static data; sees no account unless granted."""
    found = User.objects.filter(username=username).first()
    if found is not None:
        return get_principal(found)
    make_principal(username, role="operations", rights=(), persona="operations")
    rights = Permission.objects.filter(codename__in=("ask_static_data", "decide_static_data"))
    Group.objects.get(name="operations").permissions.add(*rights)
    return get_principal(User.objects.get(username=username))


def terms_for(kind: str, **changes: Any) -> ActionTerms:
    """A 2:1 split, 1:10 reverse split, dividend of 0.05 GBP or new symbol VODX.L, ex ``EX``; any term may be changed."""
    values: dict[str, Any] = {"kind": ActionKind(kind), "ex_date": EX}
    if kind in ("split", "reverse_split"):
        new, old = ("2", "1") if kind == "split" else ("1", "10")
        values |= {"ratio_new": new, "ratio_old": old, "currency": "GBP", "fraction_px": "0.725"}
    elif kind == "cash_dividend":
        values |= {"amount": "0.05", "currency": "GBP", "record_date": date(2026, 11, 24), "pay_date": PAY}
    else:
        values |= {"new_symbol": "VODX.L", "new_venue_symbol": "VODX"}
    values |= changes
    for name in ("ratio_new", "ratio_old", "amount", "fraction_px"):
        if isinstance(values.get(name), str):
            values[name] = Decimal(values[name])
    values["fractions"] = Fractions(values.get("fractions", "cash"))
    return ActionTerms(**values)


def announce(kind: str, *, symbol: str = "VOD.L", reference: str = "", **changes: Any) -> UUID:
    """Told by the test's agent."""
    return announce_action(
        actor=clerk(), at=AT, symbol=symbol, terms=terms_for(kind, **changes), source="AGENT",
        reference=reference or f"{symbol} {kind}",
    )  # fmt: skip


def decide(action_id: UUID, decision: str = "apply", verdict: str = "approve", *, at: datetime = AT) -> Decided:
    """One person asks, another decides."""
    asked = ask_corporate_action(actor=clerk(), at=at, action_id=action_id, decision=decision, reason="as announced")
    request = AuthorisationRequest.objects.get(id=asked.authorisation_id)
    return decide_corporate_action(
        actor=clerk("second"), at=at, authorisation_id=request.id, verdict=verdict, reason_code="OTHER", reason="checked",
        payload_hash=request.payload_hash,
    )  # fmt: skip


def approved(kind: str, **changes: Any) -> UUID:
    """Announced and approved."""
    action_id = announce(kind, **changes)
    assert decide(action_id).outcome == "applied"
    return action_id


def sweep(at: datetime = EX_MORNING, *, turns: int = 4, step_s: int = 10) -> datetime:
    """The sweeper as the relay runs it, ``turns`` times; returns when."""
    for _ in range(turns):
        apply_corporate_actions(at=at)
        at += timedelta(seconds=step_s)
    return at


def state_of(action_id: UUID) -> str:
    return str(CorporateAction.objects.get(id=action_id).state)
