"""The second run of the checks on a held request: when somebody approves, and for the page of whoever may.

What both read is one function, so that the page never shows an answer that the decision would not reach. It says why an
approval could not be applied: the order is over, a check answers worse than it did when it was asked, or the value has
grown by more than the tolerance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.domain.ledger import AccountMoney
from authorisation.models import User
from authorisation.selectors import get_principal
from kernel.errors import Conflict
from orders.domain.amending import changed_terms
from orders.domain.assembling import DESK_SOURCES, terms_of_payload
from orders.domain.judging import obstacle_of
from orders.models import Order, OrderRequest
from orders.services._asking import replaceable, working_message
from orders.services._facts import facts_of_order
from risk.domain.answers import Acknowledgement, Judgement
from risk.domain.checks import run_checks
from risk.domain.facts import Facts


@dataclass(frozen=True, slots=True)
class JudgedAgain:
    """The second run of the checks, what it saw, and why the approval cannot be applied (else the empty text)."""

    judgement: Judgement
    facts: Facts
    obstacle: str


def judge_again(
    order: Order,
    request: OrderRequest,
    requests: Sequence[OrderRequest],
    *,
    money: AccountMoney,
    at: datetime,
    locked: bool = True,
) -> JudgedAgain:
    """Every check on the facts of now, for the maker. ``locked`` is false for a dry run.

    Raises Conflict AUTHORISATION_CLOSED when the request does not wait any more.
    """
    if request.state != OrderRequest.State.PENDING_AUTHORISATION:
        raise Conflict("AUTHORISATION_CLOSED", f"{order.ref} does not wait for a decision any more.")
    maker = get_principal(User.objects.get(pk=request.maker_id))
    replacing = request.kind == OrderRequest.Kind.REPLACE
    facts = facts_of_order(
        order,
        requests,
        maker=maker,
        at=at,
        terms=terms_of_payload(request.payload),
        money=money,
        replacing=replacing,
        changed=changed_terms(working_message(order, requests), request.payload) if replacing else frozenset(),
        but=request,
        locked=locked,
    )
    acknowledged = [Acknowledgement(item["code"], item["reason"]) for item in request.acknowledgements]
    judgement = run_checks(facts, acknowledgements=acknowledged, on_desk=order.source in DESK_SOURCES)
    over = not (replaceable(order) if replacing else order.is_open)
    obstacle = f"{order.ref} is over." if over else obstacle_of(request.checks, judgement.answers)
    return JudgedAgain(judgement, facts, obstacle)
