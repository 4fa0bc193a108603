"""Ask a second person for another rule of when instructions leave. Of an account it is asked by, and shown to, who sees the account."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from accounts.selectors import find_account_by_code
from allocations.domain.confirm_rules import SENDING, read_change
from allocations.permissions import require_work
from allocations.services._acting import Acted
from allocations.services.ask_confirm_rule import ask_confirm_rule
from authorisation.domain.principal import Principal
from kernel.errors import NotFound


def ask_sending_rule(
    *, actor: Principal, at: datetime, idempotency_key: str, route: str, said: Mapping[str, Any], reason: str
) -> Acted:
    """As ``ask_confirm_rule``; raises NotFound ACCOUNT_UNKNOWN too."""
    require_work(actor)
    change = read_change(SENDING, said)
    account = find_account_by_code(actor, change.scope["account"]) if change.scope["account"] else None
    if change.scope["account"] and account is None:
        raise NotFound("ACCOUNT_UNKNOWN", "There is no such account that you may see.")
    place = {"desk_id": account.desk_id, "group_id": account.group_id} if account is not None else {}
    named = dict(said) | {"account": account.code} if account is not None else said
    return ask_confirm_rule(
        actor=actor, at=at, idempotency_key=idempotency_key, route=route, rule=SENDING, said=named, reason=reason, **place
    )  # fmt: skip
