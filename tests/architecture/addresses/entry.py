"""The doors of the house itself: signing in, the own account, the frame of every page."""

from __future__ import annotations

from tests.architecture.addresses.bodies import liked, wrong_password
from tests.architecture.addresses.door import EVERYBODY, LEADS_ON, NOT_THEIRS, NOT_THERE, SIGNED_IN, Door

ENTRY: dict[str, tuple[Door, ...]] = {
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
    "search": (Door("GET", "/search", SIGNED_IN, lambda d: {"q": d.own.account.code}),),
}
