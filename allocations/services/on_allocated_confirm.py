"""Listener: what was allocated is confirmed, what was undone is no longer.

Set-based and absolute: after any event of a block its confirmations are made equal to its allocations as they stand, so that an
event again, or two in one slice, change nothing more. Each booked allocation with a quantity gets one open confirmation; what is
parked waits until it is released; what is compensated keeps its own, for it was a trade; the trade that undoes it gets another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from allocations.domain import transitions as moves
from allocations.domain.confirm_messages import CANCELED, LINES, Line, confirmation, message_ref, next_ref, of_block
from allocations.domain.cut_offs import CutOffs
from allocations.domain.telling import told
from allocations.domain.terms import BROKER, Terms
from allocations.locks import lock_counterparties
from allocations.models import Block, Confirmation
from allocations.selectors.confirming import (
    Standing,
    counterparties_of,
    lines_of_blocks,
    orders_of_block,
    standings,
    terms_of,
    turned_down,
)
from allocations.selectors.cut_offs import cut_offs_for
from allocations.services._answering import answer_booked
from allocations.services._confirm_watch import tell_undone, watch_blocks
from allocations.services._confirming import ACTOR, EVENTS, Step, carry_out, event_draft, release
from allocations.services.match_confirmations import match_confirmations
from journal.bulk import update_rows, write_rows
from journal.domain.records import EventRecord
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from kernel.post_trade import MessageKind, OrderLine, PostTradeMessage, TransType

_COLUMNS = (
    "id", "ref", "allocation_id", "version", "replaces_id", "counterparty", "role", "channel", "state", "differences", "reason",
    "sent_in", "affirm_by", "late_party", "created_at", "sent_at", "matched_at", "affirmed_at", "affirmed_by", "closed_at",
    "event_id",
)  # fmt: skip
UNDONE = "canceled with the allocation that it confirmed"


def handle(events: Sequence[EventRecord]) -> None:
    """Called in one transaction with the cursor, in order of position."""
    whys: dict[UUID, str] = {}
    for event in events:
        for block, _ in told(event.payload):
            whys[block.block_id] = event.payload.get("why", "") or whys.get(block.block_id, "")
    confirm_blocks(list(whys), at=events[-1].recorded_at, whys=whys)


def confirm_blocks(block_ids: Collection[UUID], *, at: datetime, whys: dict[UUID, str] | None = None) -> None:
    """Make the confirmations of these blocks equal to their allocations, and let the counterparties know."""
    parties = counterparties_of(block_ids)
    lock_counterparties(parties)
    terms = terms_of(parties)
    lines = lines_of_blocks(block_ids)
    held = _latest({line.allocation_id for line in lines})
    _cancel(lines, held, terms, whys or {}, at)
    made = _make(lines, held, terms, at)
    _send(made, terms, at)
    for party in parties:
        ids = [one.row.id for one in made if one.row.counterparty == party]
        if ids:
            match_confirmations(counterparty=party, confirmation_ids=ids, at=at)
            answer_booked(party, ids, at=at)
    watch_blocks(block_ids, at=at)


def _latest(allocation_ids: Collection[UUID]) -> dict[UUID, Confirmation]:
    """The newest version of each allocation's confirmation, canceled or not."""
    rows = Confirmation.objects.filter(allocation_id__in=allocation_ids).order_by("allocation_id", "version")
    return {row.allocation_id: row for row in rows}


def _cancel(
    lines: Sequence[Line], held: dict[UUID, Confirmation], terms: dict[str, Terms], whys: dict[UUID, str], at: datetime
) -> None:
    """What no longer stands: canceled, and so told to whoever had been told."""
    gone = [
        Standing(held[line.allocation_id], line)
        for line in lines
        if line.state in (moves.REVERSED, moves.PARKED)
        and line.allocation_id in held
        and held[line.allocation_id].state != moves.CANCELED
    ]
    affirmed: dict[UUID, list[Confirmation]] = defaultdict(list)
    steps = []
    for one in gone:
        had = " It had been affirmed." if one.row.state == moves.AFFIRMED else ""
        if had:
            affirmed[one.line.block_id].append(one.row)
        why = whys.get(one.line.block_id, "") or UNDONE
        steps.append(Step(one, "cancel", reason=f"{why}.{had}".replace("..", ".")))
    told = [one for one in gone if one.row.sent_in and one.row.state != moves.REJECTED]
    carry_out(steps, actor=ACTOR, at=at)
    release(take_back(told, terms, at=at), at=at)
    blocks = Block.objects.in_bulk(list(affirmed))
    for block_id, rows in affirmed.items():
        tell_undone(blocks[block_id], rows, why=whys.get(block_id, "") or "its allocation was undone", at=at)


