"""The resident picture: from events alone it is what the tables say, from any snapshot; where it is not, it stops trading."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.db import connection

from accounts.models import CashBalance
from journal.models import Event, ProjectionInForce, Snapshot
from journal.selectors import stream_records
from journal.selectors.happenings import list_happenings, version_in_force
from journal.services.advance_projection import advance_projection, take_all
from journal.services.load_snapshot import load_snapshot
from journal.services.store_snapshot import store_snapshot
from journal.singleton import Singleton
from kernel.clock import utc_now
from kernel.errors import Unavailable
from kernel.ids import new_id
from operations.domain.picture_state import VERSION, PictureState
from operations.picture import process
from operations.picture.process import Keeper, Picture, Resident
from operations.picture.publishing import Publisher, read_accounts
from operations.selectors.account_pictures import list_account_pictures
from operations.services.compare_picture import compare_picture
from orders.domain.results import CaptureResult
from orders.models import Order
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from risk.models import Block
from tests.factories import DeskWorld, set_price, terms
from tests.factories.busy_day import Day, busy_day, told_desk
from tests.factories.tampering import planted, without_checks

now = utc_now


def catch_up(picture: Picture) -> None:
    """Read to the end, slice by slice: the tests before have used up positions, which never come back."""
    while not picture.current:
        assert picture.advance()


def turn_until(keeper: Keeper, true: Callable[[], bool]) -> None:
    """The same for one who also builds a picture beside the one that is shown: a slice a turn."""
    for _ in range(100):
        keeper.turn()
        if true():
            return
    raise AssertionError("a hundred turns are not enough")


class Heard:
    """Stands where the publisher stands and keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.accounts: dict[str, Any] = {}
        self.standing: bool | None = None
        self.needs_all_accounts = True

    def send(self, kind: str, position: int, **more: Any) -> bool:
        self.sent.append((kind, more))
        return True

    def replace_accounts(self, rows: dict[str, dict[str, Any]]) -> bool:
        self.accounts, self.needs_all_accounts = dict(rows), False
        return True

    def update_accounts(self, rows: dict[str, dict[str, Any]]) -> bool:
        self.accounts.update(rows)
        return True

    def stand(self, position: int, *, equal: bool) -> bool:
        self.standing = equal
        return True


def from_nothing() -> tuple[PictureState, int]:
    state, events = PictureState(), list_happenings(0)
    take_all(state, events)
    return state, events[-1].position


def as_kept(state: PictureState) -> Any:
    return orjson.loads(orjson.dumps(state.body()))


def capture(world: DeskWorld) -> CaptureResult:
    set_price(world.listing, "72.50", at=now())
    return capture_order(
        actor=world.dealer,
        at=now(),
        idempotency_key=str(new_id()),
        route="ticket",
        terms=terms(world),
        source="ticket",
    )


def past_the_guards(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql, values)
        cursor.execute("SET session_replication_role = DEFAULT")


def standing_blocks() -> list[str]:
    return list(Block.objects.filter(source="picture", lifted_at__isnull=True).values_list("reason", flat=True))


@pytest.fixture
def day() -> Day:
    return busy_day()


@pytest.mark.django_db
def test_from_nothing_and_from_every_snapshot_it_equals_the_tables(day: Day) -> None:
    state, position = from_nothing()
    result = compare_picture(state=state, position=position)
    assert result.differences == []
    assert (result.accounts, result.orders) == (2, Order.objects.filter(is_open=True).count())
    assert result.orders >= 10
    events = list_happenings(0)
    for cut in range(0, len(events), 7):
        part = PictureState()
        take_all(part, events[:cut])
        reached = events[cut - 1].position if cut else 0
        store_snapshot(projection=part, position=reached, at=now())
        again = PictureState()
        assert load_snapshot(projection=again, at=now()) == reached
        assert compare_picture(state=again, position=reached).differences == []
        take_all(again, events[cut:])
        assert as_kept(again) == as_kept(state)
    assert Snapshot.objects.count() == 3


@pytest.mark.django_db
@pytest.mark.parametrize("size", [3, 17, 100, 10_000])
def test_slices_condensed_by_the_database_come_to_the_same(day: Day, size: int) -> None:
    state, position = from_nothing()
    condensed, reached = PictureState(), 0
    while reached < position:
        reached = advance_projection(projection=condensed, position=reached, up_to=position, limit=size)
    assert as_kept(condensed) == as_kept(state)
    assert compare_picture(state=condensed, position=position).equal


