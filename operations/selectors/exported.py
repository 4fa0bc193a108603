"""What the lists show, as tables to export: the same rows, the same filter, every column. What one may not see is not there."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from authorisation.domain.principal import Principal
from operations.domain import desk_views
from operations.exporting import Column, Heading, Table, make_table
from operations.exporting.table import Cell
from operations.selectors.account_pictures import list_account_pictures
from operations.selectors.approvals import list_approvals
from operations.selectors.desk import list_desk_rows
from operations.selectors.exceptions import list_exceptions
from refdata.selectors import find_listing_by_symbol

MOST_ACCOUNTS = 5_000
MOST_EXCEPTIONS = 50_000
DESK = tuple(Column(name, title) for name, title in desk_views.TITLES.items())
EXCEPTIONS = (
    Column("severity", "Severity"), Column("kind", "Kind"), Column("sentence", "What is wrong"), Column("desk", "Desk"),
    Column("owner", "Owner"), Column("seen", "Seen"), Column("state", "State"), Column("exposure", "Exposure"),
    Column("currency", "Currency"), Column("due_at", "Due at"), Column("labels", "Labels"), Column("raised_at", "Raised at"),
    Column("last_seen_at", "Last seen at"), Column("closed_at", "Closed at"), Column("closing", "How it ended"),
    Column("id", "Id"),
)  # fmt: skip
APPROVALS = (
    Column("kind", "Type"), Column("summary", "Subject"), Column("maker", "Maker"), Column("state", "State"),
    Column("outcome", "Outcome"), Column("raised_at", "Raised at"), Column("expires_at", "Lapses at"),
    Column("closed_at", "Closed at"), Column("why_not", "Why not you"), Column("payload_hash", "Hash"), Column("id", "Id"),
)  # fmt: skip
ACCOUNTS = (
    Column("account", "Account"), Column("name", "Name"), Column("what", "Cash or instrument"), Column("settled", "Settled"),
    Column("pending", "Pending"), Column("reserved", "Reserved"), Column("short", "Short"), Column("available", "Available"),
)  # fmt: skip


def desk_table(*, actor: Principal, heading: Heading, view: str, filters: Mapping[str, str]) -> Table:
    """The blotter's rows of a view."""
    _, rows = list_desk_rows(actor=actor, at=heading.at)
    kept = [
        row
        for row in rows
        if desk_views.in_view(row, view, me=actor.user_id, now=heading.at) and desk_views.passes(row, filters)
    ]
    return make_table(heading, DESK, map(desk_views.typed, kept))


def exceptions_table(*, actor: Principal, heading: Heading, view: str) -> Table:
    """The exceptions of a view, as listed."""
    rows = [
        (
            item.severity, item.kind, item.sentence, item.desk.code if item.desk else "",
            item.owner.username if item.owner else item.owner_group, item.occurrences, item.state, item.exposure,
            item.currency, item.due_at, " ".join(item.labels), item.raised_at,
            item.last_seen_at, item.closed_at, item.closing_sentence, str(item.pk),
        )
        for item in list_exceptions(actor=actor, view=view, limit=MOST_EXCEPTIONS).items
    ]  # fmt: skip
    return make_table(heading, EXCEPTIONS, rows)


def approvals_table(*, actor: Principal, heading: Heading, view: str) -> Table:
    """The requests of a view, as listed."""
    rows: list[tuple[Cell, ...]] = []
    for item in list_approvals(actor=actor, view=view, at=heading.at):
        facts = item.approval
        rows.append((
            item.item.title, facts.summary, facts.maker_name, facts.state, facts.outcome, facts.created_at, facts.expires_at,
            facts.closed_at, item.why_not, facts.payload_hash, str(facts.id),
        ))  # fmt: skip
    return make_table(heading, APPROVALS, rows)


def accounts_table(*, actor: Principal, heading: Heading, query: str, symbol: str) -> Table:
    """One row for each currency and instrument of each account; with ``symbol`` those of that instrument alone."""
    listing = find_listing_by_symbol(symbol, at=heading.at) if symbol else None
    rows: list[tuple[Cell, ...]] = []
    for picture in list_account_pictures(actor=actor, search=query, limit=MOST_ACCOUNTS)[0]:
        balances = {} if symbol else dict(picture.cash)
        balances |= {
            listing.symbol if listing else key: held
            for key, held in picture.stock.items()
            if not symbol or (listing is not None and key == str(listing.instrument_id))
        }
        rows += [(picture.code, picture.name, what, *_figures(held)) for what, held in balances.items()]
    return make_table(heading, ACCOUNTS, rows)


def _figures(held: Mapping[str, str]) -> tuple[Decimal, ...]:
    return tuple(Decimal(held.get(name, "0")) for name in ("settled", "pending", "reserved", "short", "available"))
