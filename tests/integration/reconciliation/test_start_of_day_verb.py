"""``./oms start-of-day``: a file that is said to answer a feed is judged by its terms, counts as its word and opens its gate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from oms_project.house.failures import BadInput
from oms_project.house.start_of_day import feed_of, taken
from reconciliation.models import FeedFile
from tests.factories.accounts import funded_account
from tests.factories.feeds import make_calendar, make_feed

pytestmark = pytest.mark.django_db


def test_a_file_answers_the_feed_that_is_named_and_no_other(tmp_path: Path, settings: Any) -> None:
    settings.VAR_DIR = tmp_path
    make_calendar()
    funded_account("AC1")
    feed = make_feed()
    path = tmp_path / "of-the-morning.csv"  # a name that no feed waits for
    path.write_text("account,currency,amount\nAC1,GBP,1234.50\n")
    assert feed_of("", feed.kind) is None
    for code, kind in (("NOBODY", feed.kind), (feed.code, "holdings")):
        with pytest.raises(BadInput, match=f"{code} is no feed of {kind}"):
            feed_of(code, kind)
    answer = taken(path, kind=feed.kind, source="ignored", feed=feed_of(feed.code, feed.kind))
    kept = FeedFile.objects.get()
    assert (answer["state"], kept.feed_id, kept.source) == ("applied", feed.code, feed.source)
