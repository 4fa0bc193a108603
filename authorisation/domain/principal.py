"""Who acts, and what they were granted: loaded once a call, then passed down. No later look-ups, no flags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kernel.errors import NotPermitted

ENTER_ORDER = "enter_order"
RELEASE_ORDER = "release_order"
ADMINISTER_ACCOUNTS = "administer_accounts"
ADMINISTER_USERS = "administer_users"
SEE_ACCESS = "see_access"
CANCEL_ORDER = "cancel_order"
DECIDE_RISK_CHANGE = "decide_risk_change"
DECIDE_STATIC_DATA = "decide_static_data"
DECIDE_BREAK = "decide_break"
DECIDE_ALLOCATION = "decide_allocation"
DECIDE_POST_TRADE = "decide_post_trade"
REVIEW_ACCESS = "review_access"
RUN_ACCESS_REVIEW = "run_access_review"
KEEP_RECORDS = "keep_records"
VIEW_DESK = "view_desk"
TRADE_DESK = "trade_desk"
VIEW_ACCOUNT_GROUP = "view_accountgroup"
TRADE_ACCOUNT_GROUP = "trade_accountgroup"


@dataclass(frozen=True, slots=True)
class Principal:
    """``rights`` are role rights by codename; ``grants`` maps an object right to the ids of desks or account groups;
    ``responsible_id`` is the person who answers for a service account; ``must_confirm`` says that a decision wants a second
    factor shown first (``domain/stepping_up.py``).

    ``used`` collects the rights that guards asked for and found while this principal was at a door; the door keeps them.
    """

    user_id: int
    username: str
    actor: str
    persona: str
    is_service: bool = False
    may_send: bool = True
    desk_id: int | None = None
    rights: frozenset[str] = frozenset()
    grants: Mapping[str, frozenset[int]] = field(default_factory=dict)
    on_behalf_of: str = ""
    responsible_id: int | None = None
    used: set[str] = field(default_factory=set, compare=False, repr=False)
    must_confirm: bool = False

    @property
    def person_id(self) -> int:
        """The person behind: who answers for a service account, else the user. Two hats of one person are one person."""
        return self.responsible_id or self.user_id

    @property
    def is_process(self) -> bool:
        """One of our own processes (see ``process_principal``); no person and no key ever is."""
        return self.user_id == 0

    @property
    def answered_for_by(self) -> int | None:
        """The user who answers for what this one does: a person for itself, for a service account who was named for it."""
        return self.responsible_id if self.is_service or self.is_process else self.user_id

    def granted(self, right: str) -> frozenset[int]:
        """Ids of the objects on which ``right`` is granted."""
        return self.grants.get(right, frozenset())

    def uses(self, right: str) -> bool:
        """Whether the role has ``right``; remembered when it has, for guards that answer rather than raise."""
        if right not in self.rights:
            return False
        self.used.add(right)
        return True

    def require(self, right: str, sentence: str) -> None:
        """Raise NotPermitted unless the role has ``right``."""
        if not self.uses(right):
            raise NotPermitted("RIGHT_MISSING", sentence, {"right": right})


def process_principal(name: str) -> Principal:
    """One of our own processes. It has no rights: services that processes call take no principal's rights."""
    return Principal(user_id=0, username=name, actor=f"process:{name}", persona="process")
