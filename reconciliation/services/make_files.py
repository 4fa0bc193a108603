"""Write counterpart files of a day out of our own books, with exactly the breaks asked for planted in them.

For drills, demos and proof: what a run over these files must say is known beforehand and stands in ``planted.json`` beside
them. The books are only read. The same books, seed and breaks make the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction

from kernel.numbers import ZERO
from reconciliation.domain.making.bank_files import write_camt_053, write_mt940
from reconciliation.domain.making.csv_file import DRESSES, write_csv
from reconciliation.domain.making.fix_log import write_fix_log
from reconciliation.domain.making.plants import Planted, plant
from reconciliation.domain.making.registry import wishes_of
from reconciliation.domain.making.semt_002 import write_semt_002
from reconciliation.domain.making.sheet import Book
from reconciliation.domain.records import Kind
from reconciliation.selectors.counterpart_books import books_of_day

PLANTED = "planted.json"
VARIANTS = "variants"


@dataclass(frozen=True, slots=True)
class MadeFile:
    """One file. ``places``: the line of each record of its book, empty where lines say nothing (XML, MT940)."""

    name: str
    book: str
    kind: Kind
    source: str
    format: str
    rows: int
    content: bytes
    places: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Without the content."""
        return {
            "name": self.name, "kind": self.kind.value, "source": self.source, "format": self.format, "rows": self.rows,
            "sha256": hashlib.sha256(self.content).hexdigest(),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class MadeFiles:
    """What was written, as ``planted.json`` and the command line tell it."""

    out: Path
    files: tuple[MadeFile, ...]
    planted: tuple[Planted, ...]
    told: dict[str, Any]


def make_files(
    *, day: date, seed: int, breaks: str, out: Path, kinds: Collection[Kind], at: datetime, variants: bool = False
) -> MadeFiles:
    """Into the directory ``out``, which is made. ``at`` is now: nothing later is told. ``variants`` adds the same files as odd
    senders would send them.

    Raises Invalid BREAKS_INVALID, TOO_FEW_RECORDS; then nothing is written.
    """
    wishes = wishes_of(breaks, kinds)
    with transaction.atomic():
        books = books_of_day(day=day, kinds=kinds, at=at)

    changed, planted = plant(books, wishes, seed=seed)
    changed = [rebalanced(book) for book in changed]
    files = tuple(file for book in changed for file in _files_of(book, seed=seed, variants=variants))

    told = _told(day, seed, changed, files, planted)
    out.mkdir(parents=True, exist_ok=True)
    if variants:
        (out / VARIANTS).mkdir(exist_ok=True)
    for file in files:
        (out / file.name).write_bytes(file.content)
    (out / PLANTED).write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return MadeFiles(out, files, tuple(planted), told)


def rebalanced(book: Book) -> Book:
    """A bank's closing balance is its opening balance and its entries, whatever those are: what was planted counts in it."""
    if book.kind is not Kind.CASH:
        return book
    moved: dict[tuple[str, str], Decimal] = {}
    for record in book.records:
        if record["record"] == "entry":
            place = record["account"], record["currency"]
            moved[place] = moved.get(place, ZERO) + record.number("amount")
    records = tuple(
        record
        if record["record"] == "entry"
        else record.but(amount=record.number("opening") + moved.get((record["account"], record["currency"]), ZERO))
        for record in book.records
    )
    return replace(book, records=records)


def _files_of(book: Book, *, seed: int, variants: bool) -> Iterator[MadeFile]:
    def made(name: str, form: str, content: bytes, places: list[int] | None = None) -> MadeFile:
        return MadeFile(name, book.name, book.kind, book.source, form, len(book.records), content, tuple(places or ()))

    yield made(f"{book.name}.csv", "csv", *write_csv(book))
    if book.kind is Kind.EXECUTIONS:
        yield made(f"{book.name}.fix.log", "fix_log", *write_fix_log(book))
        if variants:
            yield made(f"{VARIANTS}/{book.name}.soh.fix.log", "fix_log", *write_fix_log(book, mark="\x01"))
            yield made(f"{VARIANTS}/{book.name}.quiet.fix.log", "fix_log", *write_fix_log(book, noise=False))
    elif book.kind is Kind.CASH:
        yield made(f"{book.name}.camt053.xml", "camt_053", write_camt_053(book))
        yield made(f"{book.name}.mt940", "mt940", write_mt940(book))
    elif book.kind is Kind.HOLDINGS:
        yield made(f"{book.name}.semt002.xml", "semt_002", write_semt_002(book))
    if variants:
        for name, dress in DRESSES.items():
            yield made(f"{VARIANTS}/{book.name}.{name}.csv", "csv", *write_csv(book, dress, seed=seed))


def _told(
    day: date, seed: int, books: list[Book], files: tuple[MadeFile, ...], planted: list[Planted]
) -> dict[str, Any]:
    places: dict[str, list[tuple[str, dict[str, int]]]] = {}
    for book in books:
        keys = [record.key for record in book.records]
        places[book.name] = [
            (file.name, dict(zip(keys, file.places, strict=True)))
            for file in files
            if file.book == book.name and file.places and not file.name.startswith(VARIANTS)
        ]
    return {
        "date": day.isoformat(),
        "seed": seed,
        "files": [file.as_json() for file in files],
        "breaks": [_plant_told(one, places[one.file]) for one in planted],
    }


def _plant_told(one: Planted, places: list[tuple[str, dict[str, int]]]) -> dict[str, Any]:
    change = one.change
    told: dict[str, Any] = {
        "plant": one.plant.full_name,
        "kind": one.plant.kind.value,
        "book": one.file,
        "says": change.says,
        "expected": [{"category": expected.category, "ids": dict(expected.ids)} for expected in change.expected],
        "lines": {name: [lines[record.key] for record in one.after if record.key in lines] for name, lines in places},
    }
    if change.suspect:
        return {**told, "suspect": True}
    return {
        **told,
        "before": [dict(record.values) for record in one.before],
        "after": [dict(record.values) for record in one.after],
    }
