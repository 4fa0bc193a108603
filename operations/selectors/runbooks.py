"""Runbooks: versioned pages of this repository, found by their number. Read from disk each time they are opened: they are few."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from kernel.errors import NotFound
from operations.domain.exception_kinds import KINDS, Kind
from operations.domain.markdown import Block, blocks_of

NUMBER = re.compile(r"R-\d{2}")


@dataclass(frozen=True, slots=True)
class Runbook:
    """``title`` is its first heading; ``kinds`` are the matters it is for; without ``blocks`` it is not written yet."""

    number: str
    title: str
    blocks: tuple[Block, ...]
    kinds: dict[str, Kind]

    @property
    def actions(self) -> tuple[str, ...]:
        """The safe actions of its kinds, each once."""
        return tuple(dict.fromkeys(action for kind in self.kinds.values() for action in kind.actions))


def get_runbook(number: str) -> Runbook:
    """Raises NotFound RUNBOOK_UNKNOWN for a number no kind and no file has."""
    kinds = {name: kind for name, kind in KINDS.items() if kind.runbook == number}
    path = _path(number) if NUMBER.fullmatch(number) else None
    if path is None and not kinds:
        raise NotFound("RUNBOOK_UNKNOWN", "There is no such runbook.")
    blocks = blocks_of(path.read_text()) if path is not None else ()
    return Runbook(number, _title(blocks) or number, blocks, kinds)


def list_runbooks() -> list[Runbook]:
    """Every number some kind names, in order."""
    return [get_runbook(number) for number in sorted({kind.runbook for kind in KINDS.values()})]


def _path(number: str) -> Path | None:
    return next(iter(sorted((settings.BASE_DIR / "docs" / "runbooks").glob(f"{number}-*.md"))), None)


def _title(blocks: tuple[Block, ...]) -> str:
    for block in blocks:
        if block.kind == "heading":
            return "".join(piece.text for piece in block.lines[0])
    return ""
