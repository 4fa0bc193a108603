"""What a key of the API may be narrowed to. Pure. A key never does more than its user may; a scope only takes away."""

from __future__ import annotations

ORDERS_READ = "orders:read"
ORDERS_WRITE = "orders:write"
ACCOUNTS_READ = "accounts:read"
PRICES_READ = "prices:read"
STOPS_READ = "stops:read"
STOPS_WRITE = "stops:write"
APPROVALS_READ = "approvals:read"
APPROVALS_DECIDE = "approvals:decide"
EVENTS_READ = "events:read"
EXCEPTIONS_READ = "exceptions:read"
EXCEPTIONS_WRITE = "exceptions:write"
RECONCILIATION_READ = "reconciliation:read"
RECONCILIATION_WRITE = "reconciliation:write"
POST_TRADE_READ = "post_trade:read"
POST_TRADE_WRITE = "post_trade:write"
ALLOCATE_WRITE = "allocate:write"
ANY_KEY = ""
"""Of an address that every key may ask, whatever its scopes."""

SCOPES: dict[str, str] = {
    ORDERS_READ: "Read orders",
    ORDERS_WRITE: "Send, change and cancel orders",
    ACCOUNTS_READ: "Read cash and positions",
    PRICES_READ: "Read prices",
    STOPS_READ: "Read stops and what is proven of them",
    STOPS_WRITE: "Press the kill switch and ask for its release",
    APPROVALS_READ: "Read what waits for a second person",
    APPROVALS_DECIDE: "Decide as a second person",
    EVENTS_READ: "Read the event stream",
    EXCEPTIONS_READ: "Read what must be looked at",
    EXCEPTIONS_WRITE: "Work on exceptions",
    RECONCILIATION_READ: "Read comparisons, breaks, reports and files of counterparties",
    RECONCILIATION_WRITE: "Bring files, start and stop comparisons, sign them off",
    POST_TRADE_READ: "Read allocations, confirmations, notes, settlement and the trade feed",
    POST_TRADE_WRITE: "Affirm and reject confirmations, bring files of counterparties and custodians",
    ALLOCATE_WRITE: "Say which accounts get what of a block",
}


def opens(scopes: list[str] | None, scope: str) -> bool:
    """Whether a key with ``scopes`` (None: not narrowed) may ask for ``scope``."""
    return scopes is None or scope == ANY_KEY or scope in scopes
