"""Keep what a person wants to be told without having been named: how grave at least, which kinds never, and whether by mail."""

from __future__ import annotations

from collections.abc import Sequence

from authorisation.domain.principal import Principal
from kernel.errors import Invalid
from operations.domain.exception_kinds import KINDS
from operations.domain.exception_rank import SEVERITIES
from operations.models import NoticeChoice


def save_notice_choice(*, actor: Principal, least: str, muted: Sequence[str], mail: bool) -> None:
    """What is given, escalated or said to a person by name always reaches them. Raises Invalid PREFERENCE_UNKNOWN."""
    if least not in SEVERITIES or not set(muted) <= set(KINDS):
        raise Invalid("PREFERENCE_UNKNOWN", "Choose what is offered.", {"least": ["Choose what is offered."]})
    values = {"least": least, "muted": sorted(set(muted)), "mail": mail}
    NoticeChoice.objects.update_or_create(user_id=actor.user_id, defaults=values)
