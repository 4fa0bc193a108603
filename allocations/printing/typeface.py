"""The typeface of printed documents: it lies beside this module, so that the same text is the same bytes on every machine.

A character that the typeface does not have is written as its escape: a wrong name is worse than an ugly one. Whatever would
steer a reader of the file rather than be read (controls, marks of direction) is written the same way.

Thousands of documents say the same words with the same characters: what follows from a text, and from which characters a document
has, is remembered (within bounds), and is nothing but what the library answers.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path

from reportlab.lib.rl_accel import escapePDF, fp_str
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont, TTFontFace

FONTS = Path(__file__).resolve().parent / "fonts"
PLAIN, BOLD = "OmsRoboto", "OmsRoboto-Bold"
_FILES = {PLAIN: "Roboto-Regular.ttf", BOLD: "Roboto-Bold.ttf"}
_TEXTS, _SUBSETS = 16_384, 64  # of some 100 bytes each, and of some 15 kB

number = lru_cache(maxsize=_TEXTS)(fp_str)
"""A number as documents write it."""
_escaped = lru_cache(maxsize=_TEXTS)(escapePDF)


class _Face(TTFontFace):  # type: ignore[misc]
    """The library's, which cuts the same characters out of the file once, and writes down their widths once."""

    def __init__(self, filename: str) -> None:
        super().__init__(filename)
        self._cut = lru_cache(maxsize=_SUBSETS)(super().makeSubset)
        self._width = cache(lambda code: bytes(fp_str(TTFontFace.getCharWidth(self, code)), "ascii"))

    def makeSubset(self, subset: Sequence[int]) -> bytes:
        """A file of the typeface with these characters alone."""
        return bytes(self._cut(tuple(subset)))

    def getCharWidth(self, code: int) -> bytes:
        """As the document's table of widths writes it down, which is all that asks."""
        return self._width(code)


@cache
def register() -> frozenset[int]:
    """Make both faces known to the library, once a process. Returns the characters that both can draw."""
    known: list[frozenset[int]] = []
    for name, file in _FILES.items():
        font = TTFont(name, str(FONTS / file), asciiReadable=1)
        font.face = _Face(str(FONTS / file))
        pdfmetrics.registerFont(font)
        known.append(frozenset(font.face.charToGlyph))
    return known[0] & known[1]


@lru_cache(maxsize=_TEXTS)
def printable(text: str) -> str:
    """The text as it is printed: composed (NFC), each character that cannot be drawn as ``U+XXXX``."""
    known = register()
    return "".join(
        char if ord(char) in known and unicodedata.category(char)[0] != "C" else f"U+{ord(char):04X}"
        for char in unicodedata.normalize("NFC", " ".join(text.split()))
    )


@lru_cache(maxsize=_TEXTS)
def width(text: str, face: str, size: float) -> float:
    """In points, of text that is printable."""
    register()
    return float(pdfmetrics.stringWidth(text, face, size))


def shown_by(document: object, text: str, face: str, size: float) -> str:
    """What shows printable text at a place that is set already, as operators of the document's language."""
    font = pdfmetrics.getFont(face)
    measures = f"{number(size)} Tf {number(size * 1.2)} TL"
    parts, last = [], -1
    for subset, codes in _split(font, text, document):
        if subset != last:
            parts.append(f"{font.getSubsetInternalName(subset, document)} {measures}")
            last = subset
        parts.append(f"({_escaped(codes)}) Tj")
    return " ".join(parts)


def _split(font: TTFont, text: str, document: object) -> Sequence[tuple[int, str | bytes]]:
    """Which of the document's subsets shows which part; ASCII lies in the first as it is."""
    if not text:
        return ()
    return ((0, text),) if text.isascii() else font.splitString(text, document)
