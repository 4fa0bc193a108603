"""Webhooks from the journal to a real receiver and back: order, failure, death, outage, return, rights, replay."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.db import connection

from authorisation.models import User
from journal.models import Event
from kernel.clock import utc_now
from kernel.errors import Unavailable
from kernel.fix import ExecType, OrdStatus
from outbound import deliverer
from outbound.deliverer import ACTOR
from outbound.domain.pacing import MOST_ATTEMPTS, OPEN_AFTER
from outbound.domain.slices import Plan
from outbound.models import DeliveryAttempt, HeldDelivery, Subscription
from outbound.services.drop_dead_letters import drop_dead_letters
from outbound.services.end_webhook_secret import end_webhook_secret
from outbound.services.issue_webhook_secret import issue_webhook_secret
from outbound.services.replay_events import Wanted, replay_events
from outbound.services.resume_webhook import resume_webhook
from outbound.services.settle_slice import settle_slice
from tests.factories.busy_day import Day, told_desk
from tests.factories.receivers import Endpoint, Taken, endpoint, rude_endpoint
from tests.factories.webhooks import Hand, Hooks, events_client, lose_desk, make_hooks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def client() -> ModuleType:
    return events_client()


@pytest.fixture
def there() -> Iterator[Endpoint]:
    with endpoint() as kept:
        yield kept


@pytest.fixture
def hooks(settings: Any) -> Hooks:
    settings.WEBHOOK_LOOPBACK = True
    return make_hooks(told_desk(charged=False))


@pytest.fixture
def hand(hooks: Hooks, there: Endpoint) -> Iterator[Hand]:
    made = Hand(hooks.subscribe(there.url)[0])
    yield made
    made.close()


def trade(day: Day, name: str) -> None:
    """One order: captured, sent, accepted, traded: six events that are told."""
    order = day.send(name)
    day.says(day.report(order, ExecType.NEW, OrdStatus.NEW), day.trade(order, 400, "72.40"))


def told_of(day: Day, name: str) -> list[str]:
    """Ids of the events of an order that are told, in their order."""
    stream, silent = f"order:{day.orders[name]}", ("OrderRouted",)
    return [str(e.id) for e in Event.objects.filter(stream=stream).exclude(kind__in=silent).order_by("seq")]


def of_order(there: Endpoint, day: Day, name: str) -> list[str]:
    return [one.event["id"] for one in there.taken if one.event["subject"]["id"] == str(day.orders[name])]


def raised(kind: str) -> list[str]:
    """What was said of anomalies of the kind: raised, cleared."""
    events = Event.objects.filter(kind__startswith="Anomaly", payload__kind=kind).order_by("position")
    return [event.kind.removeprefix("Anomaly").lower() for event in events]


def test_every_event_arrives_once_in_the_order_of_its_order(hooks: Hooks, hand: Hand, there: Endpoint) -> None:
    day = Day(hooks.world)
    for name in ("a", "b", "c"):
        trade(day, name)
    hand.work()
    for name in ("a", "b", "c"):
        assert of_order(there, day, name) == told_of(day, name)
    assert len(there.taken) == sum(len(told_of(day, name)) for name in ("a", "b", "c"))
    assert DeliveryAttempt.objects.filter(outcome="arrived", status=200).count() == len(there.taken)
    assert HeldDelivery.objects.count() == 0
    assert there.connections <= 4
    hand.work()
    assert len(there.taken) == DeliveryAttempt.objects.count()


def test_the_receivers_file_verifies_works_once_and_refuses_what_was_changed(
    hooks: Hooks, there: Endpoint, client: ModuleType, tmp_path: Path
) -> None:
    subscription, secret = hooks.subscribe(there.url)
    hand = Hand(subscription)
    trade(Day(hooks.world), "a")
    hand.work()
    hand.close()
    worked: list[str] = []
    seen = client.FileSeen(tmp_path / "seen.sqlite")
    receiver = client.Receiver({str(secret.key): secret.secret}, seen, lambda event: worked.append(event["id"]))

    def take(one: Taken, **changes: Any) -> int:
        values: dict[str, Any] = {
            "path": one.path,
            "body": one.body,
            "signatures": one.headers.get_all("OMS-Signature"),
            "event_id": one.headers["Idempotency-Key"],
            "now": time.time(),
        }
        status: int = receiver.take(**(values | changes))
        return status

    first = there.taken[0]
    other = there.taken[1]
    assert take(first, body=first.body.replace(b"order", b"ordre")) == 401
    assert take(first, path="/elsewhere") == 401
    assert take(first, path=first.path + "&more=1") == 401
    assert take(first, event_id=other.headers["Idempotency-Key"]) == 401
    assert take(first, signatures=[]) == 401
    assert take(first, signatures=["OMS-HMAC-SHA256 key=1"]) == 401
    assert take(first, signatures=other.headers.get_all("OMS-Signature")) == 401
    assert take(first, now=time.time() + 400) == 401
    assert worked == []
    assert [take(one) for one in there.taken + there.taken] == [204] * 2 * len(there.taken)
    assert worked == [one.event["id"] for one in there.taken]


def test_work_that_fails_comes_again(hooks: Hooks, client: ModuleType, tmp_path: Path) -> None:
    """The receiver's own server in front of the house: its third event fails twice."""
    failures = iter([False, False, True, True])
    worked: list[str] = []

    def work(event: dict[str, Any]) -> None:
        if next(failures, False):
            raise RuntimeError("the warehouse is full")
        worked.append(event["id"])

    secrets: dict[str, str] = {}
    receiver = client.Receiver(secrets, client.FileSeen(tmp_path / "seen.sqlite"), work)
    server = receiver.server("127.0.0.1", 0)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        subscription, secret = hooks.subscribe(f"http://127.0.0.1:{server.server_address[1]}/oms")
        secrets[str(secret.key)] = secret.secret
        hand, day = Hand(subscription), Day(hooks.world)
        trade(day, "a")
        hand.work()
        assert worked == told_of(day, "a")[:2]
        hand.later()
        assert worked == told_of(day, "a")[:2]
        hand.later()
        assert worked == told_of(day, "a")
        hand.close()
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_both_secrets_sign_while_two_live(hooks: Hooks, hand: Hand, there: Endpoint, client: ModuleType) -> None:
    day = Day(hooks.world)
    old = hand.subscription.secrets.get()
    new = issue_webhook_secret(actor=hooks.administrator, at=utc_now(), subscription_id=hand.subscription.pk)
    trade(day, "a")
    hand.work()
    both = there.taken[-1].headers.get_all("OMS-Signature")
    end_webhook_secret(actor=hooks.administrator, at=utc_now(), subscription_id=hand.subscription.pk, key=old.pk)
    trade(day, "b")
    hand.work()
    only = there.taken[-1].headers.get_all("OMS-Signature")
    assert [str(old.pk) in both[0], str(new.key) in both[1], len(both)] == [True, True, 2]
    assert [str(new.key) in only[0], len(only)] == [True, 1]
    for one in there.taken:
        client.verify(
            path=one.path,
            body=one.body,
            signatures=one.headers.get_all("OMS-Signature"),
            event_id=one.headers["Idempotency-Key"],
            secrets={str(new.key): new.secret},
            now=time.time(),
        )


