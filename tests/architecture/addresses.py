"""The one list of every address: its methods, and the status each caller gets when asking for rows of the own desk.

A pattern of the resolver that is not here, or a line here without a pattern, fails the build. A method that is not
here answers 405 to everybody, except that the API asks who you are first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import URLPattern, URLResolver, get_resolver

from kernel.clock import utc_now
from kernel.ids import new_id
from tests.factories.approvals import shown_to
from tests.factories.doors import CALLERS, Doors

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
API = "api/v1/"
HEADER = "account,symbol,side,ord_type,order_qty,price"


@dataclass(frozen=True)
class Door:
    """One method of an address. ``statuses`` stand in the order of CALLERS; ``path`` may name attributes of ``d``."""

    method: str
    path: str
    statuses: tuple[int, ...]
    data: Callable[[Doors], dict[str, Any]] = lambda d: {}
    measured_as: str = "own"  # whose query count is kept

    def path_for(self, doors: Doors) -> str:
        return self.path.format(d=doors)

    def status_for(self, caller: str) -> int:
        return self.statuses[CALLERS.index(caller)]


# anonymous, own desk's dealer, other desk's dealer, auditor, compliance, service (on pages it is nobody: tokens are
# for the API alone, and a service cannot sign in)
EVERYBODY = (200, 200, 200, 200, 200, 200)
SIGNED_IN = (302, 200, 200, 200, 200, 302)
JSON_SIGNED_IN = (401, 200, 200, 200, 200, 401)
NOT_THERE = (404, 404, 404, 404, 404, 404)
LEADS_ON = (302, 302, 302, 302, 302, 302)
SEES_THE_DESK = (302, 200, 404, 200, 200, 302)
ENTERS = (302, 200, 200, 403, 403, 302)
TRADES_THE_DESK = (302, 200, 404, 403, 403, 302)
NOT_THEIRS = (302, 403, 403, 403, 403, 302)
REVIEWS = (302, 403, 403, 403, 200, 302)
OWNS = (302, 200, 404, 403, 403, 302)
AUDITS = (302, 403, 403, 200, 403, 302)
AUDITS_ON = (302, 403, 403, 302, 403, 302)
CHECKS = (302, 403, 404, 403, 200, 302)
API_CHECKS = (401, 403, 404, 403, 200, 403)
API_KNOWN = (401, 200, 200, 200, 200, 200)
API_NOT_THEIRS = (401, 403, 403, 403, 403, 403)
API_SEES_THE_DESK = (401, 200, 404, 200, 200, 200)
API_TRADES_THE_DESK = (401, 201, 404, 403, 403, 201)


def ticket(doors: Doors) -> dict[str, Any]:
    """A filled order ticket."""
    return {
        "key": str(new_id()),
        "side": "1",
        "symbol": doors.own.listing.symbol,
        "qty": "1,000",
        "price": "72.50",
        "account": doors.own.account.code,
        "ord_type": "2",
        "time_in_force": "0",
    }


def order_body(doors: Doors, **more: str) -> dict[str, Any]:
    """An order for the API."""
    return {
        "account": doors.own.account.code,
        "symbol": doors.own.listing.symbol,
        "side": "buy",
        "ord_type": "limit",
        "order_qty": "1000",
        "price": "72.50",
        **more,
    }


def batch_body(doors: Doors) -> dict[str, Any]:
    """As many rows as the desk has orders."""
    return {"orders": [order_body(doors, client_order_id=f"row-{number}") for number in range(len(doors.orders))]}


def order_file(doors: Doors) -> dict[str, Any]:
    """An upload with as many rows as the desk has orders."""
    line = f"{doors.own.account.code},{doors.own.listing.symbol},buy,limit,10,72.50"
    content = "\n".join([HEADER, *[line] * len(doors.orders)]).encode()
    return {"file": SimpleUploadedFile("orders.csv", content)}


def amended(doors: Doors) -> dict[str, Any]:
    return {"key": str(new_id()), "qty": "900", "price": "72.50"}


def new_rate(doors: Doors) -> dict[str, Any]:
    return {"kind": "session", "amount": "50", "seconds": "1", "burst": "50", "share": "20", "reason": "test"}


def new_policy(doors: Doors) -> dict[str, Any]:
    return {
        "kind": "static_data",
        "checkers": "1",
        "right": "release_order",
        "minutes": "9",
        "claim_s": "60",
        "reason": "test",
    }


def new_limit(doors: Doors) -> dict[str, Any]:
    return {"scope": "firm", "kind": "open_orders", "hard": "100", "owner": "risk", "reason": "test"}


def new_rule(doors: Doors) -> dict[str, Any]:
    """A rule as its form sends it."""
    return {
        "about": "rule", "code": "NO_THIS", "title": "Not this", "scope": "firm", "name": "", "verdict": "refuse",
        "sentence": "This is not traded.", "source": "policy", "reason": "test", "owner": "compliance", "why": "test",
        "fact_1": "market", "op_1": "in", "values_1": "XLON",
    }  # fmt: skip


def new_review(doors: Doors) -> dict[str, Any]:
    """Of the auditors, by whoever may."""
    reviewer = doors.people["compliance"].user_id
    return {
        "scope": "role", "role_name": "auditor", "reason": "test",
        "reviewer": [f"{desk}:{reviewer}" for desk in (doors.own.desk.pk, 0)],
        "deadline": f"{utc_now() + timedelta(days=7):%Y-%m-%dT%H:%M}",
    }  # fmt: skip


def canceled(doors: Doors) -> dict[str, Any]:
    """One order: every order of a cancel is a transaction of its own, on purpose."""
    return {"key": str(new_id()), "refs": doors.order.ref, "reason": "OTHER"}


def approved(doors: Doors) -> dict[str, Any]:
    shown = shown_to(doors.people["compliance"], doors.approvals[0])
    return {"verdict": "approve", "payload_hash": doors.payload_hash, "shown": shown}


def together(doors: Doors) -> dict[str, Any]:
    shown = shown_to(doors.people["compliance"], doors.approvals[0])
    item = f"{doors.approvals[0]}:{doors.payload_hash}:{shown}"
    return {"kind": "order_request", "item": item, "count": "1", "request_id": str(new_id())}


def together_by_api(doors: Doors) -> dict[str, Any]:
    shown = shown_to(doors.people["compliance"], doors.approvals[0])
    item = {"id": str(doors.approvals[0]), "payload_hash": doors.payload_hash, "shown": shown}
    return {"kind": "order_request", "items": [item]}


def asked(doors: Doors) -> dict[str, Any]:
    return {"reason": "Which client called?", "payload_hash": doors.payload_hash}


def liked(doors: Doors) -> dict[str, Any]:
    return {"theme": "dark", "density": "dense", "time_zone": "UTC"}


def wrong_password(doors: Doors) -> dict[str, Any]:
    return {"username": doors.own.dealer.username, "password": "not the password"}


ADDRESSES: dict[str, tuple[Door, ...]] = {
    "sign-in": (
        Door("GET", "/sign-in", (200, 302, 302, 302, 302, 200), measured_as="anonymous"),
        Door("HEAD", "/sign-in", (200, 302, 302, 302, 302, 200)),
        Door("POST", "/sign-in", (422, 302, 302, 302, 302, 422), wrong_password, measured_as="anonymous"),
    ),
    "sign-in/second": tuple(Door(method, "/sign-in/second", LEADS_ON) for method in ("GET", "HEAD", "POST")),
    "sign-in/enrol": tuple(Door(method, "/sign-in/enrol", LEADS_ON) for method in ("GET", "HEAD", "POST")),
    "sign-in/link": tuple(Door(method, "/sign-in/link", NOT_THERE) for method in ("GET", "POST")),
    "sign-in/link/<str:token>": (Door("GET", "/sign-in/link/none", NOT_THERE),),
    "sign-out": (Door("POST", "/sign-out", LEADS_ON),),
    "": (Door("GET", "/", LEADS_ON),),
    "healthz": (Door("GET", "/healthz", EVERYBODY, measured_as="anonymous"),),
    "readyz": (Door("GET", "/readyz", EVERYBODY, measured_as="anonymous"),),
    "frame/status": (Door("GET", "/frame/status", SIGNED_IN),),
    "flow": (Door("POST", "/flow", LEADS_ON),),
    "account/step-up": (
        Door("GET", "/account/step-up", SIGNED_IN),
        Door("POST", "/account/step-up", (302, 422, 422, 422, 422, 302), lambda d: {"password": "not the password"}),
    ),
    "account/factors": (Door("GET", "/account/factors", SIGNED_IN),),
    "account/factors/new": (
        Door("GET", "/account/factors/new", NOT_THEIRS),  # each confirms first who they are
        Door("POST", "/account/factors/new", NOT_THEIRS),
    ),
    "account/factors/codes": (Door("POST", "/account/factors/codes", NOT_THEIRS),),
    "account/factors/<uuid:factor_id>/remove": (Door("POST", "/account/factors/{d.stop_id}/remove", NOT_THEIRS),),
    "account/password": (
        Door("GET", "/account/password", SIGNED_IN),
        Door("POST", "/account/password", (302, 422, 422, 422, 422, 302), lambda d: {"old": "not the password"}),
    ),
    "account/resets": (Door("POST", "/account/resets", NOT_THEIRS, lambda d: {"user": "nobody", "reason": "test"}),),
    "account/links": (Door("POST", "/account/links", NOT_THEIRS, lambda d: {"user": "nobody"}),),
    "account/sessions": (Door("GET", "/account/sessions", SIGNED_IN),),
    "account/sessions/end": (Door("POST", "/account/sessions/end", LEADS_ON),),
    "preferences": (
        Door("GET", "/preferences", SIGNED_IN),
        Door("POST", "/preferences", LEADS_ON, liked),
    ),
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
    "risk": (Door("GET", "/risk", SIGNED_IN),),
    "approvals/policies": (Door("GET", "/approvals/policies", SIGNED_IN),),
    "approvals/policies/ask": (Door("POST", "/approvals/policies/ask", NOT_THEIRS, new_policy),),
    "risk/rates": (Door("GET", "/risk/rates", SIGNED_IN),),
    "risk/rates/ask": (Door("POST", "/risk/rates/ask", NOT_THEIRS, new_rate),),
    "risk/kill": (
        Door("POST", "/risk/kill", NOT_THEIRS, lambda d: {"scope": "firm", "typed": "firm", "reason": "test"}),
    ),
    "risk/kill/reach": (Door("GET", "/risk/kill/reach?scope=firm", SIGNED_IN),),
    "risk/kill/<uuid:stop_id>": (Door("GET", "/risk/kill/{d.stop_id}", SIGNED_IN),),
    "risk/kill/<uuid:stop_id>/release": (
        Door("POST", "/risk/kill/{d.stop_id}/release", NOT_THEIRS, lambda d: {"reason": "test"}),
    ),
    "risk/limits": (Door("GET", "/risk/limits", SIGNED_IN),),
    "risk/limits/new": (Door("GET", "/risk/limits/new", SIGNED_IN),),
    "risk/limits/<int:limit_id>": (Door("GET", "/risk/limits/{d.limit_id}", SIGNED_IN),),
    "risk/limits/preview": (Door("POST", "/risk/limits/preview", SIGNED_IN, new_limit),),
    "risk/limits/ask": (Door("POST", "/risk/limits/ask", NOT_THEIRS, new_limit),),
    "risk/rules": (Door("GET", "/risk/rules", SIGNED_IN),),
    "risk/rules/check": (Door("POST", "/risk/rules/check", SIGNED_IN, new_rule),),
    "risk/rules/ask": (Door("POST", "/risk/rules/ask", NOT_THEIRS, new_rule),),
    "risk/rules/try": (Door("POST", "/risk/rules/try", NOT_THEIRS, lambda d: new_rule(d) | {"days": "7"}),),
    "risk/limits/try": (Door("POST", "/risk/limits/try", NOT_THEIRS, lambda d: new_limit(d) | {"days": "7"}),),
    "risk/trials/<uuid:trial_id>": (Door("GET", "/risk/trials/{d.stop_id}", (302, 404, 404, 404, 404, 302)),),
    "risk/trials/<uuid:trial_id>/stop": (
        Door("POST", "/risk/trials/{d.stop_id}/stop", (302, 404, 404, 404, 404, 302)),
    ),
    "risk/rules/restrict": (Door("POST", "/risk/rules/restrict", NOT_THEIRS, lambda d: {"list": "watch"}),),
    "risk/rules/restrictions/<uuid:restriction_id>/end": (
        Door("POST", "/risk/rules/restrictions/{d.stop_id}/end", NOT_THEIRS, lambda d: {"why": "test"}),
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
    "admin/access": (Door("GET", "/admin/access", REVIEWS, measured_as="compliance"),),
    "admin/access/ask": (
        Door(
            "POST",
            "/admin/access/ask",
            NOT_THEIRS,
            lambda d: {"change": "leave_role", "user": d.own.dealer.user_id, "role": "dealer", "reason": "x"},
        ),
    ),
    "admin/access/people/<int:user_id>": (
        Door("GET", "/admin/access/people/{d.own.dealer.user_id}", REVIEWS, measured_as="compliance"),
    ),
    "admin/access/people/<int:user_id>/cut-off": (
        Door(
            "POST",
            "/admin/access/people/{d.own.dealer.user_id}/cut-off",
            NOT_THEIRS,
            lambda d: {"typed": d.own.dealer.username, "reason": "x"},
        ),
    ),
    "admin/access/roles/<int:role_id>": (
        Door("GET", "/admin/access/roles/{d.role_id}", REVIEWS, measured_as="compliance"),
    ),
    "admin/keys": (Door("GET", "/admin/keys", NOT_THEIRS),),
    "admin/keys/ask": (Door("POST", "/admin/keys/ask", NOT_THEIRS),),
    "admin/keys/<uuid:key_id>/rotate": (Door("POST", "/admin/keys/{d.stop_id}/rotate", NOT_THEIRS),),
    "admin/keys/<uuid:key_id>/revoke": (Door("POST", "/admin/keys/{d.stop_id}/revoke", NOT_THEIRS),),
    "admin/keys/<uuid:key_id>/secret": (Door("POST", "/admin/keys/{d.stop_id}/secret", NOT_THEIRS),),
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
    "admin/access-review": (Door("GET", "/admin/access-review", REVIEWS, measured_as="compliance"),),
    "admin/access-review/open": (
        Door("POST", "/admin/access-review/open", (302, 403, 403, 403, 302, 302), new_review, measured_as="compliance"),
    ),
    "admin/access-review/<uuid:review_id>": (
        Door("GET", "/admin/access-review/{d.review_id}", REVIEWS, measured_as="compliance"),
    ),
    "admin/access-review/<uuid:review_id>/keep": (
        Door(
            "POST",
            "/admin/access-review/{d.review_id}/keep",
            REVIEWS,
            lambda d: {"number": "1", "reason": "test"},
            measured_as="compliance",
        ),
    ),
    "admin/access-review/<uuid:review_id>/close": (
        Door(
            "POST",
            "/admin/access-review/{d.review_id}/close",
            (302, 403, 403, 403, 422, 302),
            lambda d: {"reason": "test"},
            measured_as="compliance",
        ),
    ),
    "admin/access-review/<uuid:review_id>/evidence": (
        Door("GET", "/admin/access-review/{d.review_id}/evidence", REVIEWS, measured_as="compliance"),
    ),
    "admin/access-review/<uuid:review_id>/lines/<int:number>": (
        Door("GET", "/admin/access-review/{d.review_id}/lines/1", REVIEWS, measured_as="compliance"),
    ),
    "admin/access-review/<uuid:review_id>/lines/<int:number>/certify": (
        Door(
            "POST",
            "/admin/access-review/{d.review_id}/lines/1/certify",
            REVIEWS,
            lambda d: {"verdict": "keep", "reason": "test"},
            measured_as="compliance",
        ),
    ),
    "admin/retention": (Door("GET", "/admin/retention", (302, 403, 403, 403, 403, 302)),),
    "admin/retention/change": (Door("POST", "/admin/retention/change", (302, 403, 403, 403, 403, 302)),),
    "admin/retention/holds": (Door("POST", "/admin/retention/holds", (302, 403, 403, 403, 403, 302)),),
    "admin/retention/holds/<uuid:hold_id>/release": (
        Door("POST", "/admin/retention/holds/{d.stop_id}/release", (302, 403, 403, 403, 403, 302)),
    ),
    "search": (Door("GET", "/search", SIGNED_IN, lambda d: {"q": d.own.account.code}),),
    "audit": (Door("GET", "/audit?q={d.order.ref}", AUDITS, measured_as="auditor"),),
    "audit/export": (Door("GET", "/audit/export?kind=order&form=json", AUDITS, measured_as="auditor"),),
    "audit/searches": (
        Door("POST", "/audit/searches", AUDITS_ON, lambda d: {"name": "x", "kind": "order"}, measured_as="auditor"),
    ),
    "audit/searches/<uuid:search_id>/drop": (
        Door("POST", "/audit/searches/{d.stop_id}/drop", (302, 403, 403, 404, 403, 302)),
    ),
    "audit/<str:kind>/<str:key>": (Door("GET", "/audit/order/{d.order.ref}", AUDITS, measured_as="auditor"),),
    "audit/<str:kind>/<str:key>/pack": (
        Door("POST", "/audit/order/{d.order.ref}/pack", AUDITS, lambda d: {"form": "json"}, measured_as="auditor"),
    ),
    "audit/<str:kind>/<str:key>/export": (
        Door("GET", "/audit/order/{d.order.ref}/export?form=json", AUDITS, measured_as="auditor"),
    ),
    "admin/webhooks": (Door("GET", "/admin/webhooks", NOT_THEIRS),),
    "admin/webhooks/ask": (Door("POST", "/admin/webhooks/ask", NOT_THEIRS),),
    "admin/webhooks/<uuid:subscription_id>": (Door("GET", "/admin/webhooks/{d.webhook_id}", NOT_THEIRS),),
    "admin/webhooks/<uuid:subscription_id>/secret": (
        Door("POST", "/admin/webhooks/{d.webhook_id}/secret", NOT_THEIRS),
    ),
    "admin/webhooks/<uuid:subscription_id>/<str:what>": (
        Door("POST", "/admin/webhooks/{d.webhook_id}/pause", NOT_THEIRS),
    ),
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


def patterns_of_the_house() -> Iterator[str]:
    """Every pattern the resolver knows, prefixes included."""
    for pattern, _ in entries_of_the_house():
        yield pattern


def entries_of_the_house() -> Iterator[tuple[str, URLPattern]]:
    """Every pattern the resolver knows, prefixes included, with its entry."""
    yield from _entries(get_resolver(), "")


def _entries(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        here = prefix + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield here, entry
        else:
            yield from _entries(entry, here)


def doors_of(pattern: str) -> Iterator[Door]:
    """The listed doors of an address, and for every other method what its kind answers."""
    listed = {door.method: door for door in ADDRESSES[pattern]}
    path = ADDRESSES[pattern][0].path
    for method in METHODS:
        if method in listed:
            yield listed[method]
        elif not pattern.startswith(API):
            yield Door(method, path, (405,) * len(CALLERS))
        elif method == "HEAD" and "GET" in listed:
            yield Door(method, path, listed["GET"].statuses)
        else:
            status = 200 if method == "OPTIONS" else 405
            yield Door(method, path, (401, *(status,) * (len(CALLERS) - 1)))
