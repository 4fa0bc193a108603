"""A recorder that is told to end while the database is away tries for some seconds, then leaves the rest to resends."""

from __future__ import annotations

import queue
from typing import Any

import pytest
from django.db import OperationalError

from venues.gateway.recorder import Recorder


class Deaf(Recorder):
    """Its database never answers."""

    def _write(self, items: Any) -> None:
        raise OperationalError("server closed the connection")


def test_it_pauses_longer_each_time_and_gives_up_only_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    deaf = Deaf(queue.Queue(), {}, fence=1)

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 8:
            deaf.finish()

    monkeypatch.setattr("venues.gateway.recorder.time.sleep", sleep)
    monkeypatch.setattr("venues.gateway.recorder.connection.close", lambda: None)
    with pytest.raises(OperationalError):
        deaf._write_surely([])
    assert pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0]
