"""Ask a second person to put a venue's order that nobody knows on record for an account: its reports then join it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from accounts.models import TradingAccount
from authorisation.domain.principal import Principal
from kernel.errors import Conflict
from kernel.numbers import plain
from orders.permissions import require_entry, require_trading
from orders.selectors.correlation import groups_of_session
from orders.services._capturing import unknown_account
from orders.services._suspense import ACCEPT_UNKNOWN, SuspenseAsked, ask, ask_once, lock_unknown


def accept_unknown_order(
    *,
    actor: Principal,
    at: datetime,
    idempotency_key: str,
    route: str,
    unknown_id: UUID,
    account: str,
    session_group: str,
    reason: str,
) -> SuspenseAsked:
    """Ask for it. ``session_group`` is the one of the session that reported.

    Raises NotPermitted, NotFound, Invalid (account unknown, REASON_INVALID), Conflict (UNKNOWN_ORDER_CLOSED,
    UNKNOWN_ORDER_VAGUE when nobody can tell what or which side was traded, DECISION_PENDING, IDEMPOTENCY_CONFLICT).
    """
    require_entry(actor)
    row = TradingAccount.objects.select_related("group").filter(code=account.strip().upper()).first()
    if row is None:
        raise unknown_account(account)
    require_trading(actor, desk_id=row.group.desk_id, group_id=row.group_id)

    def question() -> SuspenseAsked:
        unknown = lock_unknown(unknown_id)
        if unknown.listing is None or not unknown.side or session_group not in groups_of_session(unknown.session):
            raise Conflict(
                "UNKNOWN_ORDER_VAGUE", f"Nobody can tell what order {unknown.name} traded, or on which side."
            )
        return ask(
            actor=actor,
            at=at,
            decision=ACCEPT_UNKNOWN,
            subject_id=unknown.id,
            version=1,
            desk_id=row.group.desk_id,
            group_id=row.group_id,
            reason=reason,
            details={
                "name": unknown.name,
                "account": row.code,
                "symbol": unknown.listing.symbol,
                "side": unknown.side,
                "session_group": session_group,
            },
            summary=f"Take order {unknown.name} of {unknown.session}, {plain(abs(unknown.booked_qty))} "
            f"{unknown.listing.symbol}, for {row.code}.",
        )

    return ask_once(
        actor=actor,
        at=at,
        route=route,
        idempotency_key=idempotency_key,
        content={
            "decision": ACCEPT_UNKNOWN,
            "unknown_id": unknown_id,
            "account": row.code,
            "session_group": session_group,
            "reason": reason,
        },
        question=question,
    )
