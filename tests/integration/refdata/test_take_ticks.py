"""What a feed says becomes prices, stored ticks and anomalies: one batch, two at once, a person's word, silence."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from authorisation.domain.principal import Principal
from journal.models import Event
from journal.selectors.anomalies import is_raised
from kernel.clock import utc_now
from kernel.errors import Conflict, Invalid, NotPermitted, Refused
from kernel.ids import new_id
from refdata.domain.ticks import FeedTick, TickRefusal
from refdata.models import Listing, PriceSource, PriceTick, ReferencePrice
from refdata.permissions import JUDGE_PRICE
from refdata.selectors import get_listing_by_symbol
from refdata.selectors.prices import find_tick, list_prices, list_ticks
from refdata.services.purge_ticks import purge_ticks
from refdata.services.rescale_prices import rescale_prices
from refdata.services.settle_price_doubt import settle_price_doubt
from refdata.services.take_ticks import TicksTaken, take_ticks
from refdata.services.watch_feeds import watch_feeds
from tests.integration.refdata.conftest import ACTOR, AT

pytestmark = pytest.mark.usefixtures("listings")
D = Decimal
S = timedelta(seconds=1)
ONE, TWO = UUID(int=1), UUID(int=2)
JUDGE = Principal(user_id=9, username="b.ferri", actor="user:9", persona="operations", rights=frozenset({JUDGE_PRICE}))


def tick(last: str | None = "72.40", symbol: str = "VOD.L", *, after: int = 1, **more: Any) -> FeedTick:
    values: dict[str, Any] = {"unit": "GBX", "phase": "continuous", "last": last and D(last)} | more
    return FeedTick(symbol=symbol, made_at=AT + after * S, **values)


def take(
    *ticks: FeedTick, after: int = 1, session: UUID = ONE, heard: datetime | None = None, **more: Any
) -> TicksTaken:
    at = AT + after * S
    return take_ticks(actor=ACTOR, at=at, source="SIM1", session=session, heard_at=heard or at, ticks=ticks, **more)


def price(symbol: str = "VOD.L") -> ReferencePrice:
    return ReferencePrice.objects.get(listing__symbol=symbol)


def vod() -> UUID:
    return Listing.objects.get(symbol="VOD.L").id


def test_a_batch_is_the_same_statements_for_one_as_for_many() -> None:
    take(tick("72.35", after=0))  # fills the caches
    counts = []
    for symbols in (["VOD.L"], ["BARC.L", "HSBA.L", "BP.L", "SHEL.L"]):
        held = {row.listing.symbol: row.last for row in ReferencePrice.objects.select_related("listing")}
        batch = [tick(str(held[symbol] + D("0.1")), symbol) for symbol in symbols]
        with CaptureQueriesContext(connection) as queries:
            done = take(*batch)
        assert (done.changed, done.stored, done.doubted) == (len(symbols), len(symbols), ())
        counts.append(len(queries))
    assert counts == [5, 5]


def test_the_facts_name_the_tick_they_are_from() -> None:
    take(tick(bid=D("72.39"), ask=D("72.41"), bid_size=D(500), ask_size=D(700)))
    facts = get_listing_by_symbol("VOD.L", at=AT + S).price
    assert facts is not None
    assert facts.tick is not None
    stored = find_tick(facts.tick)
    assert stored is not None
    assert (stored.last, stored.bid, stored.ask, stored.outcome, stored.source) == (
        D("72.40"),
        D("72.39"),
        D("72.41"),
        "applied",
        "SIM1",
    )
    assert (facts.bid_size, facts.ask_size, facts.phase, facts.quality) == (D(500), D(700), "continuous", "good")


def test_a_quiet_listing_under_a_live_feed_is_fresh_and_a_new_connection_vouches_for_nothing_old() -> None:
    take(tick())
    take(after=600)
    at = AT + 600 * S
    facts = get_listing_by_symbol("VOD.L", at=at).price
    assert facts is not None
    assert (facts.age_s(at), facts.priced_at) == (0, AT + S)
    take(after=601, session=TWO)
    later = get_listing_by_symbol("VOD.L", at=AT + 601 * S).price
    assert later is not None
    assert later.age_s(AT + 601 * S) == 600
    assert take(tick(), after=602, session=TWO, snapshot=True).stored == 0
    again = get_listing_by_symbol("VOD.L", at=AT + 602 * S).price
    assert again is not None
    assert again.age_s(AT + 602 * S) == 0


def test_a_feed_that_says_it_is_late_is_late() -> None:
    take(tick(), after=60, heard=AT + 20 * S)
    facts = get_listing_by_symbol("VOD.L", at=AT + 60 * S).price
    assert facts is not None
    assert facts.age_s(AT + 60 * S) == 40
    take(after=61, heard=AT + 10_000 * S)
    assert PriceSource.objects.get().heartbeat_at == AT + 61 * S


def test_a_jump_is_kept_doubted_told_and_used_by_nobody() -> None:
    take(tick())
    done = take(tick("99"), after=2)
    assert (done.doubted, done.stored) == (("VOD.L",), 1)
    held = price()
    assert (held.last, held.quality, held.suspicion, held.doubted_last) == (D("72.40"), "suspect", "JUMP", D(99))
    assert held.doubted_tick is not None
    stored = PriceTick.objects.get(id=held.doubted_tick)
    assert (stored.last, stored.doubt, stored.outcome) == (D(99), "JUMP", "doubted")
    event = Event.objects.get(kind="AnomalyRaised")
    assert (event.payload["kind"], event.payload["subject_id"]) == ("PRICE_SUSPECT", "VOD.L")
    assert event.payload["evidence"]["tick"] == str(held.doubted_tick)
    assert take(tick("98"), after=3).doubted == ()
    assert Event.objects.filter(kind="AnomalyRaised").count() == 1


def test_the_feed_itself_ends_a_doubt() -> None:
    take(tick())
    take(tick("99"), after=2)
    assert take(tick("72.5", after=3), after=3).cleared == ("VOD.L",)
    assert (price().quality, price().last) == ("good", D("72.5"))
    assert not is_raised(f"price:{vod()}")


def test_a_glitch_that_comes_and_goes_in_one_batch_is_still_told() -> None:
    done = take(tick(), tick("1", after=2), tick("72.42", after=3), after=3)
    assert (done.doubted, price().last, price().quality) == ((), D("72.42"), "good")
    assert [row.outcome for row in list_ticks(vod())][:3] == ["returned", "doubted", "applied"]
    assert list(
        Event.objects.filter(kind__startswith="Anomaly").order_by("position").values_list("kind", flat=True)
    ) == [
        "AnomalyRaised",
        "AnomalyCleared",
    ]


def test_two_listings_in_doubt_at_once_are_two_matters() -> None:
    done = take(tick("150"), tick("1", "BARC.L"), tick("500", "MSFT", unit="USD"))
    assert set(done.doubted) == {"VOD.L", "BARC.L"}
    assert Event.objects.filter(kind="AnomalyRaised").count() == 2


def test_ticks_of_one_batch_are_conflated_to_the_last() -> None:
    done = take(tick("72.35"), tick("72.36", after=2), tick("72.37", after=3), after=3)
    assert (done.stored, price().last) == (1, D("72.37"))
    assert price().tick == list_ticks(vod())[0].id


def test_what_is_no_tick_is_refused_and_told_until_a_snapshot_is_clean() -> None:
    done = take(tick(), tick("1", "NO.L"), tick("1", "BARC.L", unit="EUR"))
    assert dict(done.refused) == {"NO.L": TickRefusal.SYMBOL_UNKNOWN, "BARC.L": TickRefusal.UNIT_MISMATCH}
    assert (price().last, is_raised("feed_refused:SIM1")) == (D("72.40"), True)
    take(tick("72.41"), after=2)
    assert is_raised("feed_refused:SIM1")
    take(tick("72.42"), after=3, session=TWO, snapshot=True)
    assert not is_raised("feed_refused:SIM1")


def test_a_batch_has_a_bound() -> None:
    with pytest.raises(ValueError, match="at most 5000"):
        take(*[tick()] * 5001)


def test_yesterdays_last_becomes_the_close() -> None:
    take(tick("72.50"))
    monday = 3 * 86_400
    take(tick("73.00", after=monday), after=monday)
    assert (price().previous_close, price().last) == (D("72.50"), D("73.00"))


def settle(**changes: Any) -> None:
    values: dict[str, Any] = {
        "actor": JUDGE,
        "at": AT + 9 * S,
        "listing_id": vod(),
        "tick_id": price().doubted_tick,
        "believe": True,
        "reason": "Bid confirmed by telephone.",
    }
    settle_price_doubt(**(values | changes))


def test_a_persons_word_makes_the_doubted_price_good() -> None:
    take(tick())
    take(tick("99", after=2, bid=D("98.9"), ask=D("99.1")), after=2)
    doubted = price().doubted_tick
    settle()
    held = price()
    assert (held.last, held.bid, held.quality, held.tick, held.doubted_tick) == (
        D(99),
        D("98.9"),
        "good",
        doubted,
        None,
    )
    event = Event.objects.get(kind="PriceDoubtSettled")
    assert (event.actor, event.payload["believed"], event.payload["last_before"]) == ("user:9", True, "72.4")
    assert not is_raised(f"price:{vod()}")


def test_a_persons_word_lets_the_good_price_stand() -> None:
    take(tick())
    take(tick("99"), after=2)
    settle(believe=False)
    assert (price().last, price().quality, price().suspicion) == (D("72.40"), "good", "")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"actor": ACTOR}, NotPermitted),
        ({"reason": "  "}, Invalid),
        ({"tick_id": new_id()}, Conflict),
    ],
)
def test_no_word_without_right_reason_and_the_tick_one_looked_at(changes: dict[str, Any], error: type) -> None:
    take(tick())
    take(tick("99"), after=2)
    with pytest.raises(error):
        settle(**changes)
    assert (price().quality, Event.objects.filter(kind="PriceDoubtSettled").count()) == ("suspect", 0)


def test_a_tick_of_nothing_cannot_be_believed() -> None:
    take(tick())
    take(tick("0"), after=2)
    with pytest.raises(Refused):
        settle()
    settle(believe=False)
    assert price().quality == "good"


def test_a_split_carries_the_price_and_the_feed_goes_on_from_there() -> None:
    take(tick("72.40", bid=D("72.3"), ask=D("72.5")))
    listing_id = vod()
    assert rescale_prices(at=AT + 2 * S, listing_ids=[listing_id], factor=D("0.5")) == {
        listing_id: (D("72.40"), D("36.20"))
    }
    held = price()
    assert (held.last, held.bid, held.ask, held.previous_close) == (D("36.20"), D("36.15"), D("36.25"), D("36.17"))
    assert (held.source, list_ticks(listing_id)[0].source, held.tick) == (
        "SIM1",
        "rescaled",
        list_ticks(listing_id)[0].id,
    )
    assert take(tick("36.3", after=3), after=3).doubted == ()


def test_silence_in_an_open_market_is_told_once_and_ends_once() -> None:
    take(tick())
    assert watch_feeds(at=AT + 16 * S) == 0
    assert watch_feeds(at=AT + 17 * S) == 1
    assert watch_feeds(at=AT + 60 * S) == 0
    assert is_raised("feed_silent:SIM1")
    take(after=61)
    assert watch_feeds(at=AT + 62 * S) == 1
    assert not is_raised("feed_silent:SIM1")


def test_silence_while_the_market_is_closed_is_nothing() -> None:
    take(tick())
    evening = AT.replace(hour=22)
    assert watch_feeds(at=evening) == 0
    assert PriceSource.objects.get().silent_since is None


@pytest.mark.parametrize("statement", ["UPDATE refdata_pricetick SET last = 1", "TRUNCATE refdata_pricetick"])
def test_a_stored_tick_is_never_changed(statement: str) -> None:
    take(tick())
    with pytest.raises(IntegrityError, match="denied"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; " + statement)


@pytest.mark.parametrize(("days", "kept"), [(6, True), (8, False)])
def test_a_tick_is_not_deleted_within_seven_days(days: int, kept: bool) -> None:
    received_at = utc_now() - timedelta(days=days)
    one = PriceTick.objects.create(
        id=new_id(), listing_id=vod(), source="SIM1", made_at=received_at, received_at=received_at, outcome="applied"
    )
    if kept:
        with pytest.raises(IntegrityError, match="at least 7 days"), transaction.atomic():
            one.delete()
    else:
        one.delete()
    assert PriceTick.objects.filter(id=one.id).exists() is kept


@pytest.mark.parametrize(("hours", "kept"), [(23, True), (25, False)])
def test_a_demo_keeps_a_tick_for_a_day(hours: int, kept: bool) -> None:
    received_at = utc_now() - timedelta(hours=hours)
    one = PriceTick.objects.create(
        id=new_id(), listing_id=vod(), source="SIM1", made_at=received_at, received_at=received_at, outcome="applied"
    )
    with pytest.raises(IntegrityError, match="at least 7 days"), transaction.atomic():
        one.delete()
    with connection.cursor() as cursor:
        cursor.execute(
            f"COMMENT ON DATABASE {connection.ops.quote_name(connection.settings_dict['NAME'])} IS 'oms:demo'"
        )
    if kept:
        with pytest.raises(IntegrityError, match="at least 7 days"), transaction.atomic():
            one.delete()
    else:
        PriceTick.objects.filter(id=one.id).delete()
    assert PriceTick.objects.filter(id=one.id).exists() is kept


def test_in_quiet_small_moves_are_passed_over_and_the_price_in_use_is_always_a_stored_tick(settings: Any) -> None:
    settings.PRICE_QUIET = 15 * S
    take(tick("72.40", bid=D("72.39"), ask=D("72.41")))
    taken = [  # seconds after the first, last, bid, ask: what is in use then
        (3, "72.42", "72.41", "72.43", "72.40"),  # hardly moved: passed over
        (5, "72.54", "72.41", "72.43", "72.40"),  # 0.19 %
        (6, "72.55", "72.41", "72.43", "72.55"),  # more than 0.2 %: taken at once
        (8, "72.55", "72.41", None, "72.55"),  # a side is gone: taken
        (22, "72.56", "72.41", None, "72.55"),  # 14 s after the price in use
        (23, "72.56", "72.41", None, "72.56"),  # 15 s
    ]
    stored = []
    for after, last, bid, ask, held in taken:
        sides: dict[str, Any] = {"bid": D(bid), "ask": D(ask) if ask else None}
        stored.append(take(tick(last, after=after, **sides), after=after).stored)
        assert price().last == D(held)
        assert list(PriceTick.objects.filter(id__in=[price().tick]).values_list("last", flat=True)) == [D(held)]
    assert stored == [0, 0, 1, 1, 0, 1]
    assert take(tick("99", after=24), after=24).doubted == ("VOD.L",)  # a glitch is never passed over


def test_the_purge_takes_what_is_old_and_says_what_went() -> None:
    before = PriceTick.objects.count()
    old = PriceTick.objects.create(
        id=UUID("01900000-0000-7000-8000-000000000001"),
        listing_id=vod(),
        source="SIM1",
        made_at=AT - timedelta(days=400),
        received_at=AT - timedelta(days=400),
        last=D(70),
        outcome="applied",
    )
    assert purge_ticks(at=AT) == 1
    event = Event.objects.get(kind="PriceTicksPurged")
    assert (event.payload["rows"], event.payload["first_tick"]) == (1, str(old.id))
    assert len(event.payload["sha256"]) == 64
    assert (purge_ticks(at=AT), PriceTick.objects.count()) == (0, before)
    with pytest.raises(ValueError, match="at least 14"):
        purge_ticks(at=AT, older_than_days=13)


def test_the_list_of_prices_finds_by_symbol_name_and_market() -> None:
    take(tick())
    found = list_prices(at=AT + S, query="vod")
    assert [(one.symbol, one.price.last if one.price else None) for one in found] == [("VOD.L", D("72.40"))]
    assert {one.mic for one in list_prices(at=AT + S, mic="XNYS")} == {"XNYS"}
    assert list_prices(at=AT + S, query="%") == ()
