"""The interface of programs, /api/v1."""

from __future__ import annotations

from reconciliation.domain.feed_changes import TERMS
from tests.architecture.addresses.bodies import approved, batch_body, order_body, together_by_api
from tests.architecture.addresses.door import (
    API_CHECKS,
    API_KNOWN,
    API_NOT_THEIRS,
    API_SEES_THE_DESK,
    API_TRADES_THE_DESK,
    Door,
)

API_AUDITS = (401, 403, 403, 200, 403, 403)
API_NO_SUCH_FILE = (401, 403, 403, 404, 403, 403)
PROGRAMS: dict[str, tuple[Door, ...]] = {
    "api/v1/me": (Door("GET", "/api/v1/me", API_KNOWN),),
    "api/v1/orders": (
        Door("GET", "/api/v1/orders", API_KNOWN),
        Door("POST", "/api/v1/orders", (401, 201, 400, 403, 403, 201), order_body),
    ),
    "api/v1/orders/batch": (Door("POST", "/api/v1/orders/batch", (401, 200, 200, 403, 403, 200), batch_body),),
    "api/v1/orders/<uuid:order_id>": (Door("GET", "/api/v1/orders/{d.order.order_id}", API_SEES_THE_DESK),),
    "api/v1/orders/<uuid:order_id>/replace": (
        Door("POST", "/api/v1/orders/{d.order.order_id}/replace", API_TRADES_THE_DESK, lambda d: {"order_qty": "900"}),
    ),
    "api/v1/orders/<uuid:order_id>/cancel": (
        Door("POST", "/api/v1/orders/{d.order.order_id}/cancel", API_TRADES_THE_DESK, lambda d: {"reason": "client"}),
    ),
    "api/v1/exceptions": (Door("GET", "/api/v1/exceptions", API_KNOWN),),
    "api/v1/exceptions/<uuid:item_id>": (Door("GET", "/api/v1/exceptions/{d.exceptions[0]}", API_SEES_THE_DESK),),
    "api/v1/exceptions/<uuid:item_id>/act": (
        Door(
            "POST",
            "/api/v1/exceptions/{d.exceptions[0]}/act",
            (401, 200, 404, 403, 403, 403),
            lambda d: {"act": "comment", "version": 0, "text": "x"},
        ),
    ),
    "api/v1/approvals": (Door("GET", "/api/v1/approvals", API_KNOWN, measured_as="compliance"),),
    "api/v1/approvals/together": (
        Door("POST", "/api/v1/approvals/together", API_KNOWN, together_by_api, measured_as="compliance"),
    ),
    "api/v1/approvals/<uuid:approval_id>": (
        Door("GET", "/api/v1/approvals/{d.approvals[0]}", API_SEES_THE_DESK, measured_as="compliance"),
    ),
    "api/v1/approvals/<uuid:approval_id>/decide": (
        Door("POST", "/api/v1/approvals/{d.approvals[0]}/decide", API_CHECKS, approved, measured_as="compliance"),
    ),
    "api/v1/approvals/<uuid:approval_id>/claim": (
        Door("POST", "/api/v1/approvals/{d.approvals[0]}/claim", API_CHECKS, measured_as="compliance"),
    ),
    "api/v1/approvals/<uuid:approval_id>/release": (
        Door("POST", "/api/v1/approvals/{d.approvals[0]}/release", (401, 409, 404, 409, 409, 409)),
    ),
    "api/v1/approvals/<uuid:approval_id>/send-back": (
        Door(
            "POST",
            "/api/v1/approvals/{d.approvals[0]}/send-back",
            API_CHECKS,
            lambda d: {"question": "Why?", "payload_hash": d.payload_hash},
            measured_as="compliance",
        ),
    ),
    "api/v1/approvals/<uuid:approval_id>/answer": (
        Door(
            "POST",
            "/api/v1/approvals/{d.approvals[0]}/answer",
            (401, 409, 404, 403, 403, 403),
            lambda d: {"answer": "Yes"},
        ),
    ),
    "api/v1/approvals/<uuid:approval_id>/withdraw": (
        Door("POST", "/api/v1/approvals/{d.approvals[0]}/withdraw", (401, 200, 404, 403, 403, 403)),
    ),
    "api/v1/feed-files": (
        Door("GET", "/api/v1/feed-files", API_AUDITS, measured_as="auditor"),
        Door("POST", "/api/v1/feed-files?name=a.csv&kind=cash", API_NOT_THEIRS),
    ),
    "api/v1/feed-files/<uuid:file_id>": (Door("GET", "/api/v1/feed-files/{d.run_id}", API_NO_SUCH_FILE),),
    "api/v1/feeds": (
        Door("GET", "/api/v1/feeds", API_AUDITS, measured_as="auditor"),
        Door(
            "POST",
            "/api/v1/feeds",
            API_NOT_THEIRS,
            lambda d: {"code": "X", "reason": "x", "terms": dict.fromkeys(TERMS, "")},
        ),
    ),
    "api/v1/gate-overrides": (
        Door("GET", "/api/v1/gate-overrides", API_AUDITS, measured_as="auditor"),
        Door("POST", "/api/v1/gate-overrides", API_NOT_THEIRS, lambda d: {"feed": "X", "reason": "x", "evidence": "x"}),
    ),
    "api/v1/gate-overrides/<uuid:waiver_id>/withdraw": (
        Door("POST", "/api/v1/gate-overrides/{d.run_id}/withdraw", API_NOT_THEIRS, lambda d: {"reason": "x"}),
    ),
    "api/v1/intakes": (Door("GET", "/api/v1/intakes", API_AUDITS, measured_as="auditor"),),
    "api/v1/intakes/<uuid:intake_id>": (Door("GET", "/api/v1/intakes/{d.run_id}", API_NO_SUCH_FILE),),
    "api/v1/reconciliation-runs": (
        Door("GET", "/api/v1/reconciliation-runs", API_KNOWN),
        Door(
            "POST",
            "/api/v1/reconciliation-runs",
            API_NOT_THEIRS,
            lambda d: {"kind": "cash", "file_id": str(d.run_id), "as_of": "2026-11-26"},
        ),
    ),
    "api/v1/reconciliation-runs/<uuid:run_id>": (Door("GET", "/api/v1/reconciliation-runs/{d.run_id}", API_KNOWN),),
    "api/v1/reconciliation-runs/<uuid:run_id>/breaks": (
        Door("GET", "/api/v1/reconciliation-runs/{d.run_id}/breaks", API_KNOWN),
    ),
    "api/v1/reconciliation-runs/<uuid:run_id>/cancel": (
        Door("POST", "/api/v1/reconciliation-runs/{d.run_id}/cancel", API_NOT_THEIRS),
    ),
    "api/v1/reconciliation-runs/<uuid:run_id>/sign-off": (
        Door("GET", "/api/v1/reconciliation-runs/{d.run_id}/sign-off", API_KNOWN),
        Door(
            "POST",
            "/api/v1/reconciliation-runs/{d.run_id}/sign-off",
            API_NOT_THEIRS,
            lambda d: {"statement": "x", "digest": "x"},
        ),
    ),
    "api/v1/reports": (Door("GET", "/api/v1/reports", API_KNOWN),),
    "api/v1/reports/<slug:name>": (Door("GET", "/api/v1/reports/fills", API_KNOWN),),
    "api/v1/settlement-instructions": (Door("GET", "/api/v1/settlement-instructions", API_KNOWN),),
    "api/v1/settlement-instructions/<str:ref>": (
        Door("GET", "/api/v1/settlement-instructions/S1-1", (401, 404, 404, 404, 404, 404)),
    ),
    **{
        f"api/v1/settlement-instructions/<str:ref>/{act}": (
            Door("POST", f"/api/v1/settlement-instructions/S1-1/{act}", API_NOT_THEIRS, lambda d: {"reason": "test"}),
        )
        for act in ("hold", "release", "send-again")
    },
    "api/v1/settlement-instructions/<str:ref>/buy-in": (
        Door(
            "POST",
            "/api/v1/settlement-instructions/S1-1/buy-in",
            API_NOT_THEIRS,
            lambda d: {"step": "withdraw", "reason": "test"},
        ),
    ),
    "api/v1/market-claims": (Door("GET", "/api/v1/market-claims", API_KNOWN),),
    "api/v1/market-claims/<str:ref>/act": (
        Door("POST", "/api/v1/market-claims/MC-1/act", API_NOT_THEIRS, lambda d: {"step": "agree", "reason": "test"}),
    ),
    "api/v1/settlement-files": (
        Door("POST", "/api/v1/settlement-files", API_NOT_THEIRS, lambda d: {"custodian": "X", "content": "x"}),
    ),
    "api/v1/cash-forecast": (Door("GET", "/api/v1/cash-forecast", API_KNOWN),),
    "api/v1/stops": (
        Door("GET", "/api/v1/stops", API_KNOWN),
        Door("POST", "/api/v1/stops", API_NOT_THEIRS, lambda d: {"scopes": [{"scope": "firm"}], "reason": "test"}),
    ),
    "api/v1/stops/<uuid:stop_id>": (Door("GET", "/api/v1/stops/{d.stop_id}", API_KNOWN),),
    "api/v1/stops/<uuid:stop_id>/release": (
        Door("POST", "/api/v1/stops/{d.stop_id}/release", API_NOT_THEIRS, lambda d: {"reason": "test"}),
    ),
    "api/v1/accounts/<str:code>/cash": (Door("GET", "/api/v1/accounts/{d.own.account.code}/cash", API_SEES_THE_DESK),),
    "api/v1/accounts/<str:code>/positions": (
        Door("GET", "/api/v1/accounts/{d.own.account.code}/positions", API_SEES_THE_DESK),
    ),
    "api/v1/prices": (Door("GET", "/api/v1/prices?symbols={d.own.listing.symbol}", API_KNOWN),),
    "api/v1/events": (Door("GET", "/api/v1/events?limit=2", API_KNOWN),),
    "api/v1/schema": (Door("GET", "/api/v1/schema", API_KNOWN),),
}
