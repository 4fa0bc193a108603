"""Recovery after a logon, step by step: ask the venue for its open orders, wait for the answer, compare, ask about the rest.

One run a session, in memory, begun anew at each logon; what it found is in tables. The gap of sequence numbers needs no
step: the engine hands over in the order of the numbers, so whatever the venue sent before its answer is stored before it.

1. *Asking*: one mass status request (35=AF), again with growing pauses. A venue that takes none is asked order by order.
2. *Comparing*: what the answer does not settle (an order that is not listed, figures that differ) is asked for singly.
   Absence is not a cancel; a single answer, or its absence after a while, decides what is reported as different.
3. The end: ``finish_recovery``. What stands different is asked for from then on, ever more slowly.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from refdata.selectors import get_market_clock
from venues.adapters.base import QUESTION, Adapter
from venues.adapters.registry import adapter_named
from venues.domain.echoes import is_status_answer
from venues.domain.error_contract import Refusal
from venues.domain.expiring import LOOK_EVERY, day_is_over
from venues.domain.fix_codec import first_values, parse
from venues.domain.inquiring import pause_after
from venues.domain.messages import IntentKind, OutboundIntent, terms_from_message
from venues.domain.recovering import (
    ANSWER_WITHIN,
    FATE_WITHIN,
    AtVenue,
    Kind,
    Listing,
    Phase,
    answer_from,
    compare,
)
from venues.gateway.engine import Engine
from venues.selectors import last_number_in
from venues.selectors.inbox import inbox_has_reached
from venues.selectors.recoveries import (
    DayOrder,
    Heard,
    OpenOrder,
    find_named_orders,
    list_day_orders,
    list_open_differences,
    list_open_orders,
    messages_of,
    read_heard,
    states_at,
)
from venues.services.begin_recovery import begin_recovery
from venues.services.finish_recovery import Found, finish_recovery
from venues.services.infer_expiries import infer_expiries
from venues.services.record_difference_asked import record_difference_asked
from venues.services.record_recovery_progress import record_recovery_progress
from venues.services.review_differences import review_differences
from venues.services.take_over_sessions import TakenSession

READ_LIMIT = 2000
QUESTIONS_A_STEP = 100
LOOK_OFTEN = timedelta(minutes=1)
CANNOT_ASK = "The venue takes no status requests, so its orders cannot be compared with ours."
NO_ANSWER = "The venue has not answered what its open orders are."


@dataclass(slots=True)
class _Run:
    """What one recovery knows so far. ``answers`` by every name they give; ``left`` are single questions to be sent, ``single``
    those that were, with the place of the venue's stream before which no answer to them can stand."""

    id: UUID
    session: TakenSession
    epoch: str
    began_at: datetime
    after: int
    mass: bool
    phase: Phase = Phase.ASKING
    asked: int = 0
    next_at: datetime | None = None
    listing: Listing = field(default_factory=Listing)
    answers: dict[str, AtVenue] = field(default_factory=dict)
    last_id: int = 0
    last_asked_at: datetime | None = None
    left: list[OpenOrder] = field(default_factory=list)
    single: dict[UUID, tuple[OpenOrder, int]] = field(default_factory=dict)
    orders: int = 0
    told_at: datetime | None = None
    open: bool = False

    def answer_for(self, order: OpenOrder) -> AtVenue | None:
        """The latest answer that names the order."""
        names = [f"={order.cl_ord_id}", f"?{order.cl_ord_id}", f"#{order.venue_order_id}"]
        found = [self.answers[name] for name in names if name in self.answers]
        return max(found, key=lambda answer: answer.seq, default=None)


