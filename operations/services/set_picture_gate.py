"""Block what adds risk while the picture is not proven equal to the tables, and tell a person when it differs."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import process_principal
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.errors import NotFound
from operations.services.compare_picture import PictureComparison
from risk.models import Scope
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block

SOURCE = "picture"
PICTURE_DIFFERS = "PICTURE_DIFFERS"
UNPROVEN = "The picture of accounts and orders has not been compared with the tables yet."
DIFFERS = "The picture of accounts and orders differs from the tables; it is being built again."
EQUAL = "The picture of accounts and orders equals the tables."
SHOWN = 10


def set_picture_gate(*, equal: bool, comparison: PictureComparison | None, at: datetime) -> None:
    """Lift our block when ``equal``, impose it when not. ``comparison`` is None before there was one."""
    actor = process_principal(SOURCE)
    with transaction.atomic():
        if comparison is not None:
            set_anomaly(anomaly=_anomaly(comparison), wrong=not equal, actor=actor.actor, at=at)
        if not equal:
            reason = UNPROVEN if comparison is None else DIFFERS
            impose_block(actor=actor, at=at, scope=Scope.FIRM, scope_id="", source=SOURCE, reason=reason)
            return
        try:
            lift_block(actor=actor, at=at, scope=Scope.FIRM, scope_id="", source=SOURCE, reason=EQUAL)
        except NotFound:
            return  # none stands: it was equal before


def _anomaly(comparison: PictureComparison) -> Anomaly:
    sentence = EQUAL
    if not comparison.equal:
        first = comparison.differences[0]
        sentence = (
            f"The picture differs from the tables in {comparison.differing} places, first in {first.subject}: "
            f"events say {first.events_say}, tables say {first.tables_say}."
        )
    return Anomaly(
        kind=PICTURE_DIFFERS,
        severity=Severity.CRITICAL if not comparison.equal else Severity.LOW,
        subject_type="picture",
        subject_id=SOURCE,
        sentence=sentence,
        dedupe_key="picture",
        evidence={
            "differing": comparison.differing,
            "first": [
                {"subject": one.subject, "events": one.events_say, "tables": one.tables_say}
                for one in comparison.differences[:SHOWN]
            ],
        },
    )
