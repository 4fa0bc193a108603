"""The open orders, kept current from events: a projection (``journal.domain.projecting``). Pure.

One entry an order that is open, or that holds something for a replace still on its way. Figures stay the text the events
gave, so that starting from a snapshot converts nothing; what an order holds is worked out when asked for and kept until
its entry changes. Entries are never changed in place: a copy of the dictionary is a picture of its moment.

A projection takes the figures that events tell; that they are right is what a replay proves (``replaying``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from accounts.domain.arithmetic import HoldAmounts
from accounts.domain.fees import terms_from_json
from journal.domain.projecting import Happening
from kernel.fix import OrdStatus, OrdType, TimeInForce
from kernel.numbers import ZERO, plain
from orders.domain.applying import request_state_of
from orders.domain.drafting import TELLS_ALL
from orders.domain.holding import OPEN_STATES, Asked, held_for, priced_of
from orders.domain.staging import is_staged
from orders.domain.transitions import ACCEPTED, CAPTURED, HANDED_OVER, PENDING_AUTHORISATION, RELEASED, UNKNOWN

Requests = tuple[tuple[Any, ...], ...]
_WISHES = ("replace", "staged")


class OpenOrder(NamedTuple):
    """Decimals as text, "" where there is none. A request is (id, kind, state, order_qty, price, stop_px), its kind
    ``staged`` for a staged replace. ``fees`` are the terms (JSON) its rest is charged by, decided for ``charged_on``."""

    account_id: str
    side: str
    ord_type: str
    currency: str
    divisor: int
    reference_px: str
    instrument_id: str
    session_group: str
    cl_ord_id: str
    venue_order_id: str
    ord_status: str
    order_qty: str
    cum_qty: str
    leaves_qty: str
    avg_px: str
    price: str
    stop_px: str
    time_in_force: str
    overfilled: bool
    request_state: str
    attention: str
    is_open: bool
    seq: int
    requests: Requests
    charged_on: str = ""
    fees: str = ""

    @property
    def text(self) -> str:
        """What is compared with the order's row; the database makes the same text of it."""
        return "|".join(
            (
                *self[7:18],
                "t" if self.overfilled else "f",
                "t" if self.is_open else "f",
                self.request_state,
                self.attention,
                str(self.seq),
            )
        )

    @property
    def held(self) -> HoldAmounts:
        """What the order holds of its account."""
        terms = priced_of(
            side=self.side,
            ord_type=self.ord_type,
            price=_number(self.price),
            stop_px=_number(self.stop_px),
            snapshot={
                "reference_price": self.reference_px or None,
                "currency": self.currency,
                "price_divisor": self.divisor,
            },
            fees=terms_from_json(orjson.loads(self.fees)) if self.fees else (),
        )
        return held_for(
            terms,
            leaves_qty=Decimal(self.leaves_qty),
            cum_qty=Decimal(self.cum_qty),
            is_open=self.is_open,
            is_filled=self.ord_status == OrdStatus.FILLED.value,
            asked=[
                Asked(Decimal(qty), _number(price), _number(stop_px), staged=kind == "staged")
                for _, kind, _, qty, price, stop_px in self.requests
                if kind in _WISHES
            ],
        )


def digest(text: str) -> bytes:
    """Sixteen bytes that stand for a text; the database takes the same of its own."""
    return hashlib.sha256(text.encode()).digest()[:16]


