"""The typeface of printed documents: it lies beside this module, so that the same text is the same bytes on every machine.

A character that the typeface does not have is written as its escape: a wrong name is worse than an ugly one. Whatever would
steer a reader of the file rather than be read (controls, marks of direction) is written the same way.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

FONTS = Path(__file__).resolve().parent / "fonts"
PLAIN, BOLD = "OmsRoboto", "OmsRoboto-Bold"
_FILES = {PLAIN: "Roboto-Regular.ttf", BOLD: "Roboto-Bold.ttf"}


@cache
def register() -> frozenset[int]:
    """Make both faces known to the library, once a process. Returns the characters that both can draw."""
    known: list[frozenset[int]] = []
    for name, file in _FILES.items():
        font = TTFont(name, str(FONTS / file))
        pdfmetrics.registerFont(font)
        known.append(frozenset(font.face.charToGlyph))
    return known[0] & known[1]


def printable(text: str) -> str:
    """The text as it is printed: composed (NFC), each character that cannot be drawn as ``U+XXXX``."""
    known = register()
    return "".join(
        char if ord(char) in known and unicodedata.category(char)[0] != "C" else f"U+{ord(char):04X}"
        for char in unicodedata.normalize("NFC", " ".join(text.split()))
    )


def width(text: str, face: str, size: float) -> float:
    """In points, of text that is printable."""
    register()
    return float(pdfmetrics.stringWidth(text, face, size))
