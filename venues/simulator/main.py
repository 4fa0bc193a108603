"""The simulator of the house: SIM1 and SIM2 with the markets reference data gives them, until told to stop."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from django.conf import settings

from kernel.clock import utc_now
from venues.simulator.acceptor import VenueSession
from venues.simulator.loader import load_listings, load_markets
from venues.simulator.prices import PriceServer
from venues.simulator.server import Setup, Simulator, VenueSetup

log = logging.getLogger("venues.simulator")

MEMBER = "OMS"
VENUES = (
    ("SIM1", "SIM1-A", ("XLON", "XETR", "XPAR")),
    ("SIM2", "SIM2-A", ("XNYS", "XNAS", "XASX")),
)


def house_setup(*, fix_port: int, directory: Path, host: str, off_loopback: bool, house: bool, seed: int) -> Setup:
    """The two venues of the demo, their sessions on ``fix_port`` and the port after it."""
    at = utc_now()
    venues = []
    for number, (code, session, mics) in enumerate(VENUES):
        venues.append(
            VenueSetup(
                code=code,
                session=VenueSession(session, code, MEMBER, fix_port + number if fix_port else 0),
                listings=load_listings(mics),
                markets=load_markets(mics, at=at),
            )
        )
    return Setup(
        venues=tuple(venues),
        directory=directory,
        host=host,
        off_loopback=off_loopback,
        house=house,
        seed=seed,
        script=directory / "script.json",
    )


def serve(
    stop: threading.Event,
    *,
    fix_port: int | None = None,
    directory: Path | None = None,
    host: str = "127.0.0.1",
    off_loopback: bool = False,
    house: bool = True,
    seed: int = 1,
) -> None:
    """Run until ``stop``. Raises NotLoopback for another host unless told, OSError when a port is taken."""
    setup = house_setup(
        fix_port=settings.FIX_PORT if fix_port is None else fix_port,
        directory=directory or Path(settings.VAR_DIR) / "simulator",
        host=host,
        off_loopback=off_loopback,
        house=house,
        seed=seed,
    )
    simulator = Simulator(setup)
    addresses = {code: settings.PRICE_FEEDS[code] for code, _, _ in VENUES if code in settings.PRICE_FEEDS}
    prices = PriceServer(simulator.prices, addresses)
    try:
        simulator.start()
        prices.start()
        log.info("The simulator listens: %s", simulator.ports)
        simulator.serve(stop)
    finally:
        prices.stop()
        simulator.close()
