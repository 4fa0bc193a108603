"""Allocations: blocks are rows of a desk; who may allocate is a right."""

from __future__ import annotations

from tests.architecture.addresses.door import (
    API_KNOWN,
    API_NOT_THEIRS,
    API_SEES_THE_DESK,
    NOT_THEIRS,
    SEES_THE_DESK,
    SIGNED_IN,
    Door,
)
from tests.architecture.addresses.recon import HIDDEN_OR_REFUSED

JSON_ALLOCATES = (401, 403, 403, 403, 403, 401)
API_HIDDEN_OR_REFUSED = (401, 403, 404, 403, 403, 403)
NEW_SCHEME = {
    "code": "NEW-1",
    "name": "New",
    "method": "weights",
    "lines": [],
    "reason": "x",
}
TYPED = {"method": "weights", "account": "ACC-EQ1", "amount": "1", "minimum": ""}

ALLOCATING: dict[str, tuple[Door, ...]] = {
    "alloc": (Door("GET", "/alloc", SIGNED_IN),),
    "alloc/export": (Door("GET", "/alloc/export?form=json", SIGNED_IN),),
    "alloc/fairness": (Door("GET", "/alloc/fairness", SIGNED_IN),),
    "alloc/fairness/export": (Door("GET", "/alloc/fairness/export?form=json", SIGNED_IN),),
    "alloc/schemes": (Door("GET", "/alloc/schemes?code={d.scheme_code}", SEES_THE_DESK),),
    "alloc/schemes/check": (Door("POST", "/alloc/schemes/check", NOT_THEIRS, lambda d: {"code": "NEW-1"}),),
    "alloc/schemes/ask": (Door("POST", "/alloc/schemes/ask", NOT_THEIRS, lambda d: {"code": "NEW-1", "key": "k"}),),
    "alloc/schemes/end": (
        Door("POST", "/alloc/schemes/end", NOT_THEIRS, lambda d: {"code": d.scheme_code, "key": "k"}),
    ),
    "alloc/<str:ref>": (Door("GET", "/alloc/{d.block_ref}", SEES_THE_DESK),),
    "alloc/<str:ref>/lines.json": (Door("GET", "/alloc/{d.block_ref}/lines.json", JSON_ALLOCATES),),
    "alloc/<str:ref>/preview": (Door("POST", "/alloc/{d.block_ref}/preview", SEES_THE_DESK, lambda d: TYPED),),
    "alloc/<str:ref>/book": (
        Door("POST", "/alloc/{d.block_ref}/book", HIDDEN_OR_REFUSED, lambda d: {**TYPED, "key": "k", "reason": "x"}),
    ),
    "alloc/<str:ref>/release": (
        Door("POST", "/alloc/{d.block_ref}/release", HIDDEN_OR_REFUSED, lambda d: {"line": "A-1"}),
    ),
    "api/v1/blocks": (Door("GET", "/api/v1/blocks", API_KNOWN),),
    "api/v1/blocks/<str:ref>": (Door("GET", "/api/v1/blocks/{d.block_ref}", API_SEES_THE_DESK),),
    "api/v1/blocks/<str:ref>/allocations": (
        Door("GET", "/api/v1/blocks/{d.block_ref}/allocations", API_SEES_THE_DESK),
        Door("POST", "/api/v1/blocks/{d.block_ref}/allocations", API_NOT_THEIRS, lambda d: {"method": "weights"}),
    ),
    "api/v1/blocks/<str:ref>/preview": (
        Door("POST", "/api/v1/blocks/{d.block_ref}/preview", API_NOT_THEIRS, lambda d: {"method": "weights"}),
    ),
    "api/v1/blocks/<str:ref>/release": (
        Door("POST", "/api/v1/blocks/{d.block_ref}/release", API_HIDDEN_OR_REFUSED, lambda d: {"line": "A-1"}),
    ),
    "api/v1/allocation-schemes": (
        Door("GET", "/api/v1/allocation-schemes", API_KNOWN),
        Door("POST", "/api/v1/allocation-schemes", API_NOT_THEIRS, lambda d: NEW_SCHEME),
    ),
    "api/v1/allocation-schemes/<str:scheme>": (
        Door("GET", "/api/v1/allocation-schemes/{d.scheme_code}", API_SEES_THE_DESK),
    ),
    "api/v1/allocation-schemes/<str:scheme>/end": (
        Door("POST", "/api/v1/allocation-schemes/{d.scheme_code}/end", API_NOT_THEIRS, lambda d: {"reason": "x"}),
    ),
}
