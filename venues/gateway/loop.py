"""What the gateway does round after round, and in which order.

1. Still the only one? Recorder alive? Else end, so that another can take over.
2. Sessions that just logged on: everything handed over and unanswered is *unknown*, and asked for; the recovery begins,
   and until it has ended nothing that adds risk leaves on the session.
3. Send what waits, cancels first. While the session is down: refuse what may not wait, or has waited long enough.
4. Ask again for what stays silent; raise an anomaly for a session that stays down, clear it when it is back.
"""

from __future__ import annotations

import logging
import threading
from contextlib import nullcontext
from datetime import datetime, timedelta
from pathlib import Path

from django.db import InterfaceError, OperationalError, connection

from journal.notify import wait_for
from journal.selectors.processes import own_process_id, why_not_trusted
from journal.singleton import Singleton
from kernel.clock import utc_now
from kernel.errors import Conflict, Unavailable
from kernel.fix import OrdType, TimeInForce
from risk.locks import open_wire
from venues.adapters.registry import adapter_named
from venues.domain.channels import wire_channel
from venues.domain.error_contract import BackOff, Deed
from venues.domain.messages import IntentKind
from venues.domain.session_numbers import numbers_to_use
from venues.domain.waiting import Verdict, judge
from venues.gateway.engine import Engine, EngineSession
from venues.gateway.patience import bound_transactions
from venues.gateway.post_trade import PostTradeDoor
from venues.gateway.probing import probe_breakers
from venues.gateway.recorder import Recorder, SessionMemo
from venues.gateway.recovering import Recoverer
from venues.gateway.sending import put_on_wire
from venues.models import FixSession, WireIntent
from venues.selectors import is_alarm_open
from venues.selectors.inquiries import list_due_inquiries
from venues.selectors.post_trade import waits_post_trade
from venues.services.close_inquiries import close_inquiries
from venues.services.hand_over_post_trade import hand_over_post_trade
from venues.services.hold_back_session import hold_back_session
from venues.services.hurry_inquiries import hurry_inquiries
from venues.services.mark_handed_over import HandedOver, NotSent, mark_handed_over
from venues.services.mark_silent import mark_silent
from venues.services.record_asked import record_asked, status_request
from venues.services.refuse_intent import refuse_intent
from venues.services.report_session_health import SESSION_DOWN_AFTER, report_session_health
from venues.services.take_over_sessions import TakenSession, take_over_sessions
from venues.services.tell_waiting import tell_waiting

log = logging.getLogger("venues.gateway")

BATCH = 64
POST_TRADE_BATCHES = 16  # a round: the lease must be renewed between
JUDGE_LIMIT = 200  # a round: each refusal is a transaction, and the lease must be renewed between
SLOW_ROUND = timedelta(seconds=1)
PATIENT_PAUSE = timedelta(seconds=4)  # a longer back-off is judged as if the session were down
SILENCE = timedelta(seconds=10)
ASK_LIMIT = 200  # questions a session and second: a venue's limit of messages is for orders and cancels


