"""What a check is: something that must always hold, said in one sentence, and how to look for where it does not.

A check answers with findings; no finding means that it holds. It is either one SQL statement with the columns
``subject`` and ``what``, one row a finding, or a function over the snapshot for what SQL cannot say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from operations.fsck.snapshot import Snapshot


class Level(IntEnum):
    """How far a check reaches, from the guards of the database outwards. A higher level leans on those below it."""

    GUARDS = 0
    JOURNAL = 1
    ORDERS = 2
    MONEY = 3
    WIRE = 4
    EXCEPTIONS = 5
    TRUTH = 6


class Found(NamedTuple):
    """One place where a check does not hold: what it is about, and what is wrong there."""

    subject: str
    what: str


@dataclass(frozen=True, slots=True)
class Check:
    """``sentence`` is what must hold, ``remedy`` what whoever is called at night does first.

    ``reads_all`` marks the passes that read whole tables through Python: too slow to wait for at every start. ``apart`` marks
    functions that any reader may carry out: they need nothing but the snapshot and leave the work to other processes.
    """

    code: str
    invariant: str
    level: Level
    sentence: str
    remedy: str
    sql: str = ""
    look: Callable[[Snapshot], Iterable[Found]] | None = None
    reads_all: bool = False
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one check found: how many places, some of them by name, and the seconds it took.

    ``carried_out`` is false where the check itself failed: then it does not hold, and nothing is known.
    """

    check: Check
    found: int
    examples: tuple[str, ...] = field(default=())
    seconds: float = 0.0
    carried_out: bool = True

    @property
    def holds(self) -> bool:
        return self.found == 0

    @property
    def stops_firm(self) -> bool:
        """Whether nobody may take new risk because of it.

        An order that differs from its venue does not: recovery gates its account and its session, and a gate is never wider
        than what it is for. Where that comparison could not be made, nothing is known of any order.
        """
        return not self.holds and (self.check.level < Level.TRUTH or not self.carried_out)
