"""The steps capture, batch and preview share: who may name what, which facts the checks get, and what is then drafted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from accounts.selectors.fees import fee_book_of
from authorisation.domain.principal import Principal
from kernel.errors import Invalid, Refused
from kernel.ids import new_id
from kernel.numbers import ZERO
from orders.domain.account_row import AccountRow
from orders.domain.assembling import DESK_SOURCES, order_facts, term_facts
from orders.domain.charging import select_for_listing
from orders.domain.drafting import CaptureContext, CaptureDraft, CaptureIds, draft_capture
from orders.domain.terms import OrderTerms
from orders.locks import World
from orders.models import Order
from orders.permissions import can_see, operator_facts
from orders.services._authorise import hold_for_authorisation
from refdata.domain.listing_facts import ListingFacts
from risk.domain.answers import Acknowledgement, Judgement, Verdict, answer_to_json
from risk.domain.charge_facts import ChargeFacts
from risk.domain.checks import REGISTRY_VERSION
from risk.domain.checks.rates import RATE_CODES
from risk.domain.conduct import ConductFacts
from risk.domain.exposure import cash_to_hold, stock_to_hold
from risk.domain.facts import AccountFacts, Facts, LocateFacts
from risk.domain.kept_facts import facts_to_bytes
from risk.domain.usage import UsageFacts
from risk.selectors import Scopes
from risk.services.count_messages import count_messages


@dataclass(frozen=True, slots=True)
class Replaced:
    """The canceled order whose rest is entered anew."""

    order_id: UUID
    root_id: UUID


@dataclass(frozen=True, slots=True)
class Submission:
    """One new order as it came through a door."""

    actor: Principal
    at: datetime
    terms: OrderTerms
    source: str
    acknowledgements: tuple[Acknowledgement, ...] = ()
    idempotency_key: str = ""
    correlation_id: UUID | None = None
    replaces: Replaced | None = None

    @property
    def on_desk(self) -> bool:
        """Whether a dealer is there to acknowledge."""
        return self.source in DESK_SOURCES


def unknown_account(code: str) -> Invalid:
    """The same for an account that is not there and for one the actor may not see."""
    sentence = f"There is no account {code.strip()[:24]!r} you may use."
    return Invalid("ACCOUNT_UNKNOWN", sentence, {"account": [sentence]})


def unknown_symbol(symbol: str) -> Invalid:
    """No listing of that name."""
    sentence = f"No listing is called {symbol.strip()[:24]!r}."
    return Invalid("SYMBOL_UNKNOWN", sentence, {"symbol": [sentence]})


def require_listing(listing: ListingFacts | None, *, symbol: str) -> ListingFacts:
    """The listing that was read; raises Invalid SYMBOL_UNKNOWN when there is none."""
    if listing is None:
        raise unknown_symbol(symbol)
    return listing


def require_account(account: AccountRow | None, *, code: str, actor: Principal) -> AccountRow:
    """The account when it exists for this actor; raises Invalid ACCOUNT_UNKNOWN."""
    if account is None or not can_see(actor, desk_id=account.desk_id, group_id=account.group_id):
        raise unknown_account(code)
    return account


def capture_facts(
    submission: Submission,
    listing: ListingFacts,
    world: World,
    account: AccountRow,
    usage: UsageFacts,
    locate: LocateFacts | None = None,
) -> Facts:
    """What the checks judge a new order on; ``locate`` is the one a short sale names."""
    actor = submission.actor
    scopes = scopes_of(actor.user_id, account, listing, submission.terms.strategy)
    selected = select_for_listing(
        fee_book_of(world.fees_version), listing, side=submission.terms.side, account_class=account.account_class
    )
    return order_facts(
        at=submission.at,
        operator=operator_facts(actor, desk_id=account.desk_id, group_id=account.group_id),
        account=AccountFacts(
            account.account_id,
            account.code,
            account.state,
            account.short_allowed,
            account.client_active,
            account.overdrawn,
            account.opens_currencies,
        ),
        listing=listing,
        terms=term_facts(submission.terms),
        cash_available=world.cash_available,
        stock_available=world.stock_available,
        trading_on=world.marks.trading_on,
        limits=world.marks.limits,
        blocks=world.marks.blocks,
        usage=usage,
        rates=world.rates,
        locate=locate,
        conduct=ConductFacts(
            rulebook=world.rulebook,
            pairs=tuple(scopes.pairs()),
            source=submission.source,
            strategy=submission.terms.strategy,
            twins=world.peers.twins,
            opposite=world.peers.opposite,
        ),
        charges=ChargeFacts(selected.terms, selected.covered),
    )


def scopes_of(dealer_id: int, account: AccountRow, listing: ListingFacts, strategy: str) -> Scopes:
    """The scopes in which marks, rules and blocks can concern the order."""
    return Scopes(
        desk_id=account.desk_id,
        dealer_id=dealer_id,
        client_id=account.client_id,
        account_id=account.account_id,
        instrument_id=listing.instrument_id,
        mic=listing.mic,
        strategy=strategy,
    )


def counts(judgement: Judgement) -> bool:
    """Whether the request is counted against the rates: unless a rate is why it was refused, so that waiting helps."""
    return not any(answer.code in RATE_CODES and answer.verdict for answer in judgement.answers)


def count_request(facts: Facts, judgement: Judgement) -> None:
    """Count one request against the rates it was judged by; last in its transaction."""
    if facts.rates is not None and counts(judgement):
        buckets = (facts.rates.source, facts.rates.account)
        count_messages(used_us={bucket.subject: bucket.mark.step_us for bucket in buckets})


def require_acknowledged(judgement: Judgement) -> None:
    """Raise Refused ACKNOWLEDGEMENT_REQUIRED when the dealer still has to give a reason; nothing is written then."""
    if judgement.worst is Verdict.ACKNOWLEDGE:
        raise Refused(
            "ACKNOWLEDGEMENT_REQUIRED",
            f"{judgement.sentence} Give a reason to go on.",
            {"checks": [answer_to_json(answer) for answer in judgement.with_verdict(Verdict.ACKNOWLEDGE)]},
        )


def draft_of(
    submission: Submission, facts: Facts, judgement: Judgement, account: AccountRow, *, number: int
) -> CaptureDraft:
    """Everything the capture will write, ids made here."""
    terms = submission.terms
    order_id = new_id()
    captured_event_id = new_id()
    ids = CaptureIds(
        order_id=order_id,
        request_id=new_id(),
        captured_event_id=captured_event_id,
        outcome_event_id=new_id(),
        correlation_id=submission.correlation_id or captured_event_id,
        number=number,
        authorisation_id=new_id() if judgement.worst is Verdict.AUTHORISE else None,
    )
    context = CaptureContext(
        actor=submission.actor,
        at=submission.at,
        source=submission.source,
        idempotency_key=submission.idempotency_key,
        account_id=account.account_id,
        account_code=account.code,
        desk_id=account.desk_id,
        group_id=account.group_id,
        root_id=_root_of(submission),
        replaces_id=submission.replaces.order_id if submission.replaces else None,
        acknowledgements=submission.acknowledgements,
    )
    refused = judgement.worst is Verdict.REFUSE
    return draft_capture(
        terms=terms,
        listing=facts.listing,
        judgement=judgement,
        context=context,
        ids=ids,
        decision=facts_to_bytes(facts, registry=REGISTRY_VERSION),
        hold_cash=ZERO if refused else cash_to_hold(facts) or ZERO,
        hold_stock=ZERO if refused else stock_to_hold(facts),
        charged_by=facts.charges.terms,
    )


def _root_of(submission: Submission) -> UUID | None:
    """The root the order gets from what it stands under or in for; None when it is its own."""
    if submission.replaces is not None:
        return submission.replaces.root_id
    parent_id = submission.terms.parent_id
    return _root(submission.actor, parent_id) if parent_id else None


def _root(actor: Principal, parent_id: UUID) -> UUID:
    """The root of the tree the parent stands in; raises Invalid when there is no such order for the actor."""
    parent = Order.objects.select_related("account").filter(id=parent_id).first()
    if parent is None or not can_see(actor, desk_id=parent.desk_id, group_id=parent.account.group_id):
        sentence = "There is no such parent order."
        raise Invalid("PARENT_UNKNOWN", sentence, {"parent_id": [sentence]})
    return parent.root_id


def hold_draft(draft: CaptureDraft, submission: Submission) -> None:
    """Put a held order before a second person; anything else needs nothing."""
    if draft.result.authorisation_id is None:
        return
    order = draft.order
    hold_for_authorisation(
        actor=submission.actor,
        at=submission.at,
        authorisation_id=draft.result.authorisation_id,
        kind="new",
        ref=draft.result.ref,
        request_id=draft.result.request_id,
        version=order["version"],
        desk_id=order["desk_id"],
        group_id=draft.group_id,
        message=orjson.loads(draft.request["payload"]),
        answers=draft.result.checks,
        correlation_id=order["correlation_id"],
    )
