"""The same seeds through the rules in memory and through the services on the tables: what comes and what is told is the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.factories import AT
from tests.factories.post_trade import block_message, release, route_post_trade
from tests.factories.venues import make_session
from venues.models import FixSession
from venues.simulation.post_trade import Course, PureOutbox
from venues.simulation_database.post_trade import DatabaseOutbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("seed", [3, 11])
def test_memory_and_tables_agree(seed: int) -> None:
    make_session(name="T1-A", group="T1")
    FixSession.objects.update(fence=1)

    def let_go(name: str) -> None:
        release(replace(block_message(AT), ref=name), at=AT)
        route_post_trade(at=AT)

    pure, tables = PureOutbox(), DatabaseOutbox(group="T1", session="T1-A", at=AT, release_to=let_go)
    came = Course(seed, tables).play()
    assert came == Course(seed, pure).play()
    assert tables.told() == pure.told()
    assert any(flagged for _, flagged in came)
