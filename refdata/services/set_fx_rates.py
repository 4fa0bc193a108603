"""Set FX rates: all good ones of a batch in one statement and one event; a rate older than the one held never replaces it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from authorisation.domain.principal import Principal
from journal.bulk import one_transaction, raw_cursor
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from kernel.numbers import ZERO, plain
from refdata.domain.identifiers import is_currency
from refdata.domain.import_rows import ImportCode, ImportIssue
from refdata.models import FxRate
from refdata.selectors import FX_RATES
from refdata.services.renew_static_version import renew_static_version

STREAM = "refdata:fx_rates"
_UPSERT = """
INSERT INTO refdata_fxrate AS held (base, quote, rate, source, quoted_at, max_age_s)
SELECT u.base, u.quote, u.rate, %s, u.quoted_at, %s
  FROM unnest(%s::text[], %s::text[], %s::numeric[], %s::timestamptz[]) AS u(base, quote, rate, quoted_at)
 ORDER BY u.base, u.quote
    ON CONFLICT (base, quote) DO UPDATE
   SET rate = excluded.rate, source = excluded.source, quoted_at = excluded.quoted_at, max_age_s = excluded.max_age_s
 WHERE held.quoted_at < excluded.quoted_at
    OR (held.quoted_at = excluded.quoted_at
        AND (held.rate, held.source, held.max_age_s) <> (excluded.rate, excluded.source, excluded.max_age_s))
RETURNING base, quote, rate, quoted_at
"""


@dataclass(frozen=True, slots=True)
class FxUpdate:
    """One ``base`` is worth ``rate`` of ``quote`` (ISO 4217), as quoted at ``quoted_at``."""

    base: str
    quote: str
    rate: Decimal
    quoted_at: datetime


@dataclass(frozen=True, slots=True)
class FxRatesSet:
    """How many pairs changed, and the updates that were refused (``row`` is the position in the batch, from 1)."""

    written: int
    issues: tuple[ImportIssue, ...]


def set_fx_rates(
    *, actor: Principal, at: datetime, source: str, max_age: timedelta, rates: Sequence[FxUpdate]
) -> FxRatesSet:
    """Upsert by pair; what changed gets one FxRatesSet event and the set a new version, so that every process reloads.

    Refused as issues: no ISO currency, the same twice in a pair, a pair named twice or held the other way round, a rate not above
    zero, a quote made after ``at``. Older quotes are skipped; an unchanged batch writes nothing.
    """
    with one_transaction():
        held = set(FxRate.objects.values_list("base", "quote"))
        good, issues = _sorted_out(rates, held, at)
        if not good:
            return FxRatesSet(0, tuple(issues))
        age_s = int(max_age.total_seconds())
        with raw_cursor() as cursor:
            arrays = [[getattr(row, name) for row in good] for name in ("base", "quote", "rate", "quoted_at")]
            cursor.execute(_UPSERT, [source, age_s, *arrays])
            changed = sorted(cursor.fetchall())
        if changed:
            version = renew_static_version(FX_RATES)
            lines = [
                {"base": base, "quote": quote, "rate": plain(rate), "quoted_at": quoted_at.isoformat()}
                for base, quote, rate, quoted_at in changed
            ]
            payload = {"source": source, "max_age_s": age_s, "version": str(version), "rates": lines}
            append_to_stream(drafts=[_event(actor, at, payload)], at=at)
        return FxRatesSet(len(changed), tuple(issues))


def _sorted_out(
    rates: Sequence[FxUpdate], held: set[tuple[str, str]], at: datetime
) -> tuple[list[FxUpdate], list[ImportIssue]]:
    good: dict[tuple[str, str], FxUpdate] = {}
    issues: list[ImportIssue] = []
    for number, row in enumerate(rates, start=1):
        issue = _fault(number, row, at)
        if issue is None and ((row.quote, row.base) in held or (row.quote, row.base) in good):
            sentence = f"{row.quote}/{row.base} is held; a pair stands in one direction."
            issue = ImportIssue(number, "quote", ImportCode.PAIR_REVERSED, sentence)
        if issue is None and (row.base, row.quote) in good:
            sentence = f"{row.base}/{row.quote} stands in an earlier row."
            issue = ImportIssue(number, "base", ImportCode.PAIR_TWICE, sentence)
        if issue is not None:
            issues.append(issue)
            continue
        good[row.base, row.quote] = row
    return list(good.values()), issues


def _fault(number: int, row: FxUpdate, at: datetime) -> ImportIssue | None:
    for column, currency in (("base", row.base), ("quote", row.quote)):
        if not is_currency(currency):
            sentence = f"{currency!r} is no ISO 4217 currency."
            return ImportIssue(number, column, ImportCode.CURRENCY_INVALID, sentence)
    if row.base == row.quote:
        return ImportIssue(number, "quote", ImportCode.CURRENCY_INVALID, f"{row.base} stands on both sides.")
    if not row.rate.is_finite() or row.rate <= ZERO:
        return ImportIssue(number, "rate", ImportCode.NUMBER_INVALID, "rate is not a number above zero.")
    if row.quoted_at > at:
        return ImportIssue(
            number, "quoted_at", ImportCode.PRICE_FROM_FUTURE, "The rate was made after it was received."
        )
    return None


def _event(actor: Principal, at: datetime, payload: dict[str, object]) -> EventDraft:
    event_id = new_id()
    return EventDraft(
        id=event_id,
        stream=STREAM,
        kind="FxRatesSet",
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=event_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload=payload,
    )
