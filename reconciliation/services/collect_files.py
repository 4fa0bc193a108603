"""Look at every watched folder and take in what is complete. Lost or run twice, it does no harm; two at once work one after the other.

A file whose name no feed has, or two have, is put aside and a person is asked whose it is: it is never guessed from content.
"""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from django.conf import settings

from authorisation.domain.principal import Principal, process_principal
from kernel.crash_points import crash_point
from reconciliation.locks import collecting
from reconciliation.models import Feed
from reconciliation.selectors.feeds import find_feed
from reconciliation.services._feed_anomalies import tell_unexpected
from reconciliation.services.receive_file import receive_file
from reconciliation.transports import Offered
from reconciliation.transports.folder import FolderTransport

logger = logging.getLogger(__name__)
ACTOR = process_principal("feeds")


def incoming() -> Path:
    """Below this, each folder of a feed is watched."""
    return Path(settings.VAR_DIR) / "incoming"


def collect_files(*, at: datetime) -> int:
    """How many files were dealt with, good or not."""
    signed: dict[str, bool] = {}
    for folder, key in Feed.objects.order_by("code").values_list("folder", "signature_key"):
        signed[folder] = signed.get(folder, False) or bool(key)
    return sum(_collect(FolderTransport(incoming() / folder, signed=signed[folder]), at) for folder in sorted(signed))


def _collect(road: FolderTransport, at: datetime) -> int:
    with collecting(road.place) as mine:
        if not mine:
            return 0
        return sum(_take(road, offered, ACTOR, at) for offered in road.list(now=at))


def _take(road: FolderTransport, offered: Offered, actor: Principal, at: datetime) -> bool:
    if offered.why_not:
        road.put_aside(offered.name)
        tell_unexpected(place=road.place, name=offered.name, why=offered.why_not, at=at)
        return True
    with road.fetch(offered.name) as delivery:
        if delivery is None:
            return False
        crash_point("feed_file.fetched")
        feed = find_feed(offered.name, folder=road.place)
        taken = False
        if feed is None:
            why = "no feed of this place, or more than one, has such a name"
            tell_unexpected(place=road.place, name=offered.name, why=why, at=at)
        else:
            taken = receive_file(
                actor=actor,
                at=at,
                name=offered.name,
                content=delivery.content,
                kind=feed.kind,
                feed=feed,
                manifest=delivery.manifest,
                signature=delivery.signature,
                resumed=delivery.resumed,
            ).taken
        crash_point("feed_file.received")
    road.done(offered.name, taken=taken)
    logger.info("file %s of %s: %s", offered.name, road.place, "taken" if taken else "not taken")
    return True
