"""The pages of the house and for whom each answers: one table behind the navigation, the letter keys and the guards.

A page owns its address and everything below it. ``edge.page`` refuses what the table does not answer before a view
runs, and the frame shows what it answers, so that the two cannot differ. What a view or a service asks beyond that
(a right, a row) stays theirs. An address of no page (preferences, pieces of the frame, the ticket) has no guard here.

A new page is one line: its path, the words of the bar and of the palette, its letter after ``g``, and for whom.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from allocations.permissions import DECIDE_POST_TRADE, WORK_POST_TRADE
from authorisation.domain.four_eyes import visible_desks
from authorisation.domain.principal import (
    ADMINISTER_USERS,
    DECIDE_RISK_CHANGE,
    DECIDE_STATIC_DATA,
    ENTER_ORDER,
    KEEP_RECORDS,
    REVIEW_ACCESS,
    RUN_ACCESS_REVIEW,
    SEE_ACCESS,
    Principal,
)
from kernel.errors import NotPermitted
from operations.permissions import SEARCH_AUDIT
from outbound.permissions import SEES
from reconciliation.permissions import DECIDE_BREAK, WORK_BREAK
from refdata.permissions import ASK_STATIC_DATA, JUDGE_PRICE
from risk.permissions import ASK_RISK_CHANGE, ENGAGE_KILL_SWITCH

Answers = Callable[[Principal], bool]


def sees_a_desk(actor: Principal) -> bool:
    """Was granted a desk, for view or for trade: rows live on desks."""
    return bool(visible_desks(actor))


def has_work(actor: Principal) -> bool:
    """Sees a desk or holds any right: something may wait for this person."""
    return sees_a_desk(actor) or bool(actor.rights)


def sees_a_desk_or_holds(*rights: str) -> Answers:
    """Sees a desk, or holds a right that is used on the page for the whole firm."""
    return lambda actor: sees_a_desk(actor) or holds(*rights)(actor)


def holds(*rights: str) -> Answers:
    """Holds at least one of the role rights."""
    return lambda actor: not actor.rights.isdisjoint(rights)


@dataclass(frozen=True, slots=True)
class HousePage:
    """``count`` is the id of the number beside the page's name; ``words`` are the palette's."""

    path: str
    title: str
    words: str
    letter: str
    answers: Answers
    count: str = ""


RISK = (ENGAGE_KILL_SWITCH, ASK_RISK_CHANGE, DECIDE_RISK_CHANGE)
STATIC_DATA = (ASK_STATIC_DATA, DECIDE_STATIC_DATA)
PAGES: tuple[HousePage, ...] = (
    HousePage("/desk", "Desk", "Desk", "d", sees_a_desk),
    HousePage("/approvals", "Approvals", "Approvals", "a", has_work, count="count-approvals"),
    HousePage("/exceptions", "Exceptions", "Exceptions", "e", has_work, count="count-exceptions"),
    HousePage(
        "/confirmations",
        "Confirms",
        "Confirmations: both sides of every trade, and cut-offs",
        "f",
        sees_a_desk_or_holds(WORK_POST_TRADE, DECIDE_POST_TRADE),
    ),
    HousePage(
        "/recon", "Recon", "Reconciliation: runs and breaks", "r", sees_a_desk_or_holds(WORK_BREAK, DECIDE_BREAK)
    ),
    HousePage(
        "/sync",
        "Sync",
        "Start of day: files of accounts, cash, holdings",
        "s",
        holds(WORK_BREAK, DECIDE_BREAK, SEARCH_AUDIT),
    ),
    HousePage(
        "/settlement",
        "Settlement",
        "Settlement: what changes hands, fails, cash to come",
        "x",
        sees_a_desk_or_holds(WORK_POST_TRADE, DECIDE_POST_TRADE),
    ),
    HousePage("/risk", "Risk", "Risk", "k", sees_a_desk_or_holds(*RISK), count="count-stops"),
    HousePage("/alloc", "Alloc", "Allocations: blocks, who gets what, fairness", "b", sees_a_desk),
    HousePage("/positions", "Positions", "Positions and cash", "o", sees_a_desk),
    HousePage("/notes", "Notes", "Contract notes", "i", sees_a_desk_or_holds(WORK_POST_TRADE, DECIDE_POST_TRADE)),
    HousePage("/prices", "Prices", "Prices", "m", sees_a_desk_or_holds(JUDGE_PRICE)),
    HousePage("/venues", "Venues", "Venues and sessions", "v", sees_a_desk, count="count-venues"),
    HousePage("/corporate-actions", "Actions", "Corporate actions", "c", sees_a_desk_or_holds(*STATIC_DATA)),
    HousePage("/uploads", "Uploads", "Uploads of orders", "l", holds(ENTER_ORDER)),
    HousePage(
        "/admin/access-review",
        "Reviews",
        "Access reviews",
        "w",
        holds(REVIEW_ACCESS, RUN_ACCESS_REVIEW, ADMINISTER_USERS, SEE_ACCESS),
    ),
    HousePage("/admin/access", "Access", "Access: who may do what", "z", holds(ADMINISTER_USERS, SEE_ACCESS)),
    HousePage("/admin/webhooks", "Webhooks", "Webhooks: events out", "h", holds(*SEES)),
    HousePage("/admin/keys", "Keys", "Keys of the API", "y", holds(ADMINISTER_USERS)),
    HousePage("/admin/retention", "Retention", "Retention and legal holds", "n", holds(KEEP_RECORDS, SEE_ACCESS)),
    HousePage("/search", "Search", "Search", "u", sees_a_desk),
    HousePage("/audit", "Audit", "Audit: what happened", "t", holds(SEARCH_AUDIT)),
)
HOME = "/preferences"  # for whom no page answers


def pages_of(actor: Principal) -> tuple[HousePage, ...]:
    """The pages that answer for the actor, in the order of the bar."""
    return tuple(page for page in PAGES if page.answers(actor))


def home_of(actor: Principal) -> str:
    """Where the actor lands after signing in: the first page that answers."""
    return next((page.path for page in PAGES if page.answers(actor)), HOME)


def page_at(path: str) -> HousePage | None:
    """The page that owns the address: the longest path that it equals or continues; None for an address of no page."""
    owners = [page for page in PAGES if path == page.path or path.startswith(f"{page.path}/")]
    return max(owners, key=lambda page: len(page.path), default=None)


def require_page(actor: Principal, path: str) -> None:
    """Raise NotPermitted PAGE_NOT_YOURS when the page that owns the address does not answer for the actor."""
    page = page_at(path)
    if page is not None and not page.answers(actor):
        raise NotPermitted("PAGE_NOT_YOURS", f"Your role has no use for the page {page.title}.", {"page": page.path})
