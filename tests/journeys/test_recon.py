"""The night shift: a file arrives, is compared, its breaks are read and explained, a second person signs, the report is taken."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.journeys.conftest import SignIn
from tests.journeys.house import ROOT, House, wait_until

pytestmark = [pytest.mark.ui, pytest.mark.timeout(400)]  # a busy machine: a quiet one needs a tenth
MADE = """
import django; django.setup()
import sys
from pathlib import Path
from kernel.clock import utc_now
from reconciliation.domain.records import Kind
from reconciliation.services.make_files import make_files
at = utc_now()
make_files(day=at.date(), seed=1, breaks="positions.quantity:2,positions.missing_external:1", out=Path(sys.argv[1]),
           kinds=[Kind.POSITIONS], at=at)
"""
SAID = "Read with the custodian on the phone; two lines are theirs to correct."


def counterpart_file(house: House, place: Path) -> Path:
    """What the custodian says of today, with breaks that were planted."""
    subprocess.run([sys.executable, "-c", MADE, str(place)], cwd=ROOT, env=house.environment, check=True, timeout=120)
    return place / "positions.csv"


def text_of_pdf(body: bytes) -> str:
    """Every string a PDF of ours draws."""
    packed = re.findall(rb"stream\r?\n(\S+)~>\s*endstream", body)
    drawn = b"".join(zlib.decompress(base64.a85decode(one)) for one in packed)
    return " ".join(found.decode("latin-1") for found in re.findall(rb"\(((?:\\.|[^()\\])*)\) Tj", drawn))


def test_night_shift(house: House, sign_in: SignIn, tmp_path: Path) -> None:
    house.start("worker")
    try:
        _night(house, sign_in, tmp_path)
    finally:
        house.end("worker")


def _night(house: House, sign_in: SignIn, tmp_path: Path) -> None:
    page = sign_in("r.silva", path="/recon")
    page.get_by_text("Compare now").press("Enter")
    page.locator("#start-kind").select_option("positions")
    page.locator("#start-source").fill("CUSTODIAN")
    page.locator("#start-file").set_input_files(counterpart_file(house, tmp_path / "made"))
    page.get_by_role("button", name="Compare", exact=True).press("Enter")
    page.wait_for_url(re.compile(r"/recon/[0-9a-f-]{36}$"))
    expect(page.locator("#run-progress")).to_contain_text("Done", timeout=90_000)
    run = page.url.rsplit("/", 1)[1]
    expect(page.locator("#break-list tbody tr")).not_to_have_count(0)

    page.locator("#break-list").focus()
    page.keyboard.press("j")
    expect(page.locator("#break-detail h2").first).to_have_text(re.compile(r"^BRK-\d{6}$"))
    ref = page.locator("#break-detail h2").first.inner_text()
    why = house.sql("SELECT why FROM reconciliation_break WHERE number = %s", int(ref[4:]))[0][0]
    expect(page.locator("#break-detail .effect")).to_have_text(why)
    expect(page.locator("#break-detail")).to_contain_text("positions.csv")
    page.keyboard.press("j")
    expect(page.locator("#break-detail h2").first).not_to_have_text(ref)
    page.locator("#break-detail a").first.focus()
    page.keyboard.press("Escape")
    expect(page.locator("#break-list tr[aria-selected=true] a").first).to_be_focused()
    page.fill("#find", ref)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/b/{ref}")

    page.goto(f"{house.url}/recon/{run}")
    expect(page.locator("#run-sign")).to_contain_text("You started the run")

    second = sign_in("b.ferri", path=f"/recon/{run}")
    second.fill("#sign-statement", SAID)
    second.keyboard.press("Control+Enter")
    expect(second.locator("#run-sign")).to_contain_text("Signed off by b.ferri")
    expect(second.locator("#run-sign")).to_contain_text(SAID)
    with second.expect_download() as taken:
        second.locator("#run-sign a", has_text="PDF").click()
    said = text_of_pdf(Path(taken.value.path()).read_bytes())
    for words in ("Reconciliation of positions with CUSTODIAN", "Signed off: b.ferri", "Read with the custodian", ref):
        assert words in said, words
    report = json.loads(second.request.get(f"{house.url}/recon/{run}/report?form=json").body())
    assert report["facts"]["Signed off"].endswith(SAID)
    wait_until(
        lambda: house.sql("SELECT count(*) FROM journal_event WHERE kind = 'RunSignedOff'")[0][0],
        seconds=5,
        what="told",
    )
