"""Saved schemes as their page shows them: the list with who uses each, and one with its lines, its versions and what waits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from allocations.domain.methods import AMOUNT_KEY, LABELS
from allocations.domain.words import Method
from allocations.models import Scheme
from allocations.selectors.schemes import (
    SchemeUse,
    get_scheme,
    newest_schemes,
    seen_lines,
    uses_of,
    versions_of,
    waiting_for,
)
from authorisation.domain.principal import Principal


@dataclass(frozen=True, slots=True)
class SchemeRow:
    """The newest version of a scheme; ``use`` None: no block was booked by it; ``request_id``: what waits for a second person."""

    scheme: Scheme
    use: SchemeUse | None
    request_id: UUID | None

    @property
    def method(self) -> str:
        """Its method in words."""
        return LABELS[Method(self.scheme.method)]


@dataclass(frozen=True, slots=True)
class SchemePage:
    """One scheme: lines the actor may see, how many others there are, and every version, newest first."""

    row: SchemeRow
    lines: Sequence[Mapping[str, Any]]
    hidden: int
    versions: list[Scheme]

    @property
    def amount_key(self) -> str:
        """What a line of its method states."""
        return AMOUNT_KEY[Method(self.row.scheme.method)]


def list_scheme_rows(actor: Principal) -> list[SchemeRow]:
    """By code, those in force before those that ended."""
    return _rows(sorted(newest_schemes(actor), key=lambda scheme: (scheme.ended, scheme.code)))


def get_scheme_page(actor: Principal, code: str) -> SchemePage:
    """One; raises NotFound SCHEME_UNKNOWN."""
    scheme = get_scheme(actor, code)
    lines, hidden = seen_lines(actor, scheme.lines)
    return SchemePage(_rows([scheme])[0], lines, hidden, versions_of(actor, scheme.code))


def _rows(schemes: Sequence[Scheme]) -> list[SchemeRow]:
    codes = [scheme.code for scheme in schemes]
    uses, waiting = uses_of(codes), waiting_for(codes)
    return [SchemeRow(scheme, uses.get(scheme.code), waiting.get(scheme.code)) for scheme in schemes]