class OpenOrders:
    """Entries by order id (text). ``dark``: open orders whose events are too old to tell enough, with their accounts."""

    def __init__(self) -> None:
        self.entries: dict[str, OpenOrder] = {}
        self.by_account: dict[str, set[str]] = {}
        self.dark: dict[str, str] = {}
        self.touched: set[str] = set()
        self._held: dict[str, tuple[OpenOrder, HoldAmounts]] = {}
        self._digests: dict[str, tuple[OpenOrder, bytes]] = {}

    def apply(self, event: Happening) -> bool:
        """Take one event. False: it brings back an order that was let go, so the events of its stream are needed."""
        order_id, kind = event.stream[6:], event.kind
        entry = self.entries.get(order_id)
        if entry is None:
            return self._absent(order_id, event)
        if kind == "ReportApplied":
            self._keep(order_id, _reported(entry, event))
            return True
        change = _CHANGES.get(kind)
        self._keep(order_id, change(entry, event) if change else entry._replace(seq=max(entry.seq, event.seq)))
        return True

    def restore(self, events: Iterable[Happening]) -> None:
        """Read the whole stream of one order, from its first event to the one that could not be taken."""
        entry: OpenOrder | None = None
        order_id = ""
        for event in events:
            order_id = event.stream[6:]
            if event.kind in _BORN:
                entry = _BORN[event.kind](event)
            elif entry is not None and event.kind == "ReportApplied":
                entry = _reported(entry, event)
            elif entry is not None:
                change = _CHANGES.get(event.kind)
                entry = change(entry, event) if change else entry._replace(seq=max(entry.seq, event.seq))
        if entry is not None:
            self._keep(order_id, entry)

    def _absent(self, order_id: str, event: Happening) -> bool:
        if event.kind in _BORN:
            if event.version < TELLS_ALL:
                self.dark[order_id] = event.payload["account_id"]
            else:
                self._keep(order_id, _BORN[event.kind](event))
            return True
        if order_id in self.dark:
            return True
        reopened = event.kind == "ReportApplied" and event.payload.get("moved", {}).get("is_open")
        return not (reopened or event.kind == "ReplaceCaptured")

    def _keep(self, order_id: str, entry: OpenOrder) -> None:
        self.touched.add(entry.account_id)
        if entry.is_open or any(request[1] in _WISHES for request in entry.requests):
            if order_id not in self.entries:
                self.by_account.setdefault(entry.account_id, set()).add(order_id)
            self.entries[order_id] = entry
        elif self.entries.pop(order_id, None) is not None:
            self.by_account[entry.account_id].discard(order_id)

    def held(self, order_id: str) -> HoldAmounts:
        """What an open order holds; worked out once for each entry."""
        entry = self.entries[order_id]
        known = self._held.get(order_id)
        if known is None or known[0] is not entry:
            known = self._held[order_id] = (entry, entry.held)
        return known[1]

    def holds(self, order_id: str) -> bool:
        """Whether the order holds anything."""
        held = self.held(order_id)
        return bool(held.cash or held.stock)

    def digest(self, order_id: str) -> bytes:
        """The digest of an open order's row as it should be."""
        entry = self.entries[order_id]
        known = self._digests.get(order_id)
        if known is None or known[0] is not entry:
            known = self._digests[order_id] = (entry, digest(self.text(order_id)))
        return known[1]

    def text(self, order_id: str) -> str:
        """The order and what it holds, as compared."""
        held = self.held(order_id)
        return f"{self.entries[order_id].text}|{plain(held.cash)}|{plain(held.stock)}"

    def reserved(self, account_id: str) -> tuple[dict[str, Decimal], dict[str, Decimal]]:
        """What the account's open orders hold: cash by currency, stock by instrument."""
        cash: dict[str, Decimal] = {}
        stock: dict[str, Decimal] = {}
        for order_id in self.by_account.get(account_id, ()):
            held, entry = self.held(order_id), self.entries[order_id]
            if held.cash:
                cash[entry.currency] = cash.get(entry.currency, ZERO) + held.cash
            if held.stock:
                stock[entry.instrument_id] = stock.get(entry.instrument_id, ZERO) + held.stock
        return cash, stock

    def copy(self) -> OpenOrders:
        """The same at this moment; what happens to one does not happen to the other."""
        other = OpenOrders()
        other.entries, other.dark = self.entries.copy(), self.dark.copy()
        other.by_account = {account_id: ids.copy() for account_id, ids in self.by_account.items()}
        other._held, other._digests = self._held.copy(), self._digests.copy()
        return other

    def body(self) -> dict[str, Any]:
        """As plain JSON."""
        return {"rows": {order_id: list(entry) for order_id, entry in self.entries.items()}, "dark": self.dark}

    def load(self, body: Mapping[str, Any]) -> None:
        """The inverse of :meth:`body`."""
        make = OpenOrder._make
        self.entries = {order_id: make(row) for order_id, row in body["rows"].items()}
        self.dark, self.touched, self.by_account = dict(body["dark"]), set(), {}
        self._held, self._digests = {}, {}
        for order_id, entry in self.entries.items():
            self.by_account.setdefault(entry.account_id, set()).add(order_id)


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _captured(event: Happening) -> OpenOrder:
    payload, terms, instrument = event.payload, event.payload["terms"], event.payload["instrument"]
    return OpenOrder(
        account_id=payload["account_id"],
        side=terms["side"],
        ord_type=terms["ord_type"],
        currency=terms["currency"],
        divisor=instrument["price_divisor"],
        reference_px=instrument["reference_price"] or "",
        instrument_id=instrument["instrument_id"],
        session_group="",
        cl_ord_id=payload["cl_ord_id"],
        venue_order_id="",
        ord_status="",
        order_qty=terms["order_qty"],
        cum_qty="0",
        leaves_qty=terms["order_qty"],
        avg_px="0",
        price=terms["price"] or "",
        stop_px=terms["stop_px"] or "",
        time_in_force=terms["time_in_force"],
        overfilled=False,
        request_state=CAPTURED,
        attention="",
        is_open=True,
        seq=event.seq,
        requests=((payload["request_id"], "new", CAPTURED, "", "", ""),),
        **_first_fees(instrument.get("fees")),
    )


