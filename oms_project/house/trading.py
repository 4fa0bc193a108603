"""``./oms trading on|off --reason TEXT``: the firm's switch, from the command line, beside ``up`` or without it.

On is refused while an invariant of the house itself does not hold (levels 0 to 5); off never is. What differs from a venue
(level 6) is shown as a warning: recovery gates the account and the session it is about, not the firm.
"""

from __future__ import annotations

import getpass
import importlib
import os
from argparse import Namespace
from pathlib import Path

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import FINDING, HOLDS, BadInput
from oms_project.house.fsck import show, truth_of
from oms_project.house.paths import this_house

SERVICE = "risk.services.switch_trading"


def operator() -> str:
    """Who sits at the machine, for the event's actor text."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def run(arguments: Namespace) -> int:
    """The verb: commits the switch and its event, then says what is true now."""
    reason = arguments.reason.strip()
    if not reason:
        raise BadInput("--reason must say why; it is kept with the switch.")
    house = this_house()
    os.chdir(house.root)
    mode = mode_of(house)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode), OMS_DATABASE_URL=addresses.app)
        import django

        django.setup()
        from django.db import connections

        from authorisation.domain.principal import process_principal
        from kernel.clock import utc_now

        if arguments.state == "on" and not proven(truth_of(house, mode)):
            connections.close_all()
            print("Trading is not switched on: invariants do not hold, see above.")
            return FINDING
        switch = importlib.import_module(SERVICE).switch_trading
        actor = process_principal(f"oms trading ({operator()})")
        switch(actor=actor, at=utc_now(), on=arguments.state == "on", reason=reason)
        connections.close_all()
    print(f"Trading is {arguments.state}.")
    return HOLDS


def proven(truth: Path | None) -> bool:
    """True when nothing fails that stops the firm. All that fails is shown, and is somebody's exception."""
    from kernel.clock import utc_now
    from operations.fsck.prove import failing, stopping
    from operations.services.check_invariants import check_invariants

    outcomes = check_invariants(at=utc_now(), truth=truth)
    for outcome in failing(outcomes):
        if not outcome.stops_firm:
            print("Warning, which keeps nothing but the account concerned from trading:")
        show(outcome)
    return not stopping(outcomes)
