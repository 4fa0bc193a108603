"""A second person's word on the state of an account: approved, it is set at once, with its version, history and event."""

from __future__ import annotations

from uuid import UUID

from accounts.locks import lock_account
from accounts.models import TradingAccount
from accounts.selectors import find_account_by_code
from accounts.selectors.books import what_closing_meets
from accounts.services.request_account_state import KIND
from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.errors import NotFound
from kernel.ids import new_id


def _load(asking: Asking) -> TradingAccount:
    if find_account_by_code(asking.actor, asking.payload["account"]) is None:
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    return lock_account(UUID(asking.payload["account_id"]))


def _apply(asking: Asking, account: TradingAccount) -> Applied:
    state = TradingAccount.State(asking.payload["state"])
    if account.version != asking.facts.subject_version:
        raise NotApplied(f"Account {account.code} was changed since this was asked.")
    left = what_closing_meets(account.id) if state == TradingAccount.State.CLOSED else ""
    if left:
        raise NotApplied(f"Account {account.code} cannot be closed: {left}.")
    before = account.state
    account.state, account.version = state, account.version + 1
    account._history_date, account._change_reason = asking.at, asking.payload["reason"][:100]  # type: ignore[attr-defined]
    account.save(update_fields=["state", "version"])
    event_id = new_id()
    draft = EventDraft(
        id=event_id,
        stream=f"account:{account.id}",
        kind="AccountStateSet",
        actor=asking.actor.actor,
        on_behalf_of=asking.actor.on_behalf_of,
        correlation_id=event_id,
        event_at=asking.at,
        received_at=asking.at,
        business_date=asking.at.date(),
        payload={
            "account_id": str(account.id),
            "before": before,
            "state": state.value,
            "version": account.version,
            "reason": asking.payload["reason"],
            "authorisation_id": str(asking.facts.id),
            "maker_id": asking.facts.maker_id,
        },
    )
    append_to_stream(drafts=[draft], at=asking.at)
    return Applied(f"Account {account.code} is {state.label.lower()} now.")


def _decline(asking: Asking, account: TradingAccount) -> str:
    return f"Account {account.code} stays {TradingAccount.State(account.state).label.lower()}."


_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_account_state = _SUBJECT.decide
"""Approve or decline.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
