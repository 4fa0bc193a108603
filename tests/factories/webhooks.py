"""A subscription that runs, made through its services by the people who may; and a courier for it that works when told."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group

from authorisation.domain.principal import ADMINISTER_USERS, DECIDE_RISK_CHANGE, DECIDE_STATIC_DATA, Principal
from authorisation.models import AuthorisationRequest, User
from authorisation.selectors import get_principal
from journal.singleton import Singleton
from kernel.clock import utc_now
from outbound.deliverer import Bell, Courier
from outbound.domain.draft import Draft
from outbound.models import HeldDelivery, Subscription
from outbound.services.decide_webhook import decide_webhook
from outbound.services.issue_webhook_secret import IssuedSecret, issue_webhook_secret
from outbound.services.request_webhook import request_webhook
from outbound.services.resume_webhook import resume_webhook
from outbound.services.settle_slice import SINGLETON
from tests.factories import DeskWorld, make_principal


@dataclass
class Hooks:
    """Who administers, decides and works subscriptions, and the service account they listen with."""

    world: DeskWorld
    administrator: Principal
    compliance: Principal
    operator: Principal
    service: Principal

    def draft(self, url: str, **changes: Any) -> Draft:
        values: dict[str, Any] = {"name": "warehouse", "url": url, "user_id": self.service.user_id}
        return Draft(**(values | changes))

    def ask(self, url: str, **changes: Any) -> UUID:
        return request_webhook(
            actor=self.administrator, at=utc_now(), draft=self.draft(url, **changes), reason="The warehouse needs it."
        ).authorisation_id

    def decide(self, authorisation_id: UUID, verdict: str = "approve", *, actor: Principal | None = None) -> Any:
        request = AuthorisationRequest.objects.get(pk=authorisation_id)
        return decide_webhook(
            actor=actor or self.compliance,
            at=utc_now(),
            authorisation_id=authorisation_id,
            verdict=verdict,
            reason_code="OTHER",
            reason="It may.",
            payload_hash=request.payload_hash,
        )

    def subscribe(self, url: str, **changes: Any) -> tuple[Subscription, IssuedSecret]:
        """Asked for, approved, with a secret, running from now."""
        authorisation_id = self.ask(url, **changes)
        self.decide(authorisation_id)
        subscription = Subscription.objects.get(authorisation_id=authorisation_id)
        secret = issue_webhook_secret(actor=self.administrator, at=utc_now(), subscription_id=subscription.pk)
        resume_webhook(actor=self.operator, at=utc_now(), subscription_id=subscription.pk, reason="Go.")
        subscription.refresh_from_db()
        return subscription, secret


def make_hooks(world: DeskWorld) -> Hooks:
    service = make_principal(
        "pms", role="service", rights=("enter_order",), desks=(world.desk,), groups=(world.group,),
        persona="service", kind=User.Kind.SERVICE,
    )  # fmt: skip
    return Hooks(
        world,
        make_principal("admin", role="administrator", rights=(ADMINISTER_USERS,), persona="administrator"),
        make_principal("compliance", role="compliance", rights=(DECIDE_RISK_CHANGE,), persona="compliance"),
        make_principal("ops", role="operations", rights=(DECIDE_STATIC_DATA,), persona="operations"),
        service,
    )


class Hand:
    """A courier whose turns are taken one by one, in this thread and connection."""

    def __init__(self, subscription: Subscription) -> None:
        self.singleton = Singleton(SINGLETON)
        assert self.singleton.take()
        self.courier = Courier(subscription.pk, self.singleton.fence, Bell())
        self.subscription = subscription

    def work(self, *, most: int = 50) -> None:
        """Turn until nothing is left to do at once."""
        for _ in range(most):
            if not self.courier.turn():
                return

    def later(self) -> None:
        """As if every wait were over, then work."""
        past = utc_now() - timedelta(seconds=1)
        HeldDelivery.objects.filter(state="waiting").update(due_at=past)
        Subscription.objects.filter(pk=self.subscription.pk, quiet_until__isnull=False).update(quiet_until=past)
        self.work()

    def close(self) -> None:
        for line in self.courier._lines:
            line.close()
        self.courier._pool.shutdown()
        self.singleton.release()


def lose_desk(service: Principal) -> Principal:
    """The service account sees nothing any more."""
    user = User.objects.get(pk=service.user_id)
    user.groups.remove(*Group.objects.filter(name__startswith="grants:"))
    return get_principal(user)


def events_client() -> ModuleType:
    """The receiver's file, as a receiver has it: outside of every package."""
    place = Path(__file__).parents[2] / "clients" / "python" / "oms_events.py"
    spec = importlib.util.spec_from_file_location("oms_events", place)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["oms_events"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
