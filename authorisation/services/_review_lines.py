"""The lines of a new access review: each holding in scope with what is known of it, and whose word counts on it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from authorisation.domain.access_review import Line, bar_granter, is_dormant, title_of
from authorisation.domain.holdings import AccessWorld, Holding, HoldingKind, Origin
from authorisation.domain.review_transitions import UNREVIEWED
from authorisation.domain.toxic import conflicts_of
from authorisation.selectors.access_world import NamedObject, Uses, get_origins, get_uses, name_objects
from kernel.errors import Refused
from kernel.ids import new_id

LINE_FIELDS = (
    *("id", "review_id", "number", "kind", "role", "user_id", "right", "on", "key_id", "title", "desk_id", "person_id"),
    *("barred_id", "origin", "granted_by", "granted_at", "last_used_on", "last_seen_on", "conflicts", "dormant"),
    *("state", "outcome", "said_why"),
)
SHOWN = 5
_NOTHING_TOLD = "No event tells who gave it and when."
_NOBODY_ANSWERS = "Nobody answers for this service account."
_DISABLED = "The user is disabled."


@dataclass(frozen=True, slots=True)
class Scope:
    """What is reviewed: everything, the holdings of one desk, or those of one role."""

    desk_id: int | None = None
    role: str = ""

    def takes(self, line: Line) -> bool:
        """Whether the line is part of it."""
        if self.role:
            return line.holding.role == self.role
        return self.desk_id is None or line.desk_id == self.desk_id


@dataclass(slots=True)
class Snapshot:
    """The access world at one moment with all that lines say about it. ``reviewers`` are ids by desk, of no desk under None."""

    world: AccessWorld
    reviewers: Mapping[int | None, Collection[int]]
    at: datetime
    origins: Mapping[Holding, Origin] = field(init=False)
    uses: Uses = field(init=False)
    objects: Mapping[str, NamedObject] = field(init=False)
    role_desks: dict[str, int | None] = field(init=False)

    def __post_init__(self) -> None:
        self.origins = get_origins(self.world)
        self.uses = get_uses(self.world)
        self.objects = name_objects(on for _, _, on in self.world.grants)
        desks: dict[str, set[int | None]] = {}
        for role, _, on in self.world.grants:
            desks.setdefault(role, set()).add(self.objects[on].desk_id)
        self.role_desks = {role: next(iter(found)) for role, found in desks.items() if len(found) == 1}

    def lines(self, scope: Scope) -> Iterator[Line]:
        """The holdings in scope, numbered from 1, each with whom it bars. Raises Refused REVIEWER_MISSING, naming some."""
        unreviewable: list[str] = []
        number = 0
        for holding in self.world.holdings():
            line = self._line(holding, number + 1)
            if not scope.takes(line):
                continue
            granter = _user_of(self._granted_by(holding))
            barred = bar_granter(line, granter, self.reviewers.get(line.desk_id, ()), self.world)
            if barred is None:
                unreviewable.append(self.title(holding))
                continue
            number += 1
            yield Line(number, holding, UNREVIEWED, line.origin, line.person_id, barred, line.desk_id)
        if unreviewable:
            shown = "; ".join(unreviewable[:SHOWN])
            more = f" and {len(unreviewable) - SHOWN} more" if len(unreviewable) > SHOWN else ""
            raise Refused(
                "REVIEWER_MISSING",
                f"Nobody of the reviewers may review this, because it is their own or of another desk: {shown}{more}.",
                {"lines": len(unreviewable)},
            )

    def _line(self, holding: Holding, number: int) -> Line:
        origin = self.origins.get(holding)
        person = self._person_id(holding)
        given = origin.event_id if origin else None
        return Line(number, holding, UNREVIEWED, given, person or 0, 0, self._desk_id(holding))

    def row(self, line: Line, review_id: Any) -> tuple[Any, ...]:
        """The line as a row of its table, in the order of LINE_FIELDS."""
        holding, origin = line.holding, self.origins.get(line.holding)
        used, seen = self._last_used(holding), self._last_seen(holding)
        given = origin.since if origin else None
        counted = used if self._is_measured(holding) else seen
        dormant = is_dormant(used=counted, since=given or self._made_at(holding), at=self.at)
        return (
            new_id(), review_id, line.number, holding.kind.value, holding.role, holding.user_id or None, holding.right,
            holding.on, holding.key_id, self.title(holding), line.desk_id, line.person_id or None, line.barred_id or None,
            line.origin, self._granted_by(holding), given, used, seen, self.conflicts(holding), dormant,
            UNREVIEWED, "", "",
        )  # fmt: skip

    def title(self, holding: Holding) -> str:
        """In words."""
        user = self.world.holders.get(holding.user_id)
        key = self.world.keys.get(holding.key_id) if holding.key_id else None
        return title_of(
            holding,
            username=user.username if user else "",
            on_name=self.objects[holding.on].name if holding.on else "",
            key_name=key.name if key else "",
        )

    def conflicts(self, holding: Holding) -> list[str]:
        """What speaks against keeping it without a look, one sentence each."""
        found = [] if holding in self.origins else [_NOTHING_TOLD]
        user = self.world.holders.get(holding.user_id)
        if user is not None:
            if user.is_service and user.person_id is None:
                found.append(_NOBODY_ANSWERS)
            if not user.active:
                found.append(_DISABLED)
        return found + self._toxic(holding)

    def _toxic(self, holding: Holding) -> list[str]:
        """Pairs nobody may hold together, where this very holding is one side."""
        if holding.kind == HoldingKind.MEMBER:
            rights, mine = self.world.rights_of(holding.user_id), self.world.role_rights.get(holding.role, frozenset())
        elif holding.kind == HoldingKind.ROLE_RIGHT:
            rights, mine = self.world.role_rights[holding.role], frozenset({holding.right})
        else:
            return []
        pairs = [pair for pair in conflicts_of(rights) if not mine.isdisjoint((pair.one, pair.other))]
        return [f"{pair.one} and {pair.other} together: {pair.why}" for pair in pairs]

    def _person_id(self, holding: Holding) -> int | None:
        user = self.world.holders.get(holding.user_id)
        return user.person_id if user else None

    def _desk_id(self, holding: Holding) -> int | None:
        """A grant's desk is its object's; a role's that is granted on one desk alone is that desk; else the user's own."""
        if holding.kind == HoldingKind.GRANT:
            return self.objects[holding.on].desk_id
        if holding.kind == HoldingKind.MEMBER and self.role_desks.get(holding.role) is not None:
            return self.role_desks[holding.role]
        user = self.world.holders.get(holding.user_id)
        return user.desk_id if user else None

    def _granted_by(self, holding: Holding) -> str:
        origin = self.origins.get(holding)
        return origin.by if origin else ""

    def _made_at(self, holding: Holding) -> datetime | None:
        key = self.world.keys.get(holding.key_id) if holding.key_id else None
        user = self.world.holders.get(holding.user_id)
        return key.made_at if key else user.made_at if user else None

    def _actors(self, holding: Holding) -> Sequence[str]:
        """Whose use is use of it: the user with all keys, the members of a role, the key alone."""
        if holding.kind == HoldingKind.API_KEY:
            return [f"key:{holding.key_id}"]
        users = {holding.user_id} if holding.user_id else self.world.members_of(holding.role)
        keys = [f"key:{key.id}" for key in self.world.keys.values() if key.user_id in users]
        return [*(f"user:{user}" for user in users), *keys]

    def _is_measured(self, holding: Holding) -> bool:
        """Whether a use of this very thing is told apart: of a right or a key it is, of a desk granted it is not."""
        if holding.kind == HoldingKind.MEMBER:
            return bool(self.world.role_rights.get(holding.role))
        return holding.kind in (HoldingKind.ROLE_RIGHT, HoldingKind.API_KEY)

    def _last_used(self, holding: Holding) -> date | None:
        if holding.kind == HoldingKind.API_KEY:
            return self.uses.last_seen(self._actors(holding))
        if holding.kind == HoldingKind.MEMBER:
            return self.uses.last(self._actors(holding), self.world.role_rights.get(holding.role, ()))
        if holding.kind == HoldingKind.ROLE_RIGHT:
            return self.uses.last(self._actors(holding), [holding.right])
        return None

    def _last_seen(self, holding: Holding) -> date | None:
        return self.uses.last_seen(self._actors(holding))


def _user_of(actor: str) -> int:
    """The user behind an actor's text, 0 for a process, a key or nobody."""
    kind, _, name = actor.partition(":")
    return int(name) if kind == "user" and name.isdecimal() else 0
