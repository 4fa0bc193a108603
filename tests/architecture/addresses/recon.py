"""Reconciliation: runs are everybody's who sees a desk, breaks are rows."""

from __future__ import annotations

from tests.architecture.addresses.door import NOT_THEIRS, SEES_THE_DESK, SIGNED_IN, Door

RECON: dict[str, tuple[Door, ...]] = {
    "recon": (Door("GET", "/recon", SIGNED_IN),),
    "recon/export": (Door("GET", "/recon/export?form=json", SIGNED_IN),),
    "recon/start": (Door("POST", "/recon/start", NOT_THEIRS, lambda d: {"kind": "cash"}),),
    "recon/ageing": (Door("GET", "/recon/ageing", SIGNED_IN),),
    "recon/ageing/export": (Door("GET", "/recon/ageing/export?form=json", SIGNED_IN),),
    "recon/<uuid:run_id>": (Door("GET", "/recon/{d.run_id}", SIGNED_IN),),
    "recon/<uuid:run_id>/progress": (Door("GET", "/recon/{d.run_id}/progress", SIGNED_IN),),
    "recon/<uuid:run_id>/cancel": (Door("POST", "/recon/{d.run_id}/cancel", NOT_THEIRS),),
    "recon/<uuid:run_id>/export": (Door("GET", "/recon/{d.run_id}/export?form=json", SIGNED_IN),),
    "recon/<uuid:run_id>/difference": (Door("GET", "/recon/{d.run_id}/difference", SIGNED_IN),),
    "recon/<uuid:run_id>/difference/export": (Door("GET", "/recon/{d.run_id}/difference/export?form=json", SIGNED_IN),),
    "recon/<uuid:run_id>/report": (Door("GET", "/recon/{d.run_id}/report?form=json", SIGNED_IN),),
    "recon/<uuid:run_id>/sign-off": (
        Door("POST", "/recon/{d.run_id}/sign-off", NOT_THEIRS, lambda d: {"statement": "x", "digest": "x"}),
    ),
    "sync": (Door("GET", "/sync", NOT_THEIRS),),
    "sync/upload": (Door("POST", "/sync/upload", NOT_THEIRS, lambda d: {"kind": "cash"}),),
    "sync/<uuid:intake_id>": (Door("GET", "/sync/{d.run_id}", NOT_THEIRS),),
    "sync/<uuid:intake_id>/accept": (Door("POST", "/sync/{d.run_id}/accept", NOT_THEIRS, lambda d: {"reason": "x"}),),
    "sync/<uuid:intake_id>/cancel": (Door("POST", "/sync/{d.run_id}/cancel", NOT_THEIRS, lambda d: {"reason": "x"}),),
    "sync/<uuid:intake_id>/rejects": (Door("GET", "/sync/{d.run_id}/rejects", NOT_THEIRS),),
    "b/<str:ref>": (Door("GET", "/b/{d.break_ref}", SEES_THE_DESK),),
}
