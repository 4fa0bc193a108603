"""What a change of a scheme would do: its fields and lines of now beside those asked for, and a dry run on a block that would use it.

Accounts the reader may not see are one line, with their number and what they have together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from accounts.selectors import visible_accounts
from allocations.domain.lines import NotAllocated
from allocations.domain.methods import AMOUNT_KEY, LABELS
from allocations.domain.second_person import Wanted
from allocations.domain.transitions import BOOKED, CHANGED, READY
from allocations.domain.words import Method
from allocations.models import Block, BlockFill
from allocations.selectors.cases import read_case
from allocations.selectors.schemes import body_of, last_scheme, other_default
from allocations.selectors.seeing import visible_blocks
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal, process_principal
from kernel.errors import OmsError
from kernel.numbers import ZERO
from operations.domain.effect import Effect, EffectLine
from operations.selectors.shares_shown import MOST_LINES, not_seen, share_lines, units
from orders.models import Order

Body = Mapping[str, Any]
LOOKED_AT = 20
"""Blocks of an account that are looked at for the newest of the strategy."""
FIELDS = {
    "name": "Name",
    "desk": "Desk",
    "method": "Method",
    "parameters": "Parameters",
    "wash_account": "Default of",
    "strategy": "For the strategy",
    "books_alone": "Books without a person",
}


def describe_scheme(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """The effect of a request about a scheme."""
    asked = facts.payload
    body, last = asked["scheme"], last_scheme(asked["scheme"]["code"])
    stands = None if last is None or last.ended else body_of(last)
    obstacle = ""
    if (last.version if last else 0) != asked["version"]:
        obstacle = "The scheme was changed since this was asked."
    elif not body["ended"] and (other := other_default(body)) is not None:
        obstacle = f"{other.code} has become the default of {body['wash_account']} since this was asked."
    told = scheme_effect(actor, stands, None if body["ended"] else body, at=at)
    return Effect(
        headline=f"{facts.summary.partition(':')[0]}. Reason: {asked['reason']}",
        button=f"{facts.summary.split(' ', 1)[0]} scheme {body['code']}",
        lines=told.lines,
        fields=told.fields,
        warnings=told.warnings,
        obstacle=obstacle,
        irreversible="Blocks that are booked by it stay as they are; another change is another request.",
    )


def scheme_effect(actor: Principal, stands: Body | None, asked: Body | None, *, at: datetime) -> Effect:
    """The same of a scheme that nobody has asked for yet; None: there is none (any more)."""
    lines, warnings = _tried(actor, stands, asked, at)
    if asked is not None and asked["books_alone"]:
        warnings = (*warnings, "Blocks it is the default of are booked by it without a person, whatever their value.")
    return Effect(
        "", "", lines=lines, fields=(*_fields(stands, asked), *_lines(actor, stands, asked)), warnings=warnings
    )


def _fields(stands: Body | None, asked: Body | None) -> tuple[EffectLine, ...]:
    return tuple(EffectLine(label, _told(stands, name), _told(asked, name)) for name, label in FIELDS.items())


def _told(body: Body | None, name: str) -> str:
    if body is None:
        return "none"
    value = body[name]
    if name == "method":
        return LABELS[Method(value)]
    if name == "parameters":
        return ", ".join(f"{key.replace('_', ' ')} {told}" for key, told in sorted(value.items())) or "as usual"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value or ("every desk" if name == "desk" else "none")


def _lines(actor: Principal, stands: Body | None, asked: Body | None) -> tuple[EffectLine, ...]:
    """What each account claims; what differs first, so that it is seen where not all are."""
    now, then = _by_account(stands), _by_account(asked)
    codes = {*now, *then}
    seen = set(visible_accounts(actor).filter(code__in=codes).values_list("code", flat=True)) if codes else set()
    ordered = sorted(seen, key=lambda code: (now.get(code) == then.get(code), code))
    found = [EffectLine(code, now.get(code, "no line"), then.get(code, "no line")) for code in ordered[:MOST_LINES]]
    hidden, more = codes - seen, len(ordered) - MOST_LINES
    if hidden:
        sums = _sum(stands, hidden), _sum(asked, hidden)
        found.append(EffectLine(not_seen(len(hidden)), *sums, "what they claim together"))
    if more > 0:
        rest = set(ordered[MOST_LINES:])
        found.append(EffectLine(f"{more:,} more accounts", _sum(stands, rest), _sum(asked, rest)))
    return tuple(found)


def _by_account(body: Body | None) -> dict[str, str]:
    if body is None:
        return {}
    key = AMOUNT_KEY[Method(body["method"])]
    found = {}
    for place, line in enumerate(body["lines"], start=1):
        words = [f"{key} {units(Decimal(line[key]))}"]
        if "min_qty" in line:
            words.append(f"at least {units(Decimal(line['min_qty']))}")
        if line.get("house"):
            words.append("house")
        if body["method"] == Method.ROTATION:
            words.append(f"place {place}")
        found[line["account"]] = ", ".join(words)
    return found


def _sum(body: Body | None, codes: set[str]) -> str:
    if body is None:
        return "no line"
    key = AMOUNT_KEY[Method(body["method"])]
    claims = [Decimal(line[key]) for line in body["lines"] if line["account"] in codes]
    return f"{key} {units(sum(claims, ZERO))}" if claims else "no line"


def _tried(
    actor: Principal, stands: Body | None, asked: Body | None, at: datetime
) -> tuple[tuple[EffectLine, ...], tuple[str, ...]]:
    """Units by account of the newest complete block that would use it, by the scheme of now and by the one asked for."""
    block = _block_for(actor, asked or stands)
    if block is None:
        return (), ("No block would have used it yet, so that nothing can be tried.",)
    now, _ = _shares(block, stands, at)
    then, refused = _shares(block, asked, at)
    if asked is None:
        said = f"{block.ref} would have been divided by it; by what then is for whoever books."
    elif refused:
        said = f"{block.ref}, {units(block.qty)} {block.listing.symbol}, could not be divided by it: {refused}"
    else:
        said = f"Tried on {block.ref}, the newest complete block that would use it: {units(block.qty)} {block.listing.symbol}."
    lines, more = share_lines(actor, now, then, drifts=True)
    rest = (f"{more:,} more accounts of {block.ref} are not shown here.",) if more else ()
    return lines, (said, *rest)


def _shares(block: Block, body: Body | None, at: datetime) -> tuple[dict[UUID, Decimal], str]:
    """Units by account, and why there are none."""
    if body is None:
        return {}, ""
    wanted = Wanted(body["method"], body["code"], body["lines"], body["parameters"])
    try:
        case = read_case(actor=process_principal("approvals"), at=at, block=block, wanted=wanted)
    except OmsError as error:
        return {}, error.sentence
    if isinstance(case.plan, NotAllocated):
        return {}, case.plan.sentence
    return {line.account_id: line.qty for line in case.plan.booked}, ""


def _block_for(actor: Principal, body: Body | None) -> Block | None:
    """The newest complete block, of those the actor may see, of the account it is the default of; else booked by it; else of its desk."""
    if body is None:
        return None
    rows = (
        visible_blocks(actor)
        .select_related("listing")
        .filter(kind=Block.Kind.BLOCK, state__in=[READY, BOOKED, CHANGED])
    )
    rows = rows.filter(qty__gt=0).order_by("-number")
    if body["wash_account"]:
        return _of_strategy(rows.filter(account__code=body["wash_account"]), body["strategy"])
    return (
        rows.filter(scheme=body["code"]).first()
        or rows.filter(**({"desk__code": body["desk"]} if body["desk"] else {})).first()
    )


def _of_strategy(rows: QuerySet[Block], strategy: str) -> Block | None:
    if not strategy:
        return rows.first()
    for block in rows[:LOOKED_AT]:
        orders = BlockFill.objects.filter(block=block, qty__gt=0).values("order_id")
        if set(Order.objects.filter(pk__in=orders).values_list("strategy", flat=True)) == {strategy}:
            return block
    return None
