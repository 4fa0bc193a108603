"""What a request asks for, as somebody may read it: lines of accounts that the reader may not see are a number.

A decision binds to the hash of all of it; what is shown of it binds nothing. Whoever asked sees what was asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allocations.domain.schemes import SCHEME
from allocations.selectors.cases import KIND as ALLOCATION
from allocations.selectors.schemes import seen_lines
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal

HIDDEN = "lines_you_may_not_see"


def shown_payload(actor: Principal, facts: RequestFacts) -> Mapping[str, Any]:
    """The payload without what the actor may not see."""
    payload = facts.payload
    if facts.maker_id == actor.user_id:
        return payload
    if facts.kind == ALLOCATION:
        return _without_hidden(actor, payload)
    if facts.subject_type == SCHEME:
        return {**payload, "scheme": _without_hidden(actor, payload["scheme"])}
    return payload


def _without_hidden(actor: Principal, asked: Mapping[str, Any]) -> Mapping[str, Any]:
    lines, hidden = seen_lines(actor, asked["lines"])
    return {**asked, "lines": lines, HIDDEN: hidden} if hidden else asked
