"""The first run of the demo seed on an empty database, and the one that a faulty file of ours stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from authorisation.models import User
from kernel.errors import InvariantBroken
from oms_project.seed import markets
from oms_project.seed.run import seed_demo
from tests.integration.seed.conftest import quiet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("demo_settings")]


def test_a_faulty_file_of_ours_stops_the_seed(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    copies = tmp_path_factory.mktemp("data")
    for path in markets.DATA.iterdir():
        (copies / path.name).write_text(path.read_text().replace("GB00BH4HKS39", "GB00BH4HKS38"))
    monkeypatch.setattr(markets, "DATA", copies)
    with pytest.raises(InvariantBroken) as caught:
        seed_demo(quiet)
    assert caught.value.sentence == "listings.csv, row 2: 'GB00BH4HKS38' is no ISIN: check its last digit."
    assert not User.objects.exists()


def test_each_step_is_told(demo_settings: Path) -> None:
    told: list[str] = []
    seed_demo(told.append)
    assert told == [
        "markets, calendars and instruments",
        "135 listings; desks and trading accounts",
        "40 accounts opened; limits and venues",
        "people, roles and grants",
        f"sign-ins are in {demo_settings / 'demo_sign_ins.json'}",
    ]
