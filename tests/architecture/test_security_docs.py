"""What the documents of security name exists: files, tests, items; and no item is met without a test or a reason."""

from __future__ import annotations

import ast
import csv
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.house import ROOT

DOCS = ("docs/threat_model.md", "docs/security.md")
STATUSES = {"met", "partly", "not met", "not applicable"}
ITEMS = list(csv.DictReader((ROOT / "docs" / "asvs.csv").open(newline="")))
BY_SECTION = {
    "V1": "2 9 11 3 2", "V2": "3 3 4 1", "V3": "0 2 4 6 5 0 2", "V4": "3 1 2 4", "V5": "1 3 2 3", "V6": "3 12 4 4 5 3 0 4",
    "V7": "3 4 2 5 2 2", "V8": "2 3 1 1", "V9": "3 4", "V11": "2 3 3 4 1 1", "V12": "3 2 4", "V13": "1 5 2 5", "V14": "2 4 3",
    "V15": "3 3 7", "V16": "1 5 4 3 3",
}  # fmt: skip


@cache
def functions_of(path: Path) -> frozenset[str]:
    """Names of the test functions of a file."""
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


def missing(test: str) -> str:
    """What of ``file::function`` is not there; empty when both are."""
    file, _, function = test.partition("::")
    path = ROOT / file
    if not path.is_file():
        return f"{file} is no file"
    return "" if not function or function in functions_of(path) else f"{file} has no {function}"


def places(where: str) -> Iterator[str]:
    """The paths among the places an item names: addresses, libraries and patterns are none."""
    for word in re.split(r"[;,]\s*", where):
        first = word.split(" ")[0].rstrip("/")
        if "/" in first and "*" not in first and not first.startswith("/"):
            yield first


def test_every_item_of_both_levels_is_there_once() -> None:
    expected = [
        f"{chapter}.{section}.{number}"
        for chapter, counts in BY_SECTION.items()
        for section, count in enumerate(counts.split(), 1)
        for number in range(1, int(count) + 1)
    ]
    assert [item["id"] for item in ITEMS] == expected
    assert len(expected) == 217


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item["id"])
def test_an_item_names_what_exists_and_gives_its_reason(item: dict[str, str]) -> None:
    assert item["status"] in STATUSES
    assert item["level"] in ("1", "2")
    if item["status"] == "not applicable":
        assert item["note"], "say why it does not apply"
        return
    assert item["where"], "say where"
    if item["status"] != "met":
        assert item["note"], "say what is missing"
    assert item["test"] or item["note"], "name a test, or say why there is none"
    assert not item["test"] or missing(item["test"]) == ""
    assert [path for path in places(item["where"]) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", DOCS)
def test_the_pages_name_tests_and_files_that_exist(page: str) -> None:
    text = (ROOT / page).read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)`", text)
    assert [test for test in named if missing(test)] == []
    settings = (ROOT / "oms_project" / "settings.py").read_text()
    assert [name for name in re.findall(r"`(OMS_\w+)`", text) if f'"{name}"' not in settings] == []


def test_each_part_of_the_threat_model_says_what_stops_it() -> None:
    rows = [line for line in (ROOT / DOCS[0]).read_text().splitlines() if re.match(r"\| [STRIDE] \|", line)]
    assert len(rows) > 25
    assert all(len(line.split("|")) == 6 and "`tests/" in line for line in rows)