def test_an_event_nobody_takes_dies_alone_and_can_be_told_again(hooks: Hooks, hand: Hand, there: Endpoint) -> None:
    day = Day(hooks.world)
    trade(day, "good")
    trade(day, "bad")
    poison = told_of(day, "bad")[2]
    there.answer = lambda taken: 422 if taken.headers["Idempotency-Key"] == poison else 200
    hand.work()
    assert of_order(there, day, "good") == told_of(day, "good"), "others go on"
    assert of_order(there, day, "bad") == told_of(day, "bad")[:3], "its own order waits behind it"
    for number in range(MOST_ATTEMPTS + 2):
        trade(day, f"more-{number}")
        hand.later()
    tries = DeliveryAttempt.objects.filter(event_id=poison).order_by("id")
    assert [one.outcome for one in tries] == ["failed"] * (MOST_ATTEMPTS - 1) + ["dead"]
    assert [one.attempt for one in tries] == list(range(1, MOST_ATTEMPTS + 1))
    assert HeldDelivery.objects.get().state == "dead"
    assert sorted(set(of_order(there, day, "bad"))) == sorted(told_of(day, "bad"))
    assert raised("WEBHOOK_DEAD_LETTERS") == ["raised"]
    there.answer = None
    replay_events(actor=hooks.operator, at=utc_now(), subscription_id=hand.subscription.pk, wanted=Wanted(dead=True))
    hand.work()
    assert there.ids[-1] == poison
    assert HeldDelivery.objects.count() == 0
    assert raised("WEBHOOK_DEAD_LETTERS") == ["raised", "cleared"]


def test_what_was_given_up_may_be_let_go(hooks: Hooks, hand: Hand) -> None:
    HeldDelivery.objects.create(
        subscription=hand.subscription, position=1, event_id=Event.objects.latest("position").id, stream="order:x",
        kind="order.reported", state="dead", attempts=8, due_at=utc_now(), held_at=utc_now(),
    )  # fmt: skip
    assert drop_dead_letters(
        actor=hooks.operator, at=utc_now(), subscription_id=hand.subscription.pk, reason="They know it."
    ) == 1  # fmt: skip
    assert HeldDelivery.objects.count() == 0
    assert Event.objects.filter(kind="WebhookDeadLettersDropped").count() == 1