def take_back(gone: Sequence[Standing], terms: dict[str, Terms], *, at: datetime) -> list[PostTradeMessage]:
    """What undoes what left: a message all of whose accounts are gone is canceled, one that keeps some is replaced by those.

    As broker each confirmation is canceled by its own name as well. The confirmations are canceled already.
    """
    carried: dict[str, list[Standing]] = defaultdict(list)
    for one in gone:
        if terms[one.row.counterparty].sends_messages:
            carried[one.row.sent_in].append(one)
    kept: dict[str, list[Standing]] = defaultdict(list)
    for one in standings(Confirmation.objects.filter(sent_in__in=carried).exclude(state=moves.CANCELED).order_by("id")):
        kept[one.row.sent_in].append(one)
    messages: list[PostTradeMessage] = []
    renamed: list[tuple[UUID, str]] = []
    for sent_in, group in sorted(carried.items()):
        is_broker = group[0].row.role == BROKER
        kind = MessageKind.ALLOCATION_REPORT if is_broker else MessageKind.ALLOCATION_INSTRUCTION
        stays = sorted(kept[sent_in], key=lambda one: one.line.number)
        if stays:
            ref = next_ref(sent_in)
            lines, doing = [one.line for one in stays], TransType.REPLACE
            renamed += [(one.row.id, ref) for one in stays]
        else:
            ref, lines, doing = f"{sent_in}{CANCELED}", [one.line for one in group], TransType.CANCEL
        messages.append(of_block(kind, lines, ref=ref, ref_of=sent_in, trans_type=doing, at=at))
        if is_broker:
            messages += [_taken_back(one, at) for one in group]
    update_rows(Confirmation, renamed, key=("id",), fields=("sent_in",))
    return messages


def _taken_back(one: Standing, at: datetime) -> PostTradeMessage:
    ref = f"{one.row.ref}{CANCELED}"
    return confirmation(one.line, ref=ref, ref_of=one.row.ref, trans_type=TransType.CANCEL, at=at)


def _make(
    lines: Sequence[Line], held: dict[UUID, Confirmation], terms: dict[str, Terms], at: datetime
) -> list[Standing]:
    """A confirmation for every booked allocation that has none open."""
    wanted = [
        line
        for line in lines
        if line.state == moves.BOOKED
        and (line.kind == Block.Kind.BLOCK or terms[line.counterparty].confirms_direct)
        and (line.allocation_id not in held or held[line.allocation_id].state == moves.CANCELED)
    ]
    clocks: dict[tuple[str, date], CutOffs] = {}
    made = [Standing(_row(line, held.get(line.allocation_id), terms, clocks, at), line) for line in wanted]
    by_block: dict[UUID, list[Standing]] = defaultdict(list)
    for one in made:
        by_block[one.line.block_id].append(one)
    drafts = []
    for block_id, group in by_block.items():
        for start in range(0, len(group), LINES):
            chosen = group[start : start + LINES]
            payload = {"confirmations": [_made_line(one) for one in chosen]}
            draft = event_draft(EVENTS["make"], block_id, payload, actor=ACTOR, at=at)
            drafts.append(draft)
            for one in chosen:
                one.row.event_id = draft.id
    append_to_stream(drafts=drafts, at=at)
    write_rows(Confirmation, [tuple(getattr(one.row, name) for name in _COLUMNS) for one in made], fields=_COLUMNS)
    return made


def _row(
    line: Line,
    before: Confirmation | None,
    terms: dict[str, Terms],
    clocks: dict[tuple[str, date], CutOffs],
    at: datetime,
) -> Confirmation:
    agreed, version = terms[line.counterparty], before.version + 1 if before is not None else 1
    key = (line.mic, line.trade_date)
    if key not in clocks:
        clocks[key] = cut_offs_for(*key)
    return Confirmation(
        id=new_id(), ref=f"C-{line.number}-{version}", allocation_id=line.allocation_id, version=version,
        replaces_id=before.id if before is not None else None, counterparty=line.counterparty, role=agreed.role,
        channel=agreed.channel, affirm_by=clocks[key].affirm_by_of(line.account_class), created_at=at,
    )  # fmt: skip


