"""The pages about the house: access, reviews, keys, retention, webhooks, audit."""

from __future__ import annotations

from tests.architecture.addresses.bodies import new_review
from tests.architecture.addresses.door import AUDITS, AUDITS_ON, NOT_THEIRS, REVIEWS, Door

ADMINISTRATION: dict[str, tuple[Door, ...]] = {
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
    "admin/access/people/<int:user_id>/re-own": (
        Door(
            "POST",
            "/admin/access/people/{d.own.dealer.user_id}/re-own",
            NOT_THEIRS,
            lambda d: {"successor": d.own.checker.user_id, "reason": "x"},
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
    "admin/retention": (Door("GET", "/admin/retention", REVIEWS, measured_as="compliance"),),
    "admin/retention/change": (Door("POST", "/admin/retention/change", (302, 403, 403, 403, 400, 302)),),
    "admin/retention/holds": (Door("POST", "/admin/retention/holds", (302, 403, 403, 403, 400, 302)),),
    "admin/retention/holds/<uuid:hold_id>/release": (
        Door("POST", "/admin/retention/holds/{d.stop_id}/release", (302, 403, 403, 403, 403, 302)),
    ),
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
}
