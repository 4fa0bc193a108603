"""Merkle trees over events, shaped as RFC 6962 shapes them. Pure.

A leaf is ``sha256(0x00 + position as 8 bytes, big-endian + hash of the event)``, a node ``sha256(0x01 + left + right)``;
a node without a neighbour moves up unchanged. The two prefixes keep a node from being passed off as a leaf. Because the
position is in the leaf, a tree says which positions of its range exist and, with the range, which do not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

HASH_BYTES = 32
PLACE_BYTES = 8 + HASH_BYTES  # an event in a packed run: position, then hash

_sha256 = hashlib.sha256


def leaf_hash(position: int, event_hash: bytes) -> bytes:
    """The leaf of one event."""
    return _sha256(b"\x00" + position.to_bytes(8, "big") + event_hash).digest()


def packed_leaves(packed: bytes) -> list[bytes]:
    """The leaves of a run of (position, hash) pairs, 40 bytes each. A run of another length raises ValueError."""
    if len(packed) % PLACE_BYTES:
        raise ValueError("a hash of this run is not 32 bytes long")
    return [
        _sha256(b"\x00" + packed[start : start + PLACE_BYTES]).digest() for start in range(0, len(packed), PLACE_BYTES)
    ]


def _above(level: list[bytes]) -> list[bytes]:
    pairs = zip(level[::2], level[1::2], strict=False)
    higher = [_sha256(b"\x01" + left + right).digest() for left, right in pairs]
    return [*higher, level[-1]] if len(level) % 2 else higher


def tree_root(leaves: Sequence[bytes]) -> bytes:
    """The root over the leaves in their order; of none it is the hash of nothing."""
    level = list(leaves)
    if not level:
        return _sha256(b"").digest()
    while len(level) > 1:
        level = _above(level)
    return level[0]


def inclusion_path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The neighbours from a leaf up to the root: what :func:`root_of_path` needs to reach the root again."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"there is no leaf {index} among {len(leaves)}")
    level, path = list(leaves), []
    while len(level) > 1:
        neighbour = index ^ 1
        if neighbour < len(level):
            path.append(level[neighbour])
        level, index = _above(level), index // 2
    return path


def root_of_path(leaf: bytes, *, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a leaf at ``index`` of ``size`` and its path lead to; None when the path cannot be theirs."""
    if not 0 <= index < size:
        return None
    node, rest = leaf, list(path)
    while size > 1:
        if index % 2 or index + 1 < size:
            if not rest:
                return None
            neighbour = rest.pop(0)
            node = _sha256(b"\x01" + (neighbour + node if index % 2 else node + neighbour)).digest()
        index, size = index // 2, (size + 1) // 2
    return None if rest else node
