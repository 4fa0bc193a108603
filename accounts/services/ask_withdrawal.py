"""Ask for cash to be paid out: checked and held like an order, and put before a second person."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import transaction

from accounts.locks import lock_money
from accounts.permissions import require_withdrawal_asker
from accounts.selectors import get_account
from accounts.selectors.books import get_cash
from accounts.services._withdrawing import KIND, hold_of, withdrawal_event
from accounts.services.set_reservations import set_reservations
from authorisation.domain.principal import Principal
from authorisation.services.raise_request import raise_request
from journal.services.append_to_stream import append_to_stream
from journal.services.claim_key import claim_key
from journal.services.store_answer import store_answer
from kernel.canonical import payload_hash
from kernel.errors import Invalid, Refused
from kernel.ids import new_id
from kernel.numbers import plain, round_money

ROUTE = "withdrawal"
MAX_PURPOSE = 200


def ask_withdrawal(
    *,
    actor: Principal,
    at: datetime,
    idempotency_key: str,
    account_id: UUID,
    currency: str,
    amount: Decimal,
    purpose: str,
) -> UUID:
    """The id of the withdrawal and of its authorisation request. ``purpose`` says to whom and what for.

    Raises NotPermitted RIGHT_MISSING, NotFound ACCOUNT_UNKNOWN, Invalid WITHDRAWAL_INVALID, Conflict (the key was used with
    other content), Refused WITHDRAWAL_NOT_COVERED; then nothing changed.
    """
    require_withdrawal_asker(actor)
    account = get_account(actor, account_id)
    purpose = purpose.strip()
    require_cash_shape("WITHDRAWAL_INVALID", currency, amount, purpose)
    asked = {"account_id": str(account.id), "currency": currency, "amount": plain(amount), "purpose": purpose}
    owner, digest = f"user:{actor.user_id}", payload_hash(asked)
    with transaction.atomic():
        stored = claim_key(principal=owner, route=ROUTE, key=idempotency_key, payload_hash=digest)
        if stored is not None:
            return UUID(stored.answer["withdrawal_id"])
        lock_money(account_ids=[account.id], instrument_ids=())
        view = get_cash(account_id=account.id, currency=currency, today=at.date())
        if amount > view.withdrawable:
            raise Refused(
                "WITHDRAWAL_NOT_COVERED",
                f"{account.code} can pay out {plain(view.withdrawable)} {currency}, not {plain(amount)}: settled "
                f"{plain(view.settled)} less held back {plain(view.reserved)} less debts {plain(view.debts)}.",
                {"withdrawable": view.withdrawable, "amount": amount, "currency": currency},
            )
        withdrawal_id = new_id()
        payload = {**asked, "withdrawal_id": str(withdrawal_id), "account": account.code}
        raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type=KIND,
            subject_id=str(withdrawal_id),
            subject_version=1,
            payload=payload,
            summary=f"pay {amount:,f} {currency} out of {account.code}: {purpose}",
            desk_id=account.desk_id,
            group_id=account.group_id,
            value=amount,
            currency=currency,
            request_id=withdrawal_id,
        )
        set_reservations(holds=[hold_of(payload)], at=at)
        said = withdrawal_event("WithdrawalAsked", payload, actor=actor.actor, on_behalf_of=actor.on_behalf_of, at=at)
        append_to_stream(drafts=[said], at=at)
        store_answer(
            principal=owner, route=ROUTE, key=idempotency_key, payload_hash=digest, status=202,
            answer={"withdrawal_id": str(withdrawal_id)}, at=at,
        )  # fmt: skip
        return withdrawal_id


def require_cash_shape(code: str, currency: str, amount: Decimal, purpose: str) -> None:
    """Raise Invalid ``code`` unless it is a whole amount of a currency, with what it is for."""
    faults: dict[str, list[str]] = {}
    if len(currency) != 3 or not currency.isalpha() or not currency.isupper():
        faults["currency"] = ["Three letters, as in GBP."]
    elif not amount.is_finite() or amount <= 0 or amount > Decimal(10) ** 12 or amount != round_money(amount, currency):
        faults["amount"] = ["An amount above zero, in whole minor units."]
    if not purpose or len(purpose) > MAX_PURPOSE or not purpose.isprintable():
        faults["purpose"] = [f"Say to whom and what for, in at most {MAX_PURPOSE} characters."]
    if faults:
        raise Invalid(code, next(iter(faults.values()))[0], faults)
