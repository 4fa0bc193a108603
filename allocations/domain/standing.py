"""What a standing instruction says, and whether it can be one. Pure."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from kernel.errors import Invalid
from refdata.domain.identifiers import is_currency, is_mic

_BIC = re.compile(r"[A-Z]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?", re.ASCII)
_ACCOUNT = re.compile(r"[A-Za-z0-9/\-. ]{1,35}", re.ASCII)


@dataclass(frozen=True, slots=True)
class StandingTerms:
    """Where the trades of an account in a currency (of a market, or of any where ``mic`` is empty) settle.

    ``place`` is the BIC of the depository, ``agent`` that of the custodian; both dates are settlement dates and are in it.
    ``ended``: from then on there is none for this scope.
    """

    mic: str
    currency: str
    place: str
    agent: str
    safekeeping_account: str
    cash_account: str
    effective_from: date
    effective_to: date | None = None
    ended: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain, for payloads."""
        body = asdict(self)
        return body | {
            "effective_from": self.effective_from.isoformat(),
            "effective_to": self.effective_to.isoformat() if self.effective_to else None,
        }


def terms_from_json(body: dict[str, Any]) -> StandingTerms:
    """The inverse of :meth:`StandingTerms.to_json`."""
    names = ("mic", "currency", "place", "agent", "safekeeping_account", "cash_account", "ended")
    until = body["effective_to"]
    return StandingTerms(
        **{name: body[name] for name in names},
        effective_from=date.fromisoformat(body["effective_from"]),
        effective_to=date.fromisoformat(until) if until else None,
    )


def require_terms(terms: StandingTerms) -> None:
    """Raise Invalid SSI_INVALID, by field, unless a custodian could work with it."""
    wrong: dict[str, list[str]] = {}
    if terms.mic and not is_mic(terms.mic):
        wrong["mic"] = ["A market is a MIC of four, or empty for any."]
    if not is_currency(terms.currency):
        wrong["currency"] = ["Give the ISO code of a currency in which we settle."]
    for name in ("place", "agent"):
        if not _BIC.fullmatch(getattr(terms, name)):
            wrong[name] = ["A BIC has 8 or 11 capitals and digits."]
    for name in ("safekeeping_account", "cash_account"):
        if not _ACCOUNT.fullmatch(getattr(terms, name)):
            wrong[name] = ["Give the account at the custodian, at most 35 characters."]
    if terms.effective_to is not None and terms.effective_to < terms.effective_from:
        wrong["effective_to"] = ["It would end before it begins."]
    if wrong:
        raise Invalid("SSI_INVALID", next(iter(wrong.values()))[0], wrong)
