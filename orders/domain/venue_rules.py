"""What the venue an order went to takes of requests about it, as routing told when it recorded the route. Pure.

Orders does not know venues: the adapter's declaration is handed down once and kept with the order (``Order.venue_rules``),
so that a door can always say by which rules it answered, whatever the adapter declares later. An order without any
(routed before they were kept, given by phone) is met by the narrowest common rule: one replace at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from kernel.fix import OrdStatus
from risk.domain.facts import ReplaceRules

VERSION = 1
ONE_AT_A_TIME = ReplaceRules()


@dataclass(frozen=True, slots=True)
class VenueRules:
    """One adapter's declaration as far as requests about an order are concerned; ``mapping`` names the adapter's version.

    ``names_last_accepted``: OrigClOrdID (41) names the last request the venue accepted; otherwise the last one that was
    sent and not rejected, as FIX has it. ``takes_dont_know``: the venue takes DK (35=Q).
    """

    mapping: str = ""
    replace: ReplaceRules = ONE_AT_A_TIME
    names_last_accepted: bool = False
    mass_cancel: bool = False
    cancel_on_disconnect: bool = False
    sends_expiry: bool = True
    takes_dont_know: bool = False


NO_RULES = VenueRules()
_FLAGS = ("names_last_accepted", "mass_cancel", "cancel_on_disconnect", "sends_expiry", "takes_dont_know")


def may_be_replaced(*, is_open: bool, ord_status: str | None, venue_rules: Mapping[str, Any]) -> bool:
    """Whether a replace of an order may still come to something: open, or filled at a venue that revives filled orders."""
    return is_open or (ord_status == OrdStatus.FILLED and rules_from_json(venue_rules).replace.revives_filled)


def rules_to_json(rules: VenueRules) -> dict[str, Any]:
    """Plain JSON, versioned."""
    replace = {item.name: getattr(rules.replace, item.name) for item in fields(ReplaceRules)}
    replace["replaceable"] = sorted(rules.replace.replaceable)
    flags = {name: getattr(rules, name) for name in _FLAGS}
    return {"v": VERSION, "mapping": rules.mapping, "replace": replace, **flags}


def rules_from_json(data: Mapping[str, Any]) -> VenueRules:
    """The inverse; an empty mapping is an order nobody told rules for. Raises ValueError for an unknown version."""
    if not data:
        return NO_RULES
    if data.get("v") != VERSION:
        raise ValueError(f"venue rules of version {data.get('v')!r} cannot be read by version {VERSION}")
    replace = {**data["replace"], "replaceable": frozenset(data["replace"]["replaceable"])}
    return VenueRules(mapping=data["mapping"], replace=ReplaceRules(**replace), **{name: data[name] for name in _FLAGS})
