"""One item a matter, opened and closed by the order of the journal, whatever the clocks of those who speak."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from journal.domain.records import Anomaly, EventRecord, Severity
from journal.selectors import stream_records
from journal.services.clear_anomaly import clear_anomaly
from journal.services.raise_anomaly import raise_anomaly
from operations.models import ExceptionItem
from operations.services.on_anomaly_raised import handle
from tests.factories import AT

pytestmark = pytest.mark.django_db
MATTER = Anomaly("OVERFILL", Severity.HIGH, "session", "S", "More was executed than was ordered.", "matter")
EARLIER = AT - timedelta(seconds=5)


def told(*words: tuple[str, datetime]) -> list[EventRecord]:
    """The events of the matter after these words."""
    for word, at in words:
        (raise_anomaly if word == "raised" else clear_anomaly)(anomaly=MATTER, actor="process:test", at=at)
    return stream_records("anomaly:matter")


def states() -> list[str]:
    return list(ExceptionItem.objects.order_by("raised_at", "id").values_list("state", flat=True))


def test_a_matter_settled_by_a_clock_that_is_behind_is_settled() -> None:
    handle(told(("raised", AT), ("cleared", EARLIER)))
    assert states() == ["cleared"]


def test_an_older_word_that_comes_again_closes_nothing_younger() -> None:
    events = told(("raised", EARLIER), ("cleared", AT), ("raised", AT))
    handle(events)
    handle(events[1:2])
    handle(events)
    assert states() == ["cleared", "unreviewed"]