@pytest.mark.django_db
def test_every_change_of_an_open_order_or_a_balance_is_seen(day: Day) -> None:
    state, position = from_nothing()
    without_checks("orders_order", "accounts_cashbalance", "accounts_holding")
    order_id = day.orders["replace open"]
    for change in (
        "order_qty = order_qty + 1", "cum_qty = cum_qty + 1", "leaves_qty = leaves_qty - 1", "avg_px = avg_px + 1",
        "price = price + 1", "stop_px = 1", "time_in_force = '4'", "cl_ord_id = 'x'", "venue_order_id = 'x'",
        "ord_status = '1'", "session_group = 'x'", "request_state = 'unknown'", "needs_attention = 'x'",
        "overfilled = true", "is_open = false", "last_event_seq = last_event_seq + 1",
    ):  # fmt: skip
        assert _differs_after(f"UPDATE orders_order SET {change} WHERE id = %s", order_id, state, position) == 1, change
    account_id = day.world.account.id
    for table in ("accounts_cashbalance", "accounts_holding"):
        for column in ("settled", "pending", "reserved"):
            sql = f"UPDATE {table} SET {column} = {column} + 1 WHERE account_id = %s"
            assert _differs_after(sql, account_id, state, position) == 1, (table, column)
    hold = "UPDATE accounts_reservation SET cash = cash + 1 WHERE order_id = %s"
    assert _differs_after(hold, order_id, state, position) == 1


def _differs_after(sql: str, key: UUID, state: PictureState, position: int) -> int:
    with planted(sql, key, rows=None):
        return compare_picture(state=state, position=position).differing


@pytest.mark.django_db
def test_a_damaged_snapshot_is_passed_over_and_told_of(day: Day) -> None:
    state, position = from_nothing()
    store_snapshot(projection=state, position=position - 5, at=now())
    store_snapshot(projection=state, position=position, at=now())
    other = PictureState()
    other.version = VERSION + 1
    store_snapshot(projection=other, position=position + 9, at=now())
    newest = Snapshot.objects.get(version=VERSION, position=position)
    Snapshot.objects.filter(id=newest.id).update(body=bytes(newest.body)[:-2] + b"  ")
    assert load_snapshot(projection=PictureState(), at=now()) == position - 5
    assert [e.payload["kind"] for e in stream_records(f"anomaly:snapshot:{newest.id}")] == ["SNAPSHOT_DAMAGED"]


@pytest.mark.django_db(transaction=True)
def test_it_follows_the_journal_and_tells_the_screens() -> None:
    world, heard = told_desk(), Heard()
    picture = Picture(heard)
    picture.start()
    assert not picture.current
    catch_up(picture)
    assert heard.sent == []
    order = capture(world)
    assert picture.advance() == 2
    kind, sent = heard.sent[0]
    assert kind == "rows"
    assert [(row["d"], row["g"], row["r"][1]) for row in sent["rows"]] == [(world.desk.pk, world.group.pk, order.ref)]
    assert picture.advance() == 0
    assert picture.compare().equal
    picture.beat()
    account = heard.accounts[str(world.account.id)]
    assert (account["cash"]["GBP"]["reserved"], account["cash"]["GBP"]["available"]) == ("735.63", "399264.37")
    assert account["stock"][str(world.listing.instrument_id)]["settled"] == "20000"
    cancel_order(actor=world.dealer, at=now(), idempotency_key="c", route="ticket", order_id=order.order_id, reason="")
    assert picture.compare().equal, "the tables are ahead, the events between are counted in"
    picture.advance()
    picture.beat()
    assert heard.accounts[str(world.account.id)]["cash"]["GBP"]["reserved"] == "0"
    assert ("ping", {"topics": ["accounts"]}) in heard.sent


