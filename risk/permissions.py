"""Who may switch trading, press the kill switch and impose blocks, and of which scopes somebody has sight.

Rights are of roles; our own processes need none under their own source.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from accounts.models import Client, TradingAccount
from authorisation.domain.four_eyes import visible_desks
from authorisation.domain.principal import TRADE_ACCOUNT_GROUP, VIEW_ACCOUNT_GROUP, Principal
from authorisation.models import Desk, User
from kernel.errors import Invalid, NotFound
from refdata.models import Listing, Market
from risk.models import Scope

SWITCH_TRADING = "switch_trading"
IMPOSE_BLOCK = "impose_block"
ENGAGE_KILL_SWITCH = "engage_kill_switch"
ASK_RISK_CHANGE = "ask_risk_change"
SEE_RESTRICTIONS = "see_restrictions"
MAX_STRATEGY = 40


def require_right(actor: Principal, right: str, sentence: str) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the role has it; our own processes do."""
    if not actor.is_process:
        actor.require(right, sentence)


def require_scope(actor: Principal, scope: str, scope_id: str) -> str:
    """What people call the scope (``desk EQ1``).

    Raises Invalid SCOPE_INVALID for an unknown kind of scope, an id where none belongs or none where one does; NotFound
    SCOPE_UNKNOWN for one that is not there, or whose desk, account, client or dealer the actor may not see.
    """
    if scope not in Scope.values or (scope == Scope.FIRM) != (scope_id == ""):
        sentence = f"A scope is {', '.join(Scope.values)}, with its id; the firm has none."
        raise Invalid("SCOPE_INVALID", sentence, {"scope": [sentence]})
    if scope == Scope.FIRM:
        return "the whole firm"
    name = _seen(actor, scope, scope_id)
    if name is None:
        raise NotFound("SCOPE_UNKNOWN", f"There is no such {scope} that you may see.", {"scope": scope, "id": scope_id})
    return f"{scope} {name}"


def sees_scope(actor: Principal, scope: str, scope_id: str) -> bool:
    """Whether the scope is there and the actor may see it."""
    return _seen(actor, scope, scope_id) is not None


def _seen(actor: Principal, scope: str, scope_id: str) -> str | None:
    try:
        return _FIND[Scope(scope)](actor, scope_id)
    except ValueError:  # no number, no UUID
        return None


def _desk(actor: Principal, scope_id: str) -> str | None:
    desk = Desk.objects.filter(pk=int(scope_id)).first()
    return desk.code if desk is not None and _sees_desk(actor, desk.pk) else None


def _dealer(actor: Principal, scope_id: str) -> str | None:
    user = User.objects.filter(pk=int(scope_id)).first()
    if user is None:
        return None
    # A service or a head of several desks belongs to none: who may press at all may stop it.
    seen = user.pk == actor.user_id or user.desk_id is None or _sees_desk(actor, user.desk_id)
    return user.username if seen else None


def _client(actor: Principal, scope_id: str) -> str | None:
    client = Client.objects.filter(pk=UUID(scope_id)).first()
    if client is None:
        return None
    groups = client.accounts.values_list("group_id", flat=True)
    return client.code if actor.is_process or any(_sees_group(actor, one) for one in groups) else None


def _account(actor: Principal, scope_id: str) -> str | None:
    account = TradingAccount.objects.filter(pk=UUID(scope_id)).first()
    return account.code if account is not None and _sees_group(actor, account.group_id) else None


def _strategy(actor: Principal, scope_id: str) -> str | None:
    return scope_id if len(scope_id) <= MAX_STRATEGY else None


def _instrument(actor: Principal, scope_id: str) -> str | None:
    symbols = Listing.objects.filter(instrument_id=UUID(scope_id)).order_by("symbol").values_list("symbol", flat=True)
    return ", ".join(symbols[:3]) or None


def _venue(actor: Principal, scope_id: str) -> str | None:
    return scope_id if Market.objects.filter(pk=scope_id).exists() else None


def _sees_desk(actor: Principal, desk_id: int) -> bool:
    return actor.is_process or desk_id in visible_desks(actor)


def _sees_group(actor: Principal, group_id: int) -> bool:
    return actor.is_process or group_id in actor.granted(VIEW_ACCOUNT_GROUP) | actor.granted(TRADE_ACCOUNT_GROUP)


_FIND: dict[Scope, Callable[[Principal, str], str | None]] = {
    Scope.DESK: _desk,
    Scope.DEALER: _dealer,
    Scope.CLIENT: _client,
    Scope.ACCOUNT: _account,
    Scope.STRATEGY: _strategy,
    Scope.INSTRUMENT: _instrument,
    Scope.VENUE: _venue,
}
