"""Contract notes and the trade feed: a note is a row of its account's group and of its trades' desks; operations alone issue."""

from __future__ import annotations

from tests.architecture.addresses.door import API_KNOWN, API_SEES_THE_DESK, NOT_THEIRS, SEES_THE_DESK, SIGNED_IN, Door

NOTES: dict[str, tuple[Door, ...]] = {
    "notes": (Door("GET", "/notes", SIGNED_IN),),
    "notes/issue": (Door("POST", "/notes/issue", NOT_THEIRS, lambda d: {"mic": "XLON", "day": "2026-11-20"}),),
    "notes/<uuid:note_id>": (Door("GET", "/notes/{d.notes[0]}", SEES_THE_DESK),),
    "notes/<uuid:note_id>/pdf": (Door("GET", "/notes/{d.notes[0]}/pdf", SEES_THE_DESK),),
    "notes/<uuid:note_id>/reissue": (
        Door("POST", "/notes/{d.notes[0]}/reissue", NOT_THEIRS, lambda d: {"reason": "x"}),
    ),
    "api/v1/trade-feed": (Door("GET", "/api/v1/trade-feed", API_KNOWN),),
    "api/v1/contract-notes": (Door("GET", "/api/v1/contract-notes", API_KNOWN),),
    "api/v1/contract-notes/<uuid:note_id>": (Door("GET", "/api/v1/contract-notes/{d.notes[0]}", API_SEES_THE_DESK),),
    "api/v1/contract-notes/<uuid:note_id>/pdf": (
        Door("GET", "/api/v1/contract-notes/{d.notes[0]}/pdf", API_SEES_THE_DESK),
    ),
}