def test_an_endpoint_that_is_away_loses_nothing_and_nothing_dies_of_it(
    hooks: Hooks, hand: Hand, there: Endpoint
) -> None:
    day = Day(hooks.world)
    there.answer = lambda taken: 503
    for number in range(OPEN_AFTER):
        trade(day, f"o{number}")
    hand.work()
    first_wave = len(there.taken)
    assert OPEN_AFTER <= first_wave <= OPEN_AFTER + 3, "the breaker opened within the slice"
    assert raised("WEBHOOK_FAILING") == ["raised"]
    hand.work()
    assert len(there.taken) == first_wave, "left in peace"
    for _ in range(MOST_ATTEMPTS + 3):
        hand.later()
    assert len(there.taken) == first_wave + MOST_ATTEMPTS + 3, "one at a time"
    assert not HeldDelivery.objects.filter(state="dead").exists()
    there.answer = None
    there.taken.clear()
    for _ in range(3):
        hand.later()
    for number in range(OPEN_AFTER):
        assert of_order(there, day, f"o{number}") == told_of(day, f"o{number}")
    assert raised("WEBHOOK_FAILING") == ["raised", "cleared"]
    assert HeldDelivery.objects.count() == 0


def test_after_a_day_of_nothing_the_house_pauses_it_and_somebody_is_told(
    hooks: Hooks, hand: Hand, there: Endpoint
) -> None:
    day = Day(hooks.world)
    there.answer = lambda taken: 500
    trade(day, "a")
    hand.work()
    Subscription.objects.update(failing_since=utc_now() - timedelta(hours=24, seconds=1))
    hand.work()
    hand.subscription.refresh_from_db()
    assert (hand.subscription.state, raised("WEBHOOK_HALTED")) == ("paused", ["raised"])
    there.answer = None
    resume_webhook(actor=hooks.operator, at=utc_now(), subscription_id=hand.subscription.pk, reason="Mended.")
    hand.courier.stop.clear()
    hand.later()
    assert of_order(there, day, "a")[-len(told_of(day, "a")) :] == told_of(day, "a")
    assert raised("WEBHOOK_HALTED") == ["raised", "cleared"]


def test_a_service_account_that_is_gone_hears_nothing_more(hooks: Hooks, hand: Hand, there: Endpoint) -> None:
    User.objects.filter(pk=hooks.service.user_id).update(is_active=False)
    trade(Day(hooks.world), "a")
    hand.work()
    hand.subscription.refresh_from_db()
    assert (there.taken, hand.subscription.state, raised("WEBHOOK_HALTED")) == ([], "paused", ["raised"])


def test_a_desk_that_was_taken_away_is_heard_no_more_not_even_what_waited(
    hooks: Hooks, hand: Hand, there: Endpoint
) -> None:
    day = Day(hooks.world)
    there.answer = lambda taken: 503
    trade(day, "a")
    hand.work()
    before = len(there.taken)
    there.answer = None
    lose_desk(hooks.service)
    for _ in range(10):
        hand.later()
    assert len(there.taken) == before
    assert HeldDelivery.objects.count() == 0
    assert DeliveryAttempt.objects.filter(outcome="withheld").count() == len(told_of(day, "a"))


def test_kinds_narrow_what_is_sent(hooks: Hooks, there: Endpoint) -> None:
    hand = Hand(hooks.subscribe(there.url, kinds=("execution.recorded",))[0])
    trade(Day(hooks.world), "a")
    hand.work()
    hand.close()
    assert [one.event["kind"] for one in there.taken] == ["execution.recorded"]


def test_events_are_told_again_by_id_and_by_range(hooks: Hooks, hand: Hand, there: Endpoint) -> None:
    day = Day(hooks.world)
    trade(day, "a")
    hand.work()
    ids = told_of(day, "a")
    there.taken.clear()
    second = Event.objects.get(id=ids[1])
    again: dict[str, Any] = {"actor": hooks.operator, "at": utc_now(), "subscription_id": hand.subscription.pk}
    assert replay_events(**again, wanted=Wanted(event_ids=(second.id,))).events == 1
    hand.work()
    assert there.ids == [ids[1]]
    there.taken.clear()
    assert replay_events(**again, wanted=Wanted(after=second.position)).events == len(ids) - 2
    hand.work()
    assert there.ids == ids[2:]


def test_a_late_deliverer_writes_nothing(hooks: Hooks, hand: Hand) -> None:
    trade(Day(hooks.world), "a")
    before = Subscription.objects.get().position
    with pytest.raises(Unavailable, match="SINGLETON_LOST"):
        settle_slice(
            actor=ACTOR, at=utc_now(), subscription_id=hand.subscription.pk, fence=hand.singleton.fence - 1,
            plan=Plan(position=10**6), sent=[], unit=0.5,
        )  # fmt: skip
    assert Subscription.objects.get().position == before


def test_the_process_serves_all_while_one_endpoint_is_silent(hooks: Hooks, there: Endpoint) -> None:
    stop = threading.Event()

    def silent(talking: Any) -> None:
        stop.wait(10)

    with rude_endpoint(silent) as port:
        hooks.subscribe(f"http://127.0.0.1:{port}/", name="silent")
        hooks.subscribe(there.url)
        process = threading.Thread(target=deliverer.run, args=(stop,))
        process.start()
        try:
            day = Day(hooks.world)
            trade(day, "a")
            began = time.monotonic()
            there.wait_for(len(told_of(day, "a")))
            assert time.monotonic() - began < 5, "the silent one holds nobody up"
        finally:
            stop.set()
            process.join()
    connection.close()
    assert of_order(there, day, "a") == told_of(day, "a")
