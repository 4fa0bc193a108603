"""What may be wrong with a file that comes, or does not: one stable code each, who must hurry, whether the file is refused. Pure.

A fault that ``refuses`` keeps the file's bytes and takes nothing of it. The others let it pass and somebody owns the doubt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class FaultCode(StrEnum):
    """Stable names, of anomalies too."""

    UNEXPECTED = "FILE_UNEXPECTED"
    DUPLICATE = "FILE_DUPLICATE"
    TOO_LARGE = "FILE_TOO_LARGE"
    SIGNATURE = "FILE_SIGNATURE"
    CORRUPT = "FILE_CORRUPT"
    TRUNCATED = "FILE_TRUNCATED"
    TOTALS_DIFFER = "FILE_TOTALS_DIFFER"
    WRONG_DAY = "FILE_WRONG_DAY"
    OLDER = "FILE_OLDER"
    RESENT = "FILE_RESENT"
    SEQUENCE_GAP = "FILE_SEQUENCE_GAP"
    LATE = "FILE_LATE"
    MISSING = "FILE_MISSING"


OF_A_FILE = tuple(code for code in FaultCode if code not in (FaultCode.LATE, FaultCode.MISSING, FaultCode.UNEXPECTED))
"""What the next good file of a feed settles."""

_TRUNCATED = frozenset({"FILE_TRUNCATED", "FILE_PAGES_MISSING", "FILE_NOT_COMPLETE", "FILE_EMPTY"})
_TOTALS = frozenset({"FILE_COUNT_DIFFERS", "FILE_SUM_DIFFERS", "FILE_DIGEST_DIFFERS"})


@dataclass(frozen=True, slots=True)
class Fault:
    """``sentence`` says what is wrong and what we did; ``evidence`` is plain JSON, bounded."""

    code: FaultCode
    sentence: str
    refuses: bool = True
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def told(self) -> dict[str, str]:
        """For whoever sent the file: with the word of the reader (``formats``), where one has it."""
        reader = {"reader": str(self.evidence["reader"])} if "reader" in self.evidence else {}
        return {"code": self.code.value, "sentence": self.sentence, **reader}


def code_of_problem(code: str) -> FaultCode:
    """What a reader's word (``formats``) is among these: it was cut, its totals do not hold, or it is no such file."""
    if code in _TRUNCATED:
        return FaultCode.TRUNCATED
    if code in _TOTALS:
        return FaultCode.TOTALS_DIFFER
    return FaultCode.CORRUPT
