"""kill -9 of the deliverer between send and mark: sent again under the same id, nothing lost; two of them: one works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from journal.models import Event
from journal.singleton import Singleton
from outbound.models import DeliveryAttempt, HeldDelivery, Subscription
from outbound.services.settle_slice import SINGLETON
from tests.concurrency.test_crash_points import killed_at
from tests.factories.busy_day import Day, told_desk
from tests.factories.receivers import Endpoint, endpoint
from tests.factories.webhooks import Hand, Hooks, make_hooks

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hooks(settings: Any) -> Hooks:
    settings.WEBHOOK_LOOPBACK = True
    return make_hooks(told_desk(charged=False))


@pytest.fixture
def there() -> Iterator[Endpoint]:
    with endpoint() as kept:
        yield kept


def deliver(subscription: Subscription) -> None:
    hand = Hand(subscription)
    hand.work()
    hand.close()


@pytest.mark.parametrize("point", ["webhook.sent", "webhook.settled"])
def test_killed_before_it_is_written_down_it_is_sent_again_under_the_same_id(
    hooks: Hooks, there: Endpoint, point: str
) -> None:
    day = Day(hooks.world)
    subscription, _ = hooks.subscribe(there.url)
    day.send("a")
    killed_at(point, lambda: deliver(subscription))
    first, position = list(there.ids), Subscription.objects.get().position
    bodies = [one.body for one in there.taken]
    assert len(first) == 3
    assert (DeliveryAttempt.objects.count(), HeldDelivery.objects.count()) == (0, 0)
    assert position == subscription.position
    deliver(subscription)
    assert there.ids == first * 2
    assert [one.body for one in there.taken] == bodies * 2, "the same words, so that a receiver may compare"
    assert DeliveryAttempt.objects.filter(outcome="arrived").count() == 3
    told = Event.objects.filter(stream=f"order:{day.orders['a']}").exclude(kind="OrderRouted").order_by("seq")
    assert first == [str(one.id) for one in told]


def test_killed_while_it_writes_down_a_failure_it_forgets_the_try_and_not_the_event(
    hooks: Hooks, there: Endpoint
) -> None:
    day = Day(hooks.world)
    subscription, _ = hooks.subscribe(there.url)
    day.send("a")
    there.answer = lambda taken: 500
    killed_at("webhook.settled", lambda: deliver(subscription))
    there.answer = None
    deliver(subscription)
    assert there.ids[1:] == [str(one.event_id) for one in DeliveryAttempt.objects.order_by("id")]
    assert DeliveryAttempt.objects.filter(outcome="arrived", attempt=1).count() == 3


def test_of_two_deliverers_one_works(hooks: Hooks, there: Endpoint) -> None:
    subscription, _ = hooks.subscribe(there.url)
    first, second = Singleton(SINGLETON), Singleton(SINGLETON)
    taken = [first.take(), second.take()]
    first.release()
    second.release()
    assert taken == [True, False]
    deliver(subscription)
    assert there.taken == []
