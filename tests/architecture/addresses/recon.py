"""Reconciliation: runs are everybody's who sees a desk, breaks are rows."""

from __future__ import annotations

from tests.architecture.addresses.door import AUDITS, NOT_THEIRS, SEES_THE_DESK, SIGNED_IN, Door

NO_SUCH_FILE = (302, 403, 403, 404, 403, 302)
HIDDEN_OR_REFUSED = (302, 403, 404, 403, 403, 302)

RECON: dict[str, tuple[Door, ...]] = {
    "recon": (Door("GET", "/recon", SIGNED_IN),),
    "recon/export": (Door("GET", "/recon/export?form=json", SIGNED_IN),),
    "recon/start": (Door("POST", "/recon/start", NOT_THEIRS, lambda d: {"kind": "cash"}),),
    "recon/ageing": (Door("GET", "/recon/ageing", SIGNED_IN),),
    "recon/ageing/export": (Door("GET", "/recon/ageing/export?form=json", SIGNED_IN),),
    "recon/reports": (Door("GET", "/recon/reports", SIGNED_IN),),
    "recon/reports/<slug:name>": (Door("GET", "/recon/reports/fills", SIGNED_IN),),
    "recon/reports/<slug:name>/export": (Door("GET", "/recon/reports/fills/export?form=json", SIGNED_IN),),
    "recon/rules": (Door("GET", "/recon/rules", SIGNED_IN),),
    "recon/rules/check": (Door("POST", "/recon/rules/check", NOT_THEIRS, lambda d: {"rule": "policy"}),),
    "recon/rules/ask": (Door("POST", "/recon/rules/ask", NOT_THEIRS, lambda d: {"rule": "policy"}),),
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
    "sync": (Door("GET", "/sync", AUDITS, measured_as="auditor"),),
    "sync/upload": (Door("POST", "/sync/upload", NOT_THEIRS, lambda d: {"kind": "cash"}),),
    "sync/gates": (Door("GET", "/sync/gates", AUDITS, measured_as="auditor"),),
    "sync/restart": (Door("GET", "/sync/restart", AUDITS, measured_as="auditor"),),
    "sync/gates/ask": (Door("POST", "/sync/gates/ask", NOT_THEIRS, lambda d: {"feed": "X"}),),
    "sync/gates/<uuid:waiver_id>/withdraw": (
        Door("POST", "/sync/gates/{d.run_id}/withdraw", NOT_THEIRS, lambda d: {"reason": "x"}),
    ),
    "sync/<uuid:intake_id>": (Door("GET", "/sync/{d.run_id}", NO_SUCH_FILE),),
    "sync/<uuid:intake_id>/accept": (Door("POST", "/sync/{d.run_id}/accept", NOT_THEIRS, lambda d: {"reason": "x"}),),
    "sync/<uuid:intake_id>/cancel": (Door("POST", "/sync/{d.run_id}/cancel", NOT_THEIRS, lambda d: {"reason": "x"}),),
    "sync/<uuid:intake_id>/rejects": (Door("GET", "/sync/{d.run_id}/rejects", NO_SUCH_FILE),),
    "sync/<uuid:intake_id>/changes": (Door("GET", "/sync/{d.run_id}/changes", NO_SUCH_FILE),),
    "settlement": (Door("GET", "/settlement", SIGNED_IN),),
    "settlement/<str:ref>": (Door("GET", "/settlement/S1-1", (302, 404, 404, 404, 404, 302)),),
    "settlement/file": (Door("POST", "/settlement/file", NOT_THEIRS, lambda d: {"source": "X"}),),
    "settlement/file/refused": (Door("POST", "/settlement/file/refused", NOT_THEIRS, lambda d: {"place": "X"}),),
    "settlement/rule": (Door("POST", "/settlement/rule", NOT_THEIRS, lambda d: {"leaves": "on_booking"}),),
    "settlement/export": (Door("GET", "/settlement/export?form=json", SIGNED_IN),),
    "settlement/<str:ref>/buy-in": (
        Door("POST", "/settlement/S1-1/buy-in", NOT_THEIRS, lambda d: {"step": "withdraw"}),
    ),
    "settlement/claims/<str:ref>/act": (
        Door("POST", "/settlement/claims/MC-1/act", NOT_THEIRS, lambda d: {"step": "agree", "reason": "x", "key": "k"}),
    ),
    "settlement/<str:ref>/act": (Door("POST", "/settlement/S1-1/act", NOT_THEIRS, lambda d: {"act": "hold"}),),
    "settlement/standing": (Door("POST", "/settlement/standing", NOT_THEIRS, lambda d: {"account": "X"}),),
    "b/<str:ref>": (Door("GET", "/b/{d.break_ref}", SEES_THE_DESK),),
    "b/<str:ref>/repair": (
        Door("POST", "/b/{d.break_ref}/repair", HIDDEN_OR_REFUSED, lambda d: {"repair": "accept_timing", "key": "k"}),
    ),
    "b/<str:ref>/do/<str:act>": (
        Door("POST", "/b/{d.break_ref}/do/comment", (302, 422, 404, 403, 403, 302), lambda d: {"text": "seen"}),
    ),
    "b/<str:ref>/matching": (Door("GET", "/b/{d.break_ref}/matching", SEES_THE_DESK),),
    "b/<str:ref>/match": (
        Door(
            "POST", "/b/{d.break_ref}/match", HIDDEN_OR_REFUSED, lambda d: {"pick": str(d.breaks[0].number), "key": "k"}
        ),
    ),
}
