"""The shifts of operations. The night: a file arrives, is compared, its breaks are read and explained, a second person signs, the
report is taken; then breaks are mended, each in its way. The morning: a gate stands, a file with a bad row comes, a second person lets
it in without, and the gate opens.
"""

from __future__ import annotations

import base64
import csv
import json
import re
import subprocess
import sys
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from kernel.numbers import plain
from tests.journeys import hands
from tests.journeys.conftest import SignIn
from tests.journeys.house import ROOT, House, wait_until

pytestmark = [pytest.mark.ui, pytest.mark.timeout(400)]  # a busy machine: a quiet one needs a tenth
MADE = """
import django; django.setup()
import sys
from decimal import Decimal
from pathlib import Path
from accounts.models import CanaryAccount, CashBalance
from accounts.services.deposit import Deposit, deposit
from authorisation.domain.principal import process_principal
from kernel.clock import utc_now
from reconciliation.domain.records import Kind
from reconciliation.services.make_files import make_files
at = utc_now()
balances = CashBalance.objects.filter(currency="GBP").exclude(account_id__in=CanaryAccount.objects.values("account_id"))
paid_in = balances.order_by("-account__code").values_list("account_id", flat=True)[:3]
deposit(actor=process_principal("seed"), at=at, business_date=at.date(), kind="deposit",
        deposits=[Deposit(account, Decimal("41.07"), currency="GBP") for account in paid_in])
make_files(day=at.date(), seed=1, breaks="positions.quantity:2,positions.missing_external:1", out=Path(sys.argv[1]),
           kinds=[Kind.POSITIONS, Kind.CASH], at=at)
"""
FEED = "BANK-CASH"
SAID = "Read with the custodian on the phone; two lines are theirs to correct."


