"""A small part of Markdown as blocks: headings, paragraphs, lists, code, tables; in lines bold, stress, code and links. Pure.

What it does not know stays text. It makes no HTML: a template writes the blocks, so nothing in a file can become markup.
Links lead within the house (``/...``) or to a runbook, whose bare number (``R-04``) is a link too; any other stays text with
its address beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

MOST_LINES = 2000


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a line: ``kind`` is text, bold, stressed, code or link."""

    kind: str
    text: str
    href: str = ""


Line = tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """``kind`` is heading, paragraph, bullets, steps, code or table; ``level`` is a heading's."""

    kind: str
    lines: tuple[Line, ...] = ()
    level: int = 0
    text: str = ""
    rows: tuple[tuple[Line, ...], ...] = field(default=())


_PIECES = re.compile(
    r"\*\*(?P<bold>[^*]+)\*\*|(?<![\w*])\*(?P<stressed>[^*\s][^*]*)\*(?![\w*])|`(?P<code>[^`]+)`|\[(?P<title>[^\]]+)\]\((?P<href>[^)\s]+)\)|\b(?P<runbook>R-\d{2})\b"
)
_HEADING = re.compile(r"(#{1,4})\s+(.*)")
_BULLET = re.compile(r"\s*[-*]\s+(.*)")
_STEP = re.compile(r"\s*\d+[.)]\s+(.*)")
_RUNBOOK = re.compile(r"(?:\./)?(R-\d{2})(?:-[a-z0-9-]+)?(?:\.md)?")


def pieces_of(text: str) -> Line:
    """A line in its stretches."""
    found: list[Piece] = []
    at = 0
    for match in _PIECES.finditer(text):
        if match.start() > at:
            found.append(Piece("text", text[at : match.start()]))
        at = match.end()
        if match["bold"]:
            found.append(Piece("bold", match["bold"]))
        elif match["stressed"]:
            found.append(Piece("stressed", match["stressed"]))
        elif match["code"]:
            found.append(Piece("code", match["code"]))
        elif match["runbook"]:
            found.append(Piece("link", match["runbook"], f"/runbooks/{match['runbook']}"))
        else:
            found.append(_link(match["title"], match["href"]))
    if at < len(text):
        found.append(Piece("text", text[at:]))
    return tuple(found)


def blocks_of(source: str) -> tuple[Block, ...]:
    """The file in blocks, at most 2,000 lines of it."""
    return tuple(_blocks(source.splitlines()[:MOST_LINES]))


def _link(title: str, href: str) -> Piece:
    runbook = _RUNBOOK.fullmatch(href)
    if runbook:
        return Piece("link", title, f"/runbooks/{runbook[1]}")
    if href.startswith("/") and not href.startswith("//") and "\\" not in href:
        return Piece("link", title, href)
    return Piece("text", f"{title} ({href})")


def _blocks(lines: Sequence[str]) -> Iterator[Block]:
    at = 0
    while at < len(lines):
        line = lines[at]
        heading = _HEADING.fullmatch(line)
        if not line.strip():
            at += 1
        elif line.startswith("```"):
            end = next((n for n in range(at + 1, len(lines)) if lines[n].startswith("```")), len(lines))
            yield Block("code", text="\n".join(lines[at + 1 : end]))
            at = end + 1
        elif heading:
            yield Block("heading", (pieces_of(heading[2]),), level=len(heading[1]))
            at += 1
        elif line.startswith("|"):
            end = _run(lines, at, lambda one: one.startswith("|"))
            yield Block("table", rows=tuple(_cells(one) for one in lines[at:end] if set(one) - set("|-: ")))
            at = end
        elif _BULLET.fullmatch(line) or _STEP.fullmatch(line):
            kind, pattern = ("bullets", _BULLET) if _BULLET.fullmatch(line) else ("steps", _STEP)
            end = _run(lines, at, partial(_goes_on, pattern))
            yield Block(kind, tuple(pieces_of(text) for text in _items(lines[at:end], pattern)))
            at = end
        else:
            end = _run(lines, at, _is_prose)
            yield Block("paragraph", (pieces_of(" ".join(one.strip() for one in lines[at:end])),))
            at = end


def _run(lines: Sequence[str], start: int, belongs: Callable[[str], bool]) -> int:
    end = start + 1
    while end < len(lines) and belongs(lines[end]):
        end += 1
    return end


def _goes_on(pattern: re.Pattern[str], line: str) -> bool:
    """The next item of a list, or an indented line of the last one."""
    return bool(pattern.fullmatch(line)) or (line.startswith("  ") and bool(line.strip()))


def _is_prose(line: str) -> bool:
    starts = ("```", "|", "#")
    return (
        bool(line.strip()) and not line.startswith(starts) and not _BULLET.fullmatch(line) and not _STEP.fullmatch(line)
    )


def _items(lines: Sequence[str], pattern: re.Pattern[str]) -> list[str]:
    items: list[str] = []
    for line in lines:
        match = pattern.fullmatch(line)
        if match:
            items.append(match[1].strip())
        else:
            items[-1] += f" {line.strip()}"
    return items


def _cells(line: str) -> tuple[Line, ...]:
    return tuple(pieces_of(cell.strip()) for cell in line.strip().strip("|").split("|"))
