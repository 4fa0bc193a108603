"""Every incident of the demo day, played on a house with its venue, comes to what its answer key says."""

from __future__ import annotations

import json
import subprocess
import sys
import threading

import pytest

from tests.journeys.house import ROOT, House

pytestmark = [pytest.mark.fix]

PLAY = (
    "import django, json; django.setup(); "
    "from dataclasses import asdict; from oms_project.demo_day.playing import INCIDENTS, play; "
    "print(json.dumps([asdict(play(one, seed=7, patience_s=12)) for one in INCIDENTS]))"
)


def run(house: House, code: str) -> object:
    """The last line that ``code`` prints in a process of the house, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=house.environment,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture
def living_prices(house: House) -> object:
    """Prices are of now, as a feed would keep them."""
    over = threading.Event()

    def keep() -> None:
        while not over.wait(0.5):
            house.fresh_prices()

    thread = threading.Thread(target=keep)
    thread.start()
    yield
    over.set()
    thread.join()


def test_every_answer_key_holds(trading_house: House, living_prices: None) -> None:
    told = run(trading_house, PLAY)
    assert isinstance(told, list)
    missing = [f"{one['name']}: {one['says']}" for one in told if not one["holds"]]
    assert not missing, "\n".join(missing)
    assert len(told) == 10
