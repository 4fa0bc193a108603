"""Whatever bytes come: rows, named problems, or one FileProblem; never another exception."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from reconciliation.formats.problems import FileProblem
from reconciliation.formats.read_statement import FORMATS, open_statement
from tests.unit.reconciliation.files import EXAMPLES, written

FILES = {
    "camt_053": "camt_053.xml",
    "semt_002": "semt_002.xml",
    "mt940": "mt940.txt",
    "bai2": "bai2.txt",
    "fix_log": "fix_log.txt",
    "csv": "executions.csv",
}


def test_every_format_has_an_example_and_a_page() -> None:
    assert set(FILES) == set(FORMATS)
    for name in FORMATS:
        assert (EXAMPLES.parent / f"{name}.md").exists()


@pytest.mark.parametrize("name", FILES)
def test_a_spoiled_file_is_read_or_refused(tmp_path: Path, name: str) -> None:
    whole, dice = (EXAMPLES / FILES[name]).read_bytes(), random.Random(name)
    kinds = sorted(FORMATS[name].kinds)
    noticed = 0
    for _turn in range(120):
        spoiled = bytearray(whole)
        for _ in range(dice.randrange(1, 6)):
            at = dice.randrange(len(spoiled))
            match dice.randrange(4):
                case 0:
                    spoiled[at] = dice.randrange(256)
                case 1:
                    del spoiled[at : at + dice.randrange(1, 40)]
                case 2:
                    spoiled[at:at] = spoiled[at : at + dice.randrange(1, 200)]
                case _:
                    spoiled[at:at] = dice.choice([b",", b"\n", b'"', b"<", b":61:", b"88,", b"\x01", b"-", b"9" * 20])
        path = written(tmp_path, bytes(spoiled))
        kind, named = dice.choice(kinds), dice.choice([name, None])
        try:
            statement = open_statement(path, kind, format=named)
            for _row in statement.rows():
                pass
            noticed += statement.problems.total > 0
        except FileProblem:
            noticed += 1
    assert noticed > 10
