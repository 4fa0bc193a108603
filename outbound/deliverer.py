"""The process that brings events to other systems: one courier a subscription, so that a slow endpoint delays nobody else.

One deliverer works at a time (advisory lock); what it writes down it writes under its fence. A courier reads, sends and
settles slice by slice; within a slice four lines send at once, each a lane of one subject at a time. What is on its way when
the process ends is not settled and is sent again under the same id.
"""

from __future__ import annotations

import logging
import random
import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor, wait
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection

from authorisation import security_log
from authorisation.domain.principal import process_principal
from journal.notify import EVENTS_CHANNEL, wait_for
from journal.selectors.horizon import Horizon
from journal.singleton import Singleton
from kernel.clock import utc_now
from kernel.crash_points import crash_point
from kernel.errors import Conflict, Unavailable
from outbound.domain.endpoints import read_endpoint
from outbound.domain.pacing import LANES, OPEN_AFTER
from outbound.domain.signing import signatures
from outbound.domain.slices import Item
from outbound.selectors.slices import Slice, get_slice
from outbound.selectors.subscriptions import Duty, find_duty, list_active
from outbound.sending import Line, house_reach
from outbound.services.pause_webhook import pause_webhook
from outbound.services.read_events import tell_breaches
from outbound.services.settle_slice import SINGLETON, Sent, settle_slice

logger = logging.getLogger(__name__)

ACTOR = process_principal("webhooks")
IDLE_S = 0.5
STAND_BY_S = 1.0
KEEP_EVERY_S = 2.0  # how often it is worth a commit to move the position past what is not for this endpoint
TRANSIENT = (OperationalError, InterfaceError, Unavailable)
AGENT = "OMS-webhooks/1"


def run(stop: threading.Event) -> None:
    """Work until ``stop``; a lost database or lock is waited out, never an end."""
    singleton, bell = Singleton(SINGLETON), Bell()
    couriers: dict[UUID, Courier] = {}
    try:
        while not stop.is_set():
            try:
                wanted = list_active() if singleton.take() else set()
            except TRANSIENT as error:
                logger.warning("the deliverer waits: %s", error)
                connection.close()
                wanted = set()
            _employ(couriers, wanted, singleton.fence, bell)
            if wanted:
                wait_for([EVENTS_CHANNEL], IDLE_S, stop)
                bell.ring()
            else:
                stop.wait(STAND_BY_S)
    finally:
        _employ(couriers, set(), 0, bell)
        singleton.release()
        connection.close()


def _employ(couriers: dict[UUID, Courier], wanted: set[UUID], fence: int, bell: Bell) -> None:
    """One courier for each wanted subscription under the present fence; the others are told to end, and waited for."""
    leaving = [one for one in couriers.values() if one.subscription_id not in wanted or one.fence != fence or one.ended]
    for courier in leaving:
        courier.stop.set()
    bell.ring()
    for courier in leaving:
        courier.join()
        del couriers[courier.subscription_id]
    for subscription_id in wanted - set(couriers):
        couriers[subscription_id] = Courier(subscription_id, fence, bell)
        couriers[subscription_id].start()


