"""A place in the stream as outsiders hold it: opaque to them, whatever it means to us. Pure."""

from __future__ import annotations

import re

BEGINNING = "0"
NOW = "now"
_FORM = re.compile(r"v1\.([0-9a-f]{1,15})")


def position_text(position: int) -> str:
    """The token behind which reading goes on after ``position`` of the journal."""
    return f"v1.{position:x}"


def read_position(text: str) -> int | None:
    """The journal's position of a token; None for what is no token of ours."""
    if text == BEGINNING:
        return 0
    found = _FORM.fullmatch(text)
    return int(found[1], 16) if found else None
