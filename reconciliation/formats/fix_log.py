"""A FIX log or drop copy as a file (`docs/formats/fix_log.md`): execution reports become executions or states of orders.

One message a line, or one behind the other; whatever stands before `8=FIX` is the log's own. Fields end with SOH, `|`, `^A` or
`<SOH>`. A message whose body length or checksum is not what it says is left out and named: a digit of it may be another.
A report sent again (PossDup) is dropped when its first copy was seen here; repeated ExecIDs without that flag are
rows like others, for matching to judge.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

from kernel.fix import ExecTransType, ExecType, MsgType, OrdStatus
from kernel.numbers import plain
from reconciliation.domain.records import Kind
from reconciliation.formats.blocks import Blocks
from reconciliation.formats.directives import take_manifest
from reconciliation.formats.problems import BadValue, FileCode, FileProblem, NoteCode, RowCode, shown
from reconciliation.formats.statement import Header, Record, Statement
from reconciliation.formats.values import read_date, read_number
from reconciliation.formats.words import BUST, CORRECTION, TRADE
from refdata.domain.price_units import MINOR_PRICE_UNITS

NAME: Final = "fix_log"
KINDS: Final = frozenset({Kind.EXECUTIONS, Kind.ORDERS, Kind.OPEN_ORDERS})
_REMEMBERED: Final = 200_000

_BEGIN = re.compile(r"8=FIXT?\.\d\.\d(?:SP\d)?(\x01|\||\^A|<SOH>)(?=\d{1,5}=)")
_BEGIN_BYTES = re.compile(rb"8=FIXT?\.\d\.\d(?:SP\d)?(?:\x01|\||\^A|<SOH>)\d{1,5}=")
_ANY_BEGIN = re.compile(rb"(?:^|[^0-9])8=FIXT?\.\d\.\d")
_BEHIND_EACH_OTHER = re.compile(rb"((?:\x01|\||\^A|<SOH>)10=\d{3}(?:\x01|\||\^A|<SOH>))(?=8=FIX)")
_FIELD = re.compile(r"\d{1,6}=")
_PAIRS = re.compile(r"(\d{1,6})=([^\x01]*)\x01")
_TRAILER = re.compile(r"\x0110=(\d{3})(?=\x01|\s|$)")
_BODY = re.compile(r"8=[^\x01]*\x019=(\d{1,7})\x01")

_EXECUTION: Final[Mapping[str, int]] = {
    "exec_id": 17, "exec_ref_id": 19, "cl_ord_id": 11, "venue_order_id": 37, "account": 1, "symbol": 55, "side": 54,
    "last_qty": 32, "last_px": 31, "currency": 15, "trade_date": 75, "settlement_date": 64,
}  # fmt: skip
_ORDER: Final[Mapping[str, int]] = {
    "cl_ord_id": 11, "orig_cl_ord_id": 41, "venue_order_id": 37, "account": 1, "symbol": 55, "side": 54, "ord_type": 40,
    "time_in_force": 59, "ord_status": 39, "order_qty": 38, "cum_qty": 14, "leaves_qty": 151, "price": 44,
}  # fmt: skip
_OF_MINOR_UNIT: Final = {"GBp": "GBP", **{unit: currency for unit, (currency, _) in MINOR_PRICE_UNITS.items()}}
_ONCE: Final = frozenset({*_EXECUTION.values(), *_ORDER.values(), 20, 60, 150})
_OF_TRANS_TYPE: Final = {ExecTransType.CANCEL.value: BUST, ExecTransType.CORRECT.value: CORRECTION}
_OF_EXEC_TYPE: Final = {
    ExecType.TRADE.value: TRADE,
    ExecType.PARTIAL_FILL.value: TRADE,
    ExecType.FILL.value: TRADE,
    ExecType.TRADE_CANCEL.value: BUST,
    ExecType.TRADE_CORRECT.value: CORRECTION,
}

Values = dict[int, str]
Fields = Sequence[tuple[int, str]]


class BrokenMessage(Exception):
    """A text that is not the FIX message it says it is."""

    def __init__(self, code: RowCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Message:
    """A message: first value of each tag, all fields in order, and whether it carries a checksum (which then holds)."""

    values: Values
    fields: Fields
    checked: bool


def is_fix_log(begin: bytes) -> bool:
    """Whether there is a FIX message in it."""
    return _BEGIN_BYTES.search(begin) is not None


def refuse_other_delimiter(begin: bytes) -> None:
    """FIX whose fields end with something else is no table either. Raises FileProblem."""
    if _ANY_BEGIN.search(begin) is not None:
        sentence = "The file holds FIX messages, but their fields do not end with SOH, |, ^A or <SOH>."
        raise FileProblem(FileCode.FORMAT_UNKNOWN, sentence)


def read_message(line: str) -> Message | None:
    """The message in a line of a log, None when there is none. Raises BrokenMessage."""
    found = _BEGIN.search(line)
    if found is None:
        if "8=FIX" in line:
            raise BrokenMessage(RowCode.FIX_BROKEN, f"{shown(line)} begins like a FIX message and is none.")
        return None
    written = line[found.start() :]
    text = written if found[1] == "\x01" else written.replace(found[1], "\x01")
    end = _TRAILER.search(text)
    if end is not None:
        text = text[: end.end()] + "\x01"
    checked = end is not None and _is_whole(text[: end.start() + 1], end[1], written)
    pairs = _PAIRS.findall(text)
    apart = len(pairs) != text.count("\x01")
    fields = _fields_apart(text, found[1]) if apart else [(int(tag), value) for tag, value in pairs]
    return Message(dict(reversed(fields)), fields, checked)


def _fields_apart(text: str, delimiter: str) -> list[tuple[int, str]]:
    """Field by field, where a delimiter stands within a text too."""
    fields: list[tuple[int, str]] = []
    for part in text.rstrip("\r\n").split("\x01"):
        if _FIELD.match(part):
            tag, _, value = part.partition("=")
            fields.append((int(tag), value))
        elif part.strip() and fields and fields[-1][0] != 10:
            fields[-1] = (fields[-1][0], f"{fields[-1][1]}{delimiter}{part}")
    return fields


def _is_whole(text: str, said: str, written: str) -> bool:
    """Whether length and sum of a message up to its trailer are what it says; raises where they are not.

    Both are judged over SOH, as the specification has it; a log that summed its own delimiters holds as well.
    """
    head = _BODY.match(text)
    if head is None:
        return False
    bodies = [text.encode(one) for one in _encodings(text)]
    as_written = written[: written.rindex("10=")] if "10=" in written else ""
    if all(len(body) - len(head[0]) != int(head[1]) for body in bodies):
        sentence = f"BodyLength (9) says {head[1]}, the body has {len(bodies[0]) - len(head[0])}."
        raise BrokenMessage(RowCode.FIX_BODY_LENGTH, sentence)
    sums = [sum(body) % 256 for body in bodies]
    if int(said) not in sums and int(said) != sum(as_written.encode("latin-1", "replace")) % 256:
        raise BrokenMessage(RowCode.FIX_CHECKSUM, f"CheckSum (10) says {said}, it is {sums[0]:03d}.")
    return True


def _encodings(text: str) -> tuple[str, ...]:
    if text.isascii():
        return ("ascii",)
    return ("utf-8", "latin-1") if max(text) < "\u0100" else ("utf-8",)


class FixLogStatement(Statement):
    """Every execution report of the log that says something of the kind; other messages are passed over and counted."""

    def __init__(self, path: Path, kind: Kind) -> None:
        super().__init__(path, kind, Header(NAME, kind))
        self.digest_said = take_manifest(self.header, path)
        self._blocks = _messages(path)
        self._seen: OrderedDict[int, None] = OrderedDict()
        self._any_checked = False
        tags = _EXECUTION if kind is Kind.EXECUTIONS else _ORDER
        self._tags = [tags.get(one.name, 0) for one in self.columns]
        self._begin()

    @property
    def sha256(self) -> str:
        return self._blocks.sha256

    def records(self) -> Iterator[Record]:
        taken = self._execution if self.kind is Kind.EXECUTIONS else self._order
        for number, line in self._blocks.lines():
            report = self._report(number, line)
            texts = taken(number, *report) if report is not None else None
            if texts is not None:
                yield number, texts

    def _begin(self) -> None:
        """Who sends, and of which day, from the first execution report."""
        for number, line in _messages(self.path).lines():
            try:
                message = read_message(line)
            except BrokenMessage:
                continue
            if message is not None and message.values.get(35) == MsgType.EXECUTION_REPORT.value:
                values = message.values
                self.header.source = self.header.source or values.get(49, "")[:64]
                self.header.statement_date = self.header.statement_date or _day(values)
                return
            if number > 1_000:
                return

    def _report(self, number: int, line: str) -> tuple[Values, Fields] | None:
        """The execution report in a line, unless it is another message, broken, or sent again."""
        try:
            message = read_message(line)
        except BrokenMessage as broken:
            self.lose(number, broken.code, broken.sentence)
            return None
        if message is None:
            if line.strip():
                self.notes.add(number, "", NoteCode.COMMENT_IGNORED, f"{shown(line)} holds no message.")
            return None
        if not message.checked and self._any_checked:
            self.lose(number, RowCode.FIX_BROKEN, "The message is cut: it has no CheckSum (10), others have.")
            return None
        self._any_checked = self._any_checked or message.checked
        values = message.values
        if values.get(35) != MsgType.EXECUTION_REPORT.value:
            sentence = f"A message of type {shown(values.get(35, ''))} is no execution report."
            self.notes.add(number, "", NoteCode.MESSAGE_IGNORED, sentence)
            return None
        if not message.checked:
            self.notes.add(number, "", NoteCode.NOT_CHECKSUMMED, "The message has no BodyLength and CheckSum.")
        if self._sent_again(number, values) or self._says_two(number, message):
            return None
        return values, message.fields

    def _says_two(self, number: int, message: Message) -> bool:
        """A tag that stands there twice with other values: which is meant, nobody knows. Groups may repeat theirs."""
        if len(message.values) == len(message.fields):
            return False
        said: dict[int, str] = {}
        for tag, value in message.fields:
            if tag in _ONCE and said.setdefault(tag, value) != value:
                sentence = f"Tag {tag} stands in it twice, as {shown(said[tag])} and {shown(value)}."
                self.lose(number, RowCode.FIX_BROKEN, sentence)
                return True
        return False

    def _sent_again(self, number: int, values: Values) -> bool:
        """A PossDup of a report seen here. What is remembered is bounded: then it is a row, and matching judges it."""
        name = hash(tuple(values.get(tag, "") for tag in (49, 56, 34, 17, 37, 14)))
        if name in self._seen and values.get(43) == "Y":
            sentence = f"ExecID {shown(values.get(17, ''))} was sent again (PossDup, MsgSeqNum {values.get(34, '')})."
            self.notes.add(number, "exec_id", NoteCode.SENT_AGAIN, sentence)
            return True
        self._seen[name] = None
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        return False

    def _execution(self, number: int, values: Values, fields: Fields) -> list[str] | None:
        kind = exec_kind(values)
        if kind is None:
            return None
        texts, at = [values.get(tag, "") for tag in self._tags], self._places
        texts[at["exec_type"]] = kind
        texts[at["isin"]] = _isin(values, fields)
        texts[at["mic"]] = values.get(207) or values.get(30, "")
        texts[at["transact_time"]] = values.get(60) or values.get(52, "")
        texts[at["currency"]] = _currency(values)
        texts[at["commission"]] = self._commission(number, values)
        texts[at["fees"]] = self._fees(number, values, fields)
        if kind == BUST:
            for name in ("last_qty", "last_px"):
                texts[at[name]] = texts[at[name]] or "0"
        return texts

    def _order(self, number: int, values: Values, fields: Fields) -> list[str] | None:
        if _answers_unknown(values):
            self.notes.add(number, "", NoteCode.MESSAGE_IGNORED, "The venue answers that it knows no such order.")
            return None
        texts, at = [values.get(tag, "") for tag in self._tags], self._places
        texts[at["isin"]] = _isin(values, fields)
        texts[at["mic"]] = values.get(207, "")
        texts[at["transact_time"]] = values.get(60) or values.get(52, "")
        return texts

    def _commission(self, number: int, values: Values) -> str:
        """Commission (12) as an amount; per unit is multiplied out, a percentage is not ours to work out."""
        text, how = values.get(12, ""), values.get(13, "3")
        currency = _currency(values)
        if text and currency and values.get(479, values.get(15)) != currency:
            sentence = f"Commission (12) {shown(text)} does not say (479) that it is in {currency}: left empty."
            self.notes.add(number, "commission", NoteCode.CHARGE_NOT_AN_AMOUNT, sentence)
            return ""
        if not text or how == "3":
            return text
        try:
            if how == "1":
                return plain(Decimal(read_number(text)) * Decimal(read_number(values.get(32, ""))))
        except BadValue:
            return text
        sentence = f"Commission (12) {shown(text)} is of CommType (13) {shown(how)}, not an amount: left empty."
        self.notes.add(number, "commission", NoteCode.CHARGE_NOT_AN_AMOUNT, sentence)
        return ""

    def _fees(self, number: int, values: Values, fields: Fields) -> str:
        """MiscFeeAmt (137) summed, when all are in the currency of the execution."""
        if 137 not in values:
            return ""
        amounts = [value for tag, value in fields if tag == 137]
        said = [value for tag, value in fields if tag == 138]
        unsaid = values.get(15, "") if len(said) < len(amounts) or "" in said else _currency(values)
        other = {*said, unsaid} - {_currency(values), ""}
        if other:
            sentence = f"Fees are in {', '.join(sorted(other))}, the execution is not: left empty."
            self.notes.add(number, "fees", NoteCode.CHARGE_NOT_AN_AMOUNT, sentence)
            return ""
        try:
            return plain(sum((Decimal(read_number(one.strip())) for one in amounts), Decimal(0)))
        except BadValue:
            return " ".join(amounts)  # no number: judged and told like any other value


def exec_kind(values: Values) -> str | None:
    """trade, bust or correction; None for a report that is none of them."""
    trans_type = values.get(20, ExecTransType.NEW.value)
    if trans_type in _OF_TRANS_TYPE:
        return _OF_TRANS_TYPE[trans_type]
    if trans_type == ExecTransType.STATUS.value:
        return None
    if 150 not in values:  # FIX 4.0: what was executed is a trade
        return TRADE if values.get(32, "").strip("0.") else None
    return _OF_EXEC_TYPE.get(values[150])


def _answers_unknown(values: Values) -> bool:
    asked = values.get(150) == ExecType.ORDER_STATUS.value or values.get(20) == ExecTransType.STATUS.value
    return (
        asked and values.get(39) == OrdStatus.REJECTED.value and values.get(37, "").strip() in ("", "NONE", "UNKNOWN")
    )


def _currency(values: Values) -> str:
    """Currency (15). GBX and GBp there are the unit of the price, which is what ours is in too; the money is in pounds."""
    said = values.get(15, "")
    return _OF_MINOR_UNIT.get(said, said)


def _isin(values: Values, fields: Fields) -> str:
    """SecurityID (48) where SecurityIDSource (22) says so, else from the alternates (454 to 456)."""
    if values.get(22) == "4":
        return values.get(48, "")
    if 456 in values:
        for at, (tag, value) in enumerate(fields[:-1]):
            if tag == 455 and fields[at + 1] == (456, "4"):
                return value
    return ""


def _day(values: Values) -> date | None:
    for tag in (75, 52):
        try:
            return date.fromisoformat(read_date(values.get(tag, "")[:8]))
        except BadValue:
            continue
    return None


def _messages(path: Path) -> Blocks:
    return Blocks(path, fallback="latin-1", prepare=lambda data: _BEHIND_EACH_OTHER.sub(rb"\1\n", data))


def raw_messages(path: Path, kind: Kind, lines: Container[int]) -> dict[int, str]:
    """The wanted lines as they stand in the log."""
    return {number: line for number, line in _messages(path).lines() if number in lines}
