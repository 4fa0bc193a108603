"""Take many new orders: one lock pass and one bulk write a chunk, every row its own answer, the same checks as one order.

A row sees the cash and stock that the rows before it left. A malformed row is answered and costs no other row. Each
chunk is one transaction under its own part of the key, so a repetition after a crash goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.domain.ledger import AccountMoney, OrderHold
from accounts.locks import lock_money
from accounts.selectors.fees import FEE_SCHEDULES
from accounts.services.set_reservations import set_reservations
from authorisation.domain.principal import Principal
from journal.bulk import shape_of, write_rows
from journal.models import Event
from journal.notify import notify
from journal.services.append_events import EVENT_FIELDS, event_values
from journal.services.claim_key import claim_key
from journal.services.store_answer import store_answer
from kernel.crash_points import crash_point
from kernel.errors import Invalid, Refused
from kernel.fix import OrdType, Side
from kernel.numbers import ZERO
from orders.domain.account_row import AccountRow
from orders.domain.batch_answers import row_from_json, row_to_json
from orders.domain.drafting import CaptureDraft
from orders.domain.peers import Drafted, Peers, PeersAsked, RowsBefore
from orders.domain.results import REFUSED, RowResult
from orders.domain.shape import order_faults, require_shape
from orders.domain.terms import OrderTerms
from orders.locks import World, next_order_numbers, read_peers
from orders.models import Order, OrderRequest
from orders.permissions import require_entry
from orders.selectors import find_account_rows, find_checks
from orders.selectors.locates import LocateUse, find_locates
from orders.services._answers import content_hash, key_owner, terms_content
from orders.services._baskets import take_basket
from orders.services._borrowing import names_locate
from orders.services._capturing import (
    Submission,
    capture_facts,
    counts,
    draft_of,
    hold_draft,
    require_account,
    require_acknowledged,
    scopes_of,
    unknown_symbol,
)
from orders.services._usage import share_of_draft
from orders.services._watching import tell_of_watched, watched
from refdata.domain.fx import FxRates
from refdata.domain.listing_facts import ListingFacts
from refdata.selectors import find_listings_by_symbol, get_fx_rates, get_static_version
from risk.domain.checks import run_checks
from risk.domain.facts import LocateFacts
from risk.domain.rates import Rates
from risk.domain.rulebook.book import Rulebook
from risk.domain.rulebook.entries import RestrictionEntry
from risk.domain.usage import PositionFacts, ScopeUsage, UsageFacts
from risk.locks import lock_usage
from risk.rulebook import get_rulebook
from risk.selectors import Marks, get_marks
from risk.selectors.rates import get_rates
from risk.selectors.usage import bounds_position, counting_rate, get_positions, keys_of, read_usage
from risk.services.count_messages import count_messages
from risk.services.set_usage import OrderShare, add_orders, share_keys

CHUNK = 500
MAX_KEY = 180
Rows = Sequence[tuple[str, OrderTerms]]


def capture_orders(
    *,
    actor: Principal,
    at: datetime,
    idempotency_key: str,
    route: str,
    rows: Rows,
    source: str,
    in_basket: bool = False,
) -> tuple[RowResult, ...]:
    """One answer a row, in order. Outcome is released, pending_authorisation, refused or invalid.

    ``in_basket``: the rows are part of a basket that was taken in whole before (a file).

    Raises NotPermitted, Invalid (unusable key), Refused BASKET_LIMIT (then nothing is kept), Conflict
    IDEMPOTENCY_CONFLICT (same key, other rows); chunks committed before stay, and are answered again under the same key.
    """
    require_entry(actor)
    if len(idempotency_key) > MAX_KEY:
        sentence = f"The idempotency key of a batch has at most {MAX_KEY} characters."
        raise Invalid("IDEMPOTENCY_KEY_INVALID", sentence, {"Idempotency-Key": [sentence]})
    digest = content_hash(None, (), source=source, rows=[[row_id, terms_content(terms)] for row_id, terms in rows])
    results: list[RowResult] = []
    for start in range(0, len(rows), CHUNK):
        key = idempotency_key if start == 0 else f"{idempotency_key}#{start}"
        submission = Submission(actor, at, rows[start][1], source, idempotency_key=key)
        whole = rows if start == 0 and not in_basket else None
        results += _chunk(submission, route, digest, rows[start : start + CHUNK], whole)
        crash_point("capture_batch.committed")
    return tuple(results)


def _readable(rows: Rows) -> list[OrderTerms]:
    return [terms for _, terms in rows if not order_faults(terms)]


def _chunk(first: Submission, route: str, digest: str, rows: Rows, whole: Rows | None) -> list[RowResult]:
    """``whole`` is the basket where this is its first chunk: it is judged before any line."""
    owner, at = key_owner(first.actor), first.at
    with transaction.atomic():
        stored = claim_key(principal=owner, route=route, key=first.idempotency_key, payload_hash=digest)
        if stored is not None:
            return _replayed(stored.answer)
        if whole is not None:
            take_basket(actor=first.actor, at=at, source=first.source, rows=_readable(whole), count=len(whole))
        batch = _load(first, rows)
        results = [_row(batch, first, row_id, terms) for row_id, terms in rows]
        _write(batch, at)
        store_answer(
            principal=owner,
            route=route,
            key=first.idempotency_key,
            payload_hash=digest,
            status=200,
            answer=[row_to_json(result) for result in results],
            at=at,
        )
        return results


@dataclass(slots=True)
class _Batch:
    """What was read and locked for a chunk, what its rows have used so far, and what they will write."""

    listings: Mapping[str, ListingFacts]
    accounts: Mapping[str, AccountRow]
    money: Mapping[UUID, AccountMoney]
    marks: Marks
    numbers: list[int]
    rulebook: Rulebook | None
    peers: Mapping[PeersAsked, Peers]
    fx_rates: FxRates
    usage: dict[str, ScopeUsage]
    positions: dict[tuple[UUID, UUID], PositionFacts]
    rates: dict[UUID, Rates]
    locates: Mapping[tuple[UUID, str], LocateUse]
    fees_version: UUID | None
    counted: dict[str, int] = field(default_factory=dict)
    cash_used: dict[tuple[UUID, str], Decimal] = field(default_factory=dict)
    locate_used: dict[tuple[UUID, str], Decimal] = field(default_factory=dict)
    stock_used: dict[tuple[UUID, UUID], Decimal] = field(default_factory=dict)
    marks_of: dict[tuple[UUID, UUID, str], Marks] = field(default_factory=dict)
    drafts: list[tuple[CaptureDraft, Submission]] = field(default_factory=list)
    holds: list[OrderHold] = field(default_factory=list)
    shares: list[OrderShare] = field(default_factory=list)
    before: RowsBefore = field(default_factory=RowsBefore)
    watched: list[tuple[RestrictionEntry, str, str]] = field(default_factory=list)


def _load(first: Submission, rows: Rows) -> _Batch:
    """Everything all rows need: listings, accounts, their money under lock, marks of all scopes, order numbers."""
    listings = find_listings_by_symbol({terms.symbol for _, terms in rows}, at=first.at)
    accounts = find_account_rows({terms.account.strip() for _, terms in rows})
    money = lock_money(
        account_ids={account.account_id for account in accounts.values()},
        instrument_ids={listing.instrument_id for listing in listings.values()},
    )
    pairs: set[tuple[str, str]] = set()
    places: set[tuple[UUID, UUID]] = set()
    asked: set[PeersAsked] = set()
    for _, terms in rows:
        listing, account = listings.get(terms.symbol), accounts.get(terms.account.strip())
        if listing is not None and account is not None:
            pairs.update(scopes_of(first.actor.user_id, account, listing, terms.strategy).pairs())
            places.add((account.account_id, listing.instrument_id))
            asked.add(_asked(account, listing, terms))
    wanted = list(asked)
    peers = dict(zip(wanted, read_peers(wanted, at=first.at), strict=True))
    keys = {
        (accounts[code].account_id, terms.locate_ref)
        for _, terms in rows
        if names_locate(terms.side, terms.locate_ref) and (code := terms.account.strip()) in accounts
    }
    locates = find_locates(keys) if keys else {}
    marks = get_marks(pairs, at=first.at)
    positions = get_positions(places, marks.limits, at=first.at) if bounds_position(marks.limits) else {}
    lock_usage(keys_of(pairs))  # last of all locks: what is judged on these sums cannot be taken by others
    usage = {item.key: item for item in read_usage(pairs)}
    return _Batch(
        listings,
        accounts,
        money,
        marks,
        next_order_numbers(len(rows)),
        rulebook=get_rulebook(),
        peers=peers,
        fx_rates=get_fx_rates(),
        usage=usage,
        positions=positions,
        rates=get_rates(source=first.actor.actor, account_ids=[a.account_id for a in accounts.values()], at=first.at),
        locates=locates,
        fees_version=get_static_version(FEE_SCHEDULES),
    )


def _asked(account: AccountRow, listing: ListingFacts, terms: OrderTerms) -> PeersAsked:
    return PeersAsked(
        account_id=account.account_id,
        client_id=account.client_id,
        listing_id=listing.listing_id,
        side=terms.side.value,
        ord_type=terms.ord_type.value,
        qty=terms.order_qty,
        px=terms.price,
        but=None,
    )


def _row(batch: _Batch, first: Submission, row_id: str, terms: OrderTerms) -> RowResult:
    """Judge one row on what the rows before left; a fault of the row is its answer."""
    try:
        require_shape(order_faults(terms))
        listing = batch.listings.get(terms.symbol)
        if listing is None:
            raise unknown_symbol(terms.symbol)
        account = require_account(batch.accounts.get(terms.account.strip()), code=terms.account, actor=first.actor)
        submission = Submission(first.actor, first.at, terms, first.source, idempotency_key=first.idempotency_key)
        world, usage = (
            _world(batch, first, account, listing, terms),
            _usage(batch, first, account, listing, terms),
        )
        facts = capture_facts(submission, listing, world, account, usage, _locate(batch, account, terms))
        judgement = run_checks(facts, on_desk=submission.on_desk)
        require_acknowledged(judgement)
        draft = draft_of(submission, facts, judgement, account, number=batch.numbers[len(batch.drafts)])
    except Invalid as error:
        return RowResult(row_id, "invalid", None, error.code, error.sentence, error.fields)
    except Refused as error:
        return RowResult(row_id, "invalid", None, error.code, error.sentence)
    batch.drafts.append((draft, submission))
    batch.watched += [(entry, account.code, draft.result.ref) for entry in watched(facts)]
    if counts(judgement) and facts.rates is not None:
        for bucket in (facts.rates.source, facts.rates.account):
            batch.counted[bucket.subject] = batch.counted.get(bucket.subject, 0) + 1
    _use(batch, draft, account, listing, terms)
    share = share_of_draft(
        draft.result.order_id, draft.result.outcome, facts, terms, account, dealer_id=first.actor.user_id
    )
    if share is not None:
        _count(batch, share)
    return RowResult(row_id, draft.result.outcome, draft.result)


def _world(batch: _Batch, first: Submission, account: AccountRow, listing: ListingFacts, terms: OrderTerms) -> World:
    """What a single capture would have read, less what the rows before took."""
    money = batch.money[account.account_id]
    cash, holding = money.cash.get(listing.currency), money.holdings.get(listing.instrument_id)
    place = (account.account_id, listing.instrument_id, terms.strategy)
    marks = batch.marks_of.get(place)
    if marks is None:
        marks = batch.marks.within(scopes_of(first.actor.user_id, account, listing, terms.strategy).pairs())
        batch.marks_of[place] = marks
    used_cash = batch.cash_used.get((account.account_id, listing.currency), ZERO)
    used_stock = batch.stock_used.get((account.account_id, listing.instrument_id), ZERO)
    return World(
        listing=listing,
        account=account,
        cash_id=cash.id if cash else None,
        cash_available=cash.available - used_cash if cash else None,
        holding_id=holding.id if holding else None,
        stock_available=max(holding.sellable - used_stock, ZERO) if holding else None,
        position=holding.net if holding else ZERO,
        marks=marks,
        usage=(),
        fx_version=None,
        number=0,
        fees_version=batch.fees_version,
        key_hash=None,
        key_answer=None,
        rates=_rates(batch, account.account_id),
        rulebook=batch.rulebook,
        peers=_peers(batch, _asked(account, listing, terms), first.at),
    )


def _peers(batch: _Batch, asked: PeersAsked, at: datetime) -> Peers:
    """Peers that are written, and rows of the batch that come before this one."""
    written = batch.peers[asked]
    policy = batch.rulebook.policy if batch.rulebook else None
    if policy is None:
        return written
    return batch.before.added_to(written, asked, policy=policy, at=at)


def _usage(
    batch: _Batch, first: Submission, account: AccountRow, listing: ListingFacts, terms: OrderTerms
) -> UsageFacts:
    """The sums of the row's scopes with what the rows before it count."""
    keys = keys_of(scopes_of(first.actor.user_id, account, listing, terms.strategy).pairs())
    return UsageFacts(
        scopes=tuple(batch.usage[key] for key in keys if key in batch.usage),
        rate=counting_rate(listing.currency, at=first.at, rates=batch.fx_rates),
        position=batch.positions.get((account.account_id, listing.instrument_id)),
    )