class Recoverer:
    """The recoveries of one gateway's sessions."""

    def __init__(self, sessions: Sequence[TakenSession], *, group: str, fence: int) -> None:
        self._sessions = {session.name: session for session in sessions}
        self._group = group
        self._fence = fence
        self._runs: dict[str, _Run] = {}
        self._epochs: dict[str, str] = {}
        self._look_at: dict[str, datetime] = {}

    def begin(self, name: str, *, epoch: str, next_in: int, now: datetime) -> None:
        """The session is logged on: from here on nothing that adds risk leaves on it until the run has ended."""
        self._epochs[name] = epoch
        self._begin_run(name, epoch, next_in=next_in, open=False, now=now)

    def _begin_run(self, name: str, epoch: str, *, next_in: int, open: bool, now: datetime) -> None:
        session = self._sessions[name]
        mass = adapter_named(session.adapter).capabilities.mass_status_request
        recovery_id = begin_recovery(session=name, group=self._group, epoch=epoch, fence=self._fence, mass=mass, at=now)
        self._runs[name] = _Run(recovery_id, session, epoch, now, next_in - 1, mass, open=open)

    def lost(self, name: str) -> None:
        """The session fell: its run is over, the next logon begins another."""
        self._runs.pop(name, None)
        self._epochs.pop(name, None)

    def is_open(self, name: str) -> bool:
        """Whether what adds risk may leave, as far as recovery is concerned. False before the session's recovery began."""
        run = self._runs.get(name)
        return name in self._epochs and (run is None or run.open)

    def step(self, engine: Engine, now: datetime) -> None:
        """One step of every run."""
        for run in list(self._runs.values()):
            _collect(run)
            if run.phase is Phase.ASKING:
                self._asking(run, engine, now)
            if run.phase is Phase.COMPARING:
                self._comparing(run, engine, now)
            if run.session.name in self._runs:
                self._tell(run, now)

    def review(self, engine: Engine, now: datetime) -> None:
        """Settle what has come to agree, and ask about what still differs. Once a second is often enough."""
        for name, epoch in self._epochs.items():
            if name in self._runs or not list_open_differences(session=name):
                continue
            review_differences(session=name, group=self._group, epoch=epoch, at=now)
            due = {d.order_id: d for d in list_open_differences(session=name) if d.order_id and d.next_at <= now}
            names = {order_id: (d.cl_ord_id, d.venue_order_id) for order_id, d in due.items() if order_id is not None}
            asked = _ask(engine, self._sessions[name], names, now)
            record_difference_asked(asked=[due[order_id] for order_id in asked], at=now)

    def end_day(self, now: datetime) -> None:
        """Where the venue sends no expiry: when a day is over, let the venue list what is live, with the gate open."""
        for name, epoch in list(self._epochs.items()):
            capabilities = adapter_named(self._sessions[name].adapter).capabilities
            if capabilities.sends_expiry or name in self._runs or now < self._look_at.get(name, now):
                continue
            over = _days_over(name, self._group, now)
            self._look_at[name] = now + (LOOK_EVERY if over else LOOK_OFTEN)
            if over and capabilities.mass_status_request:
                self._begin_run(name, epoch, next_in=last_number_in(session=name, epoch=epoch) + 1, open=True, now=now)
            elif over:
                why = "the venue cannot list what is live."
                infer_expiries(session=name, place=(epoch, 0), gone=(), live=over, why=why, at=now)

    def ask_about(self, engine: Engine, name: str, refusal: Refusal, now: datetime) -> None:
        """One question about an order whose refusal says that the venue sees it otherwise than we do."""
        orders = find_named_orders(
            group=self._group,
            cl_ord_ids={refusal.cl_ord_id, refusal.orig_cl_ord_id} - {""},
            venue_order_ids={refusal.venue_order_id} - {""},
        )
        if adapter_named(self._sessions[name].adapter).capabilities.order_status_request:
            names = {order.order_id: (order.cl_ord_id, order.venue_order_id) for order in orders if order.cl_ord_id}
            _ask(engine, self._sessions[name], names, now)

    def _asking(self, run: _Run, engine: Engine, now: datetime) -> None:
        if not run.mass:
            run.left = list_open_orders(session=run.session.name, group=self._group)
            run.phase = Phase.COMPARING
            return
        if run.listing.complete and (not run.last_id or _worked(run)):
            if not adapter_named(run.session.adapter).capabilities.sends_expiry:
                self._infer(run, now)
            run.left = [order for order, _ in self._unsettled(run)]
            run.phase = Phase.COMPARING
        elif run.next_at is None or now >= run.next_at:
            adapter = adapter_named(run.session.adapter)
            if engine.ask(run.session.name, adapter.mass_status_request(f"R{run.id.hex[-16:]}-{run.asked + 1}")):
                run.asked += 1
                run.next_at = now + pause_after(run.asked)

    def _infer(self, run: _Run, now: datetime) -> None:
        over = _days_over(run.session.name, self._group, now)
        live = [one for one in over if run.answer_for(one.order) is not None]
        gone = [one for one in over if run.answer_for(one.order) is None]
        place, why = (run.epoch, run.after), "the venue still lists it as live."
        infer_expiries(session=run.session.name, place=place, gone=gone, live=live, why=why, at=now)

    def _comparing(self, run: _Run, engine: Engine, now: datetime) -> None:
        """Ask singly for what is left; end when all of it is answered, or has had its time."""
        asks = adapter_named(run.session.adapter).capabilities.order_status_request
        batch = run.left[:QUESTIONS_A_STEP] if asks else []
        asked = _ask(engine, run.session, {o.order_id: (o.cl_ord_id, o.venue_order_id) for o in batch}, now)
        if asked:
            run.asked += len(asked)
            run.last_asked_at = now
            run.single |= {order.order_id: (order, run.after) for order in batch if order.order_id in asked}
            run.left = [order for order in run.left if order.order_id not in asked]
        waiting = [o for o, after in run.single.values() if (a := run.answer_for(o)) is None or a.seq <= after]
        patience_over = run.last_asked_at is not None and now - run.last_asked_at >= FATE_WITHIN
        # What is left where nothing can be asked stays left: a person is told, and may open the gate.
        if not (run.left or (waiting and not patience_over) or (run.last_id and not _worked(run))):
            self._finish(run, now)

    def _unsettled(self, run: _Run) -> list[tuple[OpenOrder, Kind]]:
        """Every order on either side about which the answers so far do not agree with us, and how."""
        ours = {o.order_id: o for o in list_open_orders(session=run.session.name, group=self._group)}
        named = find_named_orders(group=self._group, **_names(run.answers.values()))
        ours |= {order.order_id: order for order in named}
        run.orders = len(ours)
        pairs = [(order, run.answer_for(order)) for order in ours.values()]
        unequal = [(o, a) for o, a in pairs if a is not None and compare(o.with_us(), a) is not None]
        walked = states_at({o.order_id: (run.epoch, a.seq) for o, a in unequal})
        differing = [(o, compare(walked.get(o.order_id, o.with_us()), a)) for o, a in unequal]
        silent = [(o, Kind.NO_ANSWER) for o, a in pairs if a is None]
        return [(o, kind) for o, kind in differing if kind is not None] + silent

    def _finish(self, run: _Run, now: datetime) -> None:
        run.told_at = None
        self._tell(run, now)
        unsettled = self._unsettled(run)
        answers = {order.order_id: run.answer_for(order) for order, _ in unsettled}
        walked = states_at({id: (run.epoch, answer.seq) for id, answer in answers.items() if answer is not None})
        found = [
            Found(
                kind, order.order_id, order.ref, order.account_id, order.cl_ord_id, order.venue_order_id,
                walked.get(order.order_id, order.with_us()), answers[order.order_id],
            )
            for order, kind in unsettled
        ]  # fmt: skip
        finish_recovery(
            recovery_id=run.id,
            fence=self._fence,
            orders=run.orders,
            found=[*found, *self._strangers(run)],
            listed=run.listing.orders if run.mass else None,
            at=now,
        )
        del self._runs[run.session.name]

    def _strangers(self, run: _Run) -> list[Found]:
        """Orders that the venue lists and that are none of ours."""
        named = find_named_orders(group=self._group, **_names(run.answers.values()))
        known = {order.venue_order_id for order in named}
        by_id = {a.venue_order_id: a for a in run.answers.values() if a.venue_order_id in run.listing.orders}
        mine = {run.answer_for(order) for order in named}
        return [
            Found(Kind.NOT_OURS, None, "", None, answer.cl_ord_id, name, None, answer)
            for name, answer in sorted(by_id.items())
            if name not in known and answer not in mine
        ]

    def _tell(self, run: _Run, now: datetime) -> None:
        """Progress once a second, and whether a person has opened the gate."""
        if run.told_at is not None and (now - run.told_at).total_seconds() < 1:
            return
        run.told_at = now
        late = now - run.began_at >= ANSWER_WITHIN
        run.open |= record_recovery_progress(
            recovery_id=run.id,
            phase=run.phase,
            questions=run.asked,
            expected=run.listing.expected if run.mass else len(run.left) + len(run.single),
            received=len(run.listing.orders) if run.mass else len(run.answers),
            overdue=(NO_ANSWER if run.asked else CANNOT_ASK) if late else "",
            at=now,
        )


