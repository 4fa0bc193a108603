"""The file that was applied last of a kind and source, as tables of this session: all of it, or what of it differs from the new one.

The bytes of both are the truth and nothing is kept between two mornings. Where the new file could be compared with it line by line as
it was staged (`formats.line_difference`), only lines that differ are staged of the old one; else, or where a row of either is
wrong, it is staged whole. Both come to the same (``_since_last``).
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from reconciliation.kept_files import kept_path
from reconciliation.models import Intake
from reconciliation.staging import Staged, staged


@dataclass(frozen=True)
class LastFile:
    """``intake`` applied it; ``now`` is the new file. Tables live as long as the stack."""

    cursor: Any
    stack: ExitStack
    intake: Intake
    now: Staged

    @property
    def _path(self) -> Path:
        return kept_path(self.intake.file.sha256)

    @cached_property
    def whole(self) -> Staged:
        """All of it. Raises FileProblem."""
        return self.stack.enter_context(
            staged(self.cursor, self._path, self.intake.kind, format=self.intake.file.format or None)
        )  # fmt: skip

    @cached_property
    def differing(self) -> Staged:
        """What the new file has not; where that is not known, all of it. Raises FileProblem."""
        if self.now.differs is None:
            return self.whole
        return self.stack.enter_context(
            staged(self.cursor, self._path, self.intake.kind, format="csv", lines=self.now.differs.theirs)
        )  # fmt: skip

    @cached_property
    def new_lines(self) -> str:
        """The rows of the new file that this one has not, as a table; where that is not known, all of them."""
        if self.now.differs is None:
            return self.now.table
        table = f"{self.now.table}_differing"
        self.cursor.execute(
            f"CREATE TEMP TABLE {table} ON COMMIT DROP AS SELECT * FROM {self.now.table} WHERE line = ANY(%s::bigint[])",  # noqa: S608
            [list(self.now.differs.ours)],
        )
        return table
