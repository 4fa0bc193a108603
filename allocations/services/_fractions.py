"""Book the parts of shares that transformed instructions leave (``selectors.fractions``), equal to what is due now.

So they follow a bust, a late confirmation and the undoing of the action, and a repetition books nothing. One writer an action at a time.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from accounts.domain.ledger import Layer
from accounts.services.book_claim import ClaimLine, book_claim
from allocations.locks import lock_claims
from allocations.models import SettlementInstruction
from allocations.selectors.fractions import NAME, Moves, fraction_moves
from authorisation.domain.principal import process_principal
from kernel.crash_points import crash_point
from kernel.numbers import plain
from refdata.domain.action_terms import ActionTerms
from refdata.models import CorporateAction

ACTOR = process_principal("settlement")


def follow_fractions(action: CorporateAction, terms: ActionTerms, *, at: datetime) -> int:
    """Book what is missing of each account; how many moved."""
    if not terms.kind.is_split or not SettlementInstruction.objects.filter(action=action).exists():
        return 0
    with transaction.atomic():
        lock_claims(action.id)
        action.refresh_from_db(fields=["state"])
        moved = sum(_book(action, terms, one, at=at) for one in fraction_moves(action, terms))
        crash_point("fractions.booked")
    return moved


def _book(action: CorporateAction, terms: ActionTerms, one: Moves, *, at: datetime) -> bool:
    units, money = one.units - one.had_units, one.money - one.had_money
    lines = []
    if units:
        stock = ClaimLine(one.account_id, Layer.PENDING, "", units, terms.ex_date, action.instrument_id)
        lines.append(stock)
    if money:
        lines.append(ClaimLine(one.account_id, Layer.PENDING, terms.currency, money, terms.pay_date or terms.ex_date))
    said = {NAME: str(action.id), "units": plain(one.units), "money": plain(one.money)}
    return bool(book_claim(actor=ACTOR, at=at, business_date=terms.ex_date, lines=lines, said=said))
