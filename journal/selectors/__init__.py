"""All reads of the journal."""

from journal.selectors.events import (
    list_events_after,
    records_of_streams,
    stream_events,
    stream_records,
    told_in_streams,
)
from journal.selectors.horizon import Horizon
from journal.selectors.idempotency import find_answer
from journal.selectors.lag import list_cursor_lags

__all__ = [
    "Horizon",
    "find_answer",
    "list_cursor_lags",
    "list_events_after",
    "records_of_streams",
    "stream_events",
    "stream_records",
    "told_in_streams",
]
