"""A venue to test against: three listings, no database, any directory; and a member that speaks FIX 4.4 to it.

``python -m tests.integration.venues_simulator.venue DIRECTORY PORT [house]`` runs it as a process that may be killed.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import quickfix

from venues.simulator.acceptor import VenueSession
from venues.simulator.listing import ListingSpec, MarketSpec
from venues.simulator.server import Setup, Simulator, VenueSetup
from venues.simulator.units import SCALE
from venues.simulator.wire import SOH

SYMBOLS = (("VOD.L", "XLON", "VOD", "GB00BH4HKS39", 90), ("SAP.DE", "XETR", "SAP", "DE0007164600", 200))


def listing(symbol: str, mic: str, venue_symbol: str, isin: str, price: int) -> ListingSpec:
    """A listing with ticks of 0.01 and lots of 1."""
    return ListingSpec(
        listing_id="00000000-0000-0000-0000-000000000000",
        symbol=symbol,
        mic=mic,
        venue_symbol=venue_symbol,
        isin=isin,
        currency="EUR",
        reference=price * SCALE,
        anchor=price * SCALE,
        ticks=((0, SCALE // 100),),
        lot=SCALE,
    )


def setup(directory: Path, *, port: int = 0, house: bool = False, host: str = "127.0.0.1") -> Setup:
    """SIM1 with two always-open listings and SIM2 with one."""
    session = VenueSession("SIM1-A", "SIM1", "OMS", port)
    second = VenueSession("SIM2-A", "SIM2", "OMS", port + 1 if port else 0)
    markets = tuple(MarketSpec(mic, "UTC", True) for mic in ("XLON", "XETR"))
    american = listing("MSFT", "XNAS", "MSFT", "US5949181045", 400)
    return Setup(
        venues=(
            VenueSetup("SIM1", session, tuple(listing(*row) for row in SYMBOLS), markets),
            VenueSetup("SIM2", second, (american,), (MarketSpec("XNAS", "America/New_York", True),)),
        ),
        directory=directory,
        host=host,
        house=house,
        script=directory / "script.json",
    )


class _Ears(quickfix.Application):  # type: ignore[misc]
    def __init__(self, heard: list[tuple[float, dict[str, str]]], here: threading.Event) -> None:
        super().__init__()
        self._heard = heard
        self._here = here

    def onCreate(self, session_id: quickfix.SessionID) -> None: ...

    def onLogon(self, session_id: quickfix.SessionID) -> None:
        self._here.set()

    def onLogout(self, session_id: quickfix.SessionID) -> None:
        self._here.clear()

    def toAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None: ...

    def fromAdmin(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None: ...

    def toApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None: ...

    def fromApp(self, message: quickfix.Message, session_id: quickfix.SessionID) -> None:
        pairs = (pair.partition("=") for pair in message.toString().split(SOH) if pair)
        self._heard.append((time.perf_counter(), {tag: value for tag, _, value in pairs}))


class Member:
    """A member's FIX engine. ``heard`` holds application messages as dicts of tag text to value, in order."""

    def __init__(self, directory: Path, port: int, *, target: str = "SIM1", begin: str = "FIX.4.4") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        lines = {
            "ConnectionType": "initiator",
            "StartTime": "00:00:00",
            "EndTime": "00:00:00",
            "ReconnectInterval": "1",
            "UseDataDictionary": "N",
            "HeartBtInt": "5",
            "SocketConnectHost": "127.0.0.1",
            "SocketConnectPort": str(port),
            "SocketNodelay": "Y",
            "FileStorePath": str(directory),
        }
        text = "[DEFAULT]\n" + "".join(f"{name}={value}\n" for name, value in lines.items())
        text += f"[SESSION]\nBeginString={begin}\nSenderCompID=OMS\nTargetCompID={target}\n"
        path = directory / "member.cfg"
        path.write_text(text)
        self.timed: list[tuple[float, dict[str, str]]] = []
        self.here = threading.Event()
        self._session = quickfix.SessionID(begin, "OMS", target)
        self._ears = _Ears(self.timed, self.here)
        self._settings = quickfix.SessionSettings(str(path))
        self._store = quickfix.FileStoreFactory(self._settings)
        self._engine = quickfix.SocketInitiator(self._ears, self._store, self._settings)

    def __enter__(self) -> Member:
        self._engine.start()
        assert self.here.wait(10), "the venue did not answer the logon"
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.stop(True)

    @property
    def heard(self) -> list[dict[str, str]]:
        """Messages so far."""
        return [message for _, message in list(self.timed)]

    def send(self, kind: str, **fields: str) -> None:
        """Send a message; fields as ``t11="A1"``."""
        message = quickfix.Message()
        message.getHeader().setField(quickfix.StringField(35, kind))
        for name, value in fields.items():
            message.setField(quickfix.StringField(int(name[1:]), value))
        quickfix.Session.sendToTarget(message, self._session)

    def order(self, cl_ord_id: str, side: str, qty: str, px: str = "", **more: str) -> None:
        """Send a day order in VOD.L; a market order without a price."""
        terms = {"t40": "2", "t44": px} if px else {"t40": "1"}
        fields = {"t55": "VOD.L", "t207": "XLON", "t54": side, "t38": qty, "t11": cl_ord_id, "t59": "0"}
        self.send("D", **{**fields, **terms, **more})

    def wait(self, count: int, *, timeout: float = 10, of: Callable[[dict[str, str]], bool] | None = None) -> list[str]:
        """Wait for ``count`` messages that match, and show them as short text; fails with what came instead."""
        end = time.monotonic() + timeout
        while True:
            found = [one for one in self.heard if of is None or of(one)]
            if len(found) >= count or time.monotonic() > end:
                assert len(found) == count, [short(one) for one in self.heard]
                return [short(one) for one in found]
            time.sleep(0.01)


def short(message: dict[str, str]) -> str:
    """``11 150/39 cum/leaves last@px`` of an execution report, ``11 reject 102/39`` of a cancel reject."""
    if message["35"] == "9":
        return f"{message['11']} no {message['102']}/{message['39']}"
    if message["35"] != "8":
        return f"{message['35']} {message.get('380', '')} {message.get('58', '')}"
    text = f"{message.get('11', '')} {message['150']}/{message['39']} {message['14']}/{message['151']}"
    return f"{text} {message['32']}@{message['31']}" if "32" in message else text


def main() -> None:
    """Serve until the process ends."""
    simulator = Simulator(setup(Path(sys.argv[1]), port=int(sys.argv[2]), house="house" in sys.argv))
    simulator.start()
    print("ready", flush=True)
    simulator.serve(threading.Event())


if __name__ == "__main__":
    main()
