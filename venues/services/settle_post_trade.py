"""What became of post-trade messages that were handed over, once the session is on again: settled by evidence, by the gateway alone.

Looked at are those of which nothing says that they left, and those whose numbers the other side asked for again (it gets a gap for
them). One that left is marked; one that may not have is handed over once more under its own name, flagged PossResend, its proof durable
before the engine gets it; about any other a person is told. The rules are ``domain/post_trade_fate.py``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from journal.bulk import insert_rows, update_rows
from journal.services.set_anomaly import set_anomaly
from kernel.crash_points import crash_point
from kernel.errors import Unavailable
from kernel.post_trade import from_json
from risk.domain.rates import RateKind, session_subject
from risk.selectors.rates import get_bucket
from risk.services.count_messages import count_messages
from venues.adapters.base import Adapter
from venues.domain.fix_codec import Fields, first_values, join, parse
from venues.domain.post_trade import wire_name
from venues.domain.post_trade_fate import (
    AGAIN_WITHIN,
    POSS_RESEND,
    Copy,
    Evidence,
    Fate,
    Judged,
    is_asked_for,
    judge,
)
from venues.locks import lock_named_post_trade, lock_unproven_post_trade
from venues.models import PostTradeAgain, PostTradeHandOver, PostTradeIntent
from venues.selectors import session_fence
from venues.selectors.post_trade import (
    AskedAgain,
    SentCopy,
    asked_again,
    sent_post_trade_between,
    sent_post_trade_since,
)
from venues.services.mark_handed_over import Outgoing
from venues.services.record_session_event import record_session_event
from venues.services.watch_post_trade import unanswered

ACTOR = "process:gateway"
_FIELDS = ("name", "intent_id", "why", "body", "session", "epoch", "fence", "handed_over_at")
_MARGIN = timedelta(seconds=5)  # the clock of the hand-over and that of the recorder are read apart
_Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Held:
    """Who asks: the session as its gateway holds it, and since when it is logged on."""

    group: str
    session: str
    epoch: str
    fence: int
    adapter: Adapter
    before: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Settled:
    """What to give to the engine once more, and up to which request to send again all is settled."""

    outgoing: tuple[Outgoing, ...]
    asked_upto: int


def settle_post_trade(*, held: Held, asked_after: int, limit: int) -> Settled:
    """At most ``limit`` unproven messages handed over before ``held.before``, and those asked for again behind ``asked_after``.

    Raises Unavailable SINGLETON_LOST when another gateway has put its fence on the session.
    """
    with transaction.atomic(durable=True):
        if session_fence(session=held.session) != held.fence:
            raise Unavailable("SINGLETON_LOST", f"Another gateway has taken over {held.session}; this one must stop.")
        asked = asked_again(session=held.session, after=asked_after, since=held.at - AGAIN_WITHIN)
        copies = _asked_for(held, asked, limit)
        intents = lock_unproven_post_trade(group=held.group, session=held.session, before=held.before, limit=limit)
        unproven = {intent.id for intent in intents}
        named = lock_named_post_trade(group=held.group, named=list(copies))
        intents += [one for one in named if one.id not in unproven and _may_be_lost(one)]
        if not intents:
            return Settled((), asked[-1].id if asked else asked_after)
        outgoing = _settle(held, intents, copies)
        crash_point("post_trade.again")
    return Settled(tuple(outgoing), asked[-1].id if asked else asked_after)


def _may_be_lost(intent: PostTradeIntent) -> bool:
    return intent.state == PostTradeIntent.State.HANDED_OVER and intent.answered_at is None and not intent.reason


def _asked_for(held: Held, asked: Sequence[AskedAgain], limit: int) -> dict[_Name, list[SentCopy]]:
    """What left under the numbers that were asked for again, by (kind, name)."""
    found: dict[_Name, list[SentCopy]] = defaultdict(list)
    for one in asked:
        for copy in sent_post_trade_between(
            session=held.session, epoch=one.epoch, first=one.begin, last=one.end, limit=limit
        ):
            if copy.id < one.id:
                found[_named(held, copy)].append(copy)
    return found


def _named(held: Held, copy: SentCopy) -> _Name:
    message = held.adapter.read_post_trade(parse(copy.raw), counterparty=held.group)
    return message.kind.value, wire_name(message)


def _settle(
    held: Held, intents: Sequence[PostTradeIntent], copies: Mapping[_Name, Sequence[SentCopy]]
) -> list[Outgoing]:
    proofs = {one.intent_id: one for one in PostTradeHandOver.objects.filter(intent_id__in=[i.id for i in intents])}
    again = {one.intent_id: one for one in PostTradeAgain.objects.filter(intent_id__in=proofs)}
    stored = _stored(held, [*proofs.values(), *again.values()], copies)
    asks = asked_again(session=held.session, after=0, since=held.at - AGAIN_WITHIN)
    judged: list[tuple[PostTradeIntent, Judged]] = []
    for intent in intents:
        proof = proofs[intent.id]
        evidence = Evidence(
            answered=intent.answered_at is not None,
            copies=[_copy(copy, asks) for copy in stored[intent.kind, intent.name].values()],
            given_again=intent.id in again,
            age=held.at - proof.handed_over_at,
            takes=held.adapter.capabilities.takes_poss_resend,
        )
        judged.append((intent, judge(evidence)))
    return _carry_out(held, judged, proofs)


def _stored(
    held: Held, proofs: Sequence[PostTradeHandOver | PostTradeAgain], copies: Mapping[_Name, Sequence[SentCopy]]
) -> dict[_Name, dict[int, SentCopy]]:
    """Every stored text of the messages, by (kind, name)."""
    found: dict[_Name, dict[int, SentCopy]] = defaultdict(dict)
    since: dict[str, datetime] = {}
    for proof in proofs:
        since[proof.epoch] = min(since.get(proof.epoch, proof.handed_over_at), proof.handed_over_at)
    for epoch, first in since.items():
        for copy in sent_post_trade_since(session=held.session, epoch=epoch, since=first - _MARGIN):
            found[_named(held, copy)][copy.id] = copy
    for name, more in copies.items():
        found[name] |= {copy.id: copy for copy in more}
    return found


def _copy(copy: SentCopy, asks: Sequence[AskedAgain]) -> Copy:
    return Copy(
        number=copy.number,
        flagged=first_values(parse(copy.raw)).get(POSS_RESEND[0]) == POSS_RESEND[1],
        asked_again=any(
            one.epoch == copy.epoch and one.id > copy.id and is_asked_for(copy.number, begin=one.begin, end=one.end)
            for one in asks
        ),
    )


def _carry_out(
    held: Held, judged: Sequence[tuple[PostTradeIntent, Judged]], proofs: Mapping[int, PostTradeHandOver]
) -> list[Outgoing]:
    bucket = get_bucket(kind=RateKind.SESSION, subject=session_subject(held.session), at=held.at)
    room = bucket.free(removes_risk=False)
    outgoing: list[Outgoing] = []
    rows: list[tuple[object, ...]] = []
    marks: list[tuple[object, ...]] = []
    for intent, verdict in judged:
        if verdict.fate is Fate.LEFT:
            marks.append((intent.id, intent.answered_at or held.at, "", intent.told_at))
        elif verdict.fate is Fate.NOBODY_KNOWS:
            marks.append((intent.id, None, verdict.why, held.at))
            _tell(intent, verdict.why, held.at)
        else:
            marks.append((intent.id, None, "", intent.told_at))
            if len(outgoing) >= room:
                continue  # the rate is met: it stays unproven, and its turn comes in another round
            fields = _flagged(held.adapter, intent)
            outgoing.append(Outgoing(intent.name, fields, intent.id))
            rows.append(
                (proofs[intent.id].name, intent.id, verdict.why, join(fields), held.session, held.epoch, held.fence, held.at)
            )  # fmt: skip
    update_rows(PostTradeIntent, marks, key=("id",), fields=("left_at", "reason", "told_at"))
    if rows:
        insert_rows(PostTradeAgain, rows, fields=_FIELDS)
        count_messages(used_us={bucket.subject: len(rows) * bucket.mark.step_us})
        names = [out.cl_ord_id for out in outgoing]
        record_session_event(session=held.session, kind="PostTradeSentAgain", at=held.at, detail={"names": names})
    return outgoing


def _flagged(adapter: Adapter, intent: PostTradeIntent) -> Fields:
    kind, *body = adapter.map_post_trade(from_json(intent.payload))
    return (kind, POSS_RESEND, *body)


def _tell(intent: PostTradeIntent, why: str, at: datetime) -> None:
    sentence = (
        f"{intent.kind} {intent.name} to {intent.session_group} may not have arrived. {why} Ask whether they have it."
    )
    set_anomaly(anomaly=unanswered(intent, sentence), wrong=True, actor=ACTOR, at=at)
