"""Sweeper: trades of before an ex date that had not settled in time become claims, and their money and shares follow.

The entitlement itself is booked (``accounts``: pending money, new shares); who pays is the other side of the trade
(``domain.market_claims``). Claims are rows that people follow until they are paid or given up (``_claims``), and one matter an action
and counterparty says what is open of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from allocations.domain import transitions as moves
from allocations.domain.instructing import RECEIVE
from allocations.domain.market_claims import MarketClaim, Settling, claims_of
from allocations.domain.settling import stand
from allocations.domain.terms import NOBODY
from allocations.models import Claim, SettlementInstruction
from allocations.models.claims import OPEN
from allocations.selectors.statuses import asked_of_all, statuses_by_instruction
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
    found = _followed(action, {name: claims_of(terms, rows, by=by) for name, rows in settling.items()}, at=at)
    for name, claims in sorted(found.items()):
        _tell(action, terms, name, claims, at=at)
    return sum(bool(claims) for claims in found.values())


def _followed(
    action: CorporateAction, found: Mapping[str, Sequence[MarketClaim]], *, at: datetime
) -> dict[str, list[MarketClaim]]:
    """Claims as rows, and what is open of them by counterparty; also of one that owes nothing any more."""
    refs = [one.ref for claims in found.values() for one in claims]
    if not refs and not Claim.objects.filter(action=action).exists():
        return {}
    instructions = {row.ref: row for row in SettlementInstruction.objects.filter(ref__in=refs)}
    owed = [
        Owed(instructions[one.ref], name, one.units if one.receives else -one.units, one.amount, one.currency)
        for name, claims in sorted(found.items())
        for one in claims
    ]
    with transaction.atomic():
        rows = keep_claims(action, owed, at=at)
    names = {*found, *Claim.objects.filter(action=action).values_list("counterparty", flat=True)}
    return {name: [_open(row) for row in rows if row.counterparty == name] for name in sorted(names)}


def _open(row: Claim) -> MarketClaim:
    return MarketClaim(
        row.instruction.ref, row.instruction.account.code, row.amount > 0, abs(row.units), row.amount, row.currency
    )


def _settling(action: CorporateAction, terms: ActionTerms, zone: ZoneInfo) -> Mapping[str, Sequence[Settling]]:
    """Instructions of trades of before the ex date by counterparty; of a split those that are in new shares by what they were."""
    rows = (
        SettlementInstruction.objects.filter(
            allocation__block__instrument_id=action.instrument_id, allocation__block__trade_date__lt=terms.ex_date
        )
        .filter(~Q(state=moves.CANCELED) | Q(shares_until__isnull=False))
        .select_related("account", "action", "allocation__block")
        .order_by("allocation__number", "version")
    )
    chosen = list(rows)
    going_on = {row.transforms_id for row in chosen}
    said, asked = statuses_by_instruction([row.id for row in chosen]), asked_of_all(chosen)
    found: defaultdict[str, list[Settling]] = defaultdict(list)
    for row in chosen:
        ended = row.state == moves.CANCELED and not row.settled_qty and row.id not in going_on
        if ended or not _counts(row, action, terms, zone):
            continue
        made_of = row.of_qty if row.action_id == action.id else None
        parts = [
            (part.effective_at.astimezone(zone).date(), part.qty)
            for part in stand(asked[row.id], said.get(row.id, ())).parts
        ]
        found[row.allocation.block.session_group].append(
            Settling(row.ref, row.account.code, row.delivery == RECEIVE, row.qty, parts, made_of)
        )
    return found


def _counts(row: SettlementInstruction, action: CorporateAction, terms: ActionTerms, zone: ZoneInfo) -> bool:
    """Of a dividend the one in the shares of the record date; of a split those in its own new shares, and those in the old ones."""
    if terms.is_paid:
        by = terms.record_date or terms.ex_date
        left_before = row.shares_until is not None and row.shares_until.astimezone(zone).date() <= by
        return not left_before and (row.action is None or row.action.ex_date <= by)
    return (row.action_id == action.id and str(action.id) in row.taken_into) or str(action.id) not in row.taken_into


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
            f"claim {plain(sum((one.amount for one in come), ZERO))} {terms.currency} from {party} and expect to pay "
            f"{plain(-sum((one.amount for one in go), ZERO))}"
        )
        return f"{action}: {units} had not settled by the record date: {said}."
    owed = " and ".join(_owed(claims, currency) for currency in sorted({one.currency for one in claims}, reverse=True))
    return f"{action}: {units} of trades with {party} did not settle in the shares that hold now: {owed}."


def _owed(claims: Sequence[MarketClaim], currency: str) -> str:
    amounts = [one.amount for one in claims if one.currency == currency]
    come, go = sum((x for x in amounts if x > 0), ZERO), -sum((x for x in amounts if x < 0), ZERO)
    return f"{plain(come)} {currency or 'shares'} to come and {plain(go)} to go"


def _units(claims: Sequence[MarketClaim]) -> Decimal:
    return sum((one.units for one in claims), ZERO)