def _days_over(name: str, group: str, now: datetime) -> list[DayOrder]:
    """Day orders of a session whose day is over for good."""
    orders = list_day_orders(session=name, group=group)
    clocks = {mic: get_market_clock(mic) for mic in {one.mic for one in orders}}
    return [one for one in orders if day_is_over(clocks[one.mic], one.trade_date, now)]


def _worked(run: _Run) -> bool:
    return inbox_has_reached(session=run.session.name, wire_message_id=run.last_id)


def _collect(run: _Run) -> None:
    """Read on behind what was read: answers to our questions, and the refusal of the mass status request."""
    while True:
        heard = read_heard(session=run.session.name, epoch=run.epoch, after=run.after, limit=READ_LIMIT)
        for message in heard:
            _note(run, message)
        run.after = heard[-1].seq if heard else run.after
        if len(heard) < READ_LIMIT:
            return


def _note(run: _Run, message: Heard) -> None:
    values = first_values(parse(message.raw))
    if message.msg_type != "8":
        if values.get(372) == "AF" and run.phase is Phase.ASKING:
            run.mass = False  # declared, and refused: then order by order
        return
    if not is_status_answer(message.raw):
        return
    if values.get(584, "").startswith(f"R{run.id.hex[-16:]}-"):
        run.listing = run.listing.with_answers([values])
    answer = answer_from(values, seq=message.seq, wire_message_id=message.id, question=QUESTION)
    run.last_id = message.id
    for name, text in (("=", answer.cl_ord_id), ("?", answer.asked_for), ("#", answer.venue_order_id)):
        if text:
            run.answers[f"{name}{text}"] = answer


def _names(answers: Collection[AtVenue]) -> dict[str, Collection[str]]:
    return {
        "cl_ord_ids": {a.cl_ord_id for a in answers} | {a.asked_for for a in answers} - {""},
        "venue_order_ids": {a.venue_order_id for a in answers} - {""},
    }


def _ask(
    engine: Engine, session: TakenSession, names: Mapping[UUID, tuple[str, str]], now: datetime
) -> frozenset[UUID]:
    """Send a status request (35=H) for each order; those that left."""
    if not names:
        return frozenset()
    adapter = adapter_named(session.adapter)
    return frozenset(
        order_id
        for order_id, message in messages_of(names).items()
        if engine.ask(session.name, _question(adapter, *names[order_id], message, now))
    )


def _question(
    adapter: Adapter, cl_ord_id: str, venue_order_id: str, message: Mapping[str, Any], now: datetime
) -> tuple[tuple[int, str], ...]:
    return adapter.map_outbound(
        OutboundIntent(
            kind=IntentKind.STATUS,
            cl_ord_id=cl_ord_id,
            orig_cl_ord_id="",
            venue_order_id=venue_order_id,
            terms=terms_from_message(message),
            transact_time=now,
        )
    )
