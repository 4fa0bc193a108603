"""Cash and stock of all accounts, kept current from events: a projection (``journal.domain.projecting``). Pure.

What orders hold is theirs to say; what withdrawals hold is here. ``digest`` joins both, and is what the database is asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from accounts.domain.replaying import (
    ACTIONS,
    ALLOCATED,
    DEPOSITS,
    EXECUTIONS,
    OPENINGS,
    STATEMENTS,
    WITHDRAWALS,
    shares_of,
)
from journal.domain.projecting import Happening
from kernel.numbers import ZERO, plain

SUSPENSE = frozenset({"ExcessMoved", "UnknownOrderBooked"})
KINDS = (
    ACTIONS
    | ALLOCATED.keys()
    | DEPOSITS
    | EXECUTIONS
    | OPENINGS
    | STATEMENTS
    | SUSPENSE
    | WITHDRAWALS
    | {"AccountOpened"}
)
Layers = tuple[Decimal, Decimal, Decimal]
NONE: Layers = (ZERO, ZERO, ZERO)  # settled, pending, short
_SELLS_SHORT = frozenset("56")


class Money:
    """Layers by account, and in it by currency (three letters) or instrument (a UUID), all text.

    ``dark``: accounts with executions whose events are too old to name what they moved.
    """

    def __init__(self) -> None:
        self.accounts: dict[str, dict[str, Layers]] = {}
        self.withdrawals: dict[str, tuple[str, str, Decimal]] = {}  # account, currency and amount by id
        self.dark: set[str] = set()
        self.touched: set[str] = set()

    def apply(self, event: Happening) -> bool:
        """Take one event; of other kinds nothing is taken."""
        kind, payload = event.kind, event.payload
        if kind in WITHDRAWALS:
            self._withdrawal(kind, payload)
        if kind in EXECUTIONS:
            self._execution(payload)
        elif kind in DEPOSITS:
            for line in payload["lines"]:
                self._move(payload["account_id"], line["instrument_id"] or line["currency"], settled=line["amount"])
        elif kind in ACTIONS:
            for line in payload["lines"]:
                what = line["instrument_id"] or line["currency"]
                self._move(payload["account_id"], what, **{line["layer"]: line["amount"]})
        elif kind == "ExcessMoved":
            for line in payload["executions"]:
                self._traded(payload["suspense_account_id"], payload, line, sign=1)
                self._traded(payload["account_id"], payload, line, sign=-1)
        elif kind == "UnknownOrderBooked":
            self._traded(payload["account_id"], payload, payload, sign=1)
        elif kind in STATEMENTS:
            for account_id, what, settled, moved in payload["rows"]:
                self._move(account_id, what, settled=settled, pending=-Decimal(moved))
        elif kind in ALLOCATED:
            self._allocated(kind, payload)
        elif kind in OPENINGS:
            for account_id, currency in payload["opened"]:
                self.accounts.setdefault(account_id, {}).setdefault(currency, NONE)
                self.touched.add(account_id)
        elif kind == "AccountOpened":
            self.accounts.setdefault(payload["account_id"], {}).setdefault(payload["base_currency"], NONE)
            self.touched.add(payload["account_id"])
        return True

    def _allocated(self, kind: str, payload: Mapping[str, Any]) -> None:
        """What accounts got of a block, or gave back."""
        for share in shares_of(kind, payload):
            self._move(share.account_id, share.currency, pending=share.cash)
            self._move(share.giver_id, share.currency, pending=share.given)
            if not share.qty:
                continue
            for account_id, qty in ((share.account_id, share.qty), (share.giver_id, -share.qty)):
                if share.is_short:
                    self._move(account_id, share.instrument_id, short=-qty)
                else:
                    self._move(account_id, share.instrument_id, pending=qty)

    def _withdrawal(self, kind: str, payload: Mapping[str, Any]) -> None:
        self.withdrawals.pop(payload["withdrawal_id"], None)
        if kind == "WithdrawalAsked":
            held = (payload["account_id"], payload["currency"], Decimal(payload["amount"]))
            self.withdrawals[payload["withdrawal_id"]] = held
        self.touched.add(payload["account_id"])

    def held(self, account_id: str) -> dict[str, Decimal]:
        """Cash that withdrawals of the account hold, by currency."""
        sums: dict[str, Decimal] = {}
        for owner, currency, amount in self.withdrawals.values():
            if owner == account_id:
                sums[currency] = sums.get(currency, ZERO) + amount
        return sums

    def _execution(self, payload: Mapping[str, Any]) -> None:
        account_id = payload["account_id"]
        if "cash_delta" not in payload:
            self.dark.add(account_id)
            return
        self._move(account_id, payload["currency"], pending=payload["cash_delta"])
        qty = Decimal(payload["effective_qty"]) - Decimal(payload["effective_qty_before"])
        side = payload["side"]
        if side in _SELLS_SHORT:
            self._move(account_id, payload["instrument_id"], short=qty)
        else:
            self._move(account_id, payload["instrument_id"], pending=qty if side == "1" else -qty)

    def _traded(self, account_id: str, what: Mapping[str, Any], moved: Mapping[str, Any], *, sign: int) -> None:
        """Units and money that go from one account to another, or come to one from nowhere: signed as bought."""
        self._move(account_id, what["currency"], pending=sign * Decimal(moved["cash_delta"]))
        qty = sign * Decimal(moved["qty_delta"])
        if what["side"] in _SELLS_SHORT:
            self._move(account_id, what["instrument_id"], short=-qty)
        else:
            self._move(account_id, what["instrument_id"], pending=qty)

    def _move(
        self,
        account_id: str,
        what: str,
        *,
        settled: str | Decimal = ZERO,
        pending: str | Decimal = ZERO,
        short: str | Decimal = ZERO,
    ) -> None:
        balances = self.accounts.setdefault(account_id, {})
        had = balances.get(what, NONE)
        balances[what] = (had[0] + Decimal(settled), had[1] + Decimal(pending), had[2] + Decimal(short))
        self.touched.add(account_id)

    def copy(self) -> Money:
        """The same at this moment; what happens to one does not happen to the other."""
        other = Money()
        other.accounts = {account_id: balances.copy() for account_id, balances in self.accounts.items()}
        other.withdrawals, other.dark = self.withdrawals.copy(), self.dark.copy()
        return other

    def body(self) -> dict[str, Any]:
        """As plain JSON."""
        rows = {
            account_id: {what: [plain(layer) for layer in layers] for what, layers in balances.items()}
            for account_id, balances in self.accounts.items()
        }
        held = {key: [*owner, plain(amount)] for key, (*owner, amount) in self.withdrawals.items()}
        return {"rows": rows, "dark": sorted(self.dark), "withdrawals": held}

    def load(self, body: Mapping[str, Any]) -> None:
        """The inverse of :meth:`body`."""
        self.accounts = {
            account_id: {what: (Decimal(a), Decimal(b), Decimal(c)) for what, (a, b, c) in balances.items()}
            for account_id, balances in body["rows"].items()
        }
        self.withdrawals = {key: (a, c, Decimal(amount)) for key, (a, c, amount) in body["withdrawals"].items()}
        self.dark, self.touched = set(body["dark"]), set()


def account_text(balances: Mapping[str, Layers], reserved: Mapping[str, Decimal]) -> str:
    """All that is compared of one account: each balance that is not all zero, by name. ``reserved`` by the same names."""
    lines = []
    for what in sorted(balances.keys() | reserved.keys()):
        settled, pending, short = balances.get(what, NONE)
        held = reserved.get(what, ZERO)
        if settled or pending or short or held:
            overdrawn = "t" if settled + pending - held < 0 else "f"
            lines.append(f"{what}|{plain(settled)}|{plain(pending)}|{plain(held)}|{plain(short)}|{overdrawn}")
    return ";".join(lines)


def digest(text: str) -> bytes:
    """Sixteen bytes that stand for an account's text."""
    return hashlib.sha256(text.encode()).digest()[:16]