def _count(batch: _Batch, share: OrderShare) -> None:
    """The rows after this one meet what it counts."""
    counted, place = share.counted, (share.account_id, share.instrument_id)
    for key in share_keys(share):
        if key in batch.usage:
            batch.usage[key] = batch.usage[key].with_order(
                is_buy=share.is_buy, orders=counted.open_orders, value=counted.open_value * share.rate
            )
    position = batch.positions.get(place)
    if position is not None:
        side = "open_buy" if share.is_buy else "open_sell"
        batch.positions[place] = replace(position, **{side: getattr(position, side) + counted.open_qty})
    batch.shares.append(share)


def _rates(batch: _Batch, account_id: UUID) -> Rates:
    """The buckets of a row, moved on by what the rows before sent."""
    read = batch.rates[account_id]
    source, account = read.source, read.account
    sent, to_account = batch.counted.get(source.subject, 0), batch.counted.get(account.subject, 0)
    return Rates(source.after(sent), account.after(to_account))


def _locate(batch: _Batch, account: AccountRow, terms: OrderTerms) -> LocateFacts | None:
    """The locate of a short sale, less what the rows before took of it."""
    key = (account.account_id, terms.locate_ref)
    use = batch.locates.get(key) if terms.side.is_short else None
    return use.facts(taken=batch.locate_used.get(key, ZERO)) if use is not None else None


