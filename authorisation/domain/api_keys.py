"""What a key of the API may be given, from where it may come, and how often. Pure.

The rate is one moment: when the key's bucket would be full again, in microseconds. A request moves it on by one step
(a second / rate) and passes while it is no further ahead of now than the burst allows. Some more may come of what only
takes risk away, so that a partner who sends too much can still cancel.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from authorisation.domain.scopes import SCOPES
from kernel.errors import Invalid

SECOND_US = 1_000_000
MAX_NAME = 80
MAX_RATE = 1_000
MAX_ADDRESSES = 20
MAX_OVERLAP = timedelta(days=30)
DEFAULT_RATE, DEFAULT_BURST, DEFAULT_OVERLAP = 20, 40, timedelta(days=7)


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What a signed key is issued with: sorted scopes, networks in canonical form, requests a second and at once."""

    name: str
    scopes: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    rate: int = DEFAULT_RATE
    burst: int = DEFAULT_BURST


def key_terms(
    *,
    name: str,
    scopes: Iterable[str],
    addresses: Iterable[str] = (),
    rate: int = DEFAULT_RATE,
    burst: int = DEFAULT_BURST,
) -> KeyTerms:
    """The terms in canonical form. Raises Invalid KEY_INVALID with a sentence a field."""
    faults: dict[str, list[str]] = {}
    wanted = tuple(sorted(set(scopes)))
    if not 1 <= len(name.strip()) <= MAX_NAME or not name.isprintable():
        faults["name"] = [f"A name of 1 to {MAX_NAME} characters."]
    if not wanted:
        faults["scopes"] = ["At least one scope."]
    unknown = [one for one in wanted if one not in SCOPES]
    if unknown:
        faults["scopes"] = [f"Not known: {', '.join(unknown)[:200]}."]
    if not 1 <= rate <= MAX_RATE:
        faults["rate"] = [f"1 to {MAX_RATE} requests a second."]
    if not 1 <= burst <= 10 * MAX_RATE:
        faults["burst"] = [f"1 to {10 * MAX_RATE} requests at once."]
    networks: list[str] = []
    for text in addresses:
        try:
            networks.append(str(ip_network(text.strip())))
        except ValueError:
            faults["addresses"] = [f"{text.strip()[:50]!r} is no address or network, like 192.0.2.0/24."]
    if len(networks) > MAX_ADDRESSES:
        faults["addresses"] = [f"At most {MAX_ADDRESSES} networks."]
    if faults:
        raise Invalid("KEY_INVALID", next(iter(faults.values()))[0], faults)
    return KeyTerms(name.strip(), wanted, tuple(dict.fromkeys(networks)), rate, burst)


def comes_from(addresses: Sequence[str], source: str) -> bool:
    """Whether ``source`` lies in one of the networks; every source does when none is named."""
    if not addresses:
        return True
    try:
        found = ip_address(source)
    except ValueError:
        return False
    return any(found in ip_network(one) for one in addresses)


def step_us(rate: int) -> int:
    """How far one request moves the bucket on."""
    return SECOND_US // rate


def room_us(rate: int, burst: int, *, removes_risk: bool) -> int:
    """How far ahead of now the bucket may be; a quarter more, at least five requests, for what removes risk."""
    return step_us(rate) * (burst + (max(burst // 4, 5) if removes_risk else 0))


def wait_s(full_at_us: int, *, now_us: int, rate: int, room: int) -> int:
    """Whole seconds until one more request passes, at least one."""
    ahead = full_at_us + step_us(rate) - now_us - room
    return max(-(-ahead // SECOND_US), 1)


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return int(at.timestamp()) * SECOND_US + at.microsecond