@pytest.fixture(scope="module")
def made(house: House, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What custodian and bank say of today, when three accounts were paid in; the custodian with breaks that were planted."""
    place = tmp_path_factory.mktemp("made")
    subprocess.run([sys.executable, "-c", MADE, str(place)], cwd=ROOT, env=house.environment, check=True, timeout=120)
    return place


@pytest.fixture(scope="module", autouse=True)
def at_work(house: House) -> Iterator[None]:
    """Files are worked by a worker, gates are set and opened by the relay."""
    house.start("worker", "relay")
    yield
    for role in ("worker", "relay"):
        house.end(role)


def text_of_pdf(body: bytes) -> str:
    """Every string a PDF of ours draws."""
    packed = re.findall(rb"stream\r?\n(\S+)~>\s*endstream", body)
    drawn = b"".join(zlib.decompress(base64.a85decode(one)) for one in packed)
    return " ".join(found.decode("latin-1") for found in re.findall(rb"\(((?:\\.|[^()\\])*)\) Tj", drawn))


def compare(page: Page, kind: str, source: str, file: Path) -> str:
    """Ask for a comparison on the page of runs and wait until it is done; its id."""
    page.get_by_text("Compare now").press("Enter")
    page.locator("#start-kind").select_option(kind)
    page.locator("#start-source").fill(source)
    page.locator("#start-file").set_input_files(file)
    page.get_by_role("button", name="Compare", exact=True).press("Enter")
    page.wait_for_url(re.compile(r"/recon/[0-9a-f-]{36}$"))
    expect(page.locator("#run-progress")).to_contain_text("Done", timeout=90_000)
    return page.url.rsplit("/", 1)[1]


def test_morning_shift(house: House, sign_in: SignIn, tmp_path: Path) -> None:
    before = house.sql("SELECT gates, watched_from FROM reconciliation_feed WHERE code = %s", FEED)[0]
    change = "UPDATE reconciliation_feed SET gates = %s, watched_from = %s WHERE code = %s"
    long_ago = datetime.now(UTC).date() - timedelta(days=30)
    try:
        house.sql(change, True, long_ago, FEED)
        _morning(house, sign_in, tmp_path)
    finally:
        house.sql(change, *before, FEED)
        wait_until(lambda: not _gates(house), seconds=30, what="no gate stands")


def _gates(house: House) -> list[tuple[Any, ...]]:
    return house.sql("SELECT scope FROM risk_block WHERE source = %s AND lifted_at IS NULL", f"start_of_day:{FEED}")


def _morning(house: House, sign_in: SignIn, tmp_path: Path) -> None:
    wait_until(lambda: _gates(house), seconds=60, what="the gate stands")
    page = sign_in("r.silva", path="/sync")
    expect(page.locator("#sync-state")).to_contain_text("the whole firm")
    balances = house.sql(
        "SELECT a.code, b.currency, b.settled FROM accounts_cashbalance b "
        "JOIN accounts_tradingaccount a ON a.id = b.account_id ORDER BY 1, 2"
    )
    rows = [f"{account},{currency},{plain(amount)}" for account, currency, amount in balances]
    path = tmp_path / "morning-cash.csv"
    path.write_text("\n".join(["account,currency,amount", *rows, "NOBODY-7,GBP,12", ""]))
    page.locator("#sync-kind").select_option("cash")
    page.locator("#sync-file").set_input_files(path)
    page.get_by_role("button", name="Take in").click()
    page.wait_for_url(re.compile(r"/sync/[0-9a-f-]{36}$"))
    expect(page.locator("#sync-file")).to_contain_text("ACCOUNT_UNKNOWN", timeout=60_000)
    assert (
        house.sql("SELECT state, sentence FROM reconciliation_intake ORDER BY created_at DESC LIMIT 1")[0][0]
        == "waiting"
    )
    page.fill("#accept-reason", "Nobody of ours: spoken to the bank")
    page.get_by_role("button", name=re.compile("Accept without [0-9]+ rows: ask a second person")).click()
    expect(page.locator(".why").first).to_contain_text("A second person is asked already.")

    approve(sign_in("b.ferri", path="/approvals"), house, "morning-cash.csv")
    page.reload()
    expect(page.locator("#sync-file")).to_contain_text("Applied")
    wait_until(lambda: not _gates(house), seconds=60, what="the gate is open")
    page.get_by_text("Look at the first rows left out").press("Enter")
    expect(page.locator("#reject-rows")).to_contain_text("NOBODY-7,GBP,12")
    page.goto(f"{house.url}/sync")
    expect(page.locator("#sync-state")).not_to_contain_text("the whole firm")
    page.get_by_role("link", name="Restart and days").press("Enter")
    expect(page.locator("#restart-state")).to_contain_text("order by order and account by account")


def test_night_shift(house: House, sign_in: SignIn, made: Path) -> None:
    page = sign_in("r.silva", path="/recon")
    run = compare(page, "positions", "CUSTODIAN", made / "positions.csv")
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


def bank_file(made: Path, place: Path) -> tuple[Path, dict[str, str]]:
    """The bank's day with three things wrong, each in an account of its own: a cent too much, an entry it calls otherwise, one not there
    yet."""
    lines = [line for line in (made / "cash.csv").read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    accounts = sorted({row["account"] for row in rows if row["record"] == "entry" and row["currency"] == "GBP"})
    wrong = dict(zip(("cent", "named", "late"), accounts[-3:], strict=True))
    kept: list[dict[str, Any]] = []
    for row in rows:
        ours = row["record"] == "entry" and row["currency"] == "GBP"
        if ours and row["account"] == wrong["late"]:
            continue
        if ours and row["account"] == wrong["cent"]:
            row["amount"] = str(Decimal(row["amount"]) + Decimal("0.01"))
        if ours and row["account"] == wrong["named"]:
            row |= {"our_ref": "PAYMENT-77131", "narrative": ""}
        kept.append(row)
    path = place / "bank.csv"
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(kept)
    return path, wrong


def approve(checker: Page, house: House, subject: str) -> None:
    """Open the request, read that it has an effect, and say yes from the keyboard."""
    waiting = "SELECT id FROM authorisation_authorisationrequest WHERE summary LIKE %s ORDER BY id DESC LIMIT 1"
    checker.goto(f"{house.url}/approvals?view=mine&id={house.sql(waiting, f'%{subject}%')[0][0]}")
    expect(checker.locator("#effect")).to_be_visible()
    expect(checker.locator(".decide [data-primary]")).to_contain_text("Approve:")
    hands.approve(checker, timeout=60_000)


def test_breaks_are_mended_each_in_its_way(house: House, sign_in: SignIn, made: Path, tmp_path: Path) -> None:
    path, wrong = bank_file(made, tmp_path)
    page = sign_in("r.silva", path="/recon")
    run = compare(page, "cash", "NIGHTBANK", path)
    found = house.sql(
        "SELECT b.ids ->> 'account', b.category, b.number FROM reconciliation_runbreak s JOIN reconciliation_break b ON b.id = s.item_id "
        "WHERE s.run_id = %s",
        run,
    )
    refs = {(account, category): f"BRK-{number:06d}" for account, category, number in found}
    cent, late = refs[wrong["cent"], "quantity"], refs[wrong["late"], "missing_external"]
    theirs, ours = refs[wrong["named"], "missing_internal"], refs[wrong["named"], "missing_external"]

    checker = sign_in("b.ferri", path="/approvals")
    page.goto(f"{house.url}/b/{cent}")
    page.fill("#act-reason", "The bank rounds up")
    page.get_by_role("button", name="Write the difference off").click()
    expect(page.locator("#break-acts")).to_contain_text("waits for a second person")
    approve(checker, house, cent)

    page.goto(f"{house.url}/b/{late}")
    page.fill("#act-reason", "It came after their cut")
    page.fill("#act-until", (datetime.now(UTC).date() + timedelta(days=2)).isoformat())
    page.get_by_role("button", name="Accept as a difference in time").click()
    expect(page.locator("#break-acts")).to_contain_text("waits for a second person")
    approve(checker, house, late)

    page.goto(f"{house.url}/b/{theirs}")
    page.get_by_role("button", name="Assign to me").press("Enter")
    expect(page.locator("#break-work")).to_contain_text("Go on with it")
    page.keyboard.press("c")
    expect(page.locator("#w-comment")).to_be_focused()
    page.keyboard.type("The bank was rung")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#break-work .timeline")).to_contain_text("The bank was rung")
    page.get_by_role("link", name="Match by hand").press("Enter")
    page.locator(f"input[name=pick][value='{int(ours[4:])}']").check()
    page.fill("#match-reason", "The bank gave its own reference")
    page.locator("[data-primary]").click()
    page.wait_for_url(f"**/b/{theirs}")
    told = {
        ref: house.sql("SELECT state, closed_as FROM reconciliation_break WHERE number = %s", int(ref[4:]))[0]
        for ref in refs.values()
    }
    assert told == {
        cent: ("closed", "written_off"), late: ("accepted", ""), theirs: ("closed", "matched"), ours: ("closed", "matched"),
    }  # fmt: skip
    page.goto(f"{house.url}/recon/reports/expected?batch={run}")
    expect(page.locator("tbody tr", has_text="entries GBP")).to_contain_text("NIGHTBANK")
