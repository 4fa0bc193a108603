"""After a reconnect, when venue and house have compared their open orders, the session's files are compared again too.

What was missing may have come with the gap; breaks that were found meanwhile close by themselves.
"""

from __future__ import annotations

from collections.abc import Sequence

from authorisation.domain.principal import process_principal
from journal.domain.records import EventRecord
from reconciliation.models import Run
from reconciliation.selectors.places import sources_of_session
from reconciliation.services.start_due_runs import start_due_runs

ACTOR = process_principal("reconciliation")


def handle(events: Sequence[EventRecord]) -> None:
    """Ask once a session, however many recoveries ended; a run that waits already is not asked for again."""
    ended = {event.payload["session"]: event for event in events}
    for name in sorted(ended):
        sources = sources_of_session(name)
        if sources:
            start_due_runs(
                actor=ACTOR, at=ended[name].recorded_at, trigger=Run.Trigger.RECONNECT, again=True, sources=sources
            )
