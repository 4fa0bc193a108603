"""A second person's word on the rules of post-trade, applied at once. What a request is about, its subject type, says who applies it.

A new subject is one line in ``SUBJECTS``. Rules are versions: one that was changed since it was asked is not applied.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from allocations.domain import transitions as moves
from allocations.domain.buying_in import SUBJECT as BUY_IN
from allocations.domain.claiming import SUBJECT as CLAIM
from allocations.domain.confirm_rules import PENALTY, SENDING, TERMS, TOLERANCE, RuleChange
from allocations.domain.schemes import SCHEME
from allocations.locks import lock_confirmations, lock_counterparties
from allocations.selectors.confirm_rules import MODELS, standing, typed
from allocations.selectors.confirming import standings
from allocations.selectors.schemes import other_default
from allocations.services._buy_ins import apply_buy_in
from allocations.services._confirm_watch import watch_blocks
from allocations.services._confirming import Step, carry_out
from allocations.services.act_on_claim import apply_claim_step
from allocations.services.affirm_confirmation import tell_theirs
from allocations.services.save_scheme import save_scheme
from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.errors import InvariantBroken
from kernel.ids import new_id

KIND = "post_trade_rules"
MISMATCH = "confirmation_mismatch"
CHANGED = "PostTradeRuleChanged"


@dataclass(frozen=True, slots=True)
class RuleSubject:
    """``apply`` does what was asked, or raises; ``declined`` says what is when somebody said no."""

    apply: Callable[[Asking], Applied]
    declined: str


def _apply_rule(asking: Asking) -> Applied:
    """The next version of a tolerance or of terms."""
    told = asking.payload
    change = RuleChange(told["rule"], told["scope"], told["value"])
    lock_counterparties([f"rule:{change.subject}"])
    version, before = standing(change)
    if version != told["version"]:
        raise NotApplied("The rule was changed since this was asked.")
    event_id = new_id()
    draft = EventDraft(
        id=event_id, stream=f"post-trade-rules:{change.rule}", kind=CHANGED, actor=asking.actor.actor,
        on_behalf_of=asking.actor.on_behalf_of, correlation_id=asking.facts.id, event_at=asking.at, received_at=asking.at,
        business_date=asking.at.date(),
        payload={
            "rule": change.rule, "scope": dict(change.scope), "value": dict(change.value), "before": before,
            "version": version + 1, "authorisation_id": str(asking.facts.id), "maker_id": asking.facts.maker_id,
            "reason": told["reason"],
        },
    )  # fmt: skip
    append_to_stream(drafts=[draft], at=asking.at)
    MODELS[change.rule]._default_manager.create(
        **change.scope, **typed(change.value), version=version + 1, request_id=asking.facts.id, event_id=event_id,
        recorded_at=asking.at,
    )  # fmt: skip
    return Applied(f"Version {version + 1} of {change.subject} is in force: what comes from now on is judged by it.")


def _apply_mismatch(asking: Asking) -> Applied:
    """Affirm a confirmation with the differences that were looked at, and no others."""
    told = asking.payload
    lock_counterparties([told["counterparty"]])
    rows = lock_confirmations([UUID(told["confirmation"])])
    if not rows or rows[0].state != moves.MISMATCHED or rows[0].differences != told["differences"]:
        raise NotApplied(f"{told['ref']} no longer differs as it did when this was asked.")
    items = standings(rows)
    reason = f"Accepted by {asking.actor.username}: {told['reason']}"
    carry_out([Step(items[0], "affirm", reason=reason)], actor=asking.actor, at=asking.at)
    tell_theirs(items, at=asking.at)
    watch_blocks([items[0].line.block_id], at=asking.at)
    return Applied(f"{told['ref']} is affirmed with its differences.")


def _apply_scheme(asking: Asking) -> Applied:
    """What was asked for, unless somebody saved another version, or another default of the same account, since."""
    asked = asking.payload
    body = asked["scheme"]
    lock_counterparties([f"rule:default:{body['wash_account']}"] if body["wash_account"] else [])
    other = None if body["ended"] else other_default(body)
    if other is not None:
        raise NotApplied(f"{other.code} has become the default of {body['wash_account']} since this was asked.")
    told = {"reason": asked["reason"], "maker_id": asking.facts.maker_id}
    saved = save_scheme(
        actor=asking.actor, at=asking.at, body=body, request_id=asking.facts.id, version=asked["version"], told=told
    )
    word = "no block is divided by it any more" if saved.ended else "blocks are divided by it from now on"
    return Applied(f"Version {saved.version} of scheme {saved.code} is in force: {word}.")


SUBJECTS: dict[str, RuleSubject] = {
    TOLERANCE: RuleSubject(_apply_rule, "The rule stays as it is."),
    TERMS: RuleSubject(_apply_rule, "The terms stay as they are."),
    SENDING: RuleSubject(_apply_rule, "Instructions leave as they did."),
    PENALTY: RuleSubject(_apply_rule, "Fails are estimated as before."),
    SCHEME: RuleSubject(_apply_scheme, "Blocks are divided as before."),
    BUY_IN: RuleSubject(apply_buy_in, "The buy-in stands as it did."),
    CLAIM: RuleSubject(apply_claim_step, "The claim stands as it did."),
    MISMATCH: RuleSubject(_apply_mismatch, "The confirmation stays mismatched."),
}


def _load(asking: Asking) -> RuleSubject:
    found = SUBJECTS.get(asking.facts.subject_type)
    if found is None:
        raise InvariantBroken("SUBJECT_UNKNOWN", f"Nobody applies {asking.facts.subject_type!r}.")
    return found


def _apply(asking: Asking, subject: RuleSubject) -> Applied:
    return subject.apply(asking)


def _decline(asking: Asking, subject: RuleSubject) -> str:
    return subject.declined


_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_post_trade_rules = _SUBJECT.decide
"""Approve or decline.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
