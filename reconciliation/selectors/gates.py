"""The gates of the start of day as people see them: what stands, for whom it is open in spite of it, and who asks to open it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts.models import TradingAccount
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from kernel.errors import NotFound
from reconciliation.models import Feed
from risk.domain.stops import START_OF_DAY
from risk.models import Block, Scope, Waiver

KIND = "gate_override"
SOURCE = f"{START_OF_DAY}:"
SHOWN = 200


@dataclass(frozen=True, slots=True)
class Opening:
    """One word of two that opens a gate: ``account`` by its code, empty for all; ``asked_by`` and ``granted_by`` as actors."""

    waiver: Waiver
    feed: str
    account: str
    asked_by: str
    evidence: str

    @property
    def id(self) -> UUID:
        return self.waiver.id


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate that stands: ``name`` is the account's code or the firm; ``openings`` let pass in spite of it."""

    block: Block
    feed: str
    name: str
    openings: tuple[Opening, ...]
    waiting: tuple[UUID, ...]
    """Requests to open it that wait for a second person."""


def list_gates(*, at: datetime) -> list[Gate]:
    """Every gate that stands, the firm's first, at most 200: five statements."""
    blocks = list(
        Block.objects.filter(lifted_at__isnull=True, source__startswith=SOURCE).order_by("-scope", "source", "id")[
            :SHOWN
        ]
    )
    openings = _openings(Waiver.objects.filter(block__in=blocks, ended_at__isnull=True, until__gt=at))
    names = _codes({block.scope_id for block in blocks if block.scope == Scope.ACCOUNT})
    waiting: dict[str, list[UUID]] = {}
    for one in AuthorisationRequest.objects.filter(kind=KIND, state__in=OPEN).order_by("created_at", "id"):
        waiting.setdefault(one.payload["block_id"], []).append(one.id)
    return [
        Gate(
            block,
            block.source.removeprefix(SOURCE),
            names.get(block.scope_id, "") or "the whole firm",
            tuple(one for one in openings if one.waiver.block_id == block.id),
            tuple(waiting.get(str(block.id), ())),
        )
        for block in blocks
    ]


def list_openings(*, limit: int = 100) -> list[Opening]:
    """The newest words that open or opened a gate."""
    return _openings(Waiver.objects.order_by("-granted_at", "-id")[:limit])


def get_opening(waiver_id: UUID) -> Opening:
    """Raises NotFound OVERRIDE_UNKNOWN."""
    found = _openings(Waiver.objects.filter(pk=waiver_id))
    if not found:
        raise NotFound("OVERRIDE_UNKNOWN", "There is no such opening of a gate.")
    return found[0]


def find_gate(*, feed: Feed, account: TradingAccount | None) -> Block | None:
    """The gate of the feed that keeps the account from trading, or, without one, the firm's; None where it is not shut."""
    standing = Block.objects.filter(lifted_at__isnull=True, source=f"{SOURCE}{feed.code}")
    firm = standing.filter(scope=Scope.FIRM).first()
    if firm is not None or account is None:
        return firm
    return standing.filter(scope=Scope.ACCOUNT, scope_id=str(account.id)).first()


def opening_to_json(one: Opening) -> dict[str, Any]:
    """One opening as the API answers it."""
    row = one.waiver
    return {
        "id": str(row.id),
        "feed": one.feed,
        "account": one.account,
        "until": row.until.isoformat(),
        "reason": row.reason,
        "evidence": one.evidence,
        "asked_by": one.asked_by,
        "granted_by": row.granted_by,
        "granted_at": row.granted_at.isoformat(),
        "ended_by": row.ended_by,
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "ended_reason": row.ended_reason,
        "authorisation_id": str(row.request_id),
    }


def _openings(rows: Any) -> list[Opening]:
    found: Sequence[Waiver] = list(rows.select_related("block"))
    codes = _codes({row.account_id for row in found if row.account_id})
    requests: Mapping[UUID, AuthorisationRequest] = AuthorisationRequest.objects.in_bulk(
        [row.request_id for row in found]
    )
    return [
        Opening(
            row,
            row.block.source.removeprefix(SOURCE),
            codes.get(row.account_id, row.account_id),
            f"user:{requests[row.request_id].maker_id}",
            str(requests[row.request_id].payload["evidence"]),
        )
        for row in sorted(found, key=lambda row: (row.granted_at, row.id), reverse=True)
    ]


def _codes(ids: set[str]) -> dict[str, str]:
    return {str(key): code for key, code in TradingAccount.objects.filter(id__in=ids).values_list("id", "code")}
