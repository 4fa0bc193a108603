"""Scopes as people name them: by desk code, username, client or account code, symbol, MIC; or by the id itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import UUID

from accounts.models import Client, TradingAccount
from authorisation.domain.four_eyes import visible_desks
from authorisation.domain.principal import TRADE_ACCOUNT_GROUP, VIEW_ACCOUNT_GROUP, Principal
from authorisation.models import Desk, User
from kernel.errors import Invalid, NotFound
from refdata.models import Instrument, Listing, Market
from risk.models import POSITION, Scope
from risk.permissions import sees_scope

SCOPE_WORDS: dict[str, str] = {
    Scope.FIRM: "The whole firm",
    Scope.DESK: "Desk",
    Scope.DEALER: "Dealer",
    Scope.CLIENT: "Client",
    Scope.ACCOUNT: "Account",
    Scope.STRATEGY: "Strategy",
    Scope.INSTRUMENT: "Instrument",
    Scope.VENUE: "Venue",
}


def find_scope(actor: Principal, scope: str, name: str) -> tuple[str, str]:
    """(scope, scope_id) of what somebody named; what the actor may not see answers as what is not there.

    Raises Invalid SCOPE_INVALID for a kind of scope that is none, or without a name; NotFound SCOPE_UNKNOWN.
    """
    if scope not in Scope.values:
        sentence = f"A scope is one of {', '.join(Scope.values)}."
        raise Invalid("SCOPE_INVALID", sentence, {"scope": [sentence]})
    text = name.strip()
    if scope == Scope.FIRM:
        return scope, ""
    if not text:
        sentence = f"Name the {scope}."
        raise Invalid("SCOPE_INVALID", sentence, {"name": [sentence]})
    found = _FIND[scope](text)
    if found is None or not sees_scope(actor, scope, found):
        raise NotFound("SCOPE_UNKNOWN", f"There is no {scope} {text} that you may see.", {"scope": scope, "id": text})
    return scope, found


def _first(found: Iterable[object]) -> str | None:
    return next((str(one) for one in found), None)


def _by_uuid(text: str) -> UUID:
    """The id, or one that nothing has."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def _desk(text: str) -> str | None:
    found = Desk.objects.filter(code__iexact=text).values_list("pk", flat=True)
    return _first(found) or _first(
        Desk.objects.filter(pk=int(text) if text.isdecimal() else 0).values_list("pk", flat=True)
    )


def _dealer(text: str) -> str | None:
    found = User.objects.filter(username__iexact=text).values_list("pk", flat=True)
    return _first(found) or _first(
        User.objects.filter(pk=int(text) if text.isdecimal() else 0).values_list("pk", flat=True)
    )


def _client(text: str) -> str | None:
    rows = Client.objects.values_list("pk", flat=True)
    return _first(rows.filter(code__iexact=text)) or _first(rows.filter(pk=_by_uuid(text)))


def _account(text: str) -> str | None:
    rows = TradingAccount.objects.values_list("pk", flat=True)
    return _first(rows.filter(code__iexact=text)) or _first(rows.filter(pk=_by_uuid(text)))


def _strategy(text: str) -> str | None:
    return text


def _instrument(text: str) -> str | None:
    by_symbol = Listing.objects.filter(symbol__iexact=text).values_list("instrument_id", flat=True)
    by_isin = Instrument.objects.filter(isin__iexact=text).values_list("pk", flat=True)
    by_id = Instrument.objects.filter(pk=_by_uuid(text)).values_list("pk", flat=True)
    return _first(by_symbol) or _first(by_isin) or _first(by_id)


def _venue(text: str) -> str | None:
    return _first(Market.objects.filter(pk__iexact=text).values_list("pk", flat=True))


_FIND: dict[str, Callable[[str], str | None]] = {
    Scope.DESK: _desk,
    Scope.DEALER: _dealer,
    Scope.CLIENT: _client,
    Scope.ACCOUNT: _account,
    Scope.STRATEGY: _strategy,
    Scope.INSTRUMENT: _instrument,
    Scope.VENUE: _venue,
}