class Bell:
    """Wakes every courier that waits; one that does not wait hears it when it next does, at the latest after IDLE_S."""

    def __init__(self) -> None:
        self._condition = threading.Condition()

    def ring(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def wait(self, seconds: float) -> None:
        with self._condition:
            self._condition.wait(seconds)


class Courier(threading.Thread):
    """Delivers for one subscription until told to stop, or until it does not run any more."""

    def __init__(self, subscription_id: UUID, fence: int, bell: Bell) -> None:
        super().__init__(name=f"courier-{subscription_id}", daemon=True)
        self.subscription_id, self.fence, self.stop, self.ended = subscription_id, fence, threading.Event(), False
        self._bell, self._horizon = bell, Horizon()
        self._reached = 0
        self._kept_at = 0.0
        self._lines: list[Line] = []
        self._pool = ThreadPoolExecutor(LANES, thread_name_prefix=self.name)

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                try:
                    busy = self.turn()
                except TRANSIENT as error:
                    logger.warning("%s waits: %s", self.name, error)
                    connection.close()
                    busy = None
                if busy is None:
                    self.stop.wait(STAND_BY_S)
                elif not busy:
                    self._bell.wait(IDLE_S)
        except Exception:
            logger.exception("%s ends", self.name)
        finally:
            self.ended = True
            self._pool.shutdown(wait=False, cancel_futures=True)
            for line in self._lines:
                line.close()
            connection.close()

    def turn(self) -> bool:
        """One slice. True when there is more to do at once."""
        at = utc_now()
        duty = find_duty(self.subscription_id)
        if duty is None:
            self.stop.set()
            return False
        if duty.listener is None:
            self._halt("Its service account is no longer in use.")
            return False
        if duty.health.is_given_up(at):
            self._halt("Nothing arrived there for a day.")
            return False
        self._reached = max(self._reached, duty.position)
        found = get_slice(duty, duty.listener, after=self._reached, up_to=self._horizon.position(), at=at)
        tell_breaches(found.breaches, at=at)
        return self._deliver(duty, found)

    def _deliver(self, duty: Duty, found: Slice) -> bool:
        plan = found.plan
        sent = self._send(duty, found) if plan.lanes else []
        moved = plan.position is not None and plan.position > duty.position
        if plan.lanes or plan.parked or (moved and time.monotonic() - self._kept_at >= KEEP_EVERY_S):
            crash_point("webhook.sent")
            self._kept_at = time.monotonic()
            settle_slice(
                actor=ACTOR,
                at=utc_now(),
                subscription_id=self.subscription_id,
                fence=self.fence,
                plan=plan,
                sent=sent,
                unit=random.random(),  # noqa: S311 - spreads waits, guards nothing
            )
        if plan.position is not None:
            self._reached = max(self._reached, plan.position)
        return found.more or (bool(plan.lanes) and all(not one.error for one in sent))

    def _send(self, duty: Duty, found: Slice) -> list[Sent]:
        """Send the lanes over four lines; the tries in the order they ended."""
        if not self._lines:
            reach = house_reach()
            endpoint = read_endpoint(duty.subscription.url, reach)
            self._lines = [Line(endpoint, reach) for _ in range(LANES)]
        run = _Run(duty, found, self.stop)
        wait([self._pool.submit(run.work, line) for line in self._lines[: len(found.plan.lanes)]])
        return run.sent

    def _halt(self, reason: str) -> None:
        self.stop.set()
        try:
            pause_webhook(actor=ACTOR, at=utc_now(), subscription_id=self.subscription_id, reason=reason)
        except Conflict:
            logger.info("%s was paused by somebody else", self.name)


class _Run:
    """One slice on its way: lanes are taken by whichever line is free, until one failure too many."""

    def __init__(self, duty: Duty, found: Slice, stop: threading.Event) -> None:
        self.sent: list[Sent] = []
        self._duty, self._bodies, self._stop = duty, found.bodies, stop
        self._lanes = list(reversed(found.plan.lanes))
        self._failures = duty.health.failures
        self._probing = duty.health.is_open
        self._lock = threading.Lock()

    def work(self, line: Line) -> None:
        """Take lanes until there is none, or the endpoint is to be left in peace."""
        while (lane := self._next()) is not None:
            for item in lane:
                if not self._may_go_on() or not self._bring(line, item):
                    break

    def _next(self) -> tuple[Item, ...] | None:
        with self._lock:
            return self._lanes.pop() if self._lanes else None

    def _may_go_on(self) -> bool:
        with self._lock:
            return not self._stop.is_set() and (self._probing or self._failures < OPEN_AFTER)

    def _bring(self, line: Line, item: Item) -> bool:
        """Send one event; false when it did not arrive."""
        at, body = utc_now(), self._bodies.get(item.event_id)
        if body is None:
            return self._note(Sent(item, at, withheld=True))
        answer = line.post(body, _headers(self._duty, item, body, int(at.timestamp()), line.path))
        if answer.error == "ADDRESS_REFUSED":
            where = self._duty.subscription
            security_log.write(
                "WEBHOOK_ADDRESS_REFUSED", level=logging.WARNING, subscription=str(where.pk), url=where.url
            )
        return self._note(Sent(item, at, answer.status, answer.ms, answer.error))

    def _note(self, sent: Sent) -> bool:
        with self._lock:
            self.sent.append(sent)
            self._failures = self._failures + 1 if sent.error else 0
        return not sent.error


def _headers(duty: Duty, item: Item, body: bytes, stamp: int, path: str) -> list[tuple[str, str]]:
    event_id = str(item.event_id)
    signed = signatures(
        secrets=duty.secrets, path=path, body=body, event_id=event_id, time=stamp, nonce=secrets.token_hex(16)
    )
    return [
        ("Content-Type", "application/json"),
        ("User-Agent", AGENT),
        ("Idempotency-Key", event_id),
        ("OMS-Subscription", str(duty.subscription.pk)),
        ("OMS-Event-Kind", item.kind),
        ("OMS-Attempt", str(item.attempts + 1)),
        *signed,
    ]
