"""The picture: money of all accounts and all open orders, joined, as of one position of the journal. Pure.

The rooms say how their part follows from events; here they are one projection, so that both stand at the same position
and one snapshot holds both. Increase ``VERSION`` whenever what is kept, or how it follows from events, changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from accounts.domain.money import KINDS, NONE, Money, account_text
from accounts.domain.money import digest as digest_of
from accounts.domain.replaying import EXECUTIONS
from journal.domain.projecting import Condensing, Happening
from kernel.numbers import ZERO, plain
from orders.domain.open_orders import OpenOrders

VERSION = 7
CONDENSING = Condensing(
    last_only=("ReportApplied",),
    unless="moved",
    summed=tuple(sorted(EXECUTIONS)),
    by=("account_id", "currency", "instrument_id", "side"),
    sums=("cash_delta", "effective_qty", "effective_qty_before"),
)
"""Reports tell absolute figures, executions differences: of the ones the last counts, of the others the sum."""


class PictureState:
    """A :class:`journal.domain.projecting.Projection`. ``touched`` accounts have changed since they were last taken."""

    name = "picture"
    version = VERSION
    condensing = CONDENSING

    def __init__(self) -> None:
        self.orders = OpenOrders()
        self.money = Money()
        self._digests: dict[str, bytes] = {}
        self._touched: set[str] = set()

    def apply(self, event: Happening) -> bool:
        """Take one event; False when the past of its order is needed."""
        if event.stream.startswith("order:"):
            if event.kind in KINDS:
                self.money.apply(event)
            return self.orders.apply(event)
        if event.kind in KINDS:
            self.money.apply(event)
        return True

    def restore(self, events: Iterable[Happening]) -> None:
        """An order that was let go is open again."""
        self.orders.restore(events)

    def touched(self) -> set[str]:
        """Accounts that changed since the last call."""
        self._forget()
        taken, self._touched = self._touched, set()
        return taken

    def _forget(self) -> None:
        """Let go of digests of what has changed."""
        changed = self.money.touched | self.orders.touched
        self.money.touched.clear()
        self.orders.touched.clear()
        for account_id in changed:
            self._digests.pop(account_id, None)
        self._touched |= changed

    def account_ids(self) -> set[str]:
        """Every account there is."""
        return set(self.money.accounts)

    def dark_accounts(self) -> set[str]:
        """Accounts of which events of an old version tell too little to be compared."""
        return self.money.dark | set(self.orders.dark.values())

    def account_digest(self, account_id: str) -> bytes:
        """Stands for all balances of the account; kept until one of them changes."""
        self._forget()
        known = self._digests.get(account_id)
        if known is None:
            known = self._digests[account_id] = digest_of(self.account_text(account_id))
        return known

    def account_text(self, account_id: str) -> str:
        """All balances of the account, as compared."""
        return account_text(self.money.accounts.get(account_id, {}), self._reserved(account_id))

    def _reserved(self, account_id: str) -> dict[str, Decimal]:
        """What open orders and withdrawals hold, by currency or instrument."""
        cash, stock = self.orders.reserved(account_id)
        reserved = {**cash, **stock}
        for currency, amount in self.money.held(account_id).items():
            reserved[currency] = reserved.get(currency, ZERO) + amount
        return reserved

    def account_row(self, account_id: str) -> dict[str, Any]:
        """The account as screens show it: ``cash`` by currency, ``stock`` by instrument, decimals as text."""
        reserved = self._reserved(account_id)
        balances = self.money.accounts.get(account_id, {})
        row: dict[str, dict[str, dict[str, str]]] = {"cash": {}, "stock": {}}
        for what in sorted(balances.keys() | reserved.keys()):
            row["cash" if len(what) == 3 else "stock"][what] = _balance(
                balances.get(what, NONE), reserved.get(what, ZERO)
            )
        return row

    def copy(self) -> PictureState:
        """The same at this moment, to look a little ahead with."""
        other = PictureState()
        other.orders, other.money = self.orders.copy(), self.money.copy()
        self._forget()
        other._digests = self._digests.copy()
        return other

    def body(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"orders": self.orders.body(), "money": self.money.body()}

    def load(self, body: Mapping[str, Any]) -> None:
        """The inverse of :meth:`body`."""
        self.orders.load(body["orders"])
        self.money.load(body["money"])
        self._digests.clear()
        self._touched = set(self.money.accounts)


def _balance(layers: tuple[Decimal, Decimal, Decimal], reserved: Decimal) -> dict[str, str]:
    settled, pending, short = layers
    return {
        "settled": plain(settled),
        "pending": plain(pending),
        "reserved": plain(reserved),
        "short": plain(short),
        "available": plain(settled + pending - reserved),
    }
