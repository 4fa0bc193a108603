"""Whether there is enough for what we decide to hold. Pure. Facts never pass here, only our own decisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from accounts.domain.ledger import AccountMoney, OrderHold
from kernel.errors import Refused
from kernel.numbers import ZERO, plain

HoldChange = tuple[OrderHold | None, OrderHold]


def require_cover(money: Mapping[UUID, AccountMoney], changes: Sequence[HoldChange]) -> None:
    """Raise Refused CASH_INSUFFICIENT or HOLDING_INSUFFICIENT for the first hold that finds too little.

    Holds that shrink are counted first, so that one order may free what another takes. A hold that does not grow is
    never refused, whatever the balance.
    """
    cash: defaultdict[tuple[UUID, str], Decimal] = defaultdict(lambda: ZERO)
    stock: defaultdict[tuple[UUID, UUID], Decimal] = defaultdict(lambda: ZERO)
    growing: list[OrderHold] = []
    for old, new in changes:
        cash_growth, stock_growth = _growth(old, new)
        if cash_growth > 0 or stock_growth > 0:
            growing.append(new)
        if new.cash_currency or (old and old.cash_currency):
            cash[new.account_id, new.cash_currency or (old.cash_currency if old else "")] += cash_growth
        instrument_id = new.instrument_id or (old.instrument_id if old else None)
        if instrument_id is not None:
            stock[new.account_id, instrument_id] += stock_growth
    for hold in growing:
        account = money.get(hold.account_id) or AccountMoney(hold.account_id)
        if hold.cash:
            _require_cash(account, hold, cash[hold.account_id, hold.cash_currency])
        if hold.stock and hold.instrument_id is not None:
            _require_stock(account, hold, hold.instrument_id, stock[hold.account_id, hold.instrument_id])


def _growth(old: OrderHold | None, new: OrderHold) -> tuple[Decimal, Decimal]:
    return new.cash - (old.cash if old else ZERO), new.stock - (old.stock if old else ZERO)


def _require_cash(account: AccountMoney, hold: OrderHold, growth: Decimal) -> None:
    available = account.available_cash(hold.cash_currency)
    if growth > 0 and growth > available:
        raise Refused(
            "CASH_INSUFFICIENT",
            f"The order needs {plain(growth)} {hold.cash_currency} more; {plain(available)} is available.",
            {"order_id": hold.order_id, "currency": hold.cash_currency, "needed": growth, "available": available},
        )


def _require_stock(account: AccountMoney, hold: OrderHold, instrument_id: UUID, growth: Decimal) -> None:
    sellable = account.sellable(instrument_id)
    if growth > 0 and growth > sellable:
        raise Refused(
            "HOLDING_INSUFFICIENT",
            f"The order sells {plain(growth)} more; {plain(sellable)} can be sold.",
            {"order_id": hold.order_id, "instrument_id": instrument_id, "needed": growth, "available": sellable},
        )