def _phoned(event: Happening) -> OpenOrder:
    payload, instrument = event.payload, event.payload["instrument"]
    return OpenOrder(
        account_id=payload["account_id"],
        side=payload["side"],
        ord_type=OrdType.MARKET.value,
        currency=payload["currency"],
        divisor=instrument["price_divisor"],
        reference_px=instrument["reference_price"] or "",
        instrument_id=instrument["instrument_id"],
        session_group=payload["session_group"],
        cl_ord_id=payload["cl_ord_id"] or "",
        venue_order_id=payload["venue_order_id"],
        ord_status="",
        order_qty="",
        cum_qty="0",
        leaves_qty="0",
        avg_px="0",
        price="",
        stop_px="",
        time_in_force=TimeInForce.DAY.value,
        overfilled=False,
        request_state=ACCEPTED,
        attention="",
        is_open=True,
        seq=event.seq,
        requests=(),
    )


_BORN: dict[str, Callable[[Happening], OpenOrder]] = {"OrderCaptured": _captured, "OrderPhoned": _phoned}
_MOVED = {
    "price": "price",
    "stop_px": "stop_px",
    "time_in_force": "time_in_force",
    "cl_ord_id": "cl_ord_id",
    "venue_order_id": "venue_order_id",
    "is_open": "is_open",
    "overfilled": "overfilled",
    "needs_attention": "attention",
}


def _reported(entry: OpenOrder, event: Happening) -> OpenOrder:
    payload = event.payload
    moved = payload.get("moved")
    changed: dict[str, Any] = {}
    for name, value in moved.items() if moved else ():
        if name == "fees":
            changed |= _decided(entry, value)
        elif name != "accepted_excess":  # which the picture does not tell beyond ``attention``
            changed[_MOVED[name]] = "" if value is None else value
    return entry._replace(
        ord_status=payload["ord_status"] or "",
        order_qty=payload["order_qty"] or entry.order_qty,
        cum_qty=payload["cum_qty"],
        leaves_qty=payload["leaves_qty"],
        avg_px=payload["avg_px"],
        request_state=_request_state(entry.requests),
        seq=max(entry.seq, event.seq),
        **changed,
    )


def _text(terms: Any) -> str:
    return orjson.dumps(terms).decode() if terms else ""


def _first_fees(told: list[Any] | None) -> dict[str, str]:
    return {"charged_on": told[0], "fees": _text(told[1])} if told else {}


