"""BAI2, the cash management report of US banks (`docs/formats/bai2.md`): ledger balances (010, 015) and detail records (16).

Never available balances (040, 045 and the like). All control totals and record counts (49, 98, 99) must hold and 99 must be
there: else nothing of the file is used. Amounts have no point; the currency says how many digits are behind it. Details
are optional in this format, so that they come to the closing balance is noted, not demanded. `line` is that of the record.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

from kernel.numbers import ZERO, minor_unit, plain
from reconciliation.domain.records import Kind
from reconciliation.formats.blocks import Blocks
from reconciliation.formats.cash_rows import balance_row, entry_row
from reconciliation.formats.directives import take_manifest
from reconciliation.formats.problems import BadValue, FileCode, FileProblem, NoteCode, RowCode, shown
from reconciliation.formats.statement import Header, Record, Statement
from reconciliation.formats.values import read_date

NAME: Final = "bai2"
KINDS: Final = frozenset({Kind.CASH})
OPENING: Final = "010"
CLOSING: Final = "015"
_MOST_LINES: Final = 1_000  # of one record with its continuations
_BEGIN = re.compile(rb"\s*01,[^,\r\n]*,[^,\r\n]*,\d{6,8},\d{3,4},[^,\r\n]*,")
_CODE = re.compile(r"\d{3}")
_AMOUNT = re.compile(r"[+-]?\d{1,18}")
_RECORDS: Final = frozenset({"01", "02", "03", "16", "49", "88", "98", "99"})


def is_bai2(begin: bytes) -> bool:
    """A file header record."""
    return _BEGIN.match(begin) is not None


@dataclass(slots=True)
class _Lines:
    """A record with its continuations, each without its end."""

    line: int
    code: str
    parts: list[str]


@dataclass(slots=True)
class _Level:
    """What a file, group or account counts until its trailer."""

    total: int = 0
    records: int = 0
    children: int = 0


@dataclass(slots=True)
class _Account:
    line: int
    account: str
    currency: str
    opening: int | None = None
    closing: int | None = None
    entered: int = 0
    details: int = 0
    level: _Level = field(default_factory=_Level)


@dataclass(slots=True)
class _Group:
    as_of: str
    currency: str
    level: _Level = field(default_factory=_Level)


class Bai2Statement(Statement):
    """The accounts of all groups of a BAI2 file, one after the other."""

    def __init__(self, path: Path, kind: Kind) -> None:
        super().__init__(path, kind, Header(NAME, kind))
        self.digest_said = take_manifest(self.header, path)
        self._blocks = Blocks(path, fallback="latin-1")
        self._file = _Level()
        self._group: _Group | None = None
        self._account: _Account | None = None
        self._ended = False
        self._begin()

    @property
    def sha256(self) -> str:
        return self._blocks.sha256

    def records(self) -> Iterator[Record]:
        for one in _records(self._blocks):
            if self._ended:
                sentence = f"Line {one.line} stands behind the file trailer (99)."
                raise FileProblem(FileCode.ROWS_AFTER_END, sentence, line=one.line)
            self._count(len(one.parts))
            yield from self._take(one)
        if not self._ended:
            raise FileProblem(FileCode.TRUNCATED, "The file has no trailer (99): its end is missing.")
        self.header.proven = True

    def _begin(self) -> None:
        """The header, from the file's and the first group's."""
        for one in _records(Blocks(self.path, fallback="latin-1")):
            values = _split(one.parts[0])
            if one.code == "01":
                self.header.source = self.header.source or _at(values, 1)[:64]
                number = _at(values, 5)
                if self.header.sequence is None and number.isascii() and number.isdigit():
                    self.header.sequence = int(number[:15])
            else:
                if one.code == "02":
                    self.header.statement_date = self.header.statement_date or date.fromisoformat(
                        _day(one.line, _at(values, 4))
                    )
                return

    def _count(self, lines: int) -> None:
        for level in (self._file, self._group and self._group.level, self._account and self._account.level):
            if level:
                level.records += lines

    def _take(self, one: _Lines) -> Iterator[Record]:
        values = _split(one.parts[0])
        match one.code, self._group, self._account:
            case "01", None, None:
                pass
            case "02", None, None:
                self._open_group(one, values)
            case "03", _Group() as group, None:
                self._open_account(one, values, group)
            case "16", _Group() as group, _Account() as account:
                yield from self._detail(one, account, group)
            case "49", _Group() as group, _Account() as account:
                self._judge(one, values, account.level, account.level.records, None)
                group.level.total += account.level.total
                group.level.children += 1
                self._account = None
                yield from self._balance(account, group)
            case "98", _Group() as group, None:
                self._judge(one, values, group.level, group.level.records, group.level.children)
                self._file.total += group.level.total
                self._file.children += 1
                self._group = None
            case "99", None, None:
                self._judge(one, values, self._file, self._file.records, self._file.children)
                self._ended = True
            case _:
                raise FileProblem(
                    FileCode.STRUCTURE, f"Line {one.line}: a record {one.code} is not due here.", line=one.line
                )

    def _open_group(self, one: _Lines, values: list[str]) -> None:
        if _at(values, 3) not in ("1", ""):
            sentence = (
                f"Line {one.line}: the group is a deletion, correction or test (status {_at(values, 3)}), no update."
            )
            raise FileProblem(FileCode.NOT_COMPLETE, sentence, line=one.line)
        if _at(values, 7) in ("1", "3"):
            raise FileProblem(
                FileCode.NOT_COMPLETE, f"Line {one.line}: the group is interim, not of a whole day.", line=one.line
            )
        self._group = _Group(_day(one.line, _at(values, 4)), _at(values, 6) or "USD", _Level(records=len(one.parts)))

    def _open_account(self, one: _Lines, values: list[str], group: _Group) -> None:
        account = _Account(
            one.line, _at(values, 1), _at(values, 2) or group.currency, level=_Level(records=len(one.parts))
        )
        for part in [values[3:], *(_split(more)[1:] for more in one.parts[1:])]:
            for code, amount in _summaries(one.line, part):
                account.level.total += amount
                if code == OPENING:
                    account.opening = amount
                elif code == CLOSING:
                    account.closing = amount
        self._account = account

    def _detail(self, one: _Lines, account: _Account, group: _Group) -> Iterator[Record]:
        values, begins, value_date, more = _detail_fields(one)
        code, amount = _at(values, 1), _amount(one.line, _at(values, 2))
        account.level.total += amount
        if not _CODE.fullmatch(code) or not "100" <= code <= "699":
            if amount:
                sentence = f"Type {shown(code)} is neither a credit (100 to 399) nor a debit (400 to 699)."
                self.lose(one.line, RowCode.STRUCTURE, sentence)
            return
        signed = amount if code < "400" else -amount
        account.entered += signed
        account.details += 1
        bank_ref, our_ref = _at(values, begins), _at(values, begins + 1)
        narrative = ",".join(values[begins + 2 :])
        yield (
            one.line,
            entry_row(
                account=account.account,
                currency=account.currency,
                amount=_money(signed, account.currency),
                as_of=group.as_of,
                entry_ref=bank_ref.strip() or f"{account.account}/{group.as_of}/{account.details}",
                our_ref=our_ref.strip(),
                value_date=value_date,
                narrative=" ".join(f"{code} {narrative} {more}".split()),
            ),
        )

    def _balance(self, account: _Account, group: _Group) -> Iterator[Record]:
        if account.closing is None:
            sentence = f"Account {shown(account.account)} has no closing ledger balance (015)."
            self.lose(account.line, RowCode.BALANCE_MISSING, sentence, "amount")
            return
        if account.opening is not None and account.details and account.opening + account.entered != account.closing:
            sentence = (
                f"Account {shown(account.account)}: opening and details do not come to the closing ledger balance."
            )
            self.notes.add(account.line, "amount", NoteCode.BALANCE_NOT_EXPLAINED, sentence)
        yield (
            account.line,
            balance_row(
                account=account.account,
                currency=account.currency,
                opening="" if account.opening is None else _money(account.opening, account.currency),
                amount=_money(account.closing, account.currency),
                as_of=group.as_of,
            ),
        )

    def _judge(self, one: _Lines, values: list[str], level: _Level, records: int, children: int | None) -> None:
        """A trailer: control total, children where it counts them, records with itself."""
        said = [_amount(one.line, text) for text in values[1:]]
        found = [level.total, *([] if children is None else [children]), records]
        if len(said) < len(found):
            raise FileProblem(FileCode.TRUNCATED, f"Line {one.line}: the trailer {one.code} is cut.", line=one.line)
        if said[0] != found[0]:
            sentence = f"Line {one.line}: the control total says {said[0]}, the amounts come to {found[0]}."
            raise FileProblem(FileCode.SUM_DIFFERS, sentence, line=one.line)
        if said[1 : len(found)] != found[1:]:
            sentence = f"Line {one.line}: the trailer {one.code} counts {said[1 : len(found)]}, there are {found[1:]}."
            raise FileProblem(FileCode.COUNT_DIFFERS, sentence, line=one.line)


def _records(blocks: Blocks) -> Iterator[_Lines]:
    """Records with their continuations (88); a slash ends a line, blanks may fill it up."""
    held: _Lines | None = None
    for number, whole in blocks.lines():
        line = whole.rstrip()
        if not line:
            continue
        line, code = line.removesuffix("/"), line[:2]
        if code not in _RECORDS or line[2:3] not in (",", ""):
            raise FileProblem(FileCode.STRUCTURE, f"Line {number}: {shown(line)} is no BAI2 record.", line=number)
        if code != "88":
            if held is not None:
                yield held
            held = _Lines(number, code, [line])
        elif held is None or len(held.parts) >= _MOST_LINES:
            raise FileProblem(FileCode.STRUCTURE, f"Line {number}: a continuation (88) is not due here.", line=number)
        else:
            held.parts.append(line)
    if held is not None:
        yield held


def raw_lines(path: Path, kind: Kind, lines: Container[int]) -> dict[int, str]:
    """The wanted records with their continuations."""
    found = _records(Blocks(path, fallback="latin-1"))
    return {one.line: "\n".join(one.parts) for one in found if one.line in lines}


def _split(part: str) -> list[str]:
    return [text.strip() for text in part.split(",")]


def _at(values: list[str], place: int) -> str:
    return values[place].strip() if place < len(values) else ""


def _detail_fields(one: _Lines) -> tuple[list[str], int, str, str]:
    """The fields of a detail, where its references begin, its value date if it says one, and text of continuations.

    A continuation holds fields while those before the text are not complete, then text.
    """
    first, rest = _split(one.parts[0]), [more.partition(",")[2] for more in one.parts[1:]]
    values, text = first, " ".join(rest)
    if rest and len(first) < 6 + _funds_width(one.line, first, 3):
        values, text = _split(",".join([one.parts[0].removesuffix(","), *rest])), ""
    width = _funds_width(one.line, values, 3)
    dated = _at(values, 3).upper() == "V" and _at(values, 4)
    return values, 4 + width, _day(one.line, _at(values, 4)) if dated else "", text


def _summaries(line: int, values: list[str]) -> Iterator[tuple[str, int]]:
    """Type, amount, item count and funds type, again and again."""
    at = 0
    while at < len(values):
        code = _at(values, at)
        if not code and not any(values[at:]):
            return
        if _CODE.fullmatch(code) is None:
            raise FileProblem(FileCode.STRUCTURE, f"Line {line}: {shown(code)} is no type code.", line=line)
        yield code, _amount(line, _at(values, at + 1))
        at += 4 + _funds_width(line, values, at + 3)


def _funds_width(line: int, values: list[str], at: int) -> int:
    """How many fields a funds type brings with it."""
    match _at(values, at).upper():
        case "V":
            return 2
        case "S":
            return 3
        case "D":
            count = _at(values, at + 1)
            if not (count.isascii() and count.isdigit() and len(count) < 4):
                raise FileProblem(FileCode.STRUCTURE, f"Line {line}: distributed funds without a count.", line=line)
            return 1 + 2 * int(count)
        case "" | "0" | "1" | "2" | "Z":
            return 0
        case other:
            raise FileProblem(FileCode.STRUCTURE, f"Line {line}: {shown(other)} is no funds type.", line=line)


def _amount(line: int, text: str) -> int:
    """Minor units as they stand; empty is none."""
    if not text:
        return 0
    if _AMOUNT.fullmatch(text) is None:
        raise FileProblem(FileCode.STRUCTURE, f"Line {line}: {shown(text)} is no amount in minor units.", line=line)
    return int(text)


def _money(amount: int, currency: str) -> str:
    return plain(Decimal(amount) * minor_unit(currency) + ZERO)


def _day(line: int, text: str) -> str:
    """``YYMMDD``, or ``YYYYMMDD`` as some banks have it."""
    try:
        return read_date(text if len(text) == 8 else f"20{text}")
    except BadValue as bad:
        raise FileProblem(FileCode.STRUCTURE, f"Line {line}: {bad.sentence}", line=line) from bad
