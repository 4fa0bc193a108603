"""The picture: kept from the journal, proven against the tables, sent to the screens. One process at a time.

It starts from the latest snapshot and the events after it, follows the journal behind the settled horizon, and is compared
with the tables before it counts as equal and every minute from then on. While it is not equal what adds risk is blocked
(source ``picture``) and another is built from nothing beside it, to take its place. With Redis dead it goes on.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from django.db import DatabaseError, connection

from journal.domain.projecting import Happening
from journal.notify import EVENTS_CHANNEL, wait_for
from journal.selectors import Horizon
from journal.selectors.happenings import list_happenings, version_in_force
from journal.services.advance_projection import advance_projection, take_all
from journal.services.load_snapshot import load_snapshot
from journal.services.store_snapshot import store_snapshot
from journal.services.swap_projection import swap_projection
from journal.singleton import Singleton
from kernel.clock import utc_now
from kernel.errors import Unavailable
from operations.domain.picture_state import PictureState
from operations.picture.publishing import Publisher
from operations.selectors.desk import list_rows_of
from operations.services.compare_picture import PictureComparison, compare_picture
from operations.services.set_picture_gate import set_picture_gate

logger = logging.getLogger(__name__)

NAME = "picture"
BATCH = 2000
CATCH_UP = 20_000
ROWS_A_MESSAGE = 500
BEAT_S = 1.0
COMPARE_S = 60.0
COMPARE_SHARE = 20  # a comparison that takes long is made less often: never more than a twentieth of the time
REBUILD_S = 600.0
SNAPSHOT_S = 300.0

# Which pages' fragments have something new when an event of a kind is committed.
TOPICS: dict[str, str] = {
    "OrderHeld": "approvals",
    "ReplaceHeld": "approvals",
    "OrderReleased": "approvals",
    "ReplaceReleased": "approvals",
    "RequestDeclined": "approvals",
    "RequestLapsed": "approvals",
    "RequestWithdrawn": "approvals",
    "AuthorisationRaised": "approvals",
    "AuthorisationClaimed": "approvals",
    "AuthorisationReleased": "approvals",
    "AuthorisationSentBack": "approvals",
    "AuthorisationResubmitted": "approvals",
    "AuthorisationDecided": "approvals",
    "AuthorisationLapsed": "approvals",
    "AuthorisationWithdrawn": "approvals",
    "AnomalyRaised": "exceptions",
    "AnomalyCleared": "exceptions",
    "BlockImposed": "blocks",
    "BlockLifted": "blocks",
    "KillSwitchEngaged": "blocks",
    "KillSwitchReleased": "blocks",
    "TradingSwitchedOn": "blocks",
    "TradingSwitchedOff": "blocks",
}


class Tells(Protocol):
    """Whom the picture tells: :class:`operations.picture.publishing.Publisher`."""

    @property
    def needs_all_accounts(self) -> bool: ...
    def send(self, kind: str, position: int, **more: Any) -> bool: ...
    def replace_accounts(self, rows: dict[str, dict[str, Any]]) -> bool: ...
    def update_accounts(self, rows: dict[str, dict[str, Any]]) -> bool: ...
    def stand(self, position: int, *, equal: bool) -> bool: ...


def changed_orders(events: Iterable[Happening]) -> list[UUID]:
    """Ids of the orders whose stream has new events, each once."""
    return list({UUID(event.stream[6:]): None for event in events if event.stream.startswith("order:")})


def topics_of(events: Iterable[Happening]) -> list[str]:
    """Topics whose pages should look again."""
    return sorted({TOPICS[event.kind] for event in events if event.kind in TOPICS})


@dataclass
class Resident:
    """A state and how far it has read."""

    state: PictureState = field(default_factory=PictureState)
    position: int = 0


class Picture:
    """The state that is shown, perhaps one being built beside it, and how far the journal was read for the screens.

    ``equal`` is None before the first comparison.
    """

    def __init__(self, publisher: Tells) -> None:
        self.publisher = publisher
        self.horizon = Horizon()
        self.position = 0
        self.live = Resident()
        self.beside: Resident | None = None
        self.equal: bool | None = None
        self.swapped = False

    def start(self) -> None:
        """From the latest snapshot; what came after it is read by :meth:`advance`. Screens are told of what comes now."""
        self.live.position = load_snapshot(projection=self.live.state, at=utc_now())
        self.position = max(self.horizon.position(), self.live.position)

    @property
    def current(self) -> bool:
        """Whether the state has read all that the screens were told of."""
        return self.live.position == self.position

    def advance(self) -> int:
        """Read what was committed since; take it, publish the changed rows. The number of events read."""
        behind = [one for one in (self.live, self.beside) if one is not None and one.position < self.position]
        for one in behind:
            one.position = advance_projection(
                projection=one.state, position=one.position, up_to=self.position, limit=CATCH_UP
            )
        up_to = self.horizon.position()
        events = list_happenings(self.position, up_to=up_to, limit=BATCH)
        reached = events[-1].position if len(events) == BATCH else up_to
        for resident in (self.live, self.beside):
            if resident is not None and resident.position == self.position:
                take_all(resident.state, events)
                resident.position = reached
        self.position = reached
        if events:
            self.publish(events)
        return CATCH_UP if behind else len(events)

    def publish(self, events: list[Happening]) -> None:
        """Tell the screens: rows of changed orders, topics, accounts."""
        rows = list_rows_of(changed_orders(events))
        for start in range(0, len(rows), ROWS_A_MESSAGE):
            part = [{"d": desk, "g": group, "r": row} for desk, group, row in rows[start : start + ROWS_A_MESSAGE]]
            self.publisher.send("rows", self.position, rows=part)
        topics = topics_of(events)
        if topics:
            self.publisher.send("ping", self.position, topics=topics)

    def beat(self) -> None:
        """Say that we are here and where; with it the accounts that changed, or all where readers may have missed some."""
        heard = self.publisher.send("beat", self.position)
        if not heard or not self.current:
            return
        state = self.live.state
        touched = state.touched()
        if self.publisher.needs_all_accounts or self.swapped:
            self.swapped = not self.publisher.replace_accounts(
                {key: state.account_row(key) for key in state.account_ids()}
            )
        elif touched:
            self.publisher.update_accounts({key: state.account_row(key) for key in touched})
            self.publisher.send("ping", self.position, topics=["accounts"])
        self.publisher.stand(self.position, equal=self.equal is True)

    def compare(self) -> PictureComparison:
        """With the tables of now; afterwards ``equal`` says what came of it."""
        result = compare_picture(state=self.live.state, position=self.live.position)
        self.equal = result.equal
        return result

    def swap(self) -> bool:
        """Put the one built beside in the place of the other, once it has caught up. True when that happened."""
        if self.beside is None or self.beside.position < self.position:
            return False
        self.live, self.beside, self.swapped = self.beside, None, True
        return True


class Keeper:
    """Decides when the picture is compared, built again, kept and trusted. One turn at a time."""

    def __init__(self, picture: Picture, singleton: Singleton) -> None:
        self.picture = picture
        self.singleton = singleton
        self.compare_at = self.rebuild_at = 0.0
        self.beat_at = 0.0
        self.snapshot_at = time.monotonic() + SNAPSHOT_S

    def start(self) -> None:
        """Nothing that adds risk until the picture is proven."""
        set_picture_gate(equal=False, comparison=None, at=utc_now())
        self.picture.start()

    def turn(self) -> int:
        """Read on, and do what has come due. The number of events read; -1 when another process has taken over."""
        read = self.picture.advance()
        now = time.monotonic()
        if now >= self.beat_at:
            if not self.singleton.held():
                return -1
            self.picture.beat()
            self.beat_at = now + BEAT_S
        if self.picture.swap() or (now >= self.compare_at and self.picture.current):
            self.prove()
        if now >= self.snapshot_at and self.picture.equal:
            self.keep()
        return read

    def prove(self) -> None:
        """Compare; open or shut the gate by the answer; where it differs, build another from nothing."""
        started = time.monotonic()
        was = self.picture.equal
        result = self.picture.compare()
        took = time.monotonic() - started
        self.compare_at = time.monotonic() + max(COMPARE_S, took * COMPARE_SHARE)
        if result.equal and was:
            return
        set_picture_gate(equal=result.equal, comparison=result, at=utc_now())
        if result.equal:
            logger.info("picture equal: %d orders, %d accounts in %.2f s", result.orders, result.accounts, took)
            self.beat_at = 0.0
            if version_in_force(NAME) != self.picture.live.state.version:
                self.keep(swap=True)
            return
        logger.error("picture differs from the tables in %d places", result.differing)
        if self.picture.beside is None and time.monotonic() >= self.rebuild_at:
            self.picture.beside = Resident()
            self.rebuild_at = time.monotonic() + REBUILD_S

    def keep(self, *, swap: bool = False) -> None:
        """Store the state for the next start; ``swap`` also puts its version in force."""
        live = self.picture.live
        store = swap_projection if swap else store_snapshot
        store(
            projection=live.state,
            position=live.position,
            at=utc_now(),
            singleton=(self.singleton.name, self.singleton.fence),
        )
        self.snapshot_at = time.monotonic() + SNAPSHOT_S


def run(stop: threading.Event) -> None:
    """Keep the picture until ``stop``; wait while another process keeps it."""
    singleton = Singleton(NAME)
    try:
        while not stop.is_set():
            if not singleton.take():
                stop.wait(1.0)
                continue
            try:
                watch(stop, singleton)
            except (DatabaseError, Unavailable) as error:
                logger.warning("picture starts again: %s", error)
                connection.close()
                stop.wait(0.5)
    finally:
        singleton.release()
        connection.close()


def watch(stop: threading.Event, singleton: Singleton) -> None:
    """From start to loss of the lock or of the database; on the way out the state is kept for the next start."""
    keeper = Keeper(Picture(Publisher()), singleton)
    keeper.start()
    while not stop.is_set():
        read = keeper.turn()
        if read < 0:
            return
        if read < BATCH:
            wait_for([EVENTS_CHANNEL], 0.25, stop)
    if keeper.picture.equal:
        keeper.keep()
