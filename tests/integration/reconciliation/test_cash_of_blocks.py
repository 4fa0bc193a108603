"""What a bank shows of a block that was booked, taken back and booked anew: the money of each trade that stands, nothing else."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from allocations.models import Allocation, Block, SettlementInstruction
from kernel.numbers import plain
from reconciliation.domain.records import Kind
from reconciliation.models import Run
from reconciliation.selectors.counterpart_books import books_of_day
from tests.factories.chain import Chain
from tests.factories.chain_world import chain_world
from tests.factories.judging import compare_written, found

pytestmark = pytest.mark.django_db
D = Decimal
SETTLES = date(2026, 11, 24)
HEAD = "record,account,currency,amount,as_of,entry_ref,our_ref,value_date"


def compared(chain: Chain, path: Path, day: date, *entries: tuple[str, str, str]) -> tuple[Run, list[tuple[str, str]]]:
    """A statement of these entries (account, our reference, amount) alone against our books; what was found by account."""
    lines = [
        f"entry,{account},GBP,{amount},{day},B{number},{ref},{day}"
        for number, (account, ref, amount) in enumerate(entries)
    ]
    book = books_of_day(day=day, kinds=[Kind.CASH], at=chain.now)[0]
    run = compare_written(
        book, path / f"{day}.csv", "\n".join([HEAD, *lines, ""]).encode(), at=chain.now + timedelta(hours=1)
    )
    return run, [(item.category, item.ids["account"]) for item in found(run)]


def rebooked() -> Chain:
    """1,000 in three fills, booked 500 : 300 : 200; then one fill of 400 is busted, so 300, 180 and 120 of 600 stand."""
    chain = chain_world()
    placed = chain.order(1, 1000)
    chain.fill(placed, 350, "72.40")
    gone = chain.fill(placed, 400, "72.47")
    chain.fill(placed, 250, "72.43")
    chain.relay()
    block = Block.objects.select_related("listing").get()
    chain.book(
        block,
        "pro_rata",
        [{"account": code, "target": qty} for code, qty in (("C1", "500"), ("C2", "300"), ("C3", "200"))],
    )
    chain.relay()
    chain.bust(gone)
    chain.relay()
    return chain


def net(chain: Chain, code: str) -> tuple[str, str]:
    """Reference and money of what is to settle for an account."""
    row = SettlementInstruction.objects.exclude(state="canceled").get(account=chain.accounts[code])
    line = row.allocation
    assert row.amount == -line.net
    return row.ref, plain(line.net)


def test_what_was_taken_back_is_nothing_to_the_bank(tmp_path: Path) -> None:
    chain = rebooked()
    assert Allocation.objects.filter(state="reversed").count() >= 3
    named = {code: net(chain, code) for code in ("C1", "C2", "C3")}
    # 72.4125 a unit: 217.24, 130.34 and 86.90; each with 7.00 of commission and duty of 1.09, 0.65 and 0.43.
    assert [amount for _, amount in named.values()] == ["-225.33", "-137.99", "-94.33"]

    run, breaks = compared(chain, tmp_path, SETTLES, *[(code, *named[code]) for code in named])
    assert (breaks, run.internal, run.matched) == ([], 3, 3)
    _, breaks = compared(chain, tmp_path, SETTLES, ("C1", *named["C1"]), ("C2", named["C2"][0], "-137.00"))
    assert sorted(breaks) == [("missing_external", "C3"), ("quantity", "C2")]


def test_a_trade_is_expected_on_the_day_it_settled_and_its_compensation_on_its_own(tmp_path: Path) -> None:
    chain = rebooked()
    named = {code: net(chain, code) for code in ("C1", "C2", "C3")}
    rows = {
        row.account.code: row
        for row in SettlementInstruction.objects.exclude(state="canceled").select_related("account")
    }
    chain.night(2)  # the 24th
    chain.custodian(rows["C1"], "settled", rows["C1"].qty)
    chain.night()
    chain.custodian(rows["C2"], "settled", rows["C2"].qty)  # a day late
    _, breaks = compared(chain, tmp_path, SETTLES, ("C1", *named["C1"]), ("C3", *named["C3"]))
    assert breaks == []
    late = chain.now.date()
    _, breaks = compared(chain, tmp_path, late, ("C2", *named["C2"]))
    assert breaks == []

    chain.bust(chain.said[0])  # 250 at 72.43 are left: C1 and C2 give back, C3 is booked anew
    chain.relay()
    line = Allocation.objects.get(compensates__isnull=False, account=chain.accounts["C1"])
    row = SettlementInstruction.objects.get(allocation=line)
    assert (line.qty, line.side, row.delivery, row.amount) == (D(175), "2", "DELI", line.net)
    _, breaks = compared(chain, tmp_path, SETTLES, ("C1", *named["C1"]), ("C3", *net(chain, "C3")))
    assert breaks == []
    other = SettlementInstruction.objects.get(allocation__compensates__isnull=False, account=chain.accounts["C2"])
    named["error"] = ("", str(Allocation.objects.get(account=chain.accounts["ERROR"]).net))
    _, breaks = compared(
        chain,
        tmp_path,
        line.settlement_date,
        ("C1", row.ref, plain(row.amount)),
        ("C2", other.ref, plain(other.amount)),
    )
    assert breaks == [("missing_external", "ERROR")]  # the firm pays its own difference from its own account


def test_files_of_the_house_say_the_same(tmp_path: Path) -> None:
    chain = rebooked()
    book = next(one for one in books_of_day(day=SETTLES, kinds=[Kind.CASH], at=chain.now))
    entries = {row.values["account"]: row.values for row in book.records if row.values["record"] == "entry"}
    assert {code: (row["our_ref"], row["amount"]) for code, row in entries.items()} == {
        code: net(chain, code) for code in ("C1", "C2", "C3")
    }
