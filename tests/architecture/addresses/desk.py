"""The pages of the dealing day: orders, approvals, exceptions, accounts, prices, venues."""

from __future__ import annotations

from kernel.ids import new_id
from tests.architecture.addresses.bodies import amended, approved, asked, canceled, order_file, ticket, together
from tests.architecture.addresses.door import (
    AUDITS,
    CHECKS,
    ENTERS,
    JSON_SIGNED_IN,
    NOT_THEIRS,
    OWNS,
    SEES_THE_DESK,
    SIGNED_IN,
    TRADES_THE_DESK,
    Door,
)

DESK: dict[str, tuple[Door, ...]] = {
    "desk": (Door("GET", "/desk", SIGNED_IN),),
    "desk/rows.json": (Door("GET", "/desk/rows.json", JSON_SIGNED_IN),),
    "desk/export": (Door("GET", "/desk/export?form=json", SIGNED_IN),),
    "venues": (Door("GET", "/venues", SIGNED_IN),),
    "venues/<str:name>": (Door("GET", "/venues/{d.session_name}", SIGNED_IN),),
    "venues/<str:name>/ask": (Door("POST", "/venues/{d.session_name}/ask", NOT_THEIRS),),
    "venues/<str:name>/switch": (
        Door("POST", "/venues/{d.session_name}/switch", NOT_THEIRS, lambda d: {"enabled": "no", "reason": "test"}),
    ),
    "venues/<str:name>/gate": (
        Door("POST", "/venues/{d.session_name}/gate", NOT_THEIRS, lambda d: {"typed": d.session_name, "reason": "x"}),
    ),
    "ticket/lists.json": (Door("GET", "/ticket/lists.json", JSON_SIGNED_IN),),
    "ticket/preview": (Door("POST", "/ticket/preview", SIGNED_IN, ticket),),
    "ticket/send": (Door("POST", "/ticket/send", (302, 200, 400, 403, 403, 302), ticket),),
    "o/new": (Door("GET", "/o/new", ENTERS),),
    "o/cancel": (
        Door("GET", "/o/cancel", TRADES_THE_DESK, lambda d: {"refs": ",".join(order.ref for order in d.orders)}),
        Door("POST", "/o/cancel", TRADES_THE_DESK, canceled),
    ),
    "o/<str:name>": (Door("GET", "/o/{d.order.ref}", SEES_THE_DESK),),
    "o/<str:name>/as-at/<int:seq>": (Door("GET", "/o/{d.order.ref}/as-at/1", SEES_THE_DESK),),
    "o/<str:name>/amend": (
        Door("GET", "/o/{d.order.ref}/amend", TRADES_THE_DESK),
        Door("POST", "/o/{d.order.ref}/amend", TRADES_THE_DESK, amended),
    ),
    "o/<str:name>/amend/preview": (Door("POST", "/o/{d.order.ref}/amend/preview", SEES_THE_DESK, amended),),
    "approvals": (Door("GET", "/approvals", SIGNED_IN, measured_as="compliance"),),
    "approvals/export": (Door("GET", "/approvals/export?form=json", SIGNED_IN, measured_as="compliance"),),
    "approvals/<uuid:approval_id>": (
        Door("GET", "/approvals/{d.approvals[0]}", SEES_THE_DESK, measured_as="compliance"),
    ),
    "approvals/<uuid:approval_id>/decide": (
        Door(
            "POST",
            "/approvals/{d.approvals[0]}/decide",
            (302, 403, 404, 403, 200, 302),
            approved,
            measured_as="compliance",
        ),
    ),
    "approvals/digest": (Door("GET", "/approvals/digest", AUDITS, measured_as="auditor"),),
    # One request: every decision of several is a transaction of its own, on purpose.
    "approvals/together": (
        Door("GET", "/approvals/together?ids={d.approvals[0]}", SIGNED_IN, measured_as="compliance"),
        Door("POST", "/approvals/together", SIGNED_IN, together, measured_as="compliance"),
    ),
    "approvals/<uuid:approval_id>/claim": (
        Door("POST", "/approvals/{d.approvals[0]}/claim", CHECKS, measured_as="compliance"),
    ),
    "approvals/<uuid:approval_id>/release": (
        Door("POST", "/approvals/{d.approvals[0]}/release", (302, 409, 404, 409, 409, 302)),
    ),
    "approvals/<uuid:approval_id>/send-back": (
        Door("POST", "/approvals/{d.approvals[0]}/send-back", CHECKS, asked, measured_as="compliance"),
    ),
    "approvals/<uuid:approval_id>/answer": (
        Door("POST", "/approvals/{d.approvals[0]}/answer", (302, 409, 404, 403, 403, 302), lambda d: {"answer": "Yes"}),
    ),
    "approvals/<uuid:approval_id>/withdraw": (
        Door("POST", "/approvals/{d.approvals[0]}/withdraw", (302, 200, 404, 403, 403, 302)),
    ),
    "exceptions": (Door("GET", "/exceptions", SIGNED_IN),),
    "exceptions/export": (Door("GET", "/exceptions/export?form=json", SIGNED_IN),),
    "exceptions/<uuid:item_id>": (Door("GET", "/exceptions/{d.exceptions[0]}", SEES_THE_DESK),),
    "exceptions/together": (
        Door(
            "POST",
            "/exceptions/together",
            SIGNED_IN,
            lambda d: {"act": "take", "item": f"{d.exceptions[0]}:0"},
        ),
    ),
    "exceptions/<uuid:item_id>/act/<str:act>": (
        Door(
            "POST",
            "/exceptions/{d.exceptions[0]}/act/comment",
            (302, 200, 404, 403, 403, 302),
            lambda d: {"text": "x"},
        ),
    ),
    "notices": (Door("GET", "/notices", SIGNED_IN),),
    "notices/seen": (
        Door("POST", "/notices/seen", (302,) * len(SIGNED_IN), lambda d: {"drawn_at": "2026-11-26T10:00:00+00:00"}),
    ),
    "notices/choice": (Door("POST", "/notices/choice", (302,) * len(SIGNED_IN), lambda d: {"least": "high"}),),
    "runbooks": (Door("GET", "/runbooks", SIGNED_IN),),
    "runbooks/<str:number>": (Door("GET", "/runbooks/R-01", SIGNED_IN),),
    # The order of this exception has no excess: who may ask is told so.
    "exceptions/<uuid:item_id>/accept": (
        Door(
            "POST",
            "/exceptions/{d.exceptions[0]}/accept",
            (302, 409, 404, 403, 403, 302),
            lambda d: {"key": str(new_id()), "reason": "x"},
        ),
    ),
    "exceptions/<uuid:item_id>/dk": (
        Door(
            "POST",
            "/exceptions/{d.exceptions[0]}/dk",
            (302, 409, 404, 403, 403, 302),
            lambda d: {"key": str(new_id()), "reason": "x"},
        ),
    ),
    "corporate-actions": (Door("GET", "/corporate-actions", SIGNED_IN),),
    "corporate-actions/new": (Door("POST", "/corporate-actions/new", NOT_THEIRS),),
    "corporate-actions/load": (Door("POST", "/corporate-actions/load", NOT_THEIRS),),
    "corporate-actions/<uuid:action_id>": (Door("GET", "/corporate-actions/{d.actions[0]}", SIGNED_IN),),
    "corporate-actions/<uuid:action_id>/correct": (
        Door("POST", "/corporate-actions/{d.actions[0]}/correct", NOT_THEIRS, lambda d: {"reason": "x"}),
    ),
    "corporate-actions/<uuid:action_id>/ask": (
        Door(
            "POST", "/corporate-actions/{d.actions[0]}/ask", NOT_THEIRS, lambda d: {"decision": "apply", "reason": "x"}
        ),
    ),
    "corporate-actions/<uuid:action_id>/cancel": (
        Door("POST", "/corporate-actions/{d.actions[0]}/cancel", NOT_THEIRS, lambda d: {"reason": "x"}),
    ),
    "corporate-actions/<uuid:action_id>/paid": (
        Door("POST", "/corporate-actions/{d.actions[0]}/paid", NOT_THEIRS, lambda d: {"statement": "x"}),
    ),
    "uploads": (Door("GET", "/uploads", ENTERS),),
    "uploads/new": (Door("POST", "/uploads/new", (302, 302, 302, 403, 403, 302), order_file),),
    "uploads/<uuid:upload_id>": (Door("GET", "/uploads/{d.uploads[0]}", OWNS),),
    "uploads/<uuid:upload_id>/progress": (Door("GET", "/uploads/{d.uploads[0]}/progress", OWNS),),
    "uploads/<uuid:upload_id>/stop": (Door("POST", "/uploads/{d.uploads[0]}/stop", (302, 302, 404, 403, 403, 302)),),
    "uploads/<uuid:upload_id>/errors.csv": (Door("GET", "/uploads/{d.uploads[0]}/errors.csv", OWNS),),
    "positions": (Door("GET", "/positions", SIGNED_IN),),
    "positions/export": (Door("GET", "/positions/export?form=json", SIGNED_IN),),
    "positions/<str:code>": (Door("GET", "/positions/{d.own.account.code}", SEES_THE_DESK),),
    "positions/<str:code>/positions.csv": (
        Door("GET", "/positions/{d.own.account.code}/positions.csv", SEES_THE_DESK),
    ),
    "positions/<str:code>/withdrawals": (
        Door(
            "POST",
            "/positions/{d.own.account.code}/withdrawals",
            (302, 403, 404, 403, 403, 302),
            lambda d: {"key": str(new_id()), "currency": "GBP", "amount": "5", "purpose": "x"},
        ),
    ),
    "positions/<str:code>/bookings": (
        Door(
            "POST",
            "/positions/{d.own.account.code}/bookings",
            (302, 403, 404, 403, 403, 302),
            lambda d: {"key": str(new_id()), "currency": "GBP", "amount": "5", "purpose": "x"},
        ),
    ),
    "positions/<str:code>/state": (
        Door(
            "POST",
            "/positions/{d.own.account.code}/state",
            (302, 403, 404, 403, 403, 302),
            lambda d: {"state": "frozen", "reason": "x"},
        ),
    ),
    "positions/<str:code>/locates": (
        Door(
            "POST",
            "/positions/{d.own.account.code}/locates",
            (302, 403, 404, 403, 403, 302),
            lambda d: {
                "ref": "L",
                "symbol": d.own.listing.symbol,
                "qty": "5",
                "lender": "x",
                "expires_at": "2099-01-01T10:00",
            },
        ),
    ),
    "positions/<str:code>/<str:what>/<str:figure>": (
        Door("GET", "/positions/{d.own.account.code}/GBP/available", SEES_THE_DESK),
    ),
    "prices": (Door("GET", "/prices", SIGNED_IN),),
    "prices/ticks/<uuid:tick_id>": (Door("GET", "/prices/ticks/{d.tick_id}", SIGNED_IN),),
    "prices/<str:symbol>": (Door("GET", "/prices/{d.own.listing.symbol}", SIGNED_IN),),
    "prices/<str:symbol>/settle": (
        Door(
            "POST",
            "/prices/{d.own.listing.symbol}/settle",
            NOT_THEIRS,
            lambda d: {"tick": str(d.tick_id), "verdict": "dismiss", "reason": "test"},
        ),
    ),
}
