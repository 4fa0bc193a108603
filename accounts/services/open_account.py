"""Open a trading account with its base currency at zero."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from accounts.domain.fee_book import STANDARD
from accounts.models import AccountGroup, CashBalance, Client, TradingAccount
from accounts.permissions import require_administrator
from authorisation.domain.principal import Principal
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.errors import Conflict
from kernel.ids import new_id


def open_account(
    *,
    actor: Principal,
    at: datetime,
    business_date: date,
    code: str,
    name: str,
    client: Client,
    group: AccountGroup,
    base_currency: str,
    short_allowed: bool = False,
    account_class: str = STANDARD,
    opens_currencies: bool = False,
    account_id: UUID | None = None,
) -> TradingAccount:
    """The new account. Raises NotPermitted RIGHT_MISSING, Conflict ACCOUNT_CODE_TAKEN.

    The cash row of the base currency is what orders of the account queue behind, so every account has one.
    """
    require_administrator(actor)
    with transaction.atomic():
        if TradingAccount.objects.filter(code=code).exists():
            raise Conflict("ACCOUNT_CODE_TAKEN", f"Account {code} exists already.", {"account": code})
        account = TradingAccount.objects.create(
            id=account_id or new_id(),
            code=code,
            name=name,
            client=client,
            group=group,
            base_currency=base_currency,
            short_allowed=short_allowed,
            account_class=account_class,
            opens_currencies=opens_currencies,
        )
        CashBalance.objects.create(account=account, currency=base_currency)
        event_id = new_id()
        draft = EventDraft(
            id=event_id,
            stream=f"account:{account.id}",
            kind="AccountOpened",
            actor=actor.actor,
            on_behalf_of=actor.on_behalf_of,
            correlation_id=event_id,
            event_at=at,
            received_at=at,
            business_date=business_date,
            payload={
                "account_id": str(account.id),
                "code": code,
                "client_id": str(client.pk),
                "group": group.code,
                "base_currency": base_currency,
                "short_allowed": short_allowed,
                "account_class": account_class,
                "opens_currencies": opens_currencies,
            },
        )
        append_to_stream(drafts=[draft], at=at)
        return account
