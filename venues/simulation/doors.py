"""Our doors in the pure run: capture, replace and cancel with the decisions of the services of ``orders``.

Mirrors ``capture_order``, ``replace_order`` and ``cancel_order``: same refusals, same holds, same states. Permissions,
limits and market hours are left out; what venues do is what is tried here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from accounts.domain import ledger
from accounts.domain.arithmetic import HoldAmounts
from accounts.domain.fees import NO_FEES
from accounts.domain.ledger import OrderHold
from kernel.fix import OrdStatus, OrdType, TimeInForce
from kernel.ids import cl_ord_id, order_ref
from kernel.numbers import ZERO, plain
from orders.domain import amending, applying, fold, holding, lineage
from orders.domain.applying import OrderRow, RequestRow
from orders.domain.facts import NO_FACTS
from orders.domain.state import RequestFact
from orders.domain.transitions import IN_FLIGHT
from venues.simulation.books import ACCOUNT, CURRENCY, FIRST_DAY, Books, Intent, decimal, fee_terms, snapshot_of


def capture(books: Books, index: int) -> str:
    """A new order, released at once."""
    terms = books.world.terms[index]
    order_id, request_id = books.new_id(), books.new_id()
    ref = order_ref(year=2026, month=1, number=books.world.seed % 90_000 * 10 + index + 1)
    name = cl_ord_id(ref=ref, request_seq=1, shard=0)
    qty = decimal(terms.qty, 2)
    px = decimal(terms.px, 8) if terms.px is not None else None
    ord_type = (OrdType.MARKET if px is None else OrdType.LIMIT).value
    facts = fold.request_sent(NO_FACTS, RequestFact("new", name, None, qty, px, None, terms.tif))
    message = message_of(terms.side, ord_type, terms.tif, qty, px)
    order = OrderRow(
        id=order_id,
        ref=ref,
        account_id=ACCOUNT,
        correlation_id=order_id,
        side=terms.side,
        ord_type=ord_type,
        order_qty=qty,
        price=px,
        stop_px=None,
        time_in_force=terms.tif,
        cl_ord_id=name,
        venue_order_id=None,
        ord_status=None,
        cum_qty=ZERO,
        leaves_qty=qty,
        is_open=True,
        request_state="released",
        trade_date=FIRST_DAY,
        version=1,
        last_event_seq=2,
        last_event_hash=bytes(32),
        facts=facts,
        snapshot=snapshot_of(terms.divisor),
        fees=NO_FEES.decided(FIRST_DAY, fee_terms(terms.side)),
    )
    books.orders[order_id] = order
    books.order_ids[index] = order_id
    books.requests[order_id] = [RequestRow(request_id, order_id, "new", "released", name, None)]
    books.owners[name] = order_id
    books.messages[name] = message
    books.matters[order_id] = {}
    books.effective[order_id], books.stated[order_id] = {}, {}
    books.moved[order_id] = (ZERO, ZERO)
    books.waiting.append(Intent(request_id, order_id, "new", name, message, True))
    set_hold(books, order)
    return name


def replace(books: Books, index: int, qty: Decimal, px: Decimal | None) -> str | None:
    """A replace of the working terms; None when the door says no at once, or the checks refuse it."""
    order_id = books.order_ids.get(index)
    if order_id is None:
        return None
    order, requests = books.orders[order_id], books.requests[order_id]
    if not may_work(books, order) or requests[0].state == "released" or _cancel_flies(requests):
        return None
    replaces = [r for r in requests if r.kind == "replace"]
    basis = lineage.basis_of(
        _working_message(books, order), [(place, r.state, r.payload or {}) for place, r in enumerate(replaces)]
    )
    message = {**basis, "order_qty": plain(qty)}
    if px is not None:
        message["price"] = plain(px)
    if message == basis:
        return None
    refused = not _asks_enough(books, order, qty) or _too_many(books, replaces)
    request = _request(books, order, requests, "replace", "refused" if refused else "released", message)
    requests.append(request)
    if refused:
        return None
    books.owners[request.cl_ord_id] = order_id
    books.messages[request.cl_ord_id] = message
    adds_risk = qty > (order.order_qty or ZERO) or _worse_price(order, message["price"])
    books.waiting.append(Intent(request.id, order_id, "replace", request.cl_ord_id, message, adds_risk))
    set_hold(books, order)
    return request.cl_ord_id


def cancel(books: Books, index: int) -> str | None:
    """A cancel; "" when the order had not been sent and both end here."""
    order_id = books.order_ids.get(index)
    if order_id is None:
        return None
    order, requests = books.orders[order_id], books.requests[order_id]
    revivable = any(r.kind == "replace" and lineage.is_open_request(r.state) for r in requests)
    if not (order.is_open or revivable) or _cancel_flies(requests):
        return None
    request = _request(books, order, requests, "cancel", "released", None)
    requests.append(request)
    if requests[0].state in ("released", "withdrawn"):
        complete_here(books, order, request)
        return ""
    for place, other in enumerate(requests):
        if other.kind == "replace" and other.state == "released":
            requests[place] = other._replace(state="withdrawn")
    books.owners[request.cl_ord_id] = order_id
    message = _working_message(books, order)
    books.waiting.append(Intent(request.id, order_id, "cancel", request.cl_ord_id, message, False))
    set_hold(books, order)
    return request.cl_ord_id


def may_work(books: Books, order: OrderRow) -> bool:
    """Whether a replace may still come to something: the order is open, or filled at a venue that revives it."""
    return order.is_open or (order.ord_status == OrdStatus.FILLED and books.adapter.capabilities.replace_revives_filled)


def complete_here(books: Books, order: OrderRow, cancel_request: RequestRow) -> None:
    """The order was never sent: what is unsent of it is withdrawn, the cancel is accepted, nothing is held."""
    requests = books.requests[order.id]
    for place, request in enumerate(requests):
        if request.id == cancel_request.id:
            requests[place] = request._replace(state="accepted")
        elif request.kind != "cancel" and request.state == "released":
            requests[place] = request._replace(state="withdrawn")
    books.orders[order.id] = order = order._replace(is_open=False, leaves_qty=ZERO)
    show_request_state(books, order)
    set_hold(books, books.orders[order.id])


def show_request_state(books: Books, order: OrderRow) -> None:
    """The order's share of its requests' states."""
    state = applying.request_state_of((r.kind, r.state) for r in books.requests[order.id])
    books.orders[order.id] = order._replace(request_state=state)


def set_hold(books: Books, order: OrderRow) -> None:
    """What the order holds from now on, by its working terms and its open replaces."""
    terms = holding.priced_of(
        side=order.side,
        ord_type=order.ord_type,
        price=order.price,
        stop_px=order.stop_px,
        snapshot=order.snapshot,
        fees=order.fees.terms,
    )
    wishes = [
        holding.asked_of(r.payload)
        for r in books.requests[order.id]
        if r.kind == "replace" and r.payload is not None and r.state in holding.OPEN_STATES
    ]
    held = holding.held_for(
        terms,
        leaves_qty=order.leaves_qty,
        cum_qty=order.cum_qty,
        is_open=order.is_open,
        is_filled=order.ord_status == OrdStatus.FILLED,
        asked=wishes,
    )
    exchange_hold(books, order, held)


def exchange_hold(books: Books, order: OrderRow, held: HoldAmounts) -> None:
    """Put the new hold in the place of the old one, in the balances too."""
    new = hold_row(order, held)
    old = books.holds.get(order.id)
    keep_money(books, ledger.post({ACCOUNT: books.account}, (), [(old, new)]))
    books.holds[order.id] = new


def hold_row(order: OrderRow, held: HoldAmounts) -> OrderHold:
    """The hold as accounts keeps it."""
    return OrderHold(
        order_id=order.id,
        account_id=ACCOUNT,
        cash_currency=CURRENCY if held.cash else "",
        cash=held.cash,
        instrument_id=holding.instrument_of(order.snapshot) if held.stock else None,
        stock=held.stock,
    )


def keep_money(books: Books, posted: ledger.Posted) -> None:
    """The balances that changed, as they are now."""
    cash = {**books.account.cash, **{row.currency: row for row in posted.cash}}
    holdings = {**books.account.holdings, **{row.instrument_id: row for row in posted.holdings}}
    books.account = ledger.AccountMoney(ACCOUNT, cash, holdings)


def message_of(side: str, ord_type: str, tif: str, qty: Decimal | None, px: Decimal | None) -> dict[str, Any]:
    """The normalised message, as far as adapters read it."""
    return {
        "account": "SIM",
        "symbol": "SIM",
        "mic": "XSIM",
        "currency": CURRENCY,
        "side": side,
        "ord_type": ord_type,
        "time_in_force": TimeInForce(tif).value,
        "order_qty": plain(qty) if qty is not None else None,
        "price": plain(px) if px is not None else None,
        "stop_px": None,
        "capacity": "A",
        "handling": "1",
    }


def _request(
    books: Books, order: OrderRow, requests: list[RequestRow], kind: str, state: str, message: dict[str, Any] | None
) -> RequestRow:
    name = cl_ord_id(ref=order.ref, request_seq=len(requests) + 1, shard=0)
    return RequestRow(books.new_id(), order.id, kind, state, name, message)


def _cancel_flies(requests: list[RequestRow]) -> bool:
    return any(r.kind == "cancel" and r.state in IN_FLIGHT for r in requests)


def _working_message(books: Books, order: OrderRow) -> dict[str, Any]:
    accepted = books.messages[order.cl_ord_id or ""]
    working = {name: getattr(order, name) for name in ("order_qty", "price", "stop_px", "time_in_force")}
    return amending.current_message(accepted, working)


def _asks_enough(books: Books, order: OrderRow, qty: Decimal) -> bool:
    stops = books.adapter.capabilities.rules("").replace.below_executed_stops
    return qty > order.cum_qty or (stops and order.cum_qty < (order.order_qty or ZERO))


def _too_many(books: Books, replaces: list[RequestRow]) -> bool:
    flying = sum(1 for r in replaces if r.state in IN_FLIGHT)
    return flying >= books.adapter.capabilities.max_outstanding_replaces


def _worse_price(order: OrderRow, px: str | None) -> bool:
    if px is None or order.price is None:
        return px is not None or order.price is not None
    return Decimal(px) > order.price if order.side == "1" else Decimal(px) < order.price
