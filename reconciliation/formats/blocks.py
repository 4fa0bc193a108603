"""The bytes of a file as blocks of whole lines: bounded, hashed on the way, in an encoding that is said or refused.

A block never ends within a line, lines end with a line feed whatever the file uses, and nothing longer than a line's bound
is ever held. Refused by name: compressed files (a small one may unpack to anything), UTF-16 and UTF-32, NUL bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from reconciliation.formats.problems import FileCode, FileProblem

LONGEST_LINE: Final = 65_536
BLOCK: Final = 262_144
UTF8_BOM: Final = b"\xef\xbb\xbf"
_PACKED: Final = {
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "zip (or a workbook)",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
}
_WIDE: Final = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def opened(path: Path) -> BinaryIO:
    """The file, at its begin. FileProblem when it cannot be read."""
    try:
        return path.open("rb")
    except OSError as error:
        raise FileProblem(FileCode.UNREADABLE, f"{path.name} cannot be read: {error.strerror}.") from error


def refuse_by_begin(begin: bytes) -> None:
    """Raises FileProblem for what no reader of ours takes, told by the first bytes."""
    if not begin:
        raise FileProblem(FileCode.EMPTY, "The file is empty.")
    for magic, name in _PACKED.items():
        if begin.startswith(magic):
            sentence = f"The file is compressed ({name}): unpack it first; a packed file may hide any size."
            raise FileProblem(FileCode.COMPRESSED, sentence)
    if begin.startswith(_WIDE):
        raise FileProblem(FileCode.ENCODING, "The file is UTF-16 or UTF-32: send it as UTF-8.", line=1)


class Blocks:
    """One pass over the lines of a file. ``sha256`` is that of all bytes once the pass is over, where it is ``hashed``."""

    def __init__(
        self,
        path: Path,
        *,
        fallback: str = "",
        prepare: Callable[[bytes], bytes] | None = None,
        block: int = BLOCK,
        hashed: bool = True,
    ) -> None:
        self._path = path
        self._fallback = fallback
        self._prepare = prepare
        self._block = block
        self._digest = hashlib.sha256()
        self._hashed = hashed

    @property
    def sha256(self) -> str:
        """Of what was read so far."""
        return self._digest.hexdigest()

    def __iter__(self) -> Iterator[tuple[int, str]]:
        """``(number of the first line, text of whole lines)``; lines are counted from 1."""
        number = 1
        with opened(self._path) as file:
            for piece in self._whole_lines(file):
                if b"\x00" in piece:
                    line = number + piece[: piece.index(b"\x00")].count(b"\n")
                    raise FileProblem(FileCode.NUL_BYTES, f"Line {line} holds a NUL byte.", line=line)
                text = self._decoded(piece, number)
                yield number, text
                number += text.count("\n")

    def numbers(self, first: int, count: int) -> range:
        """Which lines of the file those of a block are, told by its first."""
        return range(first, first + count)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Line by line, without its end."""
        for number, text in self:
            yield from enumerate(text[:-1].split("\n"), number)

    def _whole_lines(self, file: BinaryIO) -> Iterator[bytes]:
        rest, old_mac = b"", None
        while chunk := file.read(self._block):
            if self._hashed:
                self._digest.update(chunk)
            if old_mac is None:
                refuse_by_begin(chunk)
                chunk = chunk.removeprefix(UTF8_BOM)
                old_mac = b"\r" in chunk[:-1] and b"\n" not in chunk
            data = rest + chunk
            if old_mac:
                data = data.replace(b"\r", b"\n")
            if self._prepare is not None:
                data = self._prepare(data)
            end = data.rfind(b"\n") + 1
            rest = data[end:]
            if len(rest) > LONGEST_LINE:
                sentence = f"A line is longer than {LONGEST_LINE:,} bytes."
                raise FileProblem(FileCode.RECORD_TOO_LONG, sentence)
            if end:
                piece = data[:end]
                yield piece.replace(b"\r\n", b"\n") if b"\r" in piece else piece  # to look for one byte is cheaper
        if old_mac is None:
            refuse_by_begin(b"")
        if rest:
            yield rest.removesuffix(b"\r") + b"\n"

    def _decoded(self, piece: bytes, number: int) -> str:
        try:
            return piece.decode("utf-8")
        except UnicodeDecodeError as error:
            if self._fallback:
                return piece.decode(self._fallback)
            line = number + piece[: error.start].count(b"\n")
            sentence = f"Line {line} is not UTF-8 (byte 0x{piece[error.start]:02x})."
            raise FileProblem(FileCode.ENCODING, sentence, line=line) from error
