"""What every refusal of a venue, and every silence, means to us: its class, what we do, what the person is told. Data.

The rules, in the order of importance:

* Nothing is sent again under a new ClOrdID by the house itself. What it repeats are questions, which change nothing.
  *Repeatable* says that whoever asked may ask again as it stands: the fate of the first request is known (refused) and
  nothing in it was wrong.
* A code that no table knows is treated as the gravest of its kind: told to a person, nothing repeated.
* Codes outlive their meaning: a text that complains of too many messages is a throttle, whatever its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from journal.domain.records import Severity
from venues.domain import error_table


class Source(StrEnum):
    """Where a code stands."""

    ORDER = "OrdRejReason (103)"
    REQUEST = "CxlRejReason (102)"
    SESSION = "SessionRejectReason (373)"
    BUSINESS = "BusinessRejectReason (380)"
    TIME_OUT = "time-out"


class Class(StrEnum):
    """Whose matter it is."""

    TERMS = "terms"
    DUPLICATE = "duplicate"
    TOO_LATE = "too late"
    UNKNOWN_ORDER = "unknown order"
    VENUE_STATE = "venue state"
    THROTTLED = "throttled"
    OUR_DEFECT = "our defect"


class Deed(StrEnum):
    """What the house does by itself, beyond recording the answer."""

    NOTHING = "nothing"
    BACK_OFF = "hold what adds risk back for a while"
    ASK_STATUS = "ask for the order's status"
    STOP_SESSION = "stop new orders on the session"
    TELL = "tell a person"


@dataclass(frozen=True, slots=True)
class Rule:
    """One code. ``severity`` is None where the answer on the order is all a person needs."""

    source: Source
    code: str
    name: str
    kind: Class
    repeatable: bool
    deed: Deed
    severity: Severity | None
    sentence: str


def _rules(source: Source, table: str) -> tuple[Rule, ...]:
    entries: list[list[str]] = []
    for line in table.strip().splitlines():
        if line.startswith("  "):
            entries[-1].append(line.strip())
        else:
            entries.append([line])
    return tuple(_rule(source, head, " ".join(sentence)) for head, *sentence in entries)


def _rule(source: Source, head: str, sentence: str) -> Rule:
    names, kind, repeatable, deed, severity = head.split(" | ")
    code, _, name = names.partition(" ")
    return Rule(
        source=source,
        code=code,
        name=name,
        kind=Class(kind),
        repeatable=repeatable == "repeatable",
        deed=Deed[deed.upper()],
        severity=None if severity == "-" else Severity(severity),
        sentence=sentence,
    )


CONTRACT: tuple[Rule, ...] = (
    *_rules(Source.ORDER, error_table.ORDER),
    *_rules(Source.REQUEST, error_table.REQUEST),
    *_rules(Source.SESSION, error_table.SESSION),
    *_rules(Source.BUSINESS, error_table.BUSINESS),
    *_rules(Source.TIME_OUT, error_table.TIME_OUT),
)
_BY_CODE = {(rule.source, rule.code): rule for rule in CONTRACT}
_SOURCES = {"8": Source.ORDER, "9": Source.REQUEST, "3": Source.SESSION, "j": Source.BUSINESS}
CODE_TAGS = {"8": 103, "9": 102, "3": 373, "j": 380}
_COMPLAINTS = ("too many messages", "throttle", "rate limit", "message rate")


def rule_for(msg_type: str, code: str, text: str = "") -> Rule:
    """The rule for a refusal in a message (35=8, 9, 3 or j). A complaint of too many messages is a throttle by any code.

    KeyError for a message that refuses nothing.
    """
    source = _SOURCES[msg_type]
    if any(complaint in text.lower() for complaint in _COMPLAINTS):
        return _BY_CODE[Source.BUSINESS, "8"]
    return _BY_CODE.get((source, code)) or _BY_CODE[source, "*"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal as it came: its code and words, what it names, and the rule for it."""

    rule: Rule
    code: str
    text: str
    cl_ord_id: str
    orig_cl_ord_id: str
    venue_order_id: str
    ref_seq_num: int


def refusal_in(msg_type: str, values: Mapping[int, str]) -> Refusal | None:
    """The refusal in an inbound message; None for one that refuses nothing."""
    if msg_type not in CODE_TAGS or (msg_type == "8" and values.get(150) != "8"):
        return None
    code, text, number = values.get(CODE_TAGS[msg_type], ""), values.get(58, ""), values.get(45, "")
    return Refusal(
        rule=rule_for(msg_type, code, text),
        code=code,
        text=text,
        cl_ord_id=values.get(11, ""),
        orig_cl_ord_id=values.get(41, ""),
        venue_order_id=values.get(37, "").removeprefix("NONE"),
        ref_seq_num=int(number) if number.isdigit() else 0,
    )


FIRST_PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=30)
CALM = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long what adds risk is held back on a session that complained. Cancels and questions are never held.

    Each complaint after a pause has ended doubles the next, from 1 s up to 30 s; a calm minute forgets them. Complaints
    during a pause are about messages sent before it.
    """

    until: datetime | None = None
    pause: timedelta = timedelta(0)

    def after_complaint(self, at: datetime) -> BackOff:
        """The policy after one more complaint."""
        if self.until is not None and at < self.until:
            return self
        calm = self.until is None or at - self.until >= CALM
        pause = FIRST_PAUSE if calm else min(self.pause * 2, LONGEST_PAUSE)
        return BackOff(at + pause, pause)

    def holds(self, now: datetime) -> bool:
        """Whether new orders wait now."""
        return self.until is not None and now < self.until
