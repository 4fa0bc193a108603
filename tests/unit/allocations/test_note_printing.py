"""Printed notes: the same facts are the same bytes, in this process and another; a stored page is printed as it was for good."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import reportlab
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from allocations.domain.notes import Fill, Heading, Trade, facts_of
from allocations.domain.noting import LAST_CALL, QUIET, Step, may_go, next_step
from allocations.printing.note_v1 import figure
from allocations.printing.render_note import render_note
from allocations.printing.sheet import ALARM, INK, MARGIN, ROOM, RULE, Sheet, pdf_of, wrapped
from allocations.printing.sheet import QUIET as GREY
from allocations.printing.typeface import BOLD, FONTS, PLAIN, printable, register, width
from kernel.errors import InvariantBroken
from kernel.ids import new_id
from tests.architecture.house import ROOT

D = Decimal
GOLDEN = {
    "one": "5eddd3fee614c7ef44f1ec5dab5594a3774762b09743ee1cf381e0be83969543",
    "two": "5f13ed52f62a88b05a0af0a4c8f8666ff48d569a921c4c2e2fc9ed1da918dfbe",
    "cancel": "b43ac030027d4c16cfd77ea40b57a3532a96e619b0bc39f660d0767dd707f3e5",
}
"""Of template version 1 with reportlab 5.1.0 and the typeface's files below. Another digest is another page: make a version 2."""
TYPEFACE = {
    "Roboto-Regular.ttf": "797e35f7f5d6020a5c6ea13b42ecd668bcfb3bbc4baa0e74773527e5b6cb3174",
    "Roboto-Bold.ttf": "36f3709dea3e3ce3c6aedc058079e55980825f898f1e901d091c73c40de8bab1",
}


def trade(fills: int = 60, own: bool = True, **changes: Any) -> Trade:
    began = datetime(2026, 11, 20, 9, 1, 2, tzinfo=UTC)
    values: dict[str, Any] = {
        "ref": "A-1042", "block_ref": "B-77", "order_refs": ("O-2611-004097",), "side": "1", "isin": "GB0031348658",
        "instrument": "A company whose name goes on and on until nobody can remember how it began, ordinary shares of 25p",
        "symbol": "BARC.L", "qty": D(120000), "avg_px": D("231.487916666667"), "price_unit": "GBX", "currency": "GBP",
        "gross": D("-277785.50"), "fees": D("1668.22"), "net": D("-279453.72"), "trade_date": date(2026, 11, 20),
        "charges": (("commission", D("277.79")), ("uk_sdrt", D("1388.93")), ("ptm_levy", D("1.50"))),
        "settlement_date": date(2026, 11, 24), "capacity": "A", "order_types": ("2",), "own_fills": own, "place": "CRSTGB22",
        "fills": tuple(Fill(began + timedelta(seconds=241 * n), D(2000), D("231.48") + D(n % 7) / 100) for n in range(fills)),
    }  # fmt: skip
    return Trade(**(values | changes))


def heading(**changes: Any) -> Heading:
    values: dict[str, Any] = {
        "number": "UK-000123", "regime": "UK", "firm": "Demo House", "firm_lines": ("1 Example Street", "Authorised for tests"),
        "client": "Δημήτρης Łukasz Őrsi-Étienne Пётр Nguyễn & Söhne Vermögensverwaltungsgesellschaft mbH", "client_code": "CL-1",
        "lei": "5493001KJTIIGC8Y1R12", "account": "AC4471", "account_name": "Smith", "mic": "XLON", "market": "London",
        "zone": ZoneInfo("Europe/London"), "trade_date": date(2026, 11, 20), "issued_at": datetime(2026, 11, 20, 17, 5, tzinfo=UTC),
    }  # fmt: skip
    return Heading(**(values | changes))


