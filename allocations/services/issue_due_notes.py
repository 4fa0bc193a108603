"""Notes that time or an undone trade has made due, and who tells that one is late. Run every few seconds; again at once, nothing.

By itself a note goes out when the market's day is over, no block can change it any more and nothing has moved for five minutes;
two hours before its deadline whatever is open: one that is replaced is better than one that is late. A note that tells of a
trade which was undone is replaced after the same five minutes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction

from allocations.domain.noting import QUIET, may_go
from allocations.models import ContractNote
from allocations.selectors.noted import NoteKey, Unnoted, list_stale, list_unnoted
from allocations.selectors.notes import LOOK_BACK
from allocations.services._issuing import INCOMPLETE, Place, deadline, place_of
from allocations.services.issue_notes import TRADES_MOVED, issue_for
from allocations.services.reissue_note import renew_one
from authorisation.domain.principal import process_principal
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.errors import Conflict, Refused

ACTOR = process_principal("notes")
MOST = 2_000
LATE = "NOTE_LATE"


def issue_due_notes(*, at: datetime) -> int:
    """How many notes were written."""
    waiting = list_unnoted(since=(at - LOOK_BACK).date(), most=MOST)
    go, late = _sorted_out(waiting, at=at)
    written = issue_for([*go, *list_stale(by=at - QUIET, most=MOST)], actor=ACTOR, at=at).written
    written += _single_notes(at=at)
    _tell_late(late, at=at)
    return written


def _sorted_out(waiting: Sequence[Unnoted], *, at: datetime) -> tuple[list[NoteKey], dict[tuple[str, date], int]]:
    """Who gets a note now, and by market and day for how many the deadline has passed."""
    go: list[NoteKey] = []
    late: dict[tuple[str, date], int] = defaultdict(int)
    places: dict[tuple[str, date], Place | None] = {}
    for one in waiting:
        where = (one.key.mic, one.key.trade_date)
        if where not in places:
            places[where] = _place(*where, at=at)
        place = places[where]
        if place is None:
            continue
        due = deadline(place, trade_date=one.key.trade_date, settlement_date=one.settlement_date)
        over = at >= place.clock.day_ends_at(one.key.trade_date)
        if may_go(over=over, waits=one.waits, moved_at=one.moved_at, due=due, at=at):
            go.append(one.key)
        late[where] += at > due
    return go, late


def _place(mic: str, day: date, *, at: datetime) -> Place | None:
    """The market, or None where no rules are known for its notes; that is a matter until they are."""
    place, sentence = None, f"The rules for contract notes of {mic} are known."
    try:
        place = place_of(mic, day)
    except Refused as refusal:
        sentence = refusal.sentence
    anomaly = Anomaly(
        kind=INCOMPLETE, severity=Severity.HIGH, subject_type="market", subject_id=mic, sentence=sentence,
        dedupe_key=f"note-regime:{mic}", evidence={"mic": mic},
    )  # fmt: skip
    set_anomaly(anomaly=anomaly, wrong=place is None, actor=ACTOR.actor, at=at)
    return place


def _single_notes(*, at: datetime) -> int:
    """Notes of one trade that was undone a while ago."""
    rows = ContractNote.objects.filter(stale_at__lte=at - QUIET, state="issued", scope=ContractNote.Scope.TRADE)
    done = 0
    for note_id in rows.order_by("stale_at", "id").values_list("id", flat=True)[:MOST]:
        try:
            with transaction.atomic():
                done += renew_one(note_id, actor=ACTOR, at=at, why=TRADES_MOVED, again=False)
        except Conflict:
            continue  # somebody else has put one in its place
    return done


def _tell_late(late: dict[tuple[str, date], int], *, at: datetime) -> None:
    """One matter a market and day; it ends when no trade of them is without a note."""
    still = {(one.key.mic, one.key.trade_date) for one in list_unnoted(since=(at - LOOK_BACK).date(), most=MOST)}
    for (mic, day), count in sorted(late.items()):
        wrong = count > 0 and (mic, day) in still
        sentence = (
            f"{count} accounts have trades of {day} on {mic} and no contract note, and its deadline has passed."
            if wrong
            else f"Every account with trades of {day} on {mic} has its contract note, or still has time."
        )
        anomaly = Anomaly(
            kind=LATE, severity=Severity.HIGH, subject_type="market", subject_id=mic, sentence=sentence,
            dedupe_key=f"note-late:{mic}:{day}", evidence={"mic": mic, "day": day.isoformat(), "accounts": count},
        )  # fmt: skip
        set_anomaly(anomaly=anomaly, wrong=wrong, actor=ACTOR.actor, at=at)
