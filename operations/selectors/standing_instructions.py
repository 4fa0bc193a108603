"""What a change of where an account's trades settle would do: the instruction of now beside the one asked for."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from allocations.domain.standing import StandingTerms, terms_from_json
from allocations.models import StandingInstruction
from allocations.selectors.standing import differing_open, newest_version
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from operations.domain.effect import Effect, EffectLine


def describe_standing_instruction(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """By field; what was sent and is open stays where it was sent."""
    asked = facts.payload
    terms, account_id = terms_from_json(asked["terms"]), UUID(asked["account_id"])
    version = newest_version(account_id, terms.mic, terms.currency)
    now = StandingInstruction.objects.filter(
        account_id=account_id, mic=terms.mic, currency=terms.currency, version=version
    ).first()
    moved = version != facts.subject_version
    open_refs = differing_open(account_id, terms.currency)
    where = f"{terms.mic or 'any market'} in {terms.currency}"
    return Effect(
        headline=f"From {terms.effective_from} trades of {asked['account']} on {where} {_then(terms)}: {asked['reason']}",
        button=f"{'end' if terms.ended else 'set'} where {asked['account']} settles {where}",
        lines=_lines(now, terms),
        warnings=tuple(
            filter(None, (f"Sent to somewhere else already: {', '.join(open_refs[:5])}." if open_refs else "",))
        ),
        obstacle="Another one of the same account, market and currency was set meanwhile." if moved else "",
        irreversible="What is instructed by it goes to that custodian; a later change does not call it back.",
    )


def _then(terms: StandingTerms) -> str:
    return "settle nowhere" if terms.ended else f"settle at {terms.agent}, account {terms.safekeeping_account}"


def _lines(now: StandingInstruction | None, terms: StandingTerms) -> tuple[EffectLine, ...]:
    fields = (
        ("Custodian", "agent"),
        ("Depository", "place"),
        ("Safekeeping account", "safekeeping_account"),
        ("Cash account", "cash_account"),
        ("From", "effective_from"),
        ("To", "effective_to"),
    )
    had = now if now is not None and not now.ended else None
    return tuple(
        EffectLine(
            label,
            str((getattr(had, name) or "open") if had else "none"),
            "none" if terms.ended else str(getattr(terms, name) or "open"),
        )
        for label, name in fields
    )
