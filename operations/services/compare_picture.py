"""Compare the resident picture with the tables, order by order and account by account, in one moment. Reads only.

The tables may be ahead of the picture. The events between are read in the same transaction and taken by a copy of it, so
the comparison is exact while the house runs: nothing is left out because it moves.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from journal.bulk import one_moment
from journal.domain.differing import ABSENT, Difference
from journal.selectors.happenings import list_happenings
from journal.services.advance_projection import take_all
from operations.domain.picture_state import PictureState
from operations.selectors.picture import account_digests, account_texts, order_digests, order_texts

SHOWN = 50


@dataclass(slots=True)
class PictureComparison:
    """How much was compared and what differs; ``differences`` holds at most ``SHOWN`` of each kind."""

    orders: int = 0
    accounts: int = 0
    differing: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        return self.differing == 0


def compare_picture(*, state: PictureState, position: int) -> PictureComparison:
    """The picture as of ``position`` against the tables of now."""
    result = PictureComparison()
    with one_moment():
        ahead = list_happenings(position)
        if ahead:
            state = state.copy()
            take_all(state, ahead)
        _orders(state, result)
        _accounts(state, result)
    return result


def _orders(state: PictureState, result: PictureComparison) -> None:
    stored, orders = order_digests(), state.orders
    told = {
        order_id: orders.digest(order_id)
        for order_id, entry in orders.entries.items()
        if entry.is_open or orders.holds(order_id)
    }
    wrong = [
        order_id
        for order_id in told.keys() | stored.keys()
        if told.get(order_id) != stored.get(order_id) and order_id not in orders.dark
    ]
    result.orders = len(told)
    result.differing += len(wrong)
    shown = sorted(wrong)[:SHOWN]
    texts = order_texts(shown) if shown else {}
    for order_id in shown:
        ours = orders.text(order_id) if order_id in told else ABSENT
        result.differences.append(Difference(f"order:{order_id}", "row", ours, texts.get(order_id, ABSENT)))


def _accounts(state: PictureState, result: PictureComparison) -> None:
    stored, dark = account_digests(), state.dark_accounts()
    wrong = []
    for account_id in state.account_ids() | stored.keys():
        if account_id in dark:
            continue
        kept = stored.get(account_id)
        if kept is None and not state.account_text(account_id):
            continue
        if kept != state.account_digest(account_id):
            wrong.append(account_id)
    result.accounts = len(state.account_ids())
    result.differing += len(wrong)
    shown = sorted(wrong)[:SHOWN]
    texts = account_texts(shown) if shown else {}
    for account_id in shown:
        ours = state.account_text(account_id)
        result.differences.append(Difference(f"account:{account_id}", "balances", ours, texts.get(account_id, ABSENT)))
