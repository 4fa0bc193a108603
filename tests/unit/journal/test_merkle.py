"""The tree is the one RFC 6962 defines, whatever its size, and a path leads to its root and to no other."""

from __future__ import annotations

import hashlib

import pytest

from journal.domain.merkle import inclusion_path, leaf_hash, packed_leaves, root_of_path, tree_root


def leaves_of(count: int) -> list[bytes]:
    return [leaf_hash(position * 3, hashlib.sha256(bytes([position])).digest()) for position in range(1, count + 1)]


def by_the_book(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, over hashed leaves."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + by_the_book(leaves[:split]) + by_the_book(leaves[split:])).digest()


@pytest.mark.parametrize("count", range(1, 34))
def test_roots_and_paths_of_every_size(count: int) -> None:
    leaves = leaves_of(count)
    root = tree_root(leaves)
    assert root == by_the_book(leaves)
    for index, leaf in enumerate(leaves):
        path = inclusion_path(leaves, index)
        assert root_of_path(leaf, index=index, size=count, path=path) == root
        assert root_of_path(leaf_hash(1, bytes(32)), index=index, size=count, path=path) != root
        assert root_of_path(leaf, index=index, size=count, path=[*path, bytes(32)]) is None
        if path:
            assert root_of_path(leaf, index=index, size=count, path=path[:-1]) is None
            assert root_of_path(leaf, index=index ^ 1, size=count, path=path) != root


def test_the_position_is_in_the_leaf_and_no_node_passes_for_one() -> None:
    digest = hashlib.sha256(b"event").digest()
    assert leaf_hash(7, digest) == hashlib.sha256(b"\x00" + bytes(7) + b"\x07" + digest).digest()
    assert leaf_hash(7, digest) != leaf_hash(8, digest)
    assert tree_root([]) == hashlib.sha256(b"").digest()


def test_a_packed_run_is_its_leaves() -> None:
    events = [(position, hashlib.sha256(bytes([position])).digest()) for position in (1, 2, 9)]
    packed = b"".join(position.to_bytes(8, "big") + digest for position, digest in events)
    assert packed_leaves(packed) == [leaf_hash(*event) for event in events]
    with pytest.raises(ValueError, match="not 32 bytes"):
        packed_leaves(packed[:-1])
    with pytest.raises(IndexError):
        inclusion_path([], 0)