class Gateway:
    """One term of one gateway process: from taking over to losing the singleton or the stop."""

    def __init__(self, *, group: str, singleton: Singleton, store: Path) -> None:
        self.group = group
        self._singleton = singleton
        self._store = store
        self._sessions: tuple[TakenSession, ...] = ()
        self._enabled: dict[str, bool] = {}
        self._known_on: dict[str, datetime] = {}
        self._recoverer = Recoverer((), group=group, fence=0)
        self._back_off: dict[str, BackOff] = {}
        self._post_trade = PostTradeDoor(group)
        self._rate_met = ""
        self._distrust = ""
        self._alarmed: set[str] | None = None
        self._bounded: object = None
        self._started_at = utc_now()
        self._slow_at = self._started_at - SLOW_ROUND

    def serve(self, stop: threading.Event) -> None:
        """Returns when stopped or superseded. Whatever happens, the engine is stopped and the recorder emptied."""
        now = utc_now()
        self._bounded = bound_transactions(None)
        self._sessions = take_over_sessions(group=self.group, fence=self._singleton.fence, at=now)
        if not self._sessions:
            log.warning("session group %s has no sessions", self.group)
            stop.wait(5)
            return
        self._recoverer = Recoverer(self._sessions, group=self.group, fence=self._singleton.fence)
        mark_silent(group=self.group, older_than=timedelta(0), sentence="The gateway was restarted.", at=now)
        engine = Engine([_engine_session(s) for s in self._sessions], store=self._store)
        recorder = Recorder(
            engine.items, self._memos(engine), fence=self._singleton.fence, post_trade=self._post_trade.stored
        )
        recorder.start()
        try:
            engine.start()
            while not stop.is_set():
                try:
                    if not self._round(engine, recorder):
                        break
                    wait_for([wire_channel(self.group)], 0.2, stop)
                except (OperationalError, InterfaceError):
                    log.warning("the database is away; nothing is sent meanwhile", exc_info=True)
                    connection.close()
                    stop.wait(0.5)
        except Unavailable as lost:
            log.warning("this gateway ends its term: %s", lost)
        finally:
            engine.stop()
            recorder.finish()
            recorder.join(timeout=10)

    def _memos(self, engine: Engine) -> dict[str, SessionMemo]:
        memos = {}
        for session in self._sessions:
            _, file_out = engine.numbers(session.name)
            numbers = numbers_to_use(session.stored, file_out=file_out, had_file=engine.had_file[session.name])
            engine.set_numbers(session.name, next_in=numbers.next_in, next_out=numbers.next_out)
            memos[session.name] = SessionMemo(session.name, session.epoch, numbers.next_in, numbers.next_out)
        return memos

    def _round(self, engine: Engine, recorder: Recorder) -> bool:
        if recorder.failure is not None or not recorder.is_alive():
            return False
        now = utc_now()
        self._bounded = bound_transactions(self._bounded)
        slow = now - self._slow_at >= SLOW_ROUND
        if slow:
            self._slow_at = now
            if not self._singleton.held():
                return False
            self._look_at_ourselves()
            self._enabled = dict(FixSession.objects.filter(group=self.group).values_list("name", "enabled"))
        self._watch_logons(engine, recorder, now)
        self._recoverer.step(engine, now)
        self._heed(engine, recorder, now)
        self._send(engine, recorder)
        self._send_post_trade(engine, recorder)
        if slow:
            self._ask_silent(engine, now)
            self._recoverer.review(engine, now)
            self._recoverer.end_day(now)
            self._report_health(engine, recorder, now)
            self._tell_waiting(engine, now)
            probe_breakers(engine, self._live(engine), group=self.group, now=now)
            self._settle_post_trade(engine, recorder, now)
        return True

    # Sessions

    def _live(self, engine: Engine) -> TakenSession | None:
        """The first session of the group that is logged on and may send new orders, else the first logged on."""
        on = [s for s in self._sessions if engine.is_logged_on(s.name)]
        return next(iter([s for s in on if self._takes_risk(s.name)] or on), None)

    def _takes_risk(self, name: str) -> bool:
        """Whether what adds risk may leave on a session: switched on, its recovery has ended, the venue can keep up."""
        held = self._back_off.get(name, BackOff()).holds(utc_now())
        return self._enabled.get(name, True) and self._recoverer.is_open(name) and not held and not self._distrust

    def _look_at_ourselves(self) -> None:
        """A gateway unlike the other processes, or with a clock of its own, lets nothing leave that adds risk."""
        why = why_not_trusted(own_process_id())
        if why and why != self._distrust:
            log.error("nothing that adds risk leaves: %s", why)
        self._distrust = why

    def _watch_logons(self, engine: Engine, recorder: Recorder, now: datetime) -> None:
        on = {
            name: memo.since
            for name, memo in recorder.memos.items()
            if memo.logged_on and memo.since is not None and engine.is_logged_on(name)
        }
        lost = {name for name, since in self._known_on.items() if on.get(name) != since}
        back = {name for name, since in on.items() if self._known_on.get(name) != since}
        self._known_on = on
        if lost:
            mark_silent(group=self.group, older_than=timedelta(0), sentence="The session was lost.", at=now)
        for session in self._sessions:
            if session.name in lost:
                self._recoverer.lost(session.name)
            if session.name in back:
                memo = recorder.memos[session.name]
                self._recoverer.begin(session.name, epoch=memo.epoch, next_in=memo.next_in, now=now)
                hurry_inquiries(session=session.name, at=now)
                self._ask(engine, session, now)
        for session in self._sessions:
            wanted = recorder.memos[session.name].wanted_out
            if wanted is not None and session.name not in on:
                memo = recorder.memos[session.name]
                memo.wanted_out = None
                next_in, next_out = engine.numbers(session.name)
                if wanted > next_out:
                    engine.set_numbers(session.name, next_in=next_in, next_out=wanted)

    def _heed(self, engine: Engine, recorder: Recorder, now: datetime) -> None:
        """What refusals ask of the gateway at once: back off, or ask how the order stands."""
        for name, memo in recorder.memos.items():
            for _ in range(min(len(memo.refusals), ASK_LIMIT)):
                at, refusal = memo.refusals.popleft()
                if refusal.rule.deed is Deed.BACK_OFF:
                    self._complain(name, at, refusal.text or refusal.rule.name)
                elif refusal.rule.deed is Deed.ASK_STATUS:
                    self._recoverer.ask_about(engine, name, refusal, now)

    def _complain(self, name: str, at: datetime, reason: str) -> None:
        before = self._back_off.get(name, BackOff())
        after = self._back_off[name] = before.after_complaint(at)
        if after.until is not None and after != before:
            hold_back_session(session=name, until=after.until, reason=reason, at=at)

    def _ask_silent(self, engine: Engine, now: datetime) -> None:
        """What has had no answer for too long is unknown and asked for; what was answered is asked for no more."""
        mark_silent(group=self.group, older_than=SILENCE, sentence=f"No answer within {SILENCE.seconds} s.", at=now)
        close_inquiries(group=self.group, at=now)
        for session in self._sessions:
            self._ask(engine, session, now)

    def _ask(self, engine: Engine, session: TakenSession, now: datetime) -> None:
        """Only on the session that carried the request: elsewhere an answer would prove nothing."""
        due = list_due_inquiries(session=session.name, at=now, limit=ASK_LIMIT)
        adapter = adapter_named(session.adapter)
        sent = []
        if adapter.capabilities.order_status_request:
            sent = [q for q in due if engine.ask(session.name, status_request(q, adapter=adapter, at=now))]
        record_asked(session=session.name, asked=sent, sent=True, at=now)
        record_asked(session=session.name, asked=[q for q in due if q not in sent], sent=False, at=now)

    def _report_health(self, engine: Engine, recorder: Recorder, now: datetime) -> None:
        if self._alarmed is None:
            self._alarmed = {s.name for s in self._sessions if is_alarm_open(session=s.name)}
        for session in self._sessions:
            memo = recorder.memos[session.name]
            down_for = timedelta(0) if engine.is_logged_on(session.name) else now - (memo.since or self._started_at)
            alarmed = session.name in self._alarmed
            if not alarmed and down_for >= SESSION_DOWN_AFTER:
                self._alarmed.add(session.name)
                report_session_health(session=session.name, down_for=down_for, at=now)
            elif alarmed and not down_for:
                self._alarmed.discard(session.name)
                report_session_health(session=session.name, down_for=None, at=now)

    # Sending

    def _send(self, engine: Engine, recorder: Recorder) -> None:
        while True:
            live = self._live(engine)
            risk_allowed = live is not None and self._takes_risk(live.name)
            if not risk_allowed and not self._only_held_back(live):
                self._judge_waiting(utc_now())
            if live is None:
                return
            handed, limit = self._give_batch(engine, live, recorder.memos[live.name].epoch, risk_allowed=risk_allowed)
            for refusal in handed.not_sent:
                _refuse(refusal)
            self._rate_met = handed.rate_met
            if handed.claimed < limit:
                return

    def _send_post_trade(self, engine: Engine, recorder: Recorder) -> None:
        """What tells of trades that were done, after all that concerns orders: it adds no risk, and nobody waits for it."""
        self._post_trade.mark(utc_now())
        for _ in range(POST_TRADE_BATCHES):
            live = self._live(engine)
            if live is None or not waits_post_trade(group=self.group):
                return
            at = utc_now()
            handed = hand_over_post_trade(
                group=self.group,
                session=live.name,
                epoch=recorder.memos[live.name].epoch,
                fence=self._singleton.fence,
                adapter=adapter_named(live.adapter),
                limit=BATCH,
                at=at,
            )
            self._post_trade.put_on_wire(engine, live.name, handed.outgoing, at)
            if handed.claimed < BATCH:
                return
            self._send(engine, recorder)

    def _settle_post_trade(self, engine: Engine, recorder: Recorder, now: datetime) -> None:
        for session in self._sessions:
            since = self._known_on.get(session.name)
            if since is not None and engine.is_logged_on(session.name):
                epoch, fence = recorder.memos[session.name].epoch, self._singleton.fence
                self._post_trade.settle(engine, session, epoch=epoch, fence=fence, since=since, now=now)

    def _give_batch(
        self, engine: Engine, live: TakenSession, epoch: str, *, risk_allowed: bool
    ) -> tuple[HandedOver, int]:
        """Check, hand over and send one batch. With what adds risk only while nobody presses a stop: whoever does waits
        for this batch, so that nothing of the stopped scope is sent once the press has committed."""
        with open_wire() if risk_allowed else nullcontext(False) as may_add_risk:
            at = utc_now()
            handed, limit = self._hand_over(live, epoch, only_safe=not may_add_risk, at=at)
            put_on_wire(engine, live.name, handed.outgoing, at)
        return handed, limit

    def _only_held_back(self, live: TakenSession | None) -> bool:
        """Nothing but a short back-off keeps orders: they wait for its end, as they would in the venue's own queue."""
        if live is None or not self._enabled.get(live.name, True) or not self._recoverer.is_open(live.name):
            return False
        return self._back_off.get(live.name, BackOff()).pause <= PATIENT_PAUSE

    def _tell_waiting(self, engine: Engine, now: datetime) -> None:
        """What waits for a rate, ours or the venue's, says so."""
        live = self._live(engine)
        back_off = self._back_off.get(live.name, BackOff()) if live else BackOff()
        if live is not None and back_off.holds(now):
            sentence = f"{live.name} complained of too many messages; orders wait for {back_off.pause.seconds} s."
            tell_waiting(group=self.group, sentence=sentence)
        elif live is not None and self._rate_met:
            tell_waiting(group=self.group, sentence=f"Waits for the rate of session {live.name}: {self._rate_met}.")

    def _hand_over(self, live: TakenSession, epoch: str, *, only_safe: bool, at: datetime) -> tuple[HandedOver, int]:
        """A batch; one by one when a request of the batch moved on between the check and its lock."""
        for limit in (BATCH, 1):
            try:
                handed = mark_handed_over(
                    group=self.group,
                    session=live.name,
                    epoch=epoch,
                    fence=self._singleton.fence,
                    adapter=adapter_named(live.adapter),
                    limit=limit,
                    only_safe=only_safe,
                    at=at,
                )
                return handed, limit
            except Conflict as moved_on:
                log.info("a hand-over was undone: %s", moved_on)
        return HandedOver((), (), 0), 1

    def _judge_waiting(self, now: datetime) -> None:
        """While nothing that adds risk can leave: refuse what may not wait or has waited long enough."""
        wait_s = max(s.wait_s for s in self._sessions)
        # What tells of a trade that happened loses nothing by waiting, and a stop's cancel is wanted however late.
        open_ones = WireIntent.objects.filter(session_group=self.group, state=WireIntent.State.WAITING)
        waiting = open_ones.exclude(kind=IntentKind.DONT_KNOW.value).exclude(payload__has_key="patient").order_by("id")
        for intent in waiting[:JUDGE_LIMIT]:
            if intent.kind == IntentKind.CANCEL and refuse_intent(
                intent_id=intent.id, code="", sentence="The order had not been sent.", at=now, completes_locally=True
            ):
                continue
            message = intent.payload["message"]
            verdict, code = judge(
                kind=IntentKind(intent.kind),
                ord_type=OrdType(message["ord_type"]),
                time_in_force=TimeInForce(message["time_in_force"]),
                created_at=intent.created_at,
                not_after=intent.not_after,
                wait_s=wait_s,
                now=now,
            )
            if verdict is Verdict.REFUSE:
                sentence = f"Session group {self.group} is not taking orders; this one may not leave late."
                refuse_intent(intent_id=intent.id, code=code, sentence=sentence, at=now)


def _refuse(refusal: NotSent) -> None:
    refuse_intent(
        intent_id=refusal.intent_id,
        code=refusal.code,
        sentence=refusal.sentence,
        at=utc_now(),
        completes_locally=refusal.completes_locally,
    )


def _engine_session(session: TakenSession) -> EngineSession:
    return EngineSession(
        name=session.name,
        begin_string=session.begin_string,
        sender_comp_id=session.sender_comp_id,
        target_comp_id=session.target_comp_id,
        host=session.host,
        port=session.port,
        heartbeat_s=session.heartbeat_s,
    )
