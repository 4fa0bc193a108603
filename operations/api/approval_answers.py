"""A request for a second person as JSON: decimals as text, times as ISO 8601."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from authorisation.selectors.said import EarlierVersion, SaidLine
from kernel.canonical import jsonable
from kernel.numbers import plain
from operations.domain.effect import Effect, EffectLine
from operations.domain.shown import to_text
from operations.selectors.approvals import WaitingItem
from operations.selectors.review import Review


def item_answer(item: WaitingItem) -> dict[str, Any]:
    """One line of the list."""
    facts = item.approval
    value = item.value
    return {
        "id": str(facts.id),
        "kind": facts.kind,
        "title": item.title,
        "summary": facts.summary,
        "state": facts.state_at(item.at),
        "outcome": facts.outcome,
        "version": facts.version,
        "payload_hash": facts.payload_hash,
        "value": {"amount": plain(value.amount), "currency": value.currency} if value is not None else None,
        "maker": facts.maker_name,
        "created_at": facts.created_at.isoformat(),
        "expires_at": facts.expires_at.isoformat(),
        "closed_at": facts.closed_at.isoformat() if facts.closed_at else None,
        "checkers": {"needed": facts.checkers, "approved_by": [said.name for said in facts.approvals]},
        "claimed_by": facts.claimed_by if item.is_claimed else None,
        "claimed_until": facts.claimed_until.isoformat() if item.is_claimed and facts.claimed_until else None,
        "question": facts.question or None,
        "answer": facts.answer or None,
        "why_not": item.why_not or None,
    }


def review_answer(review: Review, said: Sequence[SaidLine], versions: Sequence[EarlierVersion]) -> dict[str, Any]:
    """One item whole; ``shown`` is handed back with a decision."""
    facts = review.item.approval
    return {
        **item_answer(review.item),
        "payload": jsonable(dict(review.payload)),
        "reasons": jsonable(list(facts.reasons)),
        "effect": effect_answer(review.effect) if review.effect is not None else None,
        "shown": to_text(review.parts),
        "said": [jsonable(asdict(one)) for one in said],
        "versions": [jsonable(asdict(one)) for one in versions],
    }


def effect_answer(effect: Effect) -> dict[str, Any]:
    """What approving would do now."""
    return {
        "headline": effect.headline,
        "obstacle": effect.obstacle or None,
        "irreversible": effect.irreversible or None,
        "lines": [_line(line) for line in effect.lines],
        "fields": [_line(line) for line in effect.fields],
        "warnings": list(effect.warnings),
        "since": list(effect.since),
        "checks": [
            {"code": answer.code, "verdict": answer.verdict.word, "sentence": answer.sentence}
            for answer in effect.checks
        ],
    }


def _line(line: EffectLine) -> dict[str, Any]:
    return {"label": line.label, "now": line.now, "then": line.then, "change": line.change, "note": line.note}