def _use(batch: _Batch, draft: CaptureDraft, account: AccountRow, listing: ListingFacts, terms: OrderTerms) -> None:
    account_id = account.account_id
    if names_locate(terms.side, terms.locate_ref) and draft.result.outcome != REFUSED:
        key = (account_id, terms.locate_ref)
        batch.locate_used[key] = batch.locate_used.get(key, ZERO) + terms.order_qty
    if draft.result.outcome != REFUSED:
        order = draft.order
        batch.before.add(
            Drafted(
                ref=draft.result.ref,
                account_id=account_id,
                client_id=account.client_id,
                listing_id=listing.listing_id,
                side=Side(order["side"]),
                ord_type=OrdType(order["ord_type"]),
                order_qty=order["order_qty"],
                price=order["price"],
                state=draft.result.outcome,
            )
        )
    if not draft.hold_cash and not draft.hold_stock:
        return
    cash_key, stock_key = (account_id, listing.currency), (account_id, listing.instrument_id)
    batch.cash_used[cash_key] = batch.cash_used.get(cash_key, ZERO) + draft.hold_cash
    batch.stock_used[stock_key] = batch.stock_used.get(stock_key, ZERO) + draft.hold_stock
    batch.holds.append(
        OrderHold(
            order_id=draft.result.order_id,
            account_id=account_id,
            cash_currency=listing.currency if draft.hold_cash else "",
            cash=draft.hold_cash,
            instrument_id=listing.instrument_id if draft.hold_stock else None,
            stock=draft.hold_stock,
        )
    )