def _made_line(one: Standing) -> dict[str, Any]:
    row = one.row
    return {
        "id": str(row.id), "ref": row.ref, "allocation": str(row.allocation_id), "account": one.line.account,
        "counterparty": row.counterparty, "role": row.role, "channel": row.channel,
        "affirm_by": row.affirm_by.isoformat() if row.affirm_by else None,
    }  # fmt: skip


def _send(made: Sequence[Standing], terms: dict[str, Terms], at: datetime) -> None:
    """What leaves over FIX leaves now; what is told by file or by hand waits for theirs."""
    by_round: dict[tuple[UUID, int, str], list[Standing]] = defaultdict(list)
    for one in made:
        if terms[one.row.counterparty].sends_messages:
            by_round[one.line.block_id, one.line.round, one.line.side].append(one)  # what undoes has the other side
    steps: list[Step] = []
    messages: list[PostTradeMessage] = []
    for (block_id, *_), group in by_round.items():
        for chosen in in_messages(group):
            if chosen[0].row.role == BROKER and chosen[0].row.replaces_id:
                told = _told_anew(chosen, block_id, at)
            else:
                ref = message_ref(chosen[0].line, chosen[0].row.version)
                told = [(ref, chosen, _first_told(chosen, ref, orders_of_block(block_id), at))]
            for ref, carried, said in told:
                messages += said
                steps += [Step(one, "send", reason=f"Left in {ref}.", sent_in=ref) for one in carried]
    carry_out(steps, actor=ACTOR, at=at)
    release(messages, at=at)


def in_messages(group: Sequence[Standing]) -> list[list[Standing]]:
    """As many accounts as share a message, by number; those that say again what was rejected apart from the new."""
    slices = []
    for again in (False, True):
        ordered = sorted((one for one in group if bool(one.row.replaces_id) is again), key=lambda one: one.line.number)
        slices += [ordered[start : start + LINES] for start in range(0, len(ordered), LINES)]
    return slices


def _first_told(
    chosen: Sequence[Standing], ref: str, orders: Sequence[OrderLine], at: datetime
) -> list[PostTradeMessage]:
    lines = [one.line for one in chosen]
    if chosen[0].row.role != BROKER:
        return [of_block(MessageKind.ALLOCATION_INSTRUCTION, lines, ref=ref, at=at, orders=orders)]
    report = of_block(MessageKind.ALLOCATION_REPORT, lines, ref=ref, at=at, orders=orders)
    return [report, *(confirmation(one.line, ref=one.row.ref, at=at) for one in chosen)]


def _told_anew(
    chosen: Sequence[Standing], block_id: UUID, at: datetime
) -> list[tuple[str, Sequence[Standing], list[PostTradeMessage]]]:
    """A broker's confirmations once more: by report, who is in it, and what is said.

    Each takes the place of the version that was rejected, or, where that never arrived, is new. The report stands unless it was
    itself turned down: then these accounts are reported anew.
    """
    before = Confirmation.objects.in_bulk([one.row.replaces_id for one in chosen])
    by_report: dict[str, list[Standing]] = defaultdict(list)
    for one in chosen:
        by_report[before[one.row.replaces_id].sent_in].append(one)
    names = [*by_report, *(row.ref for row in before.values())]
    untaken, refused = turned_down(chosen[0].row.counterparty, names)
    told: list[tuple[str, Sequence[Standing], list[PostTradeMessage]]] = []
    for report, group in sorted(by_report.items()):
        ref, said = report, []
        if report in untaken | refused:
            ref, lines = message_ref(group[0].line, group[0].row.version), [one.line for one in group]
            said = [of_block(MessageKind.ALLOCATION_REPORT, lines, ref=ref, at=at, orders=orders_of_block(block_id))]
        for one in group:
            old = before[one.row.replaces_id].ref
            doing = TransType.NEW if old in untaken else TransType.REPLACE
            named = "" if old in untaken else old
            said.append(confirmation(one.line, ref=one.row.ref, ref_of=named, trans_type=doing, at=at))
        told.append((ref, group, said))
    return told
