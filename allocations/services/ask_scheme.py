"""Ask a second person to save a scheme, to change one, or to end one. Until then blocks are divided as before (ADR 0058).

Who asks sees every account of it: nobody divides among accounts that he may not see. What is asked is bound to the version that
stands now.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from allocations.domain.methods import read_method, read_stated
from allocations.domain.schemes import SCHEME, read_scheme, refuse
from allocations.models import Scheme, WashAccount
from allocations.permissions import require_scheme_asker
from allocations.selectors.cases import accounts_of
from allocations.selectors.schemes import body_of, get_scheme, last_scheme, other_default, subject_of
from allocations.services._acting import Acted, once, require_reason
from allocations.services.decide_post_trade_rules import KIND
from authorisation.domain.principal import Principal
from authorisation.models import Desk
from authorisation.selectors.requests import has_open_request
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict
from orders.permissions import visible_desks


def ask_scheme(
    *, actor: Principal, at: datetime, idempotency_key: str, route: str, given: Mapping[str, Any], reason: str
) -> Acted:
    """Ask for ``given``, the whole scheme (``domain.schemes``): the next version of its code, or the first.

    Raises NotPermitted RIGHT_MISSING, Invalid (as ``read_scheme``, LINES_INVALID for accounts that are not there, REASON_INVALID), Conflict
    (SCHEME_CODE_TAKEN, SCHEME_UNCHANGED, DEFAULT_TAKEN, CHANGE_PENDING); then nothing changed.
    """
    body, why = check_scheme(actor, given), require_reason(reason)

    def act() -> Acted:
        last = last_scheme(body["code"])
        if last is not None and not last.ended and body_of(last) == body:
            raise Conflict("SCHEME_UNCHANGED", f"{body['code']} says so already.")
        verb = "change" if last is not None and not last.ended else "save"
        return _raise(actor, at, verb, body, last, why, ended=False)

    return once(actor=actor, at=at, route=route, key=idempotency_key, content={"scheme": body, "reason": why}, act=act)


def ask_scheme_end(
    *, actor: Principal, at: datetime, idempotency_key: str, route: str, code: str, reason: str
) -> Acted:
    """Ask that no block is divided by it any more.

    Raises NotPermitted RIGHT_MISSING, NotFound SCHEME_UNKNOWN, Invalid REASON_INVALID, Conflict (SCHEME_ENDED, CHANGE_PENDING).
    """
    require_scheme_asker(actor)
    why, seen = require_reason(reason), get_scheme(actor, code)
    _require_firm_right(actor, body_of(seen))

    def act() -> Acted:
        last = last_scheme(seen.code)
        if last is None or last.ended:
            raise Conflict("SCHEME_ENDED", f"{seen.code} has ended already.")
        return _raise(actor, at, "end", body_of(last), last, why, ended=True)

    content = {"end": seen.code, "reason": why}
    return once(actor=actor, at=at, route=route, key=idempotency_key, content=content, act=act)


def check_scheme(actor: Principal, given: Mapping[str, Any]) -> dict[str, Any]:
    """The scheme in its plain form, if this person may ask for it as it is. Raises as ``ask_scheme``."""
    require_scheme_asker(actor)
    body = read_scheme(given)
    _require_firm_right(actor, body)
    last = last_scheme(body["code"])
    if last is not None and last.desk_id is not None and last.desk_id not in visible_desks(actor):
        raise Conflict("SCHEME_CODE_TAKEN", f"The code {body['code']} is taken.")
    desk = Desk.objects.filter(code=body["desk"], pk__in=visible_desks(actor)).first() if body["desk"] else None
    if body["desk"] and desk is None:
        refuse("desk", "There is no such desk that you may see.")
    if last is not None and last.desk_id != (desk.pk if desk else None):
        refuse("desk", "A scheme stays with its desk: end it, and save another.")
    _require_wash_account(actor, body, desk)
    method = read_method(body["method"])
    accounts_of(actor, read_stated(method, body["lines"])[0].accounts)
    _require_only_default(body)
    return body


def _require_firm_right(actor: Principal, body: Mapping[str, Any]) -> None:
    """What divides blocks of every desk is asked for by operations, not by one of the desks."""
    if not body["desk"]:
        require_scheme_asker(actor, of_the_firm=True)


def _require_wash_account(actor: Principal, body: Mapping[str, Any], desk: Desk | None) -> None:
    code = body["wash_account"]
    if not code:
        return
    wash = WashAccount.objects.filter(account__code=code, desk_id__in=visible_desks(actor)).first()
    if wash is None:
        refuse("wash_account", "There is no such account that blocks are executed for.")
    if desk is not None and wash.desk_id != desk.pk:
        refuse("wash_account", f"It is not an account of {desk.code}.")


def _require_only_default(body: Mapping[str, Any]) -> None:
    """Raise Conflict DEFAULT_TAKEN: of one account and strategy one scheme is the default, so that nobody has to guess which."""
    other = other_default(body)
    if other is not None:
        raise Conflict(
            "DEFAULT_TAKEN",
            f"{other.code} is the default of {body['wash_account']} already: change it, or end it first.",
        )


def _raise(
    actor: Principal, at: datetime, verb: str, body: Mapping[str, Any], last: Scheme | None, why: str, *, ended: bool
) -> Acted:
    code = body["code"]
    if has_open_request(kind=KIND, subject_id=subject_of(code)):
        raise Conflict("CHANGE_PENDING", f"A change of {code} waits for a second person already.")
    version = last.version if last else 0
    desk = Desk.objects.filter(code=body["desk"]).first() if body["desk"] else None
    summary = f"{verb} scheme {code}, {body['name']}, {len(body['lines']):,} accounts: {why}"[:500]
    raised = raise_request(
        actor=actor, at=at, kind=KIND, subject_type=SCHEME, subject_id=subject_of(code), subject_version=version,
        payload={"scheme": {**body, "ended": ended}, "version": version, "reason": why}, summary=summary,
        desk_id=desk.pk if desk else None,
    )  # fmt: skip
    return Acted(f"It waits for a second person: {summary}", raised.id)
