"""MT940, SWIFT's customer statement (`docs/formats/mt940.md`): booked balances (:60F:, :62F:) and entries (:61:) of accounts.

With or without the blocks of a SWIFT message around it. Never :64: or :65:, what is *available*. Opening and entries must
come to closing on every page, pages (:28C: n/m) must follow one another, and a statement without :62F: is cut: then
nothing of the file is used. Read line by line; `line` is that of the :61: or :62F:.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

from kernel.numbers import ZERO, plain
from reconciliation.domain.records import Kind
from reconciliation.formats.blocks import Blocks, opened
from reconciliation.formats.cash_rows import balance_row, entry_row, judge_balance
from reconciliation.formats.directives import take_manifest
from reconciliation.formats.problems import BadValue, FileCode, FileProblem, NoteCode, shown
from reconciliation.formats.statement import Header, Record, Statement
from reconciliation.formats.values import read_date, read_number

NAME: Final = "mt940"
KINDS: Final = frozenset({Kind.CASH})
_MOST_LINES: Final = 200  # of one field

_BEGIN = re.compile(rb"^(?:\{1:[^\r\n]*|\{4:\s*)?\s*:20:", re.MULTILINE)
_BALANCE_BEGIN = re.compile(rb"^:60[FM]:", re.MULTILINE)
_TAG = re.compile(r":(\d\d[A-Z]?):(.*)", re.DOTALL)
_HEAD = re.compile(r"\s*(?:\{[123]:[^{}]*(?:\{[^{}]*\}[^{}]*)*\}\s*)*\{4:")
_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})(\d{1,15},?\d*)")
_ENTRY = re.compile(
    r"(?P<value>\d{6})(?P<entry>\d{4})?(?P<mark>R?[CD])(?P<funds>[A-Z])?(?P<amount>\d{1,15},?\d*)(?P<type>[A-Z][A-Z0-9]{3})(?P<refs>.*)",
    re.DOTALL,
)
_END_TO_END = re.compile(r"(?:/EREF/([^/]{1,35})|EREF\+(.{1,35}?)(?=(?:[A-Z]{4}|IBAN|BIC)\+|\?|$))")
_SUBFIELDS = re.compile(r"\?(?:2\d|3[0-4]|6[0-3])")
_SENDER: Final = re.compile(rb"\{1:F\d\d([A-Z0-9]{12})\d{10}\}\s*\{2:I94|\{2:O94\d{11}([A-Z0-9]{12})")
"""The logical terminal of the sender: of block 1 in a message as it was sent, of block 2 in one as it was received."""
_NOT_GIVEN: Final = frozenset({"", "NONREF", "NOTPROVIDED"})
_SIGNS: Final = {"C": 1, "D": -1, "RC": -1, "RD": 1}


def is_mt940(begin: bytes) -> bool:
    """A transaction reference and an opening balance, each at the begin of a line."""
    return _BEGIN.search(begin) is not None and _BALANCE_BEGIN.search(begin) is not None


def refuse_others(begin: bytes) -> None:
    """A SWIFT message that tells no balance (MT942, MT900) is no table either. Raises FileProblem."""
    if _BEGIN.search(begin) is not None:
        sentence = "The file is a SWIFT message without an opening balance (:60F:): no statement (MT940)."
        raise FileProblem(FileCode.FORMAT_UNKNOWN, sentence)


@dataclass(slots=True)
class _Entry:
    line: int
    amount: Decimal
    as_of: str
    value_date: str
    our_ref: str
    bank_ref: str
    narrative: str = ""


@dataclass(slots=True)
class _Page:
    """What is known of the statement that is being read; ``page`` 0 is one that does not count its pages."""

    reference: str
    line: int
    account: str = ""
    number: str = ""
    page: int = 0
    currency: str = ""
    opening: Decimal | None = None
    statement_opening: Decimal | None = None
    opened: bool = False
    entered: Decimal = ZERO
    entries: int = 0
    entry: _Entry | None = None


@dataclass(frozen=True, slots=True)
class _Left:
    """A page that another one must follow."""

    account: str
    number: str
    page: int
    closing: Decimal
    statement_opening: Decimal | None
    entries: int


def _sender(path: Path) -> str:
    """The BIC of the bank, where the message still has its blocks; a branch of its own is told with it."""
    with opened(path) as file:
        found = _SENDER.search(file.read(1_000))
    if found is None:
        return ""
    terminal = (found[1] or found[2]).decode("ascii")
    return terminal[:8] + terminal[9:].replace("XXX", "")


class Mt940Statement(Statement):
    """The accounts of an MT940 file, one after the other."""

    def __init__(self, path: Path, kind: Kind) -> None:
        super().__init__(path, kind, Header(NAME, kind))
        self.digest_said = take_manifest(self.header, path)
        self._blocks = Blocks(path, fallback="latin-1")
        self._page: _Page | None = None
        self._left: _Left | None = None
        self._statements = 0
        self._begin()

    @property
    def sha256(self) -> str:
        return self._blocks.sha256

    def records(self) -> Iterator[Record]:
        for number, tag, value in _fields(self._blocks):
            yield from self._take(number, tag, value)
        if self._page is not None:
            raise self._cut(self._page)
        if self._left is not None:
            sentence = (
                f"Page {self._left.page} of the statement of {self._left.account} is not its last: the next is missing."
            )
            raise FileProblem(FileCode.PAGES_MISSING, sentence)
        if not self._statements:
            raise FileProblem(FileCode.STRUCTURE, "The file has no statement.")
        if self._statements == 1:
            self.header.proven = True
        else:
            self.header.opening = self.header.closing = None

    def _begin(self) -> None:
        """The header, from the first statement."""
        header = self.header
        header.source = header.source or _sender(self.path)
        for number, tag, value in _fields(Blocks(self.path, fallback="latin-1")):
            match tag:
                case "20":
                    header.reference = header.reference or value.strip()[:64]
                case "28C" | "28":
                    digits = value.strip().partition("/")[0]
                    if header.sequence is None and digits.isascii() and digits.isdigit():
                        header.sequence = int(digits[:15])
                case "60F" if header.opening is None:
                    header.opening = _balance(number, tag, value)[0]
                case "62F":
                    header.closing, day, _currency = _balance(number, tag, value)
                    header.statement_date = header.statement_date or date.fromisoformat(day)
                    return

    def _take(self, number: int, tag: str, value: str) -> Iterator[Record]:
        page = self._page
        if tag == "20":
            if page is not None:
                raise self._cut(page)
            self._page = _Page(value.strip(), number)
            return
        if page is None:
            return  # between two statements only the blocks around them and :64:, :65:, :86: of the last one
        match tag:
            case "25" | "25P":
                page.account = "".join(value.split("\n", 1)[0].split())
            case "28C" | "28":
                statement, _, count = value.strip().partition("/")
                page.number, page.page = statement, int(count) if count.isascii() and count.isdigit() else 0
            case "60F" | "60M":
                self._open(page, number, tag, value)
            case "61":
                yield from self._entry_of(page)
                page.entry = self._entry(page, number, value)
            case "86" if page.entry is not None:
                page.entry.narrative = value
            case "62F" | "62M":
                yield from self._entry_of(page)
                yield from self._close(page, number, tag, value)
            case "34F" | "13D" | "90C" | "90D":
                raise FileProblem(FileCode.STRUCTURE, f"Line {number}: an MT942 is no statement of a day.", line=number)
            case "21" | "86":
                pass
            case _:
                self.notes.add(number, "", NoteCode.COMMENT_IGNORED, f":{tag}: is passed over.")

    def _open(self, page: _Page, number: int, tag: str, value: str) -> None:
        page.opening, _day, page.currency = _balance(number, tag, value)
        page.opened = True
        left, self._left = self._left, None
        if tag == "60F":
            page.statement_opening = page.opening
            if left is not None:
                sentence = f"Page {left.page} of the statement of {left.account} is not its last: the next is missing."
                raise FileProblem(FileCode.PAGES_MISSING, sentence, line=number)
            return
        follows = left is not None and left.account == page.account and left.number == page.number
        if left is None or not follows or (page.page and page.page != left.page + 1) or left.closing != page.opening:
            sentence = f"Line {number}: this page of the statement of {page.account} does not follow the one before it."
            raise FileProblem(FileCode.PAGES_MISSING, sentence, line=number)
        page.statement_opening, page.entries = left.statement_opening, left.entries

    def _entry(self, page: _Page, number: int, value: str) -> _Entry:
        found = _ENTRY.fullmatch(value.strip())
        if found is None or not page.opened:
            raise FileProblem(FileCode.STRUCTURE, f"Line {number}: {shown(value)} is no entry (:61:).", line=number)
        amount = _amount(number, found["amount"]) * _SIGNS[found["mark"]]
        page.entered += amount
        page.entries += 1
        value_date = _day(number, found["value"])
        refs, _, more = found["refs"].partition("\n")
        ours, _, theirs = refs.partition("//")
        return _Entry(
            line=number,
            amount=amount,
            as_of=_entry_day(number, value_date, found["entry"]),
            value_date=value_date,
            our_ref=ours.strip(),
            bank_ref=theirs.strip(),
            narrative=more,
        )

    def _entry_of(self, page: _Page) -> Iterator[Record]:
        """The entry that was waiting for its :86:, as a row."""
        entry, page.entry = page.entry, None
        if entry is None:
            return
        named = _END_TO_END.search(_SUBFIELDS.sub("", entry.narrative).replace("\n", ""))
        ours = (named[1] or named[2]).strip() if named else ""
        ours = entry.our_ref if ours in _NOT_GIVEN else ours
        yield (
            entry.line,
            entry_row(
                account=page.account,
                currency=page.currency,
                amount=plain(entry.amount),
                as_of=entry.as_of,
                entry_ref=entry.bank_ref or f"{page.number or page.reference}/{page.entries}",
                our_ref="" if ours in _NOT_GIVEN else ours,
                value_date=entry.value_date,
                narrative=" ".join(entry.narrative.split()),
            ),
        )

    def _close(self, page: _Page, number: int, tag: str, value: str) -> Iterator[Record]:
        closing, day, currency = _balance(number, tag, value)
        if not page.opened or currency != page.currency:
            sentence = f"Line {number}: the closing balance of {page.account} has no opening balance in {currency}."
            raise FileProblem(FileCode.STRUCTURE, sentence, line=number)
        judge_balance(page.account, opening=page.opening, entered=page.entered, closing=closing)
        self._page = None
        if tag == "62M":
            opening = page.statement_opening
            self._left = _Left(page.account, page.number, page.page, closing, opening, page.entries)
            return
        self._statements += 1
        opening_text = "" if page.statement_opening is None else plain(page.statement_opening)
        yield (
            number,
            balance_row(
                account=page.account, currency=currency, opening=opening_text, amount=plain(closing), as_of=day
            ),
        )

    def _cut(self, page: _Page) -> FileProblem:
        sentence = f"The statement that begins in line {page.line} has no :62F: it is cut."
        return FileProblem(FileCode.TRUNCATED, sentence, line=page.line)


def _fields(blocks: Blocks) -> Iterator[tuple[int, str, str]]:
    """Line, tag and value of every field; further lines of a field belong to its value."""
    at, tag, lines = 0, "", [""]
    for number, whole in blocks.lines():
        line = _HEAD.sub("", whole).rstrip()
        found = _TAG.match(line)
        if found is not None:
            if tag:
                yield at, tag, "\n".join(lines)
            at, tag, lines = number, found[1], [found[2]]
        elif line in ("-", "-}") or line.startswith("-}"):
            if tag:
                yield at, tag, "\n".join(lines)
            tag = ""
        elif tag and line:
            lines.append(line)
            if len(lines) > _MOST_LINES:
                raise FileProblem(
                    FileCode.RECORD_TOO_LONG, f"Field :{tag}: has more than {_MOST_LINES} lines.", line=at
                )
    if tag:
        yield at, tag, "\n".join(lines)


def raw_fields(path: Path, kind: Kind, lines: Container[int]) -> dict[int, str]:
    """The wanted fields as they stand, an entry with its :86:."""
    found: dict[int, str] = {}
    last = 0
    for number, tag, value in _fields(Blocks(path, fallback="latin-1")):
        if tag == "86" and last in found:
            found[last] += f"\n:86:{value}"
        elif number in lines:
            found[number] = f":{tag}:{value}"
        last = number
    return found


def _balance(number: int, tag: str, value: str) -> tuple[Decimal, str, str]:
    found = _BALANCE.fullmatch(value.strip())
    if found is None:
        raise FileProblem(FileCode.STRUCTURE, f"Line {number}: {shown(value)} is no balance (:{tag}:).", line=number)
    amount = _amount(number, found[4])
    return (amount if found[1] == "C" else -amount), _day(number, found[2]), found[3]


def _amount(number: int, text: str) -> Decimal:
    try:
        return Decimal(read_number(text.replace(",", ".")))
    except BadValue as bad:
        raise FileProblem(FileCode.STRUCTURE, f"Line {number}: {bad.sentence}", line=number) from bad


def _day(number: int, text: str) -> str:
    """A date of two-digit year: this century, or the last one from 80 on."""
    try:
        return read_date(("19" if text[:2] >= "80" else "20") + text)
    except BadValue as bad:
        raise FileProblem(FileCode.STRUCTURE, f"Line {number}: {bad.sentence}", line=number) from bad


def _entry_day(number: int, value_date: str, text: str | None) -> str:
    """Month and day of booking in the year that is nearest to the value date; empty when not said."""
    if text is None:
        return ""
    value = date.fromisoformat(value_date)
    days = []
    for year in (value.year - 1, value.year, value.year + 1):
        try:
            days.append(date(year, int(text[:2]), int(text[2:])))
        except ValueError:
            continue
    if not days:
        raise FileProblem(FileCode.STRUCTURE, f"Line {number}: {shown(text)} is no month and day.", line=number)
    return min(days, key=lambda one: abs((one - value).days)).isoformat()
