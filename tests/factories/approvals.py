"""Decisions as the approvals page sends them: with what the item's page has shown."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.test import Client

from authorisation.domain.principal import Principal
from kernel.clock import utc_now
from operations.domain.shown import to_text
from operations.selectors.review import review_approval

_HIDDEN = re.compile(r'name="(payload_hash|shown)"[^>]*value="([^"]*)"')


def decide_as_shown(client: Client, approval_id: UUID, verdict: str = "approve", **more: Any) -> HttpResponse:
    """Open the item's page and answer it; ``headers`` and fields may be given."""
    headers = more.pop("headers", None)
    drawn = client.get(f"/approvals/{approval_id}").content.decode()
    data = {"verdict": verdict, **dict(_HIDDEN.findall(drawn)), **more}
    answer = client.post(f"/approvals/{approval_id}/decide", data, headers=headers)
    assert isinstance(answer, HttpResponse)
    return answer


def shown_to(actor: Principal, approval_id: UUID) -> str:
    """What the page would show this actor now, as a form carries it."""
    return to_text(review_approval(actor=actor, approval_id=approval_id, at=utc_now()).parts)
