"""``./oms first-run NAME NAME``: two administrators for an empty house, each with a one-time link, printed this once."""

from __future__ import annotations

import os
from argparse import Namespace

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import HOLDS, BadInput, CannotRun
from oms_project.house.paths import this_house
from oms_project.house.trading import operator


def run(arguments: Namespace) -> int:
    """The verb. Nothing is done unless everything is."""
    house = this_house()
    os.chdir(house.root)
    mode = mode_of(house)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode), OMS_DATABASE_URL=addresses.app)
        import django

        django.setup()
        from django.conf import settings
        from django.db import DatabaseError, connections

        from authorisation.domain.principal import process_principal
        from kernel.clock import utc_now
        from kernel.errors import OmsError
        from oms_project.seed.first_run import first_run

        actor = process_principal(f"oms first-run ({operator()})")
        try:
            links = first_run(actor=actor, at=utc_now(), usernames=arguments.names)
        except OmsError as wrong:
            raise BadInput(f"{wrong.sentence} Nothing was done.") from wrong
        except DatabaseError as away:
            first = (str(away).strip().splitlines() or [""])[0]
            raise CannotRun(f"The database does not answer as it should ({first}); start the house once.") from away
        finally:
            connections.close_all()
        place = settings.ALLOWED_HOSTS[0]
        base = f"https://{place}" if mode == environment.LIVE else f"http://{place}:{settings.WEB_PORT}"
    print("Two administrators. Each link works once, for 24 hours, and is shown this once:")
    for name, token in links.items():
        print(f"  {name:<20} {base}/sign-in/link/{token}")
    return HOLDS