def notes() -> dict[str, dict[str, Any]]:
    many = tuple((f"charge_{n}", D(n) + D("0.10")) for n in range(14))
    sold = trade(1, False, side="2", gross=D(1000), charges=many, fees=D("92.40"), net=D("907.60"), undoes="A-900")
    return {
        "one": facts_of(heading(), [trade()]),
        "two": facts_of(
            heading(number="UK-000124", replaces="UK-000123", why="A bust."), [trade(), sold, trade(3, False)]
        ),
        "cancel": facts_of(heading(number="UK-000125", cancels="UK-000124"), [trade(3, False, side="5", net=D(5))]),
    }


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize("name", list(GOLDEN))
def test_a_page_of_version_1_is_printed_as_it_was_for_good(name: str) -> None:
    assert reportlab.Version == "5.1.0"
    assert {file: digest((FONTS / file).read_bytes()) for file in TYPEFACE} == TYPEFACE
    facts = notes()[name]
    assert digest(render_note(facts, 1)) == digest(render_note(facts, 1)) == GOLDEN[name]
    assert render_note(json.loads(json.dumps(facts)), 1) == render_note(facts, 1)


def test_another_process_in_another_place_prints_the_same(tmp_path: Any) -> None:
    facts = tmp_path / "facts.json"
    facts.write_text(json.dumps(notes()["two"]))
    code = (
        "import sys, json, hashlib; from allocations.printing.render_note import render_note; "
        "print(hashlib.sha256(render_note(json.load(open(sys.argv[1])), 1)).hexdigest())"
    )
    elsewhere = {**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONPATH": str(ROOT)}
    said = subprocess.run(
        [sys.executable, "-c", code, str(facts)],
        cwd=tmp_path,
        env=elsewhere,
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.strip() == GOLDEN["two"]


def test_a_page_unknown_to_this_build_is_not_guessed() -> None:
    with pytest.raises(InvariantBroken, match="No page of version 2"):
        render_note(notes()["one"], 2)


def test_names_of_europe_are_printed_and_what_steers_a_reader_is_not() -> None:
    names = "Łukasz Őrsi Étienne Δημήτρης Пётр Nguyễn Straße İğneada Çağrı Škoda €£¥"
    assert printable(names) == names
    assert printable("e\u0301") == "é"
    assert printable("a\u202eb\x00c\u200b") == "aU+202EbU+0000cU+200B"
    assert printable("株") == "U+682A"


def test_no_line_leaves_the_page_and_every_page_says_how_many_there_are() -> None:
    word = "Donaudampfschifffahrtsgesellschaftskapitän" * 6
    lines = wrapped(f"a {word} b", ROOM, PLAIN, 9)
    assert "".join(lines).replace(" ", "") == f"a{word}b"
    assert all(width(line, PLAIN, 9) <= ROOM for line in lines)
    sheet = Sheet()
    for _ in range(200):
        sheet.row([("x", _column())])
    assert len(sheet.pages) == 4
    content = render_note(notes()["two"], 1)
    assert content.count(b"/Type /Page\n") == 2
    assert content.startswith(b"%PDF-1.")
    assert len(content) < 100_000


def _column() -> Any:
    from allocations.printing.sheet import Column

    return Column(MARGIN, 50)


WORDS = [
    "Smith (Holdings) \\ Co",
    "Δημήτρης Łukasz",
    "1,234.50",
    "",
    "a\u202eb €",
    "plain",
    "Nguyễn · Škoda",
    "株",
    "UK-000123",
]


def test_marks_are_to_the_byte_what_the_library_draws_by_its_own_methods() -> None:
    """Two documents of other characters after each other: what is remembered of the one is not taken for the other."""
    for words in (WORDS, WORDS[::-1], WORDS[5:6]):
        sheet = Sheet()
        for number, word in enumerate(words):
            sheet.write(word, face=(PLAIN, BOLD)[number % 2], size=7.5 + number, ink=(INK, GREY, ALARM)[number % 3])
            sheet.write(word, x=400.123456, right=True)
            sheet.y += 11.3
            sheet.rule(weight=0.4 + number)
        sheet.frame(20)
        drawn = pdf_of(sheet, title="t", author="a", subject="s", foot="Foot · é")
        assert drawn == _as_the_library_draws(words), words


def _as_the_library_draws(words: list[str]) -> bytes:
    for name, file in ((PLAIN, "Roboto-Regular.ttf"), (BOLD, "Roboto-Bold.ttf")):
        pdfmetrics.registerFont(TTFont(name, str(FONTS / file)))
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4, invariant=1, pageCompression=0, lang="en-GB")
    for name, said in (("Title", "t"), ("Author", "a"), ("Subject", "s"), ("Creator", "OMS")):
        getattr(canvas, f"set{name}")(said)

    def ink(colour: Any) -> None:
        red, green, blue = colour if isinstance(colour, tuple) else (colour, colour, colour)
        canvas.setFillColorRGB(red, green, blue)
        canvas.setStrokeColorRGB(red, green, blue)

    def text(word: str, x: float, y: float, face: str, size: float, right: bool) -> None:
        canvas.setFont(face, size)
        (canvas.drawRightString if right else canvas.drawString)(x, y, printable(word))

    y = MARGIN
    for number, word in enumerate(words):
        size = 7.5 + number
        ink((INK, GREY, ALARM)[number % 3])
        text(word, MARGIN, A4[1] - y - size, (PLAIN, BOLD)[number % 2], size, False)
        ink(INK)
        text(word, 400.123456, A4[1] - y - 8.5, PLAIN, 8.5, True)
        y += 11.3
        ink(RULE)
        canvas.setLineWidth(0.4 + number)
        canvas.line(MARGIN, A4[1] - y, A4[0] - MARGIN, A4[1] - y)
    ink(INK)
    canvas.setLineWidth(1)
    canvas.rect(MARGIN, A4[1] - y - 20, ROOM, 20, stroke=1, fill=0)
    ink(GREY)
    text("Foot · é", MARGIN, 26, PLAIN, 7.5, False)
    text("Page 1 of 1", A4[0] - MARGIN, 26, PLAIN, 7.5, True)
    canvas.showPage()
    canvas.save()
    register.cache_clear()  # ours again
    return buffer.getvalue()


def test_figures_are_grouped_and_never_rounded_on_their_own() -> None:
    assert [figure(text) for text in ("1234567.5", "-0.125", "120000")] == ["1,234,567.5", "−0.125", "120,000"]
    assert figure("1234.5", 2) == "1,234.50"


@pytest.mark.parametrize(
    ("told", "stands", "again", "step"),
    [
        (None, 0, False, Step.KEEP), (None, 1, False, Step.ISSUE), (1, 1, False, Step.KEEP), (1, 1, True, Step.REPLACE),
        (1, 2, False, Step.REPLACE), (2, 1, False, Step.REPLACE), (1, 0, False, Step.CANCEL), (1, 0, True, Step.CANCEL),
    ],
)  # fmt: skip
def test_what_becomes_of_a_note(told: int | None, stands: int, again: bool, step: Step) -> None:
    ids = [new_id() for _ in range(2)]
    assert next_step(told=None if told is None else ids[:told], stands=ids[:stands], again=again) is step


def test_a_note_goes_by_itself_when_nothing_can_change_it_or_time_is_short() -> None:
    due = datetime(2026, 11, 23, 23, 59, tzinfo=UTC)
    day, second = due - timedelta(hours=7), timedelta(seconds=1)
    cases = [  # over, waits, moved, now, goes
        (False, False, day - QUIET, day, False),
        (True, False, day - QUIET, day, True),
        (True, False, day - QUIET + second, day, False),
        (True, True, day - QUIET, day, False),
        (True, True, day, due - LAST_CALL - second, False),
        (True, True, day, due - LAST_CALL, True),
        (True, True, due - LAST_CALL, due - LAST_CALL + QUIET - second, False),
        (True, True, due - QUIET, due - QUIET, True),
        (False, True, due - QUIET, due - QUIET, False),
        (True, True, due, due, True),
        (True, False, due, due + second, False),
        (True, True, due, due + QUIET, True),
    ]
    for over, waits, moved_at, at, goes in cases:
        assert may_go(over=over, waits=waits, moved_at=moved_at, due=due, at=at) is goes, (over, waits, moved_at, at)
