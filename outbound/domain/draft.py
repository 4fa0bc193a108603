"""A subscription as it is asked for, and what is wrong with it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from outbound.domain.contracts import BY_KIND
from outbound.domain.endpoints import Reach, read_endpoint

LONGEST_NAME = 80
LONGEST_REASON = 500
MOST_SUBSCRIPTIONS = 16


@dataclass(frozen=True, slots=True)
class Draft:
    """``kinds`` none: all; ``desks`` (ids) none: all that the user sees."""

    name: str
    url: str
    user_id: int
    kinds: tuple[str, ...] = ()
    desks: tuple[int, ...] = ()

    def faults(self, reach: Reach, *, visible_desks: frozenset[int] | None) -> dict[str, list[str]]:
        """A sentence a field. ``visible_desks`` are those of the user, None where there is no such user to listen with."""
        found: dict[str, list[str]] = {}
        if not self.name or len(self.name) > LONGEST_NAME or not self.name.isprintable():
            found["name"] = [f"A name of at most {LONGEST_NAME} characters."]
        try:
            read_endpoint(self.url, reach)
        except ValueError as problem:
            found["url"] = [str(problem)]
        if set(self.kinds) - set(BY_KIND):
            found["kinds"] = ["Choose kinds of the contract."]
        if visible_desks is None:
            found["user"] = ["Choose a service account that is in use."]
        elif set(self.desks) - visible_desks:
            found["desks"] = ["Choose desks that the service account sees."]
        return found

    def payload(self, *, reason: str) -> dict[str, Any]:
        """What a decision binds to."""
        return {
            "name": self.name,
            "url": self.url,
            "user_id": self.user_id,
            "kinds": sorted(self.kinds),
            "desks": sorted(self.desks),
            "reason": reason,
        }


def draft_of(payload: Mapping[str, Any]) -> Draft:
    """The draft that was asked for."""
    return Draft(payload["name"], payload["url"], payload["user_id"], tuple(payload["kinds"]), tuple(payload["desks"]))
