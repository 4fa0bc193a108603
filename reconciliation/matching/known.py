"""Records of ours as lines of the file: what is known before it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from reconciliation.formats.known_lines import KnownLines
from reconciliation.formats.spelling import Spelling


@dataclass(frozen=True, slots=True)
class Known:
    """``lines`` are ours; ``line`` is one as SQL, over ``ours``, the records of its kind, with these parameters."""

    lines: KnownLines
    line: str
    ours: str
    parameters: Mapping[str, Any]
    spelling: Spelling