def _decided(entry: OpenOrder, told: list[Any]) -> dict[str, str]:
    """By what the rest is charged now: the terms of the latest trade date that was decided."""
    last = max(told, key=lambda decision: decision[0])
    later = last[0] > entry.charged_on
    return {"charged_on": last[0], "fees": _text(last[1])} if later else {}


def _request_state(requests: Requests) -> str:
    return request_state_of([request[1:3] for request in requests])


def _routed(entry: OpenOrder, event: Happening) -> OpenOrder:
    return entry._replace(session_group=event.payload["session_group"], seq=max(entry.seq, event.seq))


def _excess_accepted(entry: OpenOrder, event: Happening) -> OpenOrder:
    attention = event.payload.get("needs_attention", entry.attention)
    return entry._replace(attention=attention, seq=max(entry.seq, event.seq))


def _day_turned(entry: OpenOrder, event: Happening) -> OpenOrder:
    return entry._replace(ord_status=event.payload["ord_status"] or "", seq=max(entry.seq, event.seq))


def _asked_for(entry: OpenOrder, event: Happening) -> OpenOrder:
    payload = event.payload
    if event.kind == "CancelCaptured":
        request = (payload["request_id"], "cancel", RELEASED, "", "", "")
    else:
        message = payload["message"]
        terms = (message["order_qty"], message["price"] or "", message["stop_px"] or "")
        request = (payload["request_id"], "staged" if is_staged(message) else "replace", CAPTURED, *terms)
    return entry._replace(requests=(*entry.requests, request), seq=max(entry.seq, event.seq))


def _moves_to(state: str) -> Callable[[OpenOrder, Happening], OpenOrder]:
    """A change that puts the event's request into ``state``; what is over and not the NEW is let go."""

    def change(entry: OpenOrder, event: Happening) -> OpenOrder:
        request_id = event.payload["request_id"]
        requests = tuple(
            (*request[:2], state, *request[3:]) if request[0] == request_id else request
            for request in entry.requests
            if request[0] != request_id or request[1] == "new" or state in OPEN_STATES
        )
        return entry._replace(requests=requests, request_state=_request_state(requests), seq=max(entry.seq, event.seq))

    return change


def _ends_as(state: str) -> Callable[[OpenOrder, Happening], OpenOrder]:
    """As :func:`_moves_to`, and a NEW that we end takes its order with it."""
    move = _moves_to(state)

    def change(entry: OpenOrder, event: Happening) -> OpenOrder:
        request_id = event.payload["request_id"]
        entry_is_over = any(request[0] == request_id and request[1] == "new" for request in entry.requests)
        entry = move(entry, event)
        return entry._replace(is_open=False, leaves_qty=plain(ZERO)) if entry_is_over else entry

    return change


_CHANGES: dict[str, Callable[[OpenOrder, Happening], OpenOrder]] = {
    "OrderRouted": _routed,
    "TradingDayTurned": _day_turned,
    "ExcessAccepted": _excess_accepted,
    "ReplaceCaptured": _asked_for,
    "CancelCaptured": _asked_for,
    "OrderReleased": _moves_to(RELEASED),
    "ReplaceReleased": _moves_to(RELEASED),
    "ReplaceStaged": _moves_to(RELEASED),
    "OrderHeld": _moves_to(PENDING_AUTHORISATION),
    "ReplaceHeld": _moves_to(PENDING_AUTHORISATION),
    "RequestHandedOver": _moves_to(HANDED_OVER),
    "RequestUnknown": _moves_to(UNKNOWN),
    "RequestAccepted": _moves_to(ACCEPTED),
    "ReplaceEnteredAnew": _moves_to(ACCEPTED),
    "RequestRejected": _moves_to("rejected"),
    "OrderRefused": _ends_as("refused"),
    "ReplaceRefused": _ends_as("refused"),
    "RequestNotSent": _ends_as("refused"),
    "RequestDeclined": _ends_as("declined"),
    "RequestLapsed": _ends_as("lapsed"),
    "RequestWithdrawn": _ends_as("withdrawn"),
}
