"""The other side's session refused a post-trade message of ours (35=3, 35=j): the message is marked, and who released it is told.

It is found by its number (45), as every message of ours; a business reject that names no number of this epoch may name the message itself
(372, 379). A refused acknowledgement that no one waits for stays a matter of the session (``MESSAGE_REFUSED_BY_VENUE``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from journal.bulk import update_rows
from journal.services.clear_anomaly import clear_anomaly
from kernel.post_trade import MessageKind
from venues.adapters.base import Adapter
from venues.domain.error_contract import CODE_TAGS, Deed, Source, refusal_in
from venues.domain.fix_codec import first_values, parse
from venues.domain.post_trade import wire_name
from venues.domain.post_trade_codes import KINDS
from venues.locks import lock_named_post_trade
from venues.models import FixSession, PostTradeIntent
from venues.selectors.inbox import InboxRow
from venues.selectors.post_trade import sent_post_trade
from venues.services._returned import Why, tell_returned
from venues.services.watch_post_trade import unanswered

ACTOR = "process:inbox"
WAITED_FOR = frozenset(
    {
        MessageKind.ALLOCATION_INSTRUCTION, MessageKind.ALLOCATION_REPORT, MessageKind.CONFIRMATION,
        MessageKind.CONFIRMATION_ACK,
    }
)  # fmt: skip
_Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Refused:
    """A refusal, the message of ours that it may name by itself, and whether it is about the whole session as well."""

    row: InboxRow
    why: Why
    number: int
    named: _Name | None
    of_session: bool


def return_post_trade(*, session: str, adapter: Adapter, rows: Sequence[InboxRow], at: datetime) -> frozenset[int]:
    """The ids of those among the rows that are about post-trade messages and about nothing else: they are told."""
    refused = [one for row in rows if row.msg_type in ("3", "j") and (one := _refused(session, row)) is not None]
    if not refused:
        return frozenset()
    group = FixSession.objects.values_list("group", flat=True).get(name=session)
    names = _names(session, group, adapter, refused)
    intents = {
        (intent.kind, intent.name): intent for intent in lock_named_post_trade(group=group, named=list(names.values()))
    }
    returned: dict[int, tuple[PostTradeIntent, Why]] = {}
    settled = set()
    for one in refused:
        intent = intents.get(names.get(one.row.id, ("", "")))
        if intent is None or MessageKind(intent.kind) not in WAITED_FOR:
            continue
        if not one.of_session:
            settled.add(one.row.id)
        if intent.state == PostTradeIntent.State.HANDED_OVER and intent.id not in returned:
            returned[intent.id] = (intent, one.why)
    _mark(list(returned.values()), at)
    return frozenset(settled)


def _refused(session: str, row: InboxRow) -> _Refused | None:
    values = first_values(parse(row.raw))
    refusal = refusal_in(row.msg_type, values)
    if refusal is None:
        return None
    kind = KINDS.get(values.get(372, ""))
    is_current = values.get(97) != "Y"  # repeated, its number may be one of an earlier epoch
    text = f"{refusal.text or 'no text'} ({refusal.rule.source.value} {refusal.code or 'none'} {refusal.rule.name})"
    return _Refused(
        row=row,
        why=Why(f"{CODE_TAGS[row.msg_type]}={refusal.code}", text, session, row.id),
        number=refusal.ref_seq_num if is_current else 0,
        named=(kind.value, values[379]) if kind is not None and values.get(379) else None,
        of_session=refusal.rule.source is Source.SESSION and refusal.rule.deed is Deed.STOP_SESSION,
    )


def _names(session: str, group: str, adapter: Adapter, refused: Sequence[_Refused]) -> Mapping[int, _Name]:
    """Which message of ours each is about: by its number where we know that, else as it names it."""
    by_epoch: dict[str, set[int]] = {}
    for one in refused:
        if one.number:
            by_epoch.setdefault(one.row.epoch, set()).add(one.number)
    sent: dict[tuple[str, int], _Name] = {}
    for epoch, numbers in by_epoch.items():
        for copy in sent_post_trade(session=session, epoch=epoch, numbers=sorted(numbers)):
            message = adapter.read_post_trade(parse(copy.raw), counterparty=group)
            sent[epoch, copy.number] = (message.kind.value, wire_name(message))
    found = {one.row.id: sent.get((one.row.epoch, one.number)) or one.named for one in refused}
    return {row_id: name for row_id, name in found.items() if name is not None}


def _mark(returned: Sequence[tuple[PostTradeIntent, Why]], at: datetime) -> None:
    if not returned:
        return
    rows = [(intent.id, PostTradeIntent.State.RETURNED.value, why.text, at) for intent, why in returned]
    update_rows(PostTradeIntent, rows, key=("id",), fields=("state", "reason", "answered_at"))
    for intent, why in returned:
        if intent.told_at is not None:
            sentence = f"{intent.session_group} has refused {intent.kind} {intent.name}: {why.text}"
            clear_anomaly(
                anomaly=unanswered(intent, sentence), actor=ACTOR, at=at, correlation_id=intent.correlation_id
            )
    tell_returned(returned, actor=ACTOR, at=at)
