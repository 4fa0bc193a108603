"""What runbooks may say, as blocks; what else a file holds stays text and never becomes markup."""

from __future__ import annotations

import re

import pytest

from operations.domain.exception_kinds import KINDS
from operations.domain.markdown import Block, Piece, blocks_of, pieces_of
from tests.architecture.house import ROOT

RUNBOOKS = sorted((ROOT / "docs" / "runbooks").glob("R-*.md"))


def text_of(block: Block) -> str:
    return "".join(piece.text for line in block.lines for piece in line)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("plain", ["text"]),
        ("a **b** c", ["text", "bold", "text"]),
        ("press *Ask*.", ["text", "stressed", "text"]),
        ("2 * 3 * 4", ["text"]),
        ("`x < y`", ["code"]),
        ("see R-04 now", ["text", "link", "text"]),
        ("[open](/venues)", ["link"]),
        ("[other](R-04-contradiction.md)", ["link"]),
    ],
)
def test_stretches_of_a_line(text: str, kinds: list[str]) -> None:
    assert [piece.kind for piece in pieces_of(text)] == kinds


@pytest.mark.parametrize("href", ["javascript:alert(1)", "//evil.example", "https://evil.example", "/\\evil", "data:x"])
def test_a_link_that_leaves_the_house_is_text(href: str) -> None:
    assert all(piece.kind == "text" for piece in pieces_of(f"[x]({href})"))


def test_a_runbook_is_found_by_its_number() -> None:
    assert pieces_of("[x](R-04-contradiction.md)") == (Piece("link", "x", "/runbooks/R-04"),)


def test_blocks() -> None:
    source = "# T\n\none\ntwo\n\n* a\n  more\n- b\n\n1. c\n2. d\n\n```\n<b>\n# no heading\n```\n| h | i |\n|---|---|\n| 1 | 2 |\n"
    blocks = blocks_of(source)
    assert [block.kind for block in blocks] == ["heading", "paragraph", "bullets", "steps", "code", "table"]
    assert [text_of(block) for block in blocks[:4]] == ["T", "one two", "a moreb", "cd"]
    assert (blocks[4].text, len(blocks[5].rows)) == ("<b>\n# no heading", 2)


def test_a_file_without_an_end_is_read_to_its_end() -> None:
    assert [block.kind for block in blocks_of("```\nnever closed")] == ["code"]
    assert len(blocks_of("\n\n".join("x" for _ in range(5000)))) == 1000


def test_every_runbook_that_a_kind_names_is_written_and_reads_as_blocks() -> None:
    numbers = {path.name[:4] for path in RUNBOOKS}
    assert {kind.runbook for kind in KINDS.values()} <= numbers
    for path in RUNBOOKS:
        blocks = blocks_of(path.read_text())
        assert blocks[0].kind == "heading", path.name
        assert not [text_of(block) for block in blocks if re.search(r"^\s*([-*]|\d+\.)\s|\*\*|```", text_of(block))], (
            path.name
        )
