"""A small house whose access came through the services: an administrator gave everything, and people to review it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group

from authorisation.domain.principal import (
    ADMINISTER_USERS,
    DECIDE_RISK_CHANGE,
    DECIDE_STATIC_DATA,
    ENTER_ORDER,
    RELEASE_ORDER,
    REVIEW_ACCESS,
    RUN_ACCESS_REVIEW,
    TRADE_DESK,
    VIEW_DESK,
    Principal,
    process_principal,
)
from authorisation.models import Desk, ReviewLine, User
from authorisation.selectors import get_principal
from authorisation.services.ask_review_close import ask_review_close
from authorisation.services.certify_line import certify_line
from authorisation.services.decide_access_review import decide_access_review
from authorisation.services.grant_access import grant_access
from authorisation.services.issue_api_key import issue_api_key
from authorisation.services.join_role import join_role
from authorisation.services.open_review import open_review
from authorisation.services.set_role_rights import set_role_rights
from tests.factories.authorisation import AT

GIVEN_AT = AT - timedelta(days=30)
OPENED_AT = GIVEN_AT + timedelta(days=7)
DEADLINE = OPENED_AT + timedelta(days=14)

ROLES: Mapping[str, tuple[str, ...]] = {
    "trader": (ENTER_ORDER, "engage_kill_switch"),
    "supervisor": (RELEASE_ORDER, REVIEW_ACCESS),
    "reviewing": (REVIEW_ACCESS, RUN_ACCESS_REVIEW, DECIDE_RISK_CHANGE, DECIDE_STATIC_DATA),
    "administering": (ADMINISTER_USERS,),
}
PEOPLE: Mapping[str, tuple[str, ...]] = {
    "adm.one": ("administering",),
    "adm.two": ("administering",),
    "c.one": ("reviewing", "reviewing:A"),
    "c.two": ("reviewing", "reviewing:A"),
    "h.one": ("supervisor", "supervisor:A"),
    "d.one": ("trader", "trader:A"),
    "d.two": ("trader", "trader:A"),
}


@dataclass(frozen=True, slots=True)
class ReviewHouse:
    """``keys`` are ids by name of their user."""

    desk: Desk
    keys: Mapping[str, UUID]

    def user(self, name: str) -> User:
        return User.objects.get(username=name)

    def actor(self, name: str) -> Principal:
        """As a door would load them now."""
        return get_principal(self.user(name))

    def reviewers(self, *names: str) -> dict[int | None, list[int]]:
        """The people named, for the desk and for what belongs to none."""
        ids = [self.user(name).pk for name in names or ("c.one", "c.two", "h.one")]
        return {self.desk.pk: ids, None: ids}

    def open(self, **changes: Any) -> UUID:
        """A review by c.one, of everything unless told otherwise."""
        values: dict[str, Any] = {
            "actor": self.actor("c.one"),
            "at": OPENED_AT,
            "scope": "all",
            "scope_name": "",
            "deadline_at": DEADLINE,
            "reviewers": self.reviewers(),
            "reason": "yearly",
        }
        return open_review(**(values | changes)).id

    def line(self, review_id: UUID, **which: Any) -> ReviewLine:
        """The one line that is about these."""
        return ReviewLine.objects.get(review_id=review_id, **which)

    def say(self, name: str, line: ReviewLine, verdict: str = "keep", **changes: Any) -> str:
        """A word on a line."""
        values: dict[str, Any] = {
            "at": OPENED_AT + timedelta(days=1),
            "reason": "as agreed",
            "verdict": verdict,
        } | changes
        return certify_line(actor=self.actor(name), review_id=line.review_id, number=line.number, **values)

    def keep_rest(self, review_id: UUID, *, but: tuple[int, ...] = ()) -> None:
        """Every line that nobody spoke about is kept, by the first person who may."""
        for line in ReviewLine.objects.filter(review_id=review_id, state="unreviewed").exclude(number__in=but):
            barred = {line.user_id, line.person_id, line.barred_id}
            reviewer = next(
                name
                for name in ("h.one", "c.one", "c.two")
                if self.user(name).pk not in barred and not (line.user_id is None and line.role in PEOPLE[name])
            )
            self.say(reviewer, line)

    def close(self, review_id: UUID, *, at: datetime = DEADLINE, verdict: str = "approve") -> Any:
        """Asked for by c.one, decided by c.two."""
        asked = ask_review_close(actor=self.actor("c.one"), at=at, review_id=review_id, reason="all is said")
        return decide_access_review(
            actor=self.actor("c.two"),
            at=at + timedelta(minutes=1),
            authorisation_id=asked.id,
            verdict=verdict,
            reason_code="REVIEWED",
            reason="looked through",
            payload_hash=asked.payload_hash,
        )


def make_review_house() -> ReviewHouse:
    """Roles and desks by our own process, people by adm.one, keys by adm.two."""
    process = process_principal("test")
    desk = Desk.objects.create(code="A", name="Desk A")
    roles = {name: Group.objects.create(name=name) for name in ROLES}
    for name, rights in ROLES.items():
        set_role_rights(actor=process, at=GIVEN_AT, role=roles[name], rights=rights)
    for name in ("reviewing", "supervisor", "trader"):
        roles[f"{name}:A"] = Group.objects.create(name=f"{name}:A")
        right = TRADE_DESK if name == "trader" else VIEW_DESK
        grant_access(actor=process, at=GIVEN_AT, group=roles[f"{name}:A"], right=right, objects=[desk])
    for name in PEOPLE:
        User.objects.create(username=name, date_joined=GIVEN_AT, desk=None if name.startswith("adm") else desk)
    first = User.objects.get(username="adm.one")
    join_role(actor=process, at=GIVEN_AT, user=first, roles=[roles["administering"]])
    given = replace(process, actor=first.actor)  # told as the first administrator's, without the request behind it
    for name, held in PEOPLE.items():
        user = User.objects.get(username=name)
        join_role(actor=given, at=GIVEN_AT, user=user, roles=[roles[role] for role in held])
    second = get_principal(User.objects.get(username="adm.two"))
    dealer = User.objects.get(username="d.one")
    key = issue_api_key(actor=second, at=GIVEN_AT, user_id=dealer.pk, name="sheet")
    return ReviewHouse(desk, {"d.one": key.id})
