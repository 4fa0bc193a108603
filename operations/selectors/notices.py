"""What a person was told: the drawer of the last fifty, and how many matters only one person has seen."""

from __future__ import annotations

from dataclasses import dataclass

from authorisation.domain.principal import Principal
from operations.domain.exception_states import OPEN
from operations.domain.notices import sentence_of
from operations.models import ExceptionItem, Notice, NoticeChoice
from operations.selectors.frame import visible_exceptions

KEPT = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """A notice with its item where that one still exists for the person. ``alone``: no second person has opened it yet."""

    notice: Notice
    sentence: str
    item: ExceptionItem | None

    @property
    def shown(self) -> str:
        """The severity, as ``parts/severity.html`` reads it."""
        return self.notice.severity

    @property
    def alone(self) -> bool:
        """The matter is open and only one person, or nobody, has seen it."""
        return self.item is not None and self.item.is_open and self.item.needs_second_look

    @property
    def href(self) -> str:
        """The one item, or the queue of its kind."""
        if self.notice.count == 1 and self.item is not None:
            return f"/exceptions/{self.notice.item_id}"
        return f"/exceptions?kind={self.notice.kind}"


def list_notices(actor: Principal) -> list[Shown]:
    """The last fifty, newest first."""
    rows = list(Notice.objects.filter(user_id=actor.user_id).order_by("-last_at", "-id")[:KEPT])
    items = {item.pk: item for item in visible_exceptions(actor).filter(pk__in=[row.item_id for row in rows])}
    return [Shown(row, sentence_of(row.about, row.kind, row.count), items.get(row.item_id)) for row in rows]


def count_alone(actor: Principal) -> int:
    """How many grave open items no second person has opened, of those the actor may see."""
    grave = (ExceptionItem.Severity.HIGH, ExceptionItem.Severity.CRITICAL)
    return visible_exceptions(actor).filter(state__in=OPEN, seen_again_by=None, severity__in=grave).count()


def get_choice(actor: Principal) -> NoticeChoice:
    """What the person chose to be told, or what holds for who chose nothing."""
    return NoticeChoice.objects.filter(user_id=actor.user_id).first() or NoticeChoice(user_id=actor.user_id)
