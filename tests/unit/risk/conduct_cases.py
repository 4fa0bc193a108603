"""Cases of the checks of conduct: (code, case, facts, verdict)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from kernel.fix import OrdType, Side
from refdata.domain.listing_facts import PriceFacts
from refdata.domain.sessions import Phase
from risk.domain.answers import Verdict
from risk.domain.conduct import Opposite, Twin
from risk.domain.facts import Facts
from risk.domain.rulebook.entries import CollarEntry, Dated, MandateEntry, RestrictionEntry
from tests.unit.risk.world import (
    AT,
    FACTS,
    LISTING,
    POLICY,
    PRICE,
    TERMS,
    D,
    book,
    conduct,
    replacing,
)

ALWAYS = Dated(AT - timedelta(days=1), None)
INSTRUMENT = str(UUID(int=2))


def restriction(**changes: Any) -> RestrictionEntry:
    """VOD.L is restricted for everybody."""
    entry = RestrictionEntry(
        "1", "R-000001", False, "instrument", INSTRUMENT, ("firm", ""), "both", ALWAYS
    )  # fmt: skip
    return replace(entry, **changes)


def restricted(**changes: Any) -> Facts:
    return book(restrictions=[restriction(**changes)])


def mandate(pair: tuple[str, str] = ("account", "3"), **allowed: Any) -> MandateEntry:
    given = {"markets": None, "asset_classes": None, "currencies": None, "short_allowed": True} | allowed
    return MandateEntry(pair, **given)


def mandated(*entries: MandateEntry, side: Side = Side.BUY) -> Facts:
    return replace(book(mandates=entries), terms=replace(TERMS, side=side))


def to_less(facts: Facts) -> Facts:
    """The same world for a replace that only asks for less."""
    return replace(replacing("500"), conduct=facts.conduct, listing=facts.listing)


def at_price(px: str, phase: Phase = Phase.CONTINUOUS, *, side: Side = Side.BUY, price: PriceFacts = PRICE) -> Facts:
    """Marks: 10 % and 30 % of the firm; in the opening auction 20 % and 40 %; of ETFs in it 1 % and 2 %."""
    collars = [
        CollarEntry("", "opening_auction", D("0.20"), D("0.40")),
        CollarEntry("etf", "opening_auction", D("0.01"), D("0.02")),
    ]
    facts = book(collars=collars)
    return replace(
        facts, listing=replace(LISTING, phase=phase, price=price), terms=replace(TERMS, price=D(px), side=side)
    )


QUOTED = replace(PRICE, bid=D("72.00"), ask=D("73.00"), bid_size=D(400), ask_size=D(500))


def quoted(qty: str, *, px: str = "73.00", side: Side = Side.BUY, **price: Any) -> Facts:
    return replace(
        FACTS,
        listing=replace(LISTING, price=replace(QUOTED, **price)),
        terms=replace(TERMS, order_qty=D(qty), price=D(px), side=side),
    )


def strict_book(facts: Facts) -> Facts:
    """The same under a policy that refuses what is not known of quotes."""
    policy = replace(POLICY, book_unknown=Verdict.REFUSE)
    return replace(facts, conduct=book(policy=policy).conduct)


def volume(average: str | None, qty: str = "1000", **policy: Any) -> Facts:
    facts = book(policy=replace(POLICY, **policy))
    return replace(
        facts,
        listing=replace(LISTING, average_daily_volume=D(average) if average else None),
        terms=replace(TERMS, order_qty=D(qty)),
    )


TWIN = Twin("O-2611-000001", AT - timedelta(seconds=12), "released")


def against(nearness: str, **changes: Any) -> Facts:
    return replace(conduct(opposite=[Opposite("O-2611-000002", nearness, D("72.40"), D(300))]), **changes)


CASES: list[tuple[str, str, Facts, str]] = [
    ("RESTRICTED_LIST", "not on it", FACTS, "pass"),
    ("RESTRICTED_LIST", "on it", restricted(), "refuse"),
    ("RESTRICTED_LIST", "another instrument", restricted(subject_id=str(UUID(int=9))), "pass"),
    ("RESTRICTED_LIST", "for this account", restricted(pair=("account", "3")), "refuse"),
    ("RESTRICTED_LIST", "for another account", restricted(pair=("account", "4")), "pass"),
    ("RESTRICTED_LIST", "buys", restricted(sides="buy"), "refuse"),
    ("RESTRICTED_LIST", "sales alone", restricted(sides="sell"), "pass"),
    ("RESTRICTED_LIST", "from now on", restricted(dated=Dated(AT, None)), "refuse"),
    ("RESTRICTED_LIST", "not yet", restricted(dated=Dated(AT + timedelta(seconds=1), None)), "pass"),
    ("RESTRICTED_LIST", "until now", restricted(dated=Dated(AT - timedelta(days=1), AT)), "pass"),
    ("RESTRICTED_LIST", "watched", restricted(watch=True), "pass"),
    ("RESTRICTED_LIST", "to less", to_less(restricted()), "pass"),
    ("RESTRICTED_LIST", "no rulebook", conduct(rulebook=None), "refuse"),
    ("MANDATE_ELIGIBILITY", "everything", FACTS, "pass"),
    ("MANDATE_ELIGIBILITY", "no mandate at all", mandated(), "refuse"),
    ("MANDATE_ELIGIBILITY", "another's", mandated(mandate(("account", "4"))), "refuse"),
    ("MANDATE_ELIGIBILITY", "its market", mandated(mandate(markets=frozenset({"XLON"}))), "pass"),
    ("MANDATE_ELIGIBILITY", "other markets", mandated(mandate(markets=frozenset({"XPAR"}))), "refuse"),
    ("MANDATE_ELIGIBILITY", "no market", mandated(mandate(markets=frozenset())), "refuse"),
    ("MANDATE_ELIGIBILITY", "other classes", mandated(mandate(asset_classes=frozenset({"etf"}))), "refuse"),
    ("MANDATE_ELIGIBILITY", "other currencies", mandated(mandate(currencies=frozenset({"EUR"}))), "refuse"),
    ("MANDATE_ELIGIBILITY", "one of two", mandated(mandate(), mandate(("firm", ""), markets=frozenset())), "refuse"),
    ("MANDATE_ELIGIBILITY", "short", mandated(mandate(), side=Side.SELL_SHORT), "pass"),
    ("MANDATE_ELIGIBILITY", "no short", mandated(mandate(short_allowed=False), side=Side.SELL_SHORT), "refuse"),
    ("MANDATE_ELIGIBILITY", "to less", to_less(mandated()), "pass"),
    ("MANDATE_ELIGIBILITY", "no rulebook", conduct(rulebook=None), "refuse"),
    ("RULE_TABLE", "known", FACTS, "pass"),
    ("RULE_TABLE", "not known", conduct(rulebook=None), "refuse"),
    ("RULE_TABLE", "not known, to less", to_less(conduct(rulebook=None)), "pass"),
    ("PRICE_COLLAR", "auction, at its first mark", at_price("87", Phase.OPENING_AUCTION), "pass"),
    ("PRICE_COLLAR", "auction, beyond it", at_price("87.1", Phase.OPENING_AUCTION), "acknowledge"),
    ("PRICE_COLLAR", "auction, at its second mark", at_price("101.5", Phase.OPENING_AUCTION), "acknowledge"),
    ("PRICE_COLLAR", "auction, beyond both", at_price("101.6", Phase.OPENING_AUCTION), "refuse"),
    ("PRICE_COLLAR", "as far, trading", at_price("101.5"), "refuse"),
    ("PRICE_COLLAR", "through the offer", at_price("80", price=replace(QUOTED, last=D(75))), "pass"),
    ("PRICE_COLLAR", "far through the offer", at_price("80.4", price=replace(QUOTED, last=D(75))), "acknowledge"),
    ("PRICE_COLLAR", "far through the bid", at_price("64.7", side=Side.SELL, price=replace(QUOTED, last=D(70))),
     "acknowledge"),
    ("SHARE_OF_VOLUME", "inside", volume("20000"), "pass"),
    ("SHARE_OF_VOLUME", "at the first mark", volume("10000"), "pass"),
    ("SHARE_OF_VOLUME", "above it", volume("9999"), "authorise"),
    ("SHARE_OF_VOLUME", "at the second mark", volume("1000"), "authorise"),
    ("SHARE_OF_VOLUME", "above both", volume("999"), "refuse"),
    ("SHARE_OF_VOLUME", "unknown, let through", volume(None), "pass"),
    ("SHARE_OF_VOLUME", "unknown, asked about", volume(None, volume_unknown=Verdict.ACKNOWLEDGE), "acknowledge"),
    ("SHARE_OF_VOLUME", "volume of zero", volume("0", volume_unknown=Verdict.REFUSE), "refuse"),
    ("SHARE_OF_VOLUME", "no marks", volume("1", volume_warn=None, volume_hard=None), "pass"),
    ("SHARE_OF_VOLUME", "no policy", book(policy=None), "refuse"),
    ("SHARE_OF_VOLUME", "to less", to_less(book(policy=None)), "pass"),
    ("THIN_BOOK", "inside", quoted("9990"), "pass"),
    ("THIN_BOOK", "at the mark of size", quoted("10000"), "pass"),
    ("THIN_BOOK", "above it", quoted("10010"), "acknowledge"),
    ("THIN_BOOK", "resting", quoted("10010", px="72.99"), "pass"),
    ("THIN_BOOK", "selling into the bid", quoted("8010", px="72.00", side=Side.SELL), "acknowledge"),
    ("THIN_BOOK", "wide", quoted("10", bid=D(70), ask=D("73.7")), "acknowledge"),
    ("THIN_BOOK", "crossed quotes are none", quoted("10", bid=D(74)), "pass"),
    ("THIN_BOOK", "no quotes, let through", FACTS, "pass"),
    ("THIN_BOOK", "no quotes, refused", book(policy=replace(POLICY, book_unknown=Verdict.REFUSE)), "refuse"),
    ("THIN_BOOK", "no size, let through", quoted("10010", ask_size=None), "pass"),
    ("THIN_BOOK", "no size, refused", strict_book(quoted("10010", ask_size=None)), "refuse"),
    ("THIN_BOOK", "a size of zero, refused", strict_book(quoted("10", ask_size=D(0))), "refuse"),
    ("THIN_BOOK", "no size, but resting", strict_book(quoted("10010", px="72.99", ask_size=None)), "pass"),
    ("THIN_BOOK", "at the mark of spread", quoted("10", px="70", bid=D("78"), ask=D("82")), "pass"),
    ("THIN_BOOK", "no policy", book(policy=None), "refuse"),
    ("THIN_BOOK", "no marks", book(policy=replace(POLICY, spread_warn=None, depth_warn=None)), "pass"),
    ("ECONOMIC_DUPLICATE", "none", FACTS, "pass"),
    ("ECONOMIC_DUPLICATE", "one", conduct(twins=[TWIN]), "acknowledge"),
    ("ECONOMIC_DUPLICATE", "no policy", book(policy=None), "refuse"),
    ("ECONOMIC_DUPLICATE", "no policy, to less", to_less(book(policy=None)), "pass"),
    ("SELF_TRADE", "nothing opposite", FACTS, "pass"),
    ("SELF_TRADE", "of the account", against("account"), "refuse"),
    ("SELF_TRADE", "of the client", against("client"), "authorise"),
    ("SELF_TRADE", "of the firm", against("firm"), "pass"),
    ("SELF_TRADE", "of somebody unheard of", against("cousin"), "refuse"),
    ("SELF_TRADE", "no policy", replace(book(policy=None), terms=replace(TERMS, ord_type=OrdType.LIMIT)), "refuse"),
    ("SELF_TRADE", "no policy, to less", to_less(book(policy=None)), "pass"),
]  # fmt: skip
