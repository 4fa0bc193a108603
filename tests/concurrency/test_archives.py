"""Killed between writing, moving and recording an archive, the next run ends with one archive that verifies."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from journal.models import Archive, Event
from journal.services.append_to_stream import append_to_stream
from journal.services.archive_seals import archive_seals
from journal.services.check_archives import check_archives
from tests.concurrency.test_crash_points import killed_at
from tests.factories.journal import AT, draft
from tests.factories.seals import sealing_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("point", ["archive.written", "archive.moved"])
def test_an_archive_survives_a_kill(tmp_path: Path, settings: Any, point: str) -> None:
    sealing, root = sealing_in(tmp_path, settings, places=1), tmp_path / "archive"
    append_to_stream(drafts=[draft("order:1", kind="K", payload={"a": 1})], at=AT)
    sealing.seal()
    given: dict[str, Any] = {"at": sealing.at + timedelta(days=3), "root": root, "build": "test"}
    killed_at(point, lambda: archive_seals(**given))
    assert Archive.objects.count() == 0
    made = archive_seals(**given)
    assert made is not None
    assert [path.name for path in root.iterdir()] == [made.place]
    assert check_archives(at=AT, root=root, whole=True) == {}
    assert Event.objects.filter(kind="RangeArchived").count() == 1
    assert archive_seals(**given) is None
