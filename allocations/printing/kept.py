"""A stored note as the bytes that were recorded for it, or not at all."""

from __future__ import annotations

from allocations.models import ContractNote
from allocations.printing.render_note import facts_digest, render_note
from kernel.canonical import sha256
from kernel.errors import InvariantBroken

DIFFERS = "NOTE_DIFFERS"


def pdf_of_note(note: ContractNote) -> bytes:
    """Raises InvariantBroken NOTE_DIFFERS when facts or page are not those whose digests were recorded."""
    if facts_digest(note.facts) != bytes(note.facts_sha256):
        raise InvariantBroken(DIFFERS, f"The facts of {note.ref} are not those that were recorded.")
    content = render_note(note.facts, note.template_version)
    if sha256(content) != bytes(note.pdf_sha256):
        raise InvariantBroken(DIFFERS, f"{note.ref} would be printed otherwise than it was recorded.")
    return content
