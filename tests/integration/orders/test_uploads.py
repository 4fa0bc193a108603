"""Uploads: bad files are refused whole, bad rows alone, and what was lost half-way goes on."""

from __future__ import annotations

import hashlib
import io
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import Workbook

from kernel.clock import utc_now
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted
from operations.selectors.uploads import error_lines, neutral
from orders.domain.control_totals import ControlTotals, read_control_totals
from orders.models import Order, Upload, UploadRow
from orders.services.run_upload import run_upload
from orders.services.stage_upload import stage_upload
from orders.services.stop_upload import stop_upload
from risk.models import Limit
from tests.factories import DeskWorld, make_desk, make_principal, set_price

pytestmark = pytest.mark.django_db
HEADER = "account,symbol,side,ord_type,order_qty,price,client_order_id"


@pytest.fixture
def world() -> DeskWorld:
    world = make_desk(cash="10000000")
    set_price(world.listing, "72.50", at=utc_now())
    Limit.objects.filter(kind="price_age").update(warn=600)
    return world


def csv_of(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows]).encode()


def row(world: DeskWorld, qty: str = "10", price: str = "72.50", name: str = "") -> str:
    return f"{world.account.code},{world.listing.symbol},buy,limit,{qty},{price},{name}"


def stage(world: DeskWorld, content: bytes, name: str = "orders.csv", **options: Any) -> Any:
    return stage_upload(actor=world.dealer, at=utc_now(), file_name=name, content=content, **options)


def work(world: DeskWorld, upload_id: Any) -> int:
    slices = 0
    while run_upload(actor=world.dealer, at=utc_now(), upload_id=upload_id):
        slices += 1
    return slices


def test_one_bad_row_never_loses_the_good_ones(world: DeskWorld) -> None:
    content = csv_of(
        row(world),
        row(world, qty="NaN"),
        row(world, qty="-5"),
        row(world, qty="=1+1"),
        row(world, qty="200000"),
        row(world, qty="60000"),
        "NOBODY,VOD.L,buy,limit,10,72.50,",
        row(world, qty="1e3") + ",surplus",
        row(world, qty='"1,000"'),
    )
    upload_id = stage(world, content)
    work(world, upload_id)
    outcomes = list(UploadRow.objects.filter(upload_id=upload_id).order_by("number").values_list("outcome", flat=True))
    assert outcomes == [
        "released",
        "invalid",
        "invalid",
        "invalid",
        "refused",
        "pending_authorisation",
        "invalid",
        "invalid",
        "released",
    ]
    upload = Upload.objects.get(id=upload_id)
    assert (upload.state, upload.rows_done, upload.released, upload.invalid) == ("done", 9, 2, 5)
    assert Order.objects.filter(source="upload").count() == 4
    lines = list(error_lines(upload=upload))
    assert [line[0] for line in lines[1:]] == ["2", "3", "4", "5", "7", "8"]
    assert "'=1+1" in lines[3]


def test_a_workbook_reads_like_a_csv_and_its_formulas_are_refused(world: DeskWorld) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(HEADER.split(","))
    sheet.append([world.account.code, "VOD.L", "Buy", "Limit", 1000, 72.53, "x1"])
    sheet.append([world.account.code, "VOD.L", "Buy", "Limit", "=500*2", 72.5, "x2"])
    buffer = io.BytesIO()
    book.save(buffer)
    upload_id = stage(world, buffer.getvalue(), "orders.xlsx")
    work(world, upload_id)
    assert list(UploadRow.objects.order_by("number").values_list("outcome", flat=True)) == ["released", "invalid"]
    assert str(Order.objects.get().price) == "72.53000000"


def workbook_of(parts: dict[str, bytes]) -> bytes:
    """A readable workbook in which parts were put or replaced by hand."""
    buffer, out = io.BytesIO(), io.BytesIO()
    book = Workbook()
    assert book.active is not None
    book.active.append(HEADER.split(","))
    book.active.append(["A", "VOD.L", "Buy", "Limit", 1000, 72.5, "x1"])
    book.save(buffer)
    with zipfile.ZipFile(buffer) as made, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as written:
        for name in made.namelist():
            if name not in parts:
                written.writestr(name, made.read(name))
        for name, content in parts.items():
            written.writestr(name, content)
    return out.getvalue()


