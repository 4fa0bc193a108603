"""XML from outside, element by element: no document type, no entity, no network, nothing larger than its bound in memory.

What is wanted is handed out at its end tag and thrown away at once with everything before it. Between two such moments at
most `MOST_HELD` bytes are read, which bounds depth, width and text of whatever comes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO, Final

from lxml import etree

from reconciliation.formats.blocks import opened
from reconciliation.formats.problems import FileCode, FileProblem

MOST_HELD: Final = 32 * 1024 * 1024
_CHUNK: Final = 32_768
_CUT: Final = frozenset(
    {etree.ErrorTypes.ERR_DOCUMENT_EMPTY, etree.ErrorTypes.ERR_DOCUMENT_END, etree.ErrorTypes.ERR_TAG_NOT_FINISHED}
)
_DOCTYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


class XmlFile:
    """One pass over a file. ``sha256`` is that of all its bytes once the pass is over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        """Of what was read so far."""
        return self._digest.hexdigest()

    def elements(self, *names: str, around: str) -> Iterator[Any]:
        """Elements of these local names, whatever their namespace, each whole, with its ancestors but not its elder siblings.

        What is within one of them is not handed out by itself, except within those called ``around``.
        """
        whole = frozenset(names) - {around}
        with opened(self._path) as file:
            source = _Source(file, self._digest)
            parser = etree.iterparse(
                source,
                events=("end",),
                tag=[f"{{*}}{name}" for name in names],
                resolve_entities=False,
                load_dtd=False,
                no_network=True,
                huge_tree=False,
                remove_comments=True,
                remove_pis=True,
            )
            try:
                for _event, element in parser:
                    self._refuse_doctype(element)
                    if any(local(one) in whole for one in element.iterancestors()):
                        continue
                    yield element
                    _forget(element)
                    source.held = 0
            except etree.XMLSyntaxError as error:
                raise _broken(error) from error
            source.drain()

    def _refuse_doctype(self, element: Any) -> None:
        about = element.getroottree().docinfo
        if about.doctype or about.internalDTD is not None:
            raise _doctype()


class _Source:
    """The bytes for the parser: counted since the last element that was forgotten, hashed, looked at for a document type."""

    def __init__(self, file: BinaryIO, digest: Any) -> None:
        self._file = file
        self._digest = digest
        self._begun = False
        self.held = 0

    def read(self, _size: int = -1) -> bytes:
        chunk = self._file.read(_CHUNK)
        self._digest.update(chunk)
        if not self._begun:
            self._begun = True
            if _DOCTYPE.search(chunk):
                raise _doctype()
        self.held += len(chunk)
        if self.held > MOST_HELD:
            sentence = f"More than {MOST_HELD // 1024 // 1024} MB without the end of a record."
            raise FileProblem(FileCode.RECORD_TOO_LONG, sentence)
        return chunk

    def drain(self) -> None:
        """What the parser left unread counts for the digest too."""
        while self.read():
            self.held = 0


def local(element: Any) -> str:
    """The name of an element without its namespace; empty for none."""
    return "" if element is None or not isinstance(element.tag, str) else element.tag.rpartition("}")[2]


def text_at(element: Any, *paths: str) -> str:
    """The text of the first of these paths (local names, ``/`` between) that has one."""
    if element is None or not len(element):
        return ""
    for path in paths:
        for found in element.iterfind(_any_namespace(path)):
            text = (found.text or "").strip()
            if text:
                return str(text)
    return ""


def all_at(element: Any, path: str) -> Sequence[Any]:
    """All elements at a path of local names."""
    if element is None:
        return []
    found: Sequence[Any] = element.findall(_any_namespace(path))
    return found


def first_at(element: Any, path: str) -> Any:
    """The first element at a path, or None."""
    return None if element is None else element.find(_any_namespace(path))


@lru_cache(maxsize=256)
def _any_namespace(path: str) -> str:
    return "/".join(f"{{*}}{step}" for step in path.split("/"))


def raw_of(element: Any) -> str:
    """The element as text, for evidence."""
    return str(etree.tostring(element, encoding="unicode", with_tail=False))


def _forget(element: Any) -> None:
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while parent[0] is not element:
            del parent[0]


def _doctype() -> FileProblem:
    return FileProblem(
        FileCode.XML_DOCTYPE, "The file has a document type or defines entities: none is needed, none is taken."
    )


def _broken(error: Any) -> FileProblem:
    line = int(error.lineno or 0)
    if not line:  # the parser gave up without a place: it met the name of an entity, and there are none
        sentence = "The XML is not well-formed: most likely an entity (&name;) that nobody defined."
        return FileProblem(FileCode.XML_BROKEN, sentence)
    if error.code in _CUT:
        return FileProblem(FileCode.TRUNCATED, f"The XML ends before it is whole (line {line}).", line=line)
    return FileProblem(FileCode.XML_BROKEN, f"Line {line} is not well-formed XML: {str(error)[:120]}.", line=line)
