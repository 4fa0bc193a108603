"""Files that came, runs that compared them, breaks they found, and the rules of all that."""

from reconciliation.models.files import Feed, FeedFile
from reconciliation.models.intake import Intake
from reconciliation.models.rules import BreakPolicy, FeedVersion, OutsideName, Tolerance
from reconciliation.models.runs import Break, Run, RunBreak

__all__ = [
    "Break",
    "BreakPolicy",
    "Feed",
    "FeedFile",
    "FeedVersion",
    "Intake",
    "OutsideName",
    "Run",
    "RunBreak",
    "Tolerance",
]