def laughs(root: str) -> bytes:
    """Ten entities, each ten times the one before: ten thousand million characters when a parser obeys."""
    entities = ['<!ENTITY l0 "lol">', *[f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 11)]]
    return f'<?xml version="1.0"?><!DOCTYPE {root} [{"".join(entities)}]><{root}>&l10;</{root}>'.encode()


OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE worksheet [<!ENTITY out SYSTEM "file:///etc/passwd">]>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr">
<is><t>&out;</t></is></c></row></sheetData></worksheet>"""

BAD_FILES = [
    ("orders.txt", b"x", "UPLOAD_TYPE"),
    ("orders.csv", b"", "UPLOAD_EMPTY"),
    ("orders.csv", csv_of(), "UPLOAD_EMPTY"),
    ("orders.csv", b"account,symbol\nA,B\n", "UPLOAD_COLUMNS"),
    ("orders.csv", csv_of("x", header=HEADER + ",colour"), "UPLOAD_COLUMNS"),
    ("orders.csv", csv_of("x", header=HEADER + ",price"), "UPLOAD_COLUMNS"),
    ("orders.csv", HEADER.encode() + b"\n\xff\xfe,VOD.L", "UPLOAD_ENCODING"),
    ("orders.csv", HEADER.encode("utf-16"), "UPLOAD_ENCODING"),
    ("orders.csv", csv_of('"unclosed,VOD.L'), "UPLOAD_MALFORMED"),
    ("orders.xlsx", b"not a zip", "UPLOAD_MALFORMED"),
    ("orders.xlsx", csv_of("x"), "UPLOAD_MALFORMED"),
    ("orders.csv", workbook_of({}), "UPLOAD_ENCODING"),
    ("orders.xlsx", workbook_of({"xl/workbook.xml": laughs("workbook")}), "UPLOAD_MALFORMED"),
    ("orders.xlsx", workbook_of({"xl/worksheets/sheet1.xml": laughs("worksheet")}), "UPLOAD_MALFORMED"),
    ("orders.xlsx", workbook_of({"xl/worksheets/sheet1.xml": OUTSIDE}), "UPLOAD_MALFORMED"),
    ("orders.xlsx", workbook_of({"zeros.bin": b"0" * (201 * 1024 * 1024)}), "UPLOAD_TOO_LARGE"),
    ("orders.xlsx", workbook_of({f"parts/{n}.xml": b"<a/>" for n in range(501)}), "UPLOAD_TOO_LARGE"),
    ("orders.csv", csv_of(*["a,b,buy,limit,1,1,"] * 100_001), "UPLOAD_TOO_MANY_ROWS"),
    ("orders.csv", b"x" * (20 * 1024 * 1024 + 1), "UPLOAD_TOO_LARGE"),
]


@pytest.mark.parametrize(
    ("name", "content", "code"), BAD_FILES, ids=[f"{n}-{c}-{i}" for i, (n, _, c) in enumerate(BAD_FILES)]
)
def test_a_bad_file_is_refused_whole(world: DeskWorld, name: str, content: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        stage(world, content, name)
    assert refused.value.code == code
    assert (Upload.objects.count(), UploadRow.objects.count(), Order.objects.count()) == (0, 0, 0)


def test_control_totals_that_agree_let_the_file_in(world: DeskWorld) -> None:
    content = csv_of(row(world, qty="10"), row(world, qty='"1,000"'))
    digest = hashlib.sha256(content).hexdigest().upper()
    totals, faults = read_control_totals(rows="2", order_qty="1,010", sha256=digest)
    assert faults == {}
    stage(world, content, totals=totals)
    assert Upload.objects.get().rows_total == 2


CONTROLS = [
    (ControlTotals(rows=3), "has 2 rows, not 3"),
    (ControlTotals(order_qty=Decimal(1011)), "sum to 1010, not 1011"),
    (ControlTotals(sha256="0" * 64), "SHA-256"),
]


@pytest.mark.parametrize(("totals", "words"), CONTROLS, ids=["rows", "quantity", "sha256"])
def test_a_control_total_that_differs_refuses_the_file_whole(
    world: DeskWorld, totals: ControlTotals, words: str
) -> None:
    with pytest.raises(Invalid) as refused:
        stage(world, csv_of(row(world, qty="10"), row(world, qty="1000")), totals=totals)
    assert refused.value.code == "UPLOAD_CONTROL"
    assert words in refused.value.sentence
    assert Upload.objects.count() == 0


def test_quantities_that_are_no_numbers_cannot_be_controlled(world: DeskWorld) -> None:
    with pytest.raises(Invalid) as refused:
        stage(world, csv_of(row(world, qty="=1+1"), row(world)), totals=ControlTotals(order_qty=Decimal(10)))
    assert "1 of them are not numbers" in refused.value.sentence


@pytest.mark.parametrize(
    "typed", [{"rows": "two"}, {"rows": "-1"}, {"order_qty": "1e999999"}, {"sha256": "abc"}], ids=str
)
def test_a_control_total_that_cannot_be_read_is_said(typed: dict[str, str]) -> None:
    totals, faults = read_control_totals(**{"rows": "", "order_qty": "", "sha256": "", **typed})
    assert len(faults) == 1
    assert totals == ControlTotals()


def test_the_same_file_again_needs_a_yes(world: DeskWorld) -> None:
    content = csv_of(row(world))
    stage(world, content)
    with pytest.raises(Conflict) as seen:
        stage(world, content)
    assert seen.value.code == "UPLOAD_SEEN_BEFORE"
    assert Upload.objects.count() == 1
    stage(world, content, again=True)
    assert Upload.objects.count() == 2


def test_a_slice_worked_twice_makes_no_second_order(world: DeskWorld) -> None:
    upload_id = stage(world, csv_of(*[row(world, name=f"n{number}") for number in range(250)]))
    assert run_upload(actor=world.dealer, at=utc_now(), upload_id=upload_id) == 50
    # As if the worker had died between capturing the slice and writing down its answers.
    UploadRow.objects.filter(upload_id=upload_id).update(outcome="", order_id=None, order_ref="")
    work(world, upload_id)
    assert Order.objects.count() == 250
    assert UploadRow.objects.filter(upload_id=upload_id, outcome="released").count() == 250
    assert Upload.objects.get(id=upload_id).state == "done"


def test_a_stopped_upload_goes_no_further(world: DeskWorld) -> None:
    upload_id = stage(world, csv_of(*[row(world, name=f"n{number}") for number in range(250)]))
    run_upload(actor=world.dealer, at=utc_now(), upload_id=upload_id)
    stop_upload(actor=world.dealer, at=utc_now(), upload_id=upload_id)
    assert run_upload(actor=world.dealer, at=utc_now(), upload_id=upload_id) == 0
    assert (Upload.objects.get().state, Order.objects.count()) == ("stopped", 200)


def test_an_upload_is_its_owners(world: DeskWorld) -> None:
    upload_id = stage(world, csv_of(row(world)))
    with pytest.raises(NotFound):
        stop_upload(actor=world.checker, at=utc_now(), upload_id=upload_id)
    auditor = make_principal("auditor", role="auditor", rights=())
    with pytest.raises(NotPermitted):
        stage_upload(actor=auditor, at=utc_now(), file_name="a.csv", content=csv_of(row(world)))
    assert Upload.objects.get().state == "staged"


@pytest.mark.parametrize(
    ("cell", "safe"), [("=cmd", "'=cmd"), ("@x", "'@x"), ("-5", "-5"), ("-5.5", "-5.5"), ("-cmd", "'-cmd"), ("a", "a")]
)
def test_cells_are_safe_to_open_and_numbers_stay_numbers(cell: str, safe: str) -> None:
    assert neutral(cell) == safe
