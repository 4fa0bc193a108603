"""What a line of the list says: one method of an address and the status each caller gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.factories.doors import CALLERS, Doors

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
API = "api/v1/"


@dataclass(frozen=True)
class Door:
    """One method of an address. ``statuses`` stand in the order of CALLERS; ``path`` may name attributes of ``d``."""

    method: str
    path: str
    statuses: tuple[int, ...]
    data: Callable[[Doors], dict[str, Any]] = lambda d: {}
    measured_as: str = "own"  # whose query count is kept

    def path_for(self, doors: Doors) -> str:
        return self.path.format(d=doors)

    def status_for(self, caller: str) -> int:
        return self.statuses[CALLERS.index(caller)]


# anonymous, own desk's dealer, other desk's dealer, auditor, compliance, service (on pages it is nobody: tokens are
# for the API alone, and a service cannot sign in)
EVERYBODY = (200, 200, 200, 200, 200, 200)
SIGNED_IN = (302, 200, 200, 200, 200, 302)
JSON_SIGNED_IN = (401, 200, 200, 200, 200, 401)
NOT_THERE = (404, 404, 404, 404, 404, 404)
LEADS_ON = (302, 302, 302, 302, 302, 302)
SEES_THE_DESK = (302, 200, 404, 200, 200, 302)
ENTERS = (302, 200, 200, 403, 403, 302)
TRADES_THE_DESK = (302, 200, 404, 403, 403, 302)
NOT_THEIRS = (302, 403, 403, 403, 403, 302)
REVIEWS = (302, 403, 403, 403, 200, 302)
OWNS = (302, 200, 404, 403, 403, 302)
AUDITS = (302, 403, 403, 200, 403, 302)
AUDITS_ON = (302, 403, 403, 302, 403, 302)
CHECKS = (302, 403, 404, 403, 200, 302)
API_CHECKS = (401, 403, 404, 403, 200, 403)
API_KNOWN = (401, 200, 200, 200, 200, 200)
API_NOT_THEIRS = (401, 403, 403, 403, 403, 403)
API_SEES_THE_DESK = (401, 200, 404, 200, 200, 200)
API_TRADES_THE_DESK = (401, 201, 404, 403, 403, 201)
