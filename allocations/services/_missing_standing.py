"""Instructions for which nobody has said where they settle: marked once, told once for account, market and currency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from accounts.models import TradingAccount
from allocations.models import SettlementInstruction
from authorisation.domain.principal import process_principal
from journal.bulk import update_rows
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly

ACTOR = process_principal("settlement")
SSI_MISSING = "SSI_MISSING"
NO_SSI = "NOSSI"
"""In ``reason_code`` of an instruction that waits because nobody has said where it settles."""
WHY = "No standing instruction is in force on its settlement date."
Scope = tuple[UUID, str, str]
"""Account, market, currency."""


def mark_missing(
    rows: Sequence[SettlementInstruction], places: Mapping[UUID, tuple[int | None, str]], *, at: datetime
) -> None:
    """``rows`` are locked and their mark is no longer true; ``places`` by instruction: standing instruction or None, market."""
    missing: defaultdict[Scope, int] = defaultdict(int)
    found: set[Scope] = set()
    for row in rows:
        standing, mic = places[row.id]
        scope = (row.account_id, mic, row.currency)
        if standing is None:
            row.reason_code, row.reason = NO_SSI, WHY
            missing[scope] += 1
        else:
            row.reason_code = row.reason = ""
            found.add(scope)
    marks = [(row.id, row.reason_code, row.reason) for row in rows]
    update_rows(SettlementInstruction, marks, key=("id",), fields=("reason_code", "reason"))
    _tell(missing, wrong=True, at=at)
    _tell(dict.fromkeys(found - missing.keys(), 0), wrong=False, at=at)


def _tell(scopes: Mapping[Scope, int], *, wrong: bool, at: datetime) -> None:
    codes = dict(TradingAccount.objects.filter(id__in={scope[0] for scope in scopes}).values_list("id", "code"))
    for scope, count in sorted(scopes.items()):
        account_id, mic, currency = scope
        code = codes[account_id]
        sentence = (
            f"{count} of account {code} cannot be instructed: no standing instruction for {mic} in {currency}."
            if wrong
            else f"{code} has a standing instruction for {mic} in {currency}."
        )
        anomaly = Anomaly(
            kind=SSI_MISSING,
            severity=Severity.HIGH,
            subject_type="account",
            subject_id=str(account_id),
            sentence=sentence,
            dedupe_key=f"ssi:{account_id}:{mic}:{currency}",
            evidence={"account": code, "mic": mic, "currency": currency},
        )
        set_anomaly(anomaly=anomaly, wrong=wrong, actor=ACTOR.actor, at=at)
