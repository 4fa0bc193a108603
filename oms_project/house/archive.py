"""``./oms archive [--whole] [--json]``: copy every sealed day that is over, then look at all archives there are."""

from __future__ import annotations

import json
import os
from argparse import Namespace

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import FINDING, HOLDS, cannot
from oms_project.house.paths import this_house


def run(arguments: Namespace) -> int:
    """The verb: exit 1 when an archive is missing or not as it was made."""
    house = this_house()
    os.chdir(house.root)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode_of(house)), OMS_DATABASE_URL=addresses.app)
        import django

        django.setup()
        from django.conf import settings
        from django.db import connections

        try:
            return archive(whole=arguments.whole, as_json=arguments.json)
        except OSError as problem:
            why = f"{settings.ARCHIVE_DIR} cannot be written ({problem.strerror}); set OMS_ARCHIVE_DIR."
            raise cannot(why, place=settings.ARCHIVE_DIR.parent, text=str(problem)) from problem
        finally:
            connections.close_all()


def archive(*, whole: bool, as_json: bool) -> int:
    """Make, look, say."""
    from django.conf import settings

    from journal.models import Archive
    from journal.services.archive_seals import archive_seals
    from journal.services.check_archives import check_archives
    from kernel.clock import utc_now

    made: list[str] = []
    while (one := archive_seals(at=utc_now(), root=settings.ARCHIVE_DIR, build=settings.BUILD)) is not None:
        made.append(one.place)
    wrong = check_archives(at=utc_now(), root=settings.ARCHIVE_DIR, whole=whole)
    count = Archive.objects.count()
    if as_json:
        print(json.dumps({"made": made, "archives": count, "wrong": wrong, "place": str(settings.ARCHIVE_DIR)}))
    else:
        for place in made:
            print(f"archived {place}")
        for place, why in wrong.items():
            print(f"NOT WELL {place}: {why}")
        print(f"{count} archives in {settings.ARCHIVE_DIR}, {len(wrong)} of them not as they were made.")
    return FINDING if wrong else HOLDS
