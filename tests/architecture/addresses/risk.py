"""The pages of limits, rules, rates, stops and of who decides what."""

from __future__ import annotations

from tests.architecture.addresses.bodies import new_limit, new_policy, new_rate, new_rule
from tests.architecture.addresses.door import NOT_THEIRS, SIGNED_IN, Door

RISK: dict[str, tuple[Door, ...]] = {
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
}
