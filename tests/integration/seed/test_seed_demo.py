"""The demo seed: complete, repeatable, respectful of what people changed, and impossible in live mode."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group
from django.db.models import Sum

from accounts.models import Booking, CashBalance, Holding, SuspenseAccount, TradingAccount
from allocations.models import Scheme, WashAccount
from authorisation.domain.principal import process_principal
from authorisation.models import ApiKey, User
from authorisation.selectors import find_api_key, get_principal
from journal.models import Event
from kernel.errors import Refused
from oms_project.seed.run import seed_demo
from oms_project.seed.sign_ins import SignIn, read_sign_ins, write_sign_ins
from refdata.models import Listing, Market
from risk.models import Limit
from risk.selectors import trading_is_on
from risk.services.switch_trading import switch_trading
from tests.integration.seed.conftest import quiet
from venues.models import FixSession, Venue

DEALER = {"enter_order", "allocate_block", "engage_kill_switch", "work_exception"}
NOW = datetime.now(UTC)
ALL = {"EQ1-UK", "EQ1-EU", "EQ1-BLOCKS", "EQ2-US", "EQ2-AP", "EQ2-BLOCKS"}


pytestmark = pytest.mark.usefixtures("demo")


def all_counts() -> dict[str, int]:
    return {model._meta.label: model._base_manager.count() for model in apps.get_models()}


def test_a_desk_to_trade_on() -> None:
    assert Listing.objects.count() == 135
    assert set(Market.objects.values_list("always_open", flat=True)) == {True}
    assert TradingAccount.objects.filter(state="active").count() == 44
    kept = SuspenseAccount.objects.order_by("account__code").values_list(
        "account__code", "account__state", "desk__code"
    )
    assert list(kept) == [
        ("SUSPENSE-EQ1", "reduce_only", "EQ1"),
        ("SUSPENSE-EQ2", "reduce_only", "EQ2"),
        ("SUSPENSE-FIRM", "reduce_only", None),
    ]
    firm = WashAccount.objects.order_by("account__code").values_list(
        "account__code", "account__account_class", "rounding_account__code", "error_account__code", "desk__code"
    )
    assert list(firm) == [
        ("BLOCK-EQ1-EU", "block", "ROUNDING-EQ1", "ERROR-EQ1", "EQ1"),
        ("BLOCK-EQ1-UK", "block", "ROUNDING-EQ1", "ERROR-EQ1", "EQ1"),
        ("BLOCK-EQ2-AP", "block", "ROUNDING-EQ2", "ERROR-EQ2", "EQ2"),
        ("BLOCK-EQ2-US", "block", "ROUNDING-EQ2", "ERROR-EQ2", "EQ2"),
    ]
    schemes = Scheme.objects.order_by("code").values_list(
        "code", "method", "books_alone", "wash_account__account__code"
    )
    assert list(schemes)[1] == ("EQ1-UK-BY-SIZE", "weights", False, "BLOCK-EQ1-UK")
    assert [len(scheme.lines) for scheme in Scheme.objects.order_by("code")] == [10, 12, 6, 12]
    assert TradingAccount.objects.get(code="AC4471").group.code == "EQ1-UK"
    assert TradingAccount.objects.get(code="AC4510").base_currency == "AUD"
    assert sorted(Venue.objects.get(code="SIM2").markets.values_list("mic", flat=True)) == ["XASX", "XNAS", "XNYS"]
    assert list(FixSession.objects.order_by("name").values_list("name", "group", "port")) == [
        ("SIM1-A", "SIM1", 19878),
        ("SIM2-A", "SIM2", 19879),
    ]
    mark = Limit.objects.get(scope="firm", kind="order_notional", currency="GBP")
    assert (mark.warn, mark.hard) == (Decimal(25_000), Decimal(2_000_000))
    assert trading_is_on()


def test_every_balance_is_the_sum_of_its_bookings() -> None:
    booked = Booking.objects.values_list("account_id", "currency", "instrument_id").annotate(total=Sum("amount"))
    sums = {(account, currency, instrument): total for account, currency, instrument, total in booked}
    cash = {(r.account_id, r.currency, None): r.settled for r in CashBalance.objects.exclude(settled=0)}
    stock = {(r.account_id, "", r.instrument_id): r.settled for r in Holding.objects.all()}
    assert sums == cash | stock
    assert len(cash) == 92
    assert len(stock) == 512
    assert set(Booking.objects.values_list("kind", "layer")) == {("opening", "settled")}
    events = set(Event.objects.filter(kind="OpeningBalancesBooked").values_list("id", flat=True))
    assert set(Booking.objects.values_list("event_id", flat=True)) == events


def test_a_second_run_changes_nothing(demo: Path) -> None:
    before, written = all_counts(), (demo / "demo_sign_ins.json").read_text()
    seed_demo(quiet)
    assert all_counts() == before
    assert (demo / "demo_sign_ins.json").read_text() == written


def test_the_sign_ins_work_and_are_for_their_owner_only(demo: Path) -> None:
    file = demo / "demo_sign_ins.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in demo.iterdir()] == ["demo_sign_ins.json"]
    rows = json.loads(file.read_text())
    assert [(row["persona"], row["username"]) for row in rows] == [
        ("dealer", "a.khan"),
        ("dealer", "j.osei"),
        ("desk_head", "m.ruiz"),
        ("compliance", "c.young"),
        ("compliance", "d.okoro"),
        ("risk", "s.patel"),
        ("operations", "r.silva"),
        ("operations", "b.ferri"),
        ("auditor", "l.berg"),
        ("administrator", "t.novak"),
        ("administrator", "h.lind"),
        ("service", "pms-alpha"),
    ]
    for row in rows:
        key = find_api_key(row["token"], at=NOW)
        assert key is not None
        assert key.user.username == row["username"]
        if row["persona"] == "service":
            assert row["password"] is None
            assert not key.user.has_usable_password()
        else:
            assert len(row["password"]) == 16
            assert authenticate(username=row["username"], password=row["password"]) == key.user
    assert len({row["password"] for row in rows}) == 12


@pytest.mark.parametrize(
    ("username", "rights", "trades", "sees"),
    [
        ("a.khan", DEALER, {"EQ1-UK", "EQ1-EU", "EQ1-BLOCKS"}, {"EQ1-UK", "EQ1-EU", "EQ1-BLOCKS"}),
        ("j.osei", DEALER, {"EQ2-US", "EQ2-AP", "EQ2-BLOCKS"}, {"EQ2-US", "EQ2-AP", "EQ2-BLOCKS"}),
        (
            "m.ruiz",
            {
                *("release_order", "allocate_block"),
                "cancel_order",
                "switch_trading",
                "impose_block",
                "engage_kill_switch",
                "ask_risk_change",
                "switch_session",
                "review_access",
                *("work_exception", "close_exception", "force_close_exception"),
            },
            ALL,
            ALL,
        ),
        (
            "c.young",
            {
                *("release_order", "decide_allocation"),
                "switch_trading",
                "impose_block",
                "engage_kill_switch",
                "ask_risk_change",
                "decide_risk_change",
                "decide_static_data",
                "see_restrictions",
                "see_access",
                "search_audit",
                "keep_records",
                "review_access",
                "run_access_review",
                *("work_exception", "close_exception", "force_close_exception"),
            },
            set(),
            ALL,
        ),
        (
            "s.patel",
            {
                "switch_trading",
                "impose_block",
                "engage_kill_switch",
                "ask_risk_change",
                "decide_risk_change",
                "judge_price",
                "review_access",
                *("work_exception", "close_exception"),
            },
            set(),
            ALL,
        ),
        ("l.berg", {"see_access", "search_audit"}, set(), ALL),
        (
            "t.novak",
            {"administer_users", "see_access", "work_exception"},
            set(),
            set(),
        ),
    ],
)
def test_what_each_persona_may(username: str, rights: set[str], trades: set[str], sees: set[str]) -> None:
    principal = get_principal(User.objects.get(username=username))
    codes = dict(apps.get_model("accounts.AccountGroup").objects.values_list("pk", "code"))
    assert principal.rights == rights
    assert {codes[pk] for pk in principal.granted("trade_accountgroup")} == trades
    seen = {codes[pk] for pk in principal.granted("view_accountgroup")}
    assert {code for code in seen if not code.endswith("-SUSPENSE")} == sees
    assert {f"{code[:3]}-SUSPENSE" for code in sees} <= seen


def test_a_lost_file_means_new_passwords_and_dead_tokens(demo: Path) -> None:
    first = read_sign_ins()
    (demo / "demo_sign_ins.json").unlink()
    seed_demo(quiet)
    second = read_sign_ins()
    assert [row.username for row in second] == [row.username for row in first]
    assert all(find_api_key(row.token, at=NOW) is None for row in first)
    assert all(find_api_key(row.token, at=NOW) is not None for row in second)
    assert authenticate(username="a.khan", password=first[0].password) is None
    assert authenticate(username="a.khan", password=second[0].password) is not None
    assert ApiKey.objects.filter(revoked_at__isnull=True).count() == 12


def test_what_people_changed_stays_theirs(settings: Any) -> None:
    Limit.objects.filter(scope="firm", kind="order_notional", currency="GBP").update(warn=Decimal(10))
    Group.objects.get(name="operations").permissions.clear()
    FixSession.objects.filter(name="SIM1-A").update(enabled=False)
    switch_trading(actor=process_principal("test"), at=NOW, on=False, reason="fire drill")
    settings.FIX_PORT = 20000
    seed_demo(quiet)
    assert not trading_is_on()
    assert Limit.objects.get(scope="firm", kind="order_notional", currency="GBP").warn == 10
    assert not Group.objects.get(name="operations").permissions.exists()
    assert list(FixSession.objects.order_by("name").values_list("enabled", "port")) == [(False, 20000), (True, 20001)]


def test_live_mode_is_refused_and_nothing_is_written(settings: Any, demo: Path) -> None:
    settings.MODE = "live"
    (demo / "demo_sign_ins.json").unlink()
    before = all_counts()
    with pytest.raises(Refused) as caught:
        seed_demo(quiet)
    assert caught.value.code == "DEMO_DATA_IN_LIVE"
    assert all_counts() == before
    assert list(demo.iterdir()) == []


@pytest.mark.parametrize("damage", ["", "{", "[1]", '[{"persona": "dealer"}]'])
def test_an_unreadable_file_counts_as_none(demo: Path, damage: str) -> None:
    (demo / "demo_sign_ins.json").write_text(damage)
    assert read_sign_ins() == ()


def test_an_interrupted_write_leaves_the_old_file(demo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = SignIn("dealer", "a.khan", "secret", "oms_token")
    write_sign_ins([row])
    (demo / "demo_sign_ins.new").write_text("half")

    def fail(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_sign_ins([])
    assert read_sign_ins() == (row,)
