"""A judge of reconciliation runs: what was planted in a file must be found, classed and explained, and nothing else may be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from authorisation.domain.principal import process_principal
from kernel.ids import new_id
from reconciliation.domain.making.sheet import Book
from reconciliation.kept_files import keep_stream
from reconciliation.models import Break, FeedFile, Run, RunBreak
from reconciliation.services.make_files import MadeFiles
from reconciliation.services.run_reconciliation import run_reconciliation
from tests.factories.reconciled import DAY, MADE_AT

RUN_AT = MADE_AT + timedelta(hours=1)


@dataclass
class Verdict:
    """Empty where the run is right. Each line says what is wrong, for whoever reads a failing test."""

    missed: list[str] = field(default_factory=list)
    false: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        named = (("missed", self.missed), ("false", self.false), ("unexplained", self.unexplained))
        return [f"{word}: {line}" for word, lines in named for line in lines]


def compare(path: Path, *, kind: str, source: str, as_of: date = DAY, at: datetime = RUN_AT, actor: Any = None) -> Run:
    """A run over a file on the disk, kept first as every file is."""
    with path.open("rb") as content:
        kept = keep_stream(content, limit=1 << 30)
    file, _ = FeedFile.objects.get_or_create(
        kind=kind, source=source, sha256=kept.sha256,
        defaults={"id": new_id(), "name": path.name, "size": kept.size, "received_by": "process:test", "received_at": at},
    )  # fmt: skip
    result = run_reconciliation(
        kind=kind, file=file, as_of=as_of, actor=actor or process_principal("test"), at=at, trigger="by_hand"
    )
    return Run.objects.get(id=result.run_id)


def compare_book(made: MadeFiles, book: str, form: str = "csv", **more: Any) -> Run:
    """A run over one of the made files."""
    file = next(one for one in made.files if one.book == book and one.format == form)
    return compare(made.out / file.name, kind=file.kind.value, source=file.source, **more)


def compare_written(book: Book, path: Path, content: bytes, **more: Any) -> Run:
    """A run over a file of the book that a test wrote in its own way."""
    path.write_bytes(content)
    return compare(path, kind=book.kind.value, source=book.source, as_of=book.day, **more)


def found(run: Run) -> list[Break]:
    """The breaks that the run saw open."""
    seen = RunBreak.objects.filter(run=run).exclude(word=RunBreak.Word.CLOSED).order_by("id").select_related("item")
    return [one.item for one in seen]


def judge(made: MadeFiles, book: str, run: Run) -> Verdict:
    """What was planted in the book's file against what the run found."""
    expected = [one for one in made.told["breaks"] if one["book"] == book]
    return judge_breaks(expected, found(run))


def judge_breaks(planted: Sequence[Mapping[str, Any]], breaks: Sequence[Break]) -> Verdict:
    verdict, left = Verdict(), list(breaks)
    for plant in planted:
        for one in plant["expected"]:
            item = next((item for item in left if _is(item, one)), None)
            if item is None:
                near = [f"{b.category} {b.ids}" for b in left if _names(b, one["ids"])]
                verdict.missed.append(f"{plant['plant']} ({plant['says']}): {one}; instead: {near or 'nothing'}")
                continue
            left.remove(item)
            unnamed = [value for value in _telling(one["ids"]) if value not in item.why]
            if not item.why or unnamed:
                verdict.unexplained.append(f"{plant['plant']}: {item.why!r} does not name {unnamed}")
    verdict.false += [f"{item.category} {item.ids}: {item.why}" for item in left]
    return verdict


def _telling(ids: Mapping[str, str]) -> list[str]:
    """What a sentence must name: the record by its own id where it has one, else by all that it is known by."""
    own = next((ids[name] for name in ("exec_id", "cl_ord_id", "entry_ref", "our_ref") if name in ids), None)
    return [own] if own else list(ids.values())


def _is(item: Break, expected: Mapping[str, Any]) -> bool:
    return item.category == expected["category"] and _names(item, expected["ids"])


def _names(item: Break, ids: Mapping[str, str]) -> bool:
    return set(ids.values()) <= {str(value) for value in item.ids.values()}
