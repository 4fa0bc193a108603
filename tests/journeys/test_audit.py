"""The auditor: a FIX line from somebody's mail leads to the order, its timeline is proven, its evidence verified elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import expect

from journal import verify_evidence
from tests.journeys.conftest import SignIn
from tests.journeys.house import House
from tests.journeys.test_approval import queue_order

pytestmark = pytest.mark.ui
LINE = "8=FIX.4.4|9=120|35=8|49=VENUE|56=OMS|37=NONE|11={}|17=NONE|150=0|39=0|554=secret|10=000|"


def test_a_pasted_line_leads_to_the_order_and_its_evidence_holds_elsewhere(
    house: House, sign_in: SignIn, tmp_path: Path
) -> None:
    queue_order(house, sign_in, "1,900")
    ref, cl_ord_id = house.sql(
        "SELECT o.ref, r.cl_ord_id FROM orders_order o JOIN orders_orderrequest r ON r.order_id = o.id ORDER BY o.id DESC LIMIT 1"
    )[0]
    page = sign_in("l.berg", path="/audit", color_scheme="dark")
    expect(page.get_by_role("navigation", name="Pages").get_by_role("link", name="Audit")).to_be_visible()
    page.get_by_role("textbox", name="What happened to").fill(LINE.format(cl_ord_id))
    page.keyboard.press("Enter")
    summary = page.get_by_label("Summary")
    expect(summary).to_contain_text(ref)
    expect(summary).to_contain_text("found by ClOrdID")
    expect(summary).to_contain_text("Chain verified")
    summary.get_by_role("link", name="Open timeline").click()
    page.wait_for_url(f"{house.url}/audit/order/{ref}")
    expect(page.get_by_label("Events")).to_contain_text("Order captured")
    expect(page.get_by_label("Events")).to_contain_text("a.khan")

    page.get_by_text("Evidence pack", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="ZIP, with proof").click()
    pack = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(pack)
    verifier = tmp_path / "verifier.py"
    verifier.write_bytes(Path(verify_evidence.__file__).read_bytes())
    done = subprocess.run(
        [sys.executable, "-I", str(verifier), str(pack), "--json"],
        cwd="/", env={"PATH": os.defpath}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    verdict = json.loads(done.stdout)
    # No sealer runs in this house: nothing is proven yet, and the verifier says so in figures; the chains hold.
    assert verdict["scope"]["ref"] == ref
    assert verdict["figures"]["events"] == verdict["figures"]["unsealed"] > 0
    assert {finding["code"] for finding in verdict["findings"]} <= {"MANIFEST_UNSIGNED"}

    page.goto(f"{house.url}/audit?kind=read")
    reads = page.get_by_label("Events")
    expect(reads).to_contain_text(f"Evidence taken: {ref}")
    expect(reads).to_contain_text(cl_ord_id)
    expect(reads).not_to_contain_text("secret")


def test_who_may_not_search_the_audit_is_shown_why(house: House, sign_in: SignIn) -> None:
    page = sign_in("a.khan")
    expect(page.get_by_role("link", name="Audit")).to_have_count(0)
    ref = house.sql("SELECT ref FROM orders_order ORDER BY id LIMIT 1")[0][0]
    page.goto(f"{house.url}/o/{ref}")
    expect(page.get_by_role("button", name="Evidence pack")).to_have_attribute("aria-disabled", "true")
    expect(page.get_by_text("Evidence is taken by who may search the audit.")).to_be_visible()
    answer = page.goto(f"{house.url}/audit/order/{ref}")
    assert answer is not None
    assert answer.status == 403
