"""Take one new order: check it on locked facts and write it, all in one durable transaction of few statements."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction

from authorisation.domain.principal import Principal
from journal.domain.idempotency import check_key
from journal.selectors.idempotency import find_answer
from kernel.crash_points import crash_point
from orders.domain.assembling import term_facts
from orders.domain.results import PENDING_AUTHORISATION, REFUSED, CaptureResult, capture_answer
from orders.domain.shape import order_faults, require_shape
from orders.domain.terms import OrderTerms
from orders.locks import lock_world
from orders.permissions import require_entry
from orders.services._answers import content_hash, key_owner, replay
from orders.services._borrowing import lock_account_of_short, names_locate, read_locate
from orders.services._capturing import (
    Replaced,
    Submission,
    capture_facts,
    counts,
    draft_of,
    hold_draft,
    require_account,
    require_acknowledged,
    require_listing,
)
from orders.services._usage import UsageMoved, limit_contended, require_room, share_of_draft, usage_of_world
from orders.services._watching import tell_of_watched, watched
from orders.services._write_capture import write_capture
from risk.domain.answers import Acknowledgement
from risk.domain.checks import run_checks

KEY_CONSTRAINT = "journal_idempotency_scope"
ATTEMPTS = 8
STATUS = {REFUSED: 422, PENDING_AUTHORISATION: 202}


def capture_order(
    *,
    actor: Principal,
    at: datetime,
    idempotency_key: str,
    route: str,
    terms: OrderTerms,
    source: str,
    acknowledgements: Sequence[Acknowledgement] = (),
    correlation_id: UUID | None = None,
    replaces: Replaced | None = None,
) -> CaptureResult:
    """Capture one order, in the caller's transaction when there is one.

    A refusal by checks is a result and is kept; of what raises nothing is kept.

    Raises NotPermitted (no right to enter orders), Invalid (malformed terms; account or symbol unknown or not
    visible), Conflict (the key was used with other content; LIMIT_CONTENDED), Refused ACKNOWLEDGEMENT_REQUIRED (a dealer must give a
    reason first; its context lists the checks).
    """
    require_entry(actor)
    check_key(idempotency_key)
    require_shape(order_faults(terms))
    submission = Submission(
        actor, at, terms, source, tuple(acknowledgements), idempotency_key, correlation_id, replaces
    )
    scope = (key_owner(actor), route, idempotency_key)
    digest = content_hash(terms, acknowledgements, source=source)
    try:
        result = _judged(submission, scope, digest)
    except IntegrityError as error:
        # Of two equal submissions at once the second finds the key taken only when it writes; nothing of it is kept.
        stored = find_answer(principal=scope[0], route=route, key=idempotency_key)
        if KEY_CONSTRAINT not in str(error) or stored is None:
            raise
        return replay(
            CaptureResult, answer=stored.answer, key=idempotency_key, stored_hash=stored.payload_hash, own_hash=digest
        )
    crash_point("capture.committed")
    return result


def _judged(submission: Submission, scope: tuple[str, str, str], digest: str) -> CaptureResult:
    """The capture, judged anew as often as others take of its limits meanwhile; raises Conflict LIMIT_CONTENDED."""
    for _ in range(ATTEMPTS):
        try:
            with transaction.atomic():
                return _capture(submission, scope, digest)
        except UsageMoved:
            continue
    raise limit_contended()


def _capture(submission: Submission, scope: tuple[str, str, str], digest: str) -> CaptureResult:
    """Lock, judge, write; inside the transaction."""
    actor, at, terms = submission.actor, submission.at, submission.terms
    if names_locate(terms.side, terms.locate_ref):
        lock_account_of_short(terms.account.strip())
    world = lock_world(
        terms=terms,
        dealer_id=actor.user_id,
        scope=scope,
        source=actor.actor,
        at=at,
        replaces_id=submission.replaces.order_id if submission.replaces else None,
    )
    if world.key_hash is not None and world.key_answer is not None:
        answer = json.loads(world.key_answer)
        return replay(CaptureResult, answer=answer, key=scope[2], stored_hash=world.key_hash, own_hash=digest)
    listing = require_listing(world.listing, symbol=terms.symbol)
    account = require_account(world.account, code=terms.account, actor=actor)
    replaced = submission.replaces.order_id if submission.replaces else None
    locate = read_locate(account.account_id, term_facts(terms), entered_anew=replaced)
    usage = usage_of_world(world, listing, account, at=at)
    facts = capture_facts(submission, listing, world, account, usage, locate)
    judgement = run_checks(facts, acknowledgements=submission.acknowledgements, on_desk=submission.on_desk)
    require_acknowledged(judgement)
    draft = draft_of(submission, facts, judgement, account, number=world.number)
    share = share_of_draft(draft.result.order_id, draft.result.outcome, facts, terms, account, dealer_id=actor.user_id)
    written = write_capture(
        draft,
        share=share,
        cash_id=world.cash_id,
        holding_id=world.holding_id,
        currency=listing.currency,
        instrument_id=listing.instrument_id,
        rates=world.rates if counts(judgement) else None,
        key_row=(*scope, digest, STATUS.get(draft.result.outcome, 201), capture_answer(draft.result)),
        at=at,
    )
    require_room(facts, share, written, judgement.answers)
    crash_point("capture.written")
    hold_draft(draft, submission)
    tell_of_watched([(entry, account.code, draft.result.ref) for entry in watched(facts)], at=at)
    return draft.result
