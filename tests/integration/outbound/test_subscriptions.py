"""Who may let events out of the house: asked, decided by another, with a secret, paused, resumed, ended; and what stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from authorisation.domain.principal import Principal, process_principal
from authorisation.models import User
from journal.models import Event
from kernel.clock import utc_now
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted, OmsError
from kernel.ids import new_id
from outbound.domain.pacing import MOST_HELD
from outbound.models import DeliveryAttempt, HeldDelivery, Subscription
from outbound.selectors.subscriptions import find_duty
from outbound.services.end_webhook import end_webhook
from outbound.services.end_webhook_secret import end_webhook_secret
from outbound.services.issue_webhook_secret import issue_webhook_secret
from outbound.services.pause_webhook import pause_webhook
from outbound.services.purge_attempts import purge_attempts
from outbound.services.replay_events import Wanted, replay_events
from outbound.services.resume_webhook import resume_webhook
from risk.services.engage_kill_switch import engage_kill_switch
from tests.factories import make_desk
from tests.factories.webhooks import Hooks, make_hooks

pytestmark = pytest.mark.django_db

URL = "https://hooks.example.com/oms"


@pytest.fixture
def hooks() -> Hooks:
    return make_hooks(make_desk("EQ1"))


def kinds_told() -> list[str]:
    return list(Event.objects.filter(stream__startswith="webhook:").order_by("position").values_list("kind", flat=True))


def test_two_people_let_events_out_and_a_third_step_starts_them(hooks: Hooks) -> None:
    authorisation_id = hooks.ask(URL, kinds=("order.reported",), desks=(hooks.world.desk.pk,))
    assert Subscription.objects.count() == 0
    assert hooks.decide(authorisation_id).outcome == "applied"
    made = Subscription.objects.get()
    assert (made.state, made.url, made.kinds, made.desks) == ("paused", URL, ["order.reported"], [hooks.world.desk.pk])
    assert find_duty(made.pk) is None
    with pytest.raises(Conflict, match="SECRET_MISSING"):
        resume_webhook(actor=hooks.operator, at=utc_now(), subscription_id=made.pk, reason="Go.")
    secret = issue_webhook_secret(actor=hooks.administrator, at=utc_now(), subscription_id=made.pk)
    resume_webhook(actor=hooks.operator, at=utc_now(), subscription_id=made.pk, reason="Go.")
    duty = find_duty(made.pk)
    assert duty is not None
    assert duty.secrets == ((str(secret.key), secret.secret),)
    assert duty.position == Event.objects.order_by("-position")[1].position, "from now on, not from the beginning"
    assert kinds_told() == ["WebhookApproved", "WebhookSecretIssued", "WebhookResumed"]
    kept = " ".join(str(row) for row in Event.objects.values_list("payload", flat=True)) + str(
        made.secrets.get().sealed
    )
    assert secret.secret not in kept
    assert secret.secret not in repr(secret)
    assert secret.secret not in repr(duty)


def test_nobody_lets_events_out_alone(hooks: Hooks) -> None:
    authorisation_id = hooks.ask(URL)
    both = Principal(**{f: getattr(hooks.administrator, f) for f in ("user_id", "username", "actor", "persona")},
                     rights=hooks.administrator.rights | hooks.compliance.rights)  # fmt: skip
    for actor in (both, hooks.administrator):
        with pytest.raises(OmsError):
            hooks.decide(authorisation_id, actor=actor)
    assert Subscription.objects.count() == 0


@pytest.mark.parametrize("who", ["compliance", "operator", "service"])
def test_who_may_not_ask(hooks: Hooks, who: str) -> None:
    hooks.administrator = getattr(hooks, who)
    with pytest.raises(NotPermitted, match="RIGHT_MISSING"):
        hooks.ask(URL)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"), ({"name": "x" * 81}, "name"), ({"name": "a\x00b"}, "name"), ({"user_id": 0}, "user"),
        ({"kinds": ("order.everything",)}, "kinds"), ({"desks": (999_999,)}, "desks"),
    ],
)  # fmt: skip
def test_what_is_asked_wrongly_is_told(hooks: Hooks, changes: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        hooks.ask(URL, **changes)
    assert list(refused.value.fields) == [field]


def test_addresses_inside_and_people_are_refused(hooks: Hooks) -> None:
    with pytest.raises(Invalid) as refused:
        hooks.ask("http://127.0.0.1:9999/", user_id=hooks.administrator.user_id)
    assert set(refused.value.fields) == {"url", "user"}


def test_one_name_one_question_one_subscription(hooks: Hooks) -> None:
    authorisation_id = hooks.ask(URL)
    with pytest.raises(Conflict, match="DECISION_PENDING"):
        hooks.ask(URL)
    hooks.decide(authorisation_id)
    with pytest.raises(Conflict, match="NAME_TAKEN"):
        hooks.ask(URL)


def test_declined_nothing_is_there(hooks: Hooks) -> None:
    assert hooks.decide(hooks.ask(URL), "decline").outcome == "declined"
    assert Subscription.objects.count() == 0


def test_approved_when_the_account_has_gone_it_is_not_applied(hooks: Hooks) -> None:
    authorisation_id = hooks.ask(URL)
    User.objects.filter(pk=hooks.service.user_id).update(is_active=False)
    assert hooks.decide(authorisation_id).outcome == "not_applied"
    assert Subscription.objects.count() == 0


def running(hooks: Hooks) -> Subscription:
    return hooks.subscribe(URL)[0]


def test_two_secrets_live_and_never_none_while_it_runs(hooks: Hooks) -> None:
    made = running(hooks)
    old = made.secrets.get()
    ask: dict[str, Any] = {"actor": hooks.administrator, "at": utc_now(), "subscription_id": made.pk}
    with pytest.raises(Conflict, match="LAST_SECRET"):
        end_webhook_secret(**ask, key=old.pk)
    issue_webhook_secret(**ask)
    with pytest.raises(Conflict, match="SECRETS_FULL"):
        issue_webhook_secret(**ask)
    end_webhook_secret(**ask, key=old.pk)
    with pytest.raises(NotFound, match="SECRET_UNKNOWN"):
        end_webhook_secret(**ask, key=old.pk)
    with pytest.raises(NotPermitted):
        issue_webhook_secret(actor=hooks.operator, at=utc_now(), subscription_id=made.pk)


def test_it_is_paused_resumed_and_ended_for_good(hooks: Hooks) -> None:
    made = running(hooks)
    ask: dict[str, Any] = {"at": utc_now(), "subscription_id": made.pk, "reason": "So."}
    with pytest.raises(Conflict, match="SUBSCRIPTION_NOT_PAUSED"):
        resume_webhook(actor=hooks.operator, **ask)
    pause_webhook(actor=hooks.operator, **ask)
    with pytest.raises(Conflict, match="SUBSCRIPTION_NOT_ACTIVE"):
        pause_webhook(actor=hooks.operator, **ask)
    resume_webhook(actor=hooks.operator, **ask)
    with pytest.raises(NotPermitted):
        end_webhook(actor=hooks.operator, **ask)
    end_webhook(actor=hooks.administrator, **ask)
    with pytest.raises(Conflict):
        resume_webhook(actor=hooks.operator, **ask)
    made.refresh_from_db()
    assert (made.state, made.secrets.filter(ended_at__isnull=True).count()) == ("ended", 0)
    assert kinds_told()[-3:] == ["WebhookPaused", "WebhookResumed", "WebhookEnded"]


@pytest.mark.parametrize("who", ["compliance", "service"])
def test_who_may_not_work_it(hooks: Hooks, who: str) -> None:
    made, actor = running(hooks), getattr(hooks, who)
    ask: dict[str, Any] = {"actor": actor, "at": utc_now(), "subscription_id": made.pk}
    with pytest.raises(NotPermitted):
        pause_webhook(**ask, reason="x")
    with pytest.raises(NotPermitted):
        replay_events(**ask, wanted=Wanted(dead=True))


def test_a_replay_is_bounded_and_only_of_what_was_read(hooks: Hooks) -> None:
    made = running(hooks)
    ask: dict[str, Any] = {"actor": hooks.operator, "at": utc_now(), "subscription_id": made.pk}
    with pytest.raises(Invalid, match="REPLAY_EMPTY"):
        replay_events(**ask, wanted=Wanted(event_ids=(new_id(), Event.objects.latest("position").id)))
    with pytest.raises(Invalid, match="REPLAY_TOO_LARGE"):
        replay_events(**ask, wanted=Wanted(event_ids=tuple(new_id() for _ in range(501))))
    engage_kill_switch(actor=process_principal("test"), at=utc_now(), scopes=[("firm", "")], reason="x")
    stop = Event.objects.get(kind="KillSwitchEngaged")
    with pytest.raises(Invalid, match="REPLAY_EMPTY"):
        replay_events(**ask, wanted=Wanted(event_ids=(stop.id,)))
    Subscription.objects.update(position=stop.position)
    HeldDelivery.objects.bulk_create(
        HeldDelivery(
            subscription=made, position=number, event_id=new_id(), stream="order:x", kind="order.reported",
            due_at=utc_now(), held_at=utc_now(),
        )
        for number in range(MOST_HELD)
    )  # fmt: skip
    with pytest.raises(Conflict, match="QUEUE_FULL"):
        replay_events(**ask, wanted=Wanted(event_ids=(stop.id,)))
    HeldDelivery.objects.first().delete()  # type: ignore[union-attr]
    assert replay_events(**ask, wanted=Wanted(event_ids=(stop.id,))).events == 1


DENIED = (
    "UPDATE outbound_subscription SET url = 'https://evil.example.com/'",
    "UPDATE outbound_subscription SET kinds = '[]'",
    "UPDATE outbound_subscription SET desks = '[7]'",
    "UPDATE outbound_subscription SET user_id = user_id + 1",
    "UPDATE outbound_subscription SET state = 'ended'; UPDATE outbound_subscription SET state = 'active'",
    "DELETE FROM outbound_subscription",
    "DELETE FROM outbound_subscriptionsecret",
    "UPDATE outbound_deliveryattempt SET outcome = 'arrived'",
    "DELETE FROM outbound_deliveryattempt",
    "TRUNCATE outbound_deliveryattempt",
)


def test_the_database_keeps_what_was_approved_and_what_was_done(hooks: Hooks) -> None:
    made = hooks.subscribe(URL, kinds=("order.reported",))[0]
    tried(made, age=timedelta(days=29))
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for change in DENIED:
            with pytest.raises(IntegrityError), transaction.atomic():
                cursor.execute(change)


def tried(made: Subscription, *, age: timedelta) -> None:
    DeliveryAttempt.objects.create(
        subscription=made, position=1, event_id=new_id(), stream="order:x", kind="order.reported", attempt=1,
        tried_at=utc_now() - age, outcome="failed", ms=3, error="TIMED_OUT",
    )  # fmt: skip


def test_old_tries_go_in_slices_with_a_digest_and_younger_ones_stay(hooks: Hooks) -> None:
    made = running(hooks)
    for days in (89, 91, 92, 93):
        tried(made, age=timedelta(days=days))
    assert [purge_attempts(at=utc_now(), limit=2) for _ in range(3)] == [2, 1, 0]
    assert DeliveryAttempt.objects.count() == 1
    told = Event.objects.filter(kind="DeliveryAttemptsPurged").order_by("position")
    assert [event.payload["rows"] for event in told] == [2, 1]
    assert all(len(event.payload["sha256"]) == 64 for event in told)
