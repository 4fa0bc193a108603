"""Confirmations: rows of a desk and an account group; a person's word on them is a right."""

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

CONFIRMING: dict[str, tuple[Door, ...]] = {
    "confirmations": (Door("GET", "/confirmations", SIGNED_IN),),
    "confirmations/affirm": (
        Door("POST", "/confirmations/affirm", NOT_THEIRS, lambda d: {"ref": d.confirmation_ref, "key": "k"}),
    ),
    "confirmations/pair": (
        Door("POST", "/confirmations/pair", NOT_THEIRS, lambda d: {"ref": d.confirmation_ref, "key": "k"}),
    ),
    "confirmations/upload": (Door("POST", "/confirmations/upload", NOT_THEIRS, lambda d: {"counterparty": "T1"}),),
    "confirmations/rules": (Door("POST", "/confirmations/rules", NOT_THEIRS, lambda d: {"rule": "tolerance"}),),
    "confirmations/<str:ref>": (Door("GET", "/confirmations/{d.confirmation_ref}", SEES_THE_DESK),),
    "confirmations/<str:ref>/act": (
        Door("POST", "/confirmations/{d.confirmation_ref}/act", NOT_THEIRS, lambda d: {"act": "affirm", "key": "k"}),
    ),
    "api/v1/confirmations": (Door("GET", "/api/v1/confirmations", API_KNOWN),),
    "api/v1/affirmed-in-time": (Door("GET", "/api/v1/affirmed-in-time", API_KNOWN),),
    "api/v1/confirmations/<uuid:confirmation_id>": (
        Door("GET", "/api/v1/confirmations/{d.confirmation_id}", API_SEES_THE_DESK),
    ),
    "api/v1/confirmations/<uuid:confirmation_id>/affirm": (
        Door("POST", "/api/v1/confirmations/{d.confirmation_id}/affirm", API_NOT_THEIRS, lambda d: {"reason": "x"}),
    ),
    "api/v1/confirmations/<uuid:confirmation_id>/reject": (
        Door("POST", "/api/v1/confirmations/{d.confirmation_id}/reject", API_NOT_THEIRS, lambda d: {"reason": "x"}),
    ),
}
