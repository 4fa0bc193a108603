"""Another policy, as it is asked for: for which kind, desk and value, how many people with which right, how long. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from authorisation.domain.policy import MOST_CHECKERS, POLICIES, PolicyRow, policy_of
from authorisation.domain.principal import ADMINISTER_USERS, DECIDE_RISK_CHANGE, DECIDE_STATIC_DATA, RELEASE_ORDER
from kernel.errors import Invalid
from kernel.numbers import plain

CHECKER_RIGHTS = {
    RELEASE_ORDER: "release orders",
    DECIDE_RISK_CHANGE: "decide about risk",
    DECIDE_STATIC_DATA: "decide about static data",
    ADMINISTER_USERS: "administer people",
}
PATIENCE_S = (60, 30 * 24 * 60 * 60)
CLAIM_RANGE_S = (30, 60 * 60)
MOST_VALUE = Decimal(10) ** 15


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """What is to stand. ``above`` None: for any value. ``ended``: the row of this key is to stand no more."""

    kind: str
    desk_id: int | None
    above: Decimal | None
    currency: str
    checkers: int
    right: str
    patience_s: int
    claim_s: int
    stops_clock: bool
    ended: bool = False

    @property
    def is_house_wide(self) -> bool:
        """Of every desk and any value: what rules where nothing more special does."""
        return self.desk_id is None and self.above is None

    @property
    def subject(self) -> str:
        """The key, for as long as it is asked about."""
        mark = f"{plain(self.above)}:{self.currency}" if self.above is not None else ""
        return f"{self.kind}:{self.desk_id or ''}:{mark}"

    def words(self, desk_code: str = "") -> str:
        """``Order release above 1000000 GBP on desk EQ1: 2 people who may release orders, within 0:30:00``."""
        mark = f" above {plain(self.above)} {self.currency}" if self.above is not None else ""
        where = f" on desk {desk_code}" if desk_code else ""
        title = f"{policy_of(self.kind).title}{mark}{where}"
        if self.ended:
            return f"{title}: no policy of its own any more"
        people = "1 person" if self.checkers == 1 else f"{self.checkers} people"
        return f"{title}: {people} who may {CHECKER_RIGHTS[self.right]}, within {timedelta(seconds=self.patience_s)}"

    def to_payload(self) -> dict[str, Any]:
        """As it is kept with the request."""
        return {
            "kind": self.kind,
            "desk_id": self.desk_id,
            "above": plain(self.above) if self.above is not None else None,
            "currency": self.currency,
            "checkers": self.checkers,
            "right": self.right,
            "patience_s": self.patience_s,
            "claim_s": self.claim_s,
            "stops_clock": self.stops_clock,
            "ended": self.ended,
        }


def change_of_payload(payload: Mapping[str, Any]) -> PolicyChange:
    """What was asked for."""
    names = ("kind", "desk_id", "currency", "checkers", "right", "patience_s", "claim_s", "stops_clock", "ended")
    above = payload["above"]
    return PolicyChange(above=Decimal(above) if above is not None else None, **{name: payload[name] for name in names})


def require_shape(change: PolicyChange) -> None:
    """Raise Invalid POLICY_INVALID with one sentence a field."""
    faults: dict[str, list[str]] = {}
    if change.kind not in POLICIES:
        faults["kind"] = ["Choose what is decided."]
    if change.right not in CHECKER_RIGHTS:
        faults["right"] = ["Choose who decides."]
    if not 1 <= change.checkers <= MOST_CHECKERS:
        faults["checkers"] = [f"Between 1 and {MOST_CHECKERS} people."]
    if not PATIENCE_S[0] <= change.patience_s <= PATIENCE_S[1]:
        faults["patience_s"] = ["Between a minute and thirty days."]
    if not CLAIM_RANGE_S[0] <= change.claim_s <= CLAIM_RANGE_S[1]:
        faults["claim_s"] = ["Between 30 seconds and an hour."]
    if change.above is not None and not (change.above.is_finite() and 0 < change.above <= MOST_VALUE):
        faults["above"] = ["A value above zero."]
    if (change.above is None) != (change.currency == "") or (
        change.currency and not (len(change.currency) == 3 and change.currency.isascii() and change.currency.isupper())
    ):
        faults["currency"] = ["A value and its currency, three letters, or neither."]
    if change.ended and change.is_house_wide:
        faults["ended"] = ["Without a policy for the whole house nobody could decide: change it instead."]
    if faults:
        raise Invalid("POLICY_INVALID", next(iter(faults.values()))[0], faults)


def same_key(row: PolicyRow, change: PolicyChange) -> bool:
    """Whether the row is the one that the change would replace."""
    return (row.kind, row.desk_id, row.above, row.currency) == (
        change.kind, change.desk_id, change.above, change.currency,
    )  # fmt: skip