def _write(batch: _Batch, at: datetime) -> None:
    """All rows of the chunk by bulk, then what they hold, then what waits for a second person."""
    if not batch.drafts:
        return
    drafts = [draft for draft, _ in batch.drafts]
    orders, requests = shape_of(Order).fields, shape_of(OrderRequest).fields
    write_rows(Order, [[draft.order[name] for name in orders] for draft in drafts])
    write_rows(OrderRequest, [[draft.request[name] for name in requests] for draft in drafts])
    write_rows(Event, [event_values(event) for draft in drafts for event in draft.events], fields=EVENT_FIELDS)
    set_reservations(holds=batch.holds, at=at)
    for draft, submission in batch.drafts:
        hold_draft(draft, submission)
    add_orders(batch.shares)
    count_messages(used_us=_used(batch))
    tell_of_watched(batch.watched, at=at)
    crash_point("capture_batch.written")
    notify()


def _used(batch: _Batch) -> dict[str, int]:
    """How far the rows of the chunk move each bucket."""
    buckets = {bucket.subject: bucket for rates in batch.rates.values() for bucket in (rates.source, rates.account)}
    return {subject: sent * buckets[subject].mark.step_us for subject, sent in batch.counted.items()}


def _replayed(answer: Any) -> list[RowResult]:
    request_ids = [UUID(row["result"]["request_id"]) for row in answer if row["result"]]
    checks = find_checks(request_ids)
    return [row_from_json(row, checks) for row in answer]
