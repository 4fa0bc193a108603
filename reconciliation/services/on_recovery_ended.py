"""After a reconnect, when venue and house have compared their open orders, the session's files are compared again too.

What was missing may have come with the gap; breaks that were found meanwhile close by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from authorisation.domain.principal import process_principal
from journal.domain.records import EventRecord
from reconciliation.models import Run
from reconciliation.services.start_due_runs import start_due_runs
from venues.models import FixSession

ACTOR = process_principal("reconciliation")


def handle(events: Sequence[EventRecord]) -> None:
    """Ask once a session, however many recoveries ended; a run that waits already is not asked for again."""
    ended = {event.payload["session"]: event for event in events}
    for session in FixSession.objects.filter(name__in=list(ended)).order_by("name"):
        markets = session.venue.markets.values_list("mic", flat=True)
        sources = {session.name, session.group, session.venue_id, *markets}
        start_due_runs(
            actor=ACTOR, at=ended[session.name].recorded_at, trigger=Run.Trigger.RECONNECT, again=True, sources=sources
        )
