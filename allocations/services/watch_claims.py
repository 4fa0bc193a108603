"""Sweeper: trades of before an ex date that had not settled in time: claims of a dividend, and what is instructed in old shares.

The entitlement itself is booked (``accounts``: pending money, new shares); who pays is the other side of the trade. Money becomes rows
that people follow until they are paid or given up (``_claims``), and one matter an action and counterparty says what is open of them. Of a
split the matter says what is instructed in old shares, and ends when nothing of it is open.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from allocations.domain import transitions as moves
from allocations.domain.instructing import RECEIVE
from allocations.domain.market_claims import MarketClaim, Settling, claims_of
from allocations.domain.settling import Said, stand
from allocations.domain.terms import NOBODY
from allocations.models import Claim, SettlementInstruction
from allocations.models.claims import OPEN
from allocations.selectors.statuses import asked_of, statuses_by_instruction
from allocations.services._claims import Owed, keep_claims
from authorisation.domain.principal import process_principal
from journal.domain.records import ANOMALY_RAISED, Anomaly, Severity
from journal.selectors import stream_records
from journal.services.clear_anomaly import clear_anomaly
from journal.services.raise_anomaly import raise_anomaly
from kernel.numbers import ZERO, plain
from refdata.as_at import terms_of
from refdata.domain.action_terms import ActionTerms
from refdata.domain.action_transitions import STANDS
from refdata.models import CorporateAction
from refdata.selectors import get_market_clock

ACTOR = process_principal("settlement")
CLAIM = "MARKET_CLAIM"
WINDOW = timedelta(days=90)
SHOWN = 50


def watch_claims(*, at: datetime) -> int:
    """How many matters stand: one for each action and counterparty."""
    claimed = Claim.objects.filter(state__in=OPEN).values("action_id")
    rows = CorporateAction.objects.filter(
        Q(state__in=STANDS, ex_date__gte=(at - WINDOW).date()) | Q(id__in=claimed)
    ).exclude(kind="name_change")
    return sum(_watch(action, at=at) for action in rows.select_related("listing").order_by("ex_date", "id"))


def _watch(action: CorporateAction, *, at: datetime) -> int:
    terms, clock = terms_of(action), get_market_clock(action.listing.market_id)
    by = (terms.record_date or terms.ex_date) if terms.is_paid else terms.ex_date - timedelta(days=1)
    over = at.astimezone(clock.zone).date() > by and action.state in STANDS
    settling = _settling(action, terms, clock.zone) if over else {}
    found = {name: claims_of(terms, rows, by=by) for name, rows in settling.items()}
    if terms.is_paid:
        found = _followed(action, found, at=at)
    for name, claims in sorted(found.items()):
        _tell(action, terms, name, claims, at=at)
    return sum(bool(claims) for claims in found.values())


def _followed(
    action: CorporateAction, found: Mapping[str, Sequence[MarketClaim]], *, at: datetime
) -> dict[str, list[MarketClaim]]:
    """Claims as rows, and what is open of them by counterparty; also of one that owes nothing any more."""
    refs = [one.ref for claims in found.values() for one in claims]
    instructions = {row.ref: row for row in SettlementInstruction.objects.filter(ref__in=refs)}
    owed = [
        Owed(instructions[one.ref], name, one.units if one.receives else -one.units, one.money)
        for name, claims in sorted(found.items())
        for one in claims
    ]
    with transaction.atomic():
        rows = keep_claims(action, owed, at=at)
    names = {*found, *Claim.objects.filter(action=action).values_list("counterparty", flat=True)}
    return {name: [_open(row) for row in rows if row.counterparty == name] for name in sorted(names)}


def _open(row: Claim) -> MarketClaim:
    return MarketClaim(
        row.instruction.ref, row.instruction.account.code, row.amount > 0, abs(row.units), money=row.amount
    )


def _settling(action: CorporateAction, terms: ActionTerms, zone: ZoneInfo) -> Mapping[str, Sequence[Settling]]:
    """Instructions of trades of before the ex date by counterparty; of a split only those that are open."""
    rows = (
        SettlementInstruction.objects.filter(
            allocation__block__instrument_id=action.instrument_id, allocation__block__trade_date__lt=terms.ex_date
        )
        .exclude(state=moves.CANCELED)
        .select_related("account", "allocation__block")
        .order_by("allocation__number", "ref")
    )
    if terms.kind.is_split:
        rows = rows.exclude(state=moves.SETTLED)
    chosen = list(rows)
    said = statuses_by_instruction([row.id for row in chosen])
    found: defaultdict[str, list[Settling]] = defaultdict(list)
    for row in chosen:
        found[row.allocation.block.session_group].append(
            Settling(row.ref, row.account.code, row.delivery == RECEIVE, row.qty, _parts(row, said, zone))
        )
    return found


def _parts(
    row: SettlementInstruction, said: Mapping[UUID, Sequence[Said]], zone: ZoneInfo
) -> list[tuple[date, Decimal]]:
    parts = stand(asked_of(row), said.get(row.id, ())).parts
    return [(part.effective_at.astimezone(zone).date(), part.qty) for part in parts]


def _tell(
    action: CorporateAction, terms: ActionTerms, counterparty: str, claims: Sequence[MarketClaim], *, at: datetime
) -> None:
    """Raise it, clear it, or where its figures are others than they were, both."""
    anomaly = _anomaly(action, terms, counterparty, claims)
    last = next(reversed(list(stream_records(f"anomaly:{anomaly.dedupe_key}"))), None)
    raised = last is not None and last.kind == ANOMALY_RAISED
    if raised and last is not None and claims and last.payload["sentence"] != anomaly.sentence:
        clear_anomaly(anomaly=anomaly, actor=ACTOR.actor, at=at)
        raised = False
    if raised != bool(claims):
        (raise_anomaly if claims else clear_anomaly)(anomaly=anomaly, actor=ACTOR.actor, at=at)


def _anomaly(action: CorporateAction, terms: ActionTerms, counterparty: str, claims: Sequence[MarketClaim]) -> Anomaly:
    return Anomaly(
        kind=CLAIM,
        severity=Severity.HIGH,
        subject_type="instrument",
        subject_id=str(action.instrument_id),
        sentence=_sentence(action, terms, counterparty, claims),
        dedupe_key=f"market-claim:{action.id}:{counterparty}",
        evidence={
            "action": str(action), "counterparty": counterparty, "ex_date": terms.ex_date.isoformat(),
            "instructions": len(claims), "currency": terms.currency, "claims": [one.to_json() for one in claims[:SHOWN]],
        },
    )  # fmt: skip


def _sentence(action: CorporateAction, terms: ActionTerms, counterparty: str, claims: Sequence[MarketClaim]) -> str:
    party = counterparty or NOBODY
    if not claims:
        return f"Nothing is to be claimed from {party} for {action} any more."
    come, go = [one for one in claims if one.receives], [one for one in claims if not one.receives]
    units = f"{plain(_units(come))} units to come and {plain(_units(go))} to go"
    if terms.is_paid:
        said = (
            f"claim {plain(sum((one.money for one in come), ZERO))} {terms.currency} from {party} and expect to pay "
            f"{plain(-sum((one.money for one in go), ZERO))}"
        )
        return f"{action}: {units} had not settled by the record date: {said}."
    new = [plain(abs(sum((one.new_units for one in part), ZERO))) for part in (come, go)]
    return f"{action}: {units} are instructed with {party} in old shares: {new[0]} and {new[1]} new ones are to settle."


def _units(claims: Sequence[MarketClaim]) -> Decimal:
    return sum((one.units for one in claims), ZERO)
