"""Sequence numbers from PostgreSQL: what the next message in and out must carry after a restart or a takeover.

Inbound, PostgreSQL alone decides: the number after the last message *stored*. The engine's file may be ahead, because
the engine counts a message before we have committed it; the lower number makes the venue send it again.

Outbound, the higher of file and tables. Too high is harmless (the venue asks, the engine fills the gap); too low ends
the session. Without a file a margin covers what may have left after the last commit.
"""

from __future__ import annotations

from dataclasses import dataclass

from venues.domain.fix_codec import first_values, parse

MARGIN_WITHOUT_FILE = 100


@dataclass(frozen=True, slots=True)
class StoredNumbers:
    """What the tables say: numbers to expect next, counting from 1."""

    next_in: int
    next_out: int


def number_after(raw: str) -> int:
    """The MsgSeqNum expected after this message: its own plus one, or NewSeqNo (36) of a sequence reset."""
    values = first_values(parse(raw))
    if values.get(35) == "4" and values.get(36, "").isdigit():
        return int(values[36])
    return int(values[34]) + 1


def numbers_to_use(stored: StoredNumbers, *, file_out: int, had_file: bool) -> StoredNumbers:
    """Both numbers as they must be set before logon."""
    if had_file:
        return StoredNumbers(stored.next_in, max(file_out, stored.next_out))
    if stored == StoredNumbers(1, 1):
        return stored
    return StoredNumbers(stored.next_in, stored.next_out + MARGIN_WITHOUT_FILE)


def expected_by_venue(text: str) -> int | None:
    """The number a venue's logout text asks for (``MsgSeqNum too low, expecting 52 but received 7``), or None."""
    words = text.replace(",", " ").split()
    if "expecting" in words and "low" in words:
        after = words[words.index("expecting") + 1 : words.index("expecting") + 2]
        if after and after[0].isdigit():
            return int(after[0])
    return None
