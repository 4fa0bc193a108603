"""Repeating groups: which there are, how they are read, and the dictionary that lets the engine keep them whole. Pure.

The engine knows no groups by itself: it would sort a message by tag and refuse a tag that comes twice. So it is given a
dictionary, but only of groups: every message type is in it, no field is required, no value is judged. What a message means
and whether it is right stays ours to say (``docs/adr/0006``, ``0049``).

Members are those of FIX 4.4 in its order; 4.2 has fewer of them.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from venues.domain.fix_codec import Fields


@dataclass(frozen=True, slots=True)
class Group:
    """A group: the tag that counts its entries, the tags of an entry (each begins with the first), groups within."""

    count: int
    members: tuple[int, ...]
    within: tuple[Group, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """Some fields of a message, each once, and the entries of the groups among them by their counting tag."""

    values: Mapping[int, str]
    groups: Mapping[int, tuple[Entry, ...]] = field(default_factory=dict)

    def of(self, count: int) -> tuple[Entry, ...]:
        """The entries of a group; none when the message does not have it."""
        return self.groups.get(count, ())


NO_ORDERS, NO_EXECS, NO_ALLOCS, NO_MISC_FEES, NO_CAPACITIES = 73, 124, 78, 136, 862

_FEES = Group(NO_MISC_FEES, (137, 138, 139, 891))
_NESTED_PARTIES = Group(539, (524, 525, 538), (Group(804, (545, 805)),))
_NESTED_PARTIES_2 = Group(756, (757, 758, 759), (Group(806, (760, 807)),))
_DELIVERY = Group(85, (165, 787), (Group(781, (782, 783, 784), (Group(801, (785, 786)),)),))
_PARTIES = Group(453, (448, 447, 452), (Group(802, (523, 803)),))
_COMMON = (
    _PARTIES,
    Group(454, (455, 456)),
    Group(232, (233, 234)),
    Group(864, (865, 866, 867, 868)),
    Group(768, (769, 770, 771)),
)
_ORDERS = Group(NO_ORDERS, (11, 37, 198, 526, 66, 38, 799, 800, 105), (_NESTED_PARTIES_2,))
_EXECS = Group(NO_EXECS, (32, 17, 527, 31, 669, 29))
_ALLOCS = Group(
    NO_ALLOCS,
    (
        *(79, 661, 573, 366, 80, 467, 81, 208, 209, 161, 360, 361, 12, 13, 479, 497, 153, 154, 119, 737, 120, 736, 155, 156),
        *(742, 741, 635, 780, 172, 169, 170, 171, 76, 109, 92, 158, 159, 160, 162),
    ),
    (_NESTED_PARTIES, _FEES, Group(576, (577,)), _DELIVERY),
)  # fmt: skip
_REFUSED_ALLOCS = Group(NO_ALLOCS, (79, 661, 366, 467, 776, 161, 360, 361))

GROUPS: dict[str, tuple[Group, ...]] = {
    "8": (*_COMMON, _FEES, Group(382, (375, 337, 437, 438, 655)), Group(518, (519, 520, 521))),
    "J": (*_COMMON, _ORDERS, _EXECS, _ALLOCS),
    "P": (*_COMMON, _REFUSED_ALLOCS),
    "AS": (*_COMMON, _ORDERS, _EXECS, _ALLOCS),
    "AT": (*_COMMON, _REFUSED_ALLOCS),
    "AK": (*_COMMON, _ORDERS, _FEES, _DELIVERY, Group(NO_CAPACITIES, (528, 529, 863))),
}
"""By MsgType (35): the messages in which anything repeats, as far as the house meets them."""


def entry_of(fields: Fields) -> Entry:
    """A message taken apart. Raises ValueError where a tag repeats outside of a group, or a group is not what it says."""
    msg_type = next((value for tag, value in fields if tag == 35), "")
    return _whole(fields, {group.count: group for group in GROUPS.get(msg_type, ())})


def _whole(fields: Fields, groups: Mapping[int, Group]) -> Entry:
    values: dict[int, str] = {}
    found: dict[int, tuple[Entry, ...]] = {}
    place = 0
    while place < len(fields):
        tag, value = fields[place]
        if tag in values:
            raise ValueError(f"tag {tag} comes twice")
        values[tag] = value
        place += 1
        if tag in groups:
            found[tag], place = _entries(fields, place, groups[tag], value)
    return Entry(values, found)


def _entries(fields: Fields, place: int, group: Group, said: str) -> tuple[tuple[Entry, ...], int]:
    """The entries that begin at ``place``, and where they end."""
    if not said.isascii() or not said.isdigit():
        raise ValueError(f"{group.count}={said!r} is not a number of entries")
    entries = []
    for number in range(1, int(said) + 1):
        if place >= len(fields) or fields[place][0] != group.members[0]:
            raise ValueError(
                f"{group.count}={said}, but entry {number} is not there or does not begin with {group.members[0]}"
            )
        entry, place = _entry(fields, place, group)
        entries.append(entry)
    if place < len(fields) and fields[place][0] == group.members[0]:
        raise ValueError(f"{group.count}={said}, but more entries follow")
    return tuple(entries), place


def _entry(fields: Fields, place: int, group: Group) -> tuple[Entry, int]:
    within = {one.count: one for one in group.within}
    values: dict[int, str] = {}
    found: dict[int, tuple[Entry, ...]] = {}
    while place < len(fields):
        tag, value = fields[place]
        if tag in values or (tag not in group.members and tag not in within):
            break
        values[tag] = value
        place += 1
        if tag in within:
            found[tag], place = _entries(fields, place, within[tag], value)
    return Entry(values, found), place


_SIGNS = string.ascii_uppercase + string.ascii_lowercase + string.digits
_TYPES = (*_SIGNS, *(first + second for first in _SIGNS for second in _SIGNS))


def dictionary_text(begin_string: str) -> str:
    """A data dictionary of the engine (XML) for a version of FIX: its groups, and nothing that refuses a message."""
    major, minor = begin_string.removeprefix("FIX.").split(".")
    tags = {8, 10, *(tag for groups in GROUPS.values() for group in groups for tag in _tags(group))}
    messages = "".join(
        f'<message name="M{kind}" msgtype="{kind}" msgcat="app">{"".join(map(_told, GROUPS.get(kind, ())))}</message>'
        for kind in _TYPES
    )
    names = "".join(f'<field number="{tag}" name="T{tag}" type="STRING"/>' for tag in sorted(tags))
    return (
        f'<fix major="{major}" minor="{minor}"><header>{_named([8])}</header><trailer>{_named([10])}</trailer>'
        f"<messages>{messages}</messages><components/><fields>{names}</fields></fix>"
    )


def _told(group: Group) -> str:
    inner = _named(group.members) + "".join(map(_told, group.within))
    return f'<group name="T{group.count}" required="N">{inner}</group>'


def _named(tags: Sequence[int]) -> str:
    return "".join(f'<field name="T{tag}" required="N"/>' for tag in tags)


def _tags(group: Group) -> set[int]:
    return {group.count, *group.members, *(tag for one in group.within for tag in _tags(one))}
