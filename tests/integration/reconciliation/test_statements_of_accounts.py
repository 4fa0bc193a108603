"""What a file does not speak of it neither misses nor closes: other bases, other accounts, entries beside balances."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Booking
from accounts.services.deposit import Deposit, deposit
from authorisation.domain.principal import process_principal
from kernel.numbers import plain
from reconciliation.models import Break, FeedFile, Run, RunBreak
from reconciliation.services import do_run
from reconciliation.services.run_reconciliation import run_reconciliation
from tests.factories import AT
from tests.factories.busy_day import busy_day
from tests.factories.statements import kept_csv

pytestmark = pytest.mark.django_db


def run(kind: str, *rows: dict[str, Any]) -> list[tuple[str, str]]:
    result = run_reconciliation(
        kind=kind, file=kept_csv(kind, rows), as_of=AT.date(), actor=process_principal("test"), at=AT, trigger="by_hand"
    )
    assert Run.objects.get(id=result.run_id).state == "done"
    seen = RunBreak.objects.filter(run_id=result.run_id).select_related("item")
    return sorted((one.item.category, one.word) for one in seen)


def test_a_file_closes_what_it_speaks_of_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    world = busy_day().world
    isin = world.listing.instrument.isin
    settled = {"account": world.account.code, "isin": isin, "qty": "20001", "basis": "settled"}
    assert run("positions", settled) == [("quantity", "new")]
    traded = {"account": world.account.code, "isin": isin, "qty": "1", "basis": "traded"}
    found = run("positions", traded)
    assert ("quantity", "closed") not in found
    assert Break.objects.get(ids__basis="settled").state == "open"
    right = {**settled, "qty": "20000"}
    assert ("quantity", "closed") in run("positions", right)

    monkeypatch.setattr(do_run, "CSV", "none is about everything")
    suspense = {"account": "SUSPENSE-EQ1", "isin": isin, "qty": "0", "basis": "traded"}
    about = run("positions", suspense)
    assert all(item.ids["account"] == "SUSPENSE-EQ1" for item in Break.objects.filter(category="missing_internal"))
    assert ("quantity", "closed") not in about, "the other account's traded break stands"


def test_balances_alone_close_no_entry_and_miss_none() -> None:
    world = busy_day().world
    code = world.account.code
    stray = {"record": "entry", "account": code, "currency": "EUR", "amount": "5", "entry_ref": "B1"}
    assert ("missing_internal", "new") in run("cash", stray)
    taken_over = Booking.objects.filter(
        kind="opening", account_id=world.account.id, trade_date=AT.date(), instrument_id=None
    )
    assert taken_over.exists(), "what a balance set is of the day too"
    assert not Break.objects.filter(category="missing_external", why__contains="for opening").exists(), (
        "no bank lists it"
    )
    cash = {row.currency: plain(row.settled) for row in world.account.cash.all()}
    balances = [{"record": "balance", "account": code, "currency": c, "amount": a} for c, a in sorted(cash.items())]
    assert run("cash", *balances) == []
    assert Break.objects.filter(category="missing_internal").get().state == "open"
    day = AT.date().isoformat()
    before = (AT.date() - timedelta(days=1)).isoformat()
    of_day = [{**one, "as_of": day} for one in balances]
    others = [{**one, "amount": "7", "as_of": before} for one in balances]
    stray_of_before = {**stray, "currency": balances[0]["currency"], "as_of": before}
    assert run("cash", *others, stray_of_before, *of_day) == [], "statements of two days in one file"
    wrong_day = [{**one, "as_of": before} for one in balances]
    assert set(run("cash", *wrong_day)) == {("timing", "new")}


def test_what_was_booked_after_a_file_came_is_none_of_its_business() -> None:
    account = busy_day().world.account
    row = {"record": "balance", "account": account.code, "currency": "EUR", "amount": "12.34"}
    early = kept_csv("cash", [row], source="BANK")
    late = kept_csv("cash", [row], source="OTHER", at=early.received_at + timedelta(hours=2))

    def told(file: FeedFile, hours: int) -> list[str]:
        at = early.received_at + timedelta(hours=hours)
        result = run_reconciliation(
            kind="cash", file=file, as_of=AT.date(), actor=process_principal("test"), at=at, trigger="start"
        )
        seen = RunBreak.objects.filter(run_id=result.run_id, item__ids__account=account.code, item__ids__currency="EUR")
        return list(seen.values_list("item__category", flat=True))

    assert told(early, 0) == []
    more, at = Deposit(account.id, Decimal("5"), currency="EUR"), early.received_at + timedelta(hours=1)
    deposit(actor=process_principal("test"), at=at, business_date=AT.date(), deposits=[more])
    assert told(early, 3) == [], "the same file, when the day has gone on"
    assert told(late, 3) == ["quantity"], "a bank that says nothing of it later"
