"""Open the account that canaries are captured for, with a desk, group and client of its own. Once; it stays a canary's for ever."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from accounts.models import AccountGroup, CanaryAccount, Client, TradingAccount
from accounts.services.open_account import open_account
from authorisation.domain.principal import process_principal
from authorisation.models import Desk
from kernel.ids import new_id

CODE = "CANARY"


def open_canary(*, at: datetime, business_date: date, base_currency: str) -> TradingAccount:
    """The account; made where there is none. Its group is granted to nobody, so no person can trade it."""
    found = TradingAccount.objects.filter(code=CODE, id__in=CanaryAccount.objects.values("account")).first()
    if found is not None:
        return found
    with transaction.atomic():
        desk, _ = Desk.objects.get_or_create(code=CODE, defaults={"name": "Canaries"})
        group, _ = AccountGroup.objects.get_or_create(code=CODE, defaults={"name": "Canaries", "desk": desk})
        client, _ = Client.objects.get_or_create(code=CODE, defaults={"id": new_id(), "name": "Canaries"})
        account = open_account(
            actor=process_principal("canary"),
            at=at,
            business_date=business_date,
            code=CODE,
            name="Canaries: every order must be refused",
            client=client,
            group=group,
            base_currency=base_currency,
        )
        CanaryAccount.objects.create(account=account, marked_at=at)
    return account
