"""A second person's word on where an account's trades settle: approved, it is the next version of its scope.

Instructions that were sent stay as they were sent; the answer names those that are open and that now differ.
"""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from accounts.selectors import find_account_by_code
from allocations.domain.standing import StandingTerms, terms_from_json
from allocations.permissions import require_decide
from allocations.selectors.standing import differing_open, newest_version
from allocations.services.ask_standing_instruction import KIND
from allocations.services.set_standing_instructions import Setting, set_standing_instructions
from authorisation.domain.principal import process_principal
from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from kernel.errors import NotFound

SHOWN = 5


def _load(asking: Asking) -> StandingTerms:
    if find_account_by_code(asking.actor, asking.payload["account"]) is None:
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    return terms_from_json(asking.payload["terms"])


def _guard(asking: Asking, terms: StandingTerms) -> None:
    require_decide(asking.actor)


def _apply(asking: Asking, terms: StandingTerms) -> Applied:
    account_id = UUID(asking.payload["account_id"])
    version = newest_version(account_id, terms.mic, terms.currency)
    if version != asking.facts.subject_version:
        raise NotApplied("Another standing instruction of the same account, market and currency was set meanwhile.")
    worker = replace(process_principal("standing_instructions"), on_behalf_of=asking.actor.actor)
    setting = Setting(account_id, terms, version + 1, asking.facts.id)
    set_standing_instructions(actor=worker, at=asking.at, settings=[setting])
    return Applied(f"It is version {version + 1}. {open_ones(differing_open(account_id, terms.currency))}")


def _decline(asking: Asking, terms: StandingTerms) -> str:
    return "Trades settle where they did."


def open_ones(refs: list[str]) -> str:
    """Which instructions were sent to somewhere else, in a sentence."""
    if not refs:
        return "No instruction that was sent differs from it."
    shown = ", ".join(refs[:SHOWN]) + (f" and {len(refs) - SHOWN} more" if len(refs) > SHOWN else "")
    return f"{len(refs)} instructions were sent to somewhere else and stay there: {shown}."


_SUBJECT = Subject(KIND, _load, _apply, _decline, guard=_guard)
decide_standing_instruction = _SUBJECT.decide
"""Approve or decline.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