def scope_names(pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """What people call each (scope, scope_id): ``desk EQ1``, ``the whole firm``. One statement a kind of scope."""
    wanted: dict[str, set[str]] = {}
    for scope, scope_id in pairs:
        wanted.setdefault(scope, set()).add(scope_id)
    names: dict[tuple[str, str], str] = {}
    for scope, ids in wanted.items():
        known = _NAMES[scope](ids) if scope in _NAMES else {}
        for scope_id in ids:
            names[scope, scope_id] = (
                "the whole firm" if scope == Scope.FIRM else f"{scope} {known.get(scope_id, scope_id)}"
            )
    return names


def _positions(ids: set[str]) -> dict[str, str]:
    """``ACC-1 in VOD.L`` for one account in one instrument."""
    pairs = {one: one.partition(":") for one in ids}
    accounts = _NAMES[Scope.ACCOUNT]({account for account, _, _ in pairs.values()})
    symbols = _NAMES[Scope.INSTRUMENT]({instrument for _, _, instrument in pairs.values()})
    return {one: f"{accounts.get(a, a)} in {symbols.get(i, i)}" for one, (a, _, i) in pairs.items()}


def visible_scopes(actor: Principal, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The names of those scopes of which the actor has sight: ``require_scope`` for many, one statement a kind of scope."""
    names = scope_names(pairs)
    desks = visible_desks(actor)
    groups = actor.granted(VIEW_ACCOUNT_GROUP) | actor.granted(TRADE_ACCOUNT_GROUP)
    ids: dict[str, list[str]] = {}
    for scope, scope_id in names:
        ids.setdefault(scope, []).append(scope_id)
    people = User.objects.filter(pk__in=ids.get(Scope.DEALER, [])).values_list("pk", "desk_id")
    accounts = TradingAccount.objects.filter(group_id__in=groups)
    seen: dict[str, set[str]] = {
        Scope.DESK: {str(desk) for desk in desks},
        Scope.DEALER: {str(pk) for pk, desk in people if desk is None or desk in desks or pk == actor.user_id},
        Scope.ACCOUNT: {
            str(pk) for pk in accounts.filter(pk__in=ids.get(Scope.ACCOUNT, [])).values_list("pk", flat=True)
        },
        Scope.CLIENT: {
            str(pk)
            for pk in accounts.filter(client_id__in=ids.get(Scope.CLIENT, [])).values_list("client_id", flat=True)
        },
    }
    held = {pair[1]: pair[1].partition(":")[0] for pair in names if pair[0] == POSITION}
    mine = {str(pk) for pk in accounts.filter(pk__in=held.values()).values_list("pk", flat=True)}
    seen[POSITION] = {scope_id for scope_id, account in held.items() if account in mine}
    return {pair: name for pair, name in names.items() if pair[0] not in seen or pair[1] in seen[pair[0]]}


_NAMES: dict[str, Callable[[set[str]], dict[str, str]]] = {
    Scope.DESK: lambda ids: {str(k): v for k, v in Desk.objects.filter(pk__in=ids).values_list("pk", "code")},
    Scope.DEALER: lambda ids: {str(k): v for k, v in User.objects.filter(pk__in=ids).values_list("pk", "username")},
    Scope.CLIENT: lambda ids: {str(k): v for k, v in Client.objects.filter(pk__in=ids).values_list("pk", "code")},
    Scope.ACCOUNT: lambda ids: {
        str(k): v for k, v in TradingAccount.objects.filter(pk__in=ids).values_list("pk", "code")
    },
    Scope.INSTRUMENT: lambda ids: {
        str(k): v
        for k, v in Listing.objects.filter(instrument_id__in=ids)
        .order_by("-symbol")
        .values_list("instrument_id", "symbol")
    },
    POSITION: _positions,
}
