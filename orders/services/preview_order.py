"""What would happen if these terms were sent now: the same checks on the same facts, and nothing written or locked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from authorisation.domain.principal import Principal
from kernel.fix import OrdType, Side
from kernel.numbers import ZERO, Money, plain
from orders.domain.assembling import term_facts
from orders.domain.results import Preview
from orders.domain.shape import order_faults, require_shape
from orders.domain.terms import OrderTerms
from orders.locks import World, read_world
from orders.permissions import require_entry
from orders.services._borrowing import read_locate
from orders.services._capturing import Submission, capture_facts, require_account, require_listing
from orders.services._usage import usage_of_world
from risk.domain.answers import Acknowledgement, Judgement, Verdict
from risk.domain.checks import run_checks
from risk.domain.checks.closeness import all_closeness
from risk.domain.exposure import cash_to_hold, order_charges, order_value, priced
from risk.domain.facts import Facts

_SENTENCES = {
    Verdict.PASS: "Ready to send.",
    Verdict.ACKNOWLEDGE: "Needs your reason.",
    Verdict.AUTHORISE: "Will wait for a second person.",
    Verdict.REFUSE: "Cannot be sent.",
}


def preview_order(
    *,
    actor: Principal,
    at: datetime,
    terms: OrderTerms,
    acknowledgements: Sequence[Acknowledgement] = (),
    source: str = "ticket",
) -> Preview:
    """A dry run. Raises what :func:`capture_order` would raise before the checks: NotPermitted, Invalid."""
    require_entry(actor)
    require_shape(order_faults(terms))
    world = read_world(terms=terms, dealer_id=actor.user_id, source=actor.actor, at=at)
    listing = require_listing(world.listing, symbol=terms.symbol)
    account = require_account(world.account, code=terms.account, actor=actor)
    submission = Submission(actor, at, terms, source, tuple(acknowledgements))
    usage = usage_of_world(world, listing, account, at=at)
    locate = read_locate(account.account_id, term_facts(terms))
    facts = capture_facts(submission, listing, world, account, usage, locate)
    judgement = run_checks(facts, acknowledgements=acknowledgements, on_desk=submission.on_desk)
    return _preview(facts, judgement, world)


def _preview(facts: Facts, judgement: Judgement, world: World) -> Preview:
    currency = facts.listing.currency
    value = order_value(facts)
    charged = order_charges(facts)
    before = world.cash_available
    needed = cash_to_hold(facts)
    after = None if before is None or needed is None else before - needed
    bought = facts.terms.order_qty if facts.terms.side.is_buy else -facts.terms.order_qty
    can_send = judgement.worst in (Verdict.PASS, Verdict.AUTHORISE)
    return Preview(
        checks=judgement.answers,
        worst=judgement.worst,
        notional=value,
        notional_text=_arithmetic(facts, value),
        fees=Money(sum((charge.amount for charge in charged), ZERO), currency),
        charges=charged,
        cash_before=Money(before, currency) if before is not None else None,
        cash_after=Money(after, currency) if after is not None else None,
        position_before=world.position,
        position_after=world.position + bought,
        can_send=can_send,
        sentence=f"{_SENTENCES[judgement.worst]} {judgement.sentence}".strip(),
        closeness=all_closeness(facts),
    )


def _arithmetic(facts: Facts, value: Money | None) -> str:
    """How the value comes about: ``1,000 × 72.5 GBX ÷ 100 = GBP 725.00``."""
    if value is None:
        return "No price is known."
    px: Decimal = priced(facts).basis or ZERO
    listing, side = facts.listing, Side(facts.terms.side)
    divided = f" ÷ {listing.price_divisor}" if listing.price_divisor != 1 else ""
    about = "about " if facts.terms.ord_type in (OrdType.MARKET, OrdType.STOP) else ""
    verb = "costs" if side.is_buy else "brings"
    return (
        f"{facts.terms.order_qty:,f} × {plain(px)} {listing.price_unit}{divided} {verb} {about}"
        f"{value.currency} {value.amount:,f}"
    )