@pytest.mark.django_db(transaction=True)
def test_nothing_that_adds_risk_until_proven_and_again_when_it_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "COMPARE_S", 0.0)
    monkeypatch.setattr(process, "COMPARE_SHARE", 0)
    world = told_desk()
    before = capture(world)
    singleton = Singleton("picture")
    assert singleton.take()
    try:
        heard = Heard()
        keeper = Keeper(Picture(heard), singleton)
        keeper.start()
        assert len(standing_blocks()) == 1
        refused = capture(world)
        assert (refused.outcome, [c.code for c in refused.checks if c.verdict.word == "refuse"]) == (
            "refused",
            ["NO_STANDING_BLOCK"],
        )
        canceled = cancel_order(
            actor=world.dealer, at=now(), idempotency_key="c", route="ticket", order_id=before.order_id, reason=""
        )
        assert canceled.outcome == "completed_locally"
        catch_up(keeper.picture)
        for _ in range(3):
            keeper.turn()
        assert (standing_blocks(), keeper.picture.equal) == ([], True)
        assert (version_in_force("picture"), Snapshot.objects.count()) == (VERSION, 1)
        assert capture(world).outcome == "released"

        past_the_guards("UPDATE accounts_cashbalance SET settled = settled + 1 WHERE currency = 'GBP'")
        keeper.turn()
        assert (len(standing_blocks()), keeper.picture.equal) == (1, False)
        raised = stream_records("anomaly:picture")
        assert [(event.kind, event.payload["kind"]) for event in raised] == [("AnomalyRaised", "PICTURE_DIFFERS")]
        assert capture(world).outcome == "refused"
        turn_until(keeper, lambda: keeper.picture.beside is None)
        assert len(standing_blocks()) == 1, "built again from nothing it still differs: the tables are wrong"
        past_the_guards("UPDATE accounts_cashbalance SET settled = settled - 1 WHERE currency = 'GBP'")
        for _ in range(2):
            keeper.turn()
        assert (standing_blocks(), keeper.picture.equal) == ([], True)
        assert [event.kind for event in stream_records("anomaly:picture")] == ["AnomalyRaised", "AnomalyCleared"]
    finally:
        singleton.release()


@pytest.mark.django_db(transaction=True)
def test_a_wrong_picture_is_built_again_beside_and_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "COMPARE_S", 0.0)
    monkeypatch.setattr(process, "COMPARE_SHARE", 0)
    world = told_desk()
    capture(world)
    singleton = Singleton("picture")
    assert singleton.take()
    try:
        keeper = Keeper(Picture(Heard()), singleton)
        keeper.start()
        catch_up(keeper.picture)
        keeper.turn()
        keeper.turn()
        assert keeper.picture.equal
        wrong = keeper.picture.live
        wrong.state.money.accounts[str(world.account.id)]["GBP"] = (Decimal(1), Decimal(0), Decimal(0))
        wrong.state.money.touched.add(str(world.account.id))
        keeper.turn()
        assert keeper.picture.live is wrong
        assert (keeper.picture.equal, keeper.picture.beside is not None) == (False, True)
        capture(world)
        turn_until(keeper, lambda: keeper.picture.live is not wrong)
        assert (keeper.picture.equal, standing_blocks()) == (True, [])
        keeper.keep()
        with pytest.raises(Unavailable, match="SINGLETON_LOST"):
            store_snapshot(projection=PictureState(), position=1, at=now(), singleton=("picture", singleton.fence - 1))
    finally:
        singleton.release()
    again = Picture(Heard())
    again.start()
    assert again.live.position == Snapshot.objects.order_by("-position")[0].position > 0
    catch_up(again)
    assert again.compare().equal
    assert ProjectionInForce.objects.get().version == VERSION


@pytest.mark.django_db(transaction=True)
def test_accounts_come_from_the_picture_while_it_is_proven_else_from_the_tables() -> None:
    world = told_desk()
    capture(world)
    rows, live = list_account_pictures(actor=world.dealer)
    assert not live
    picture = Picture(Publisher())
    picture.start()
    catch_up(picture)
    picture.beat()
    assert read_accounts([str(world.account.id)]) is None, "not proven yet"
    assert picture.compare().equal
    picture.beat()
    CashBalance.objects.filter(currency="EUR").update(settled=1)  # the tables are not asked
    shown, live = list_account_pictures(actor=world.dealer)
    assert (live, shown) == (True, rows)
    assert {row.code: row.cash["GBP"]["available"] for row in shown}[world.account.code] == "399264.37"


def test_a_resident_begins_with_nothing() -> None:
    fresh = Resident()
    assert (fresh.position, fresh.state.body()) == (
        0,
        {"orders": {"rows": {}, "dark": {}}, "money": {"rows": {}, "dark": [], "withdrawals": {}}},
    )


@pytest.mark.django_db
def test_orders_of_before_the_events_told_all_are_left_out(day: Day) -> None:
    stream = f"order:{day.orders['waiting']}"
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE journal_event SET version = 1 WHERE stream = %s AND seq = 1", [stream])
    state, position = from_nothing()
    assert Event.objects.filter(stream=stream).exists()
    assert (compare_picture(state=state, position=position).differences, len(state.orders.dark)) == ([], 1)
