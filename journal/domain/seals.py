"""What a seal says, what a key says, what an anchor line says, and how each is signed and linked. Pure.

A seal commits to every event in ``from_position..to_position``: how many there are, the Merkle root over them, and the
hash of the seal before. What is signed is its canonical JSON (sorted keys, no spaces, ASCII); its hash is the SHA-256 of
the same bytes. ``docs/formats/evidence.md`` says all of this again for whoever writes another verifier.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NO_SEAL = bytes(32)
SEAL_FORMAT = "oms-seal/1"
KEY_FORMAT = "oms-seal-key/1"
ANCHOR_FORMAT = "oms-anchor/1"
KEY_ID_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class SealTerms:
    """What a seal says; ``number`` counts from 1 without a gap, ranges join without a gap."""

    number: int
    from_position: int
    to_position: int
    count: int
    root: bytes
    previous: bytes
    sealed_at: datetime
    key_id: str

    def text(self) -> bytes:
        """The bytes that are signed and hashed."""
        return _canonical(
            {
                "count": self.count,
                "format": SEAL_FORMAT,
                "from_position": self.from_position,
                "key_id": self.key_id,
                "number": self.number,
                "previous": self.previous.hex(),
                "root": self.root.hex(),
                "sealed_at": _moment(self.sealed_at),
                "to_position": self.to_position,
            }
        )

    def hash(self) -> bytes:
        """What the next seal names as ``previous``."""
        return hashlib.sha256(self.text()).digest()


@dataclass(frozen=True, slots=True)
class SignedSeal:
    """A seal with the signature over its text."""

    terms: SealTerms
    signature: bytes


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """A signing key as it was introduced: the first signs itself, each later one is signed by the one before."""

    public_key: bytes
    predecessor: str
    made_at: datetime

    @property
    def key_id(self) -> str:
        return key_id_of(self.public_key)

    def text(self) -> bytes:
        """The bytes the predecessor signed."""
        return _canonical(
            {
                "format": KEY_FORMAT,
                "key_id": self.key_id,
                "made_at": _moment(self.made_at),
                "predecessor": self.predecessor,
                "public_key": self.public_key.hex(),
            }
        )


@dataclass(frozen=True, slots=True)
class SignedKey:
    """A key with the signature that introduces it."""

    terms: KeyTerms
    signature: bytes


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode("ascii")


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def key_id_of(public_key: bytes) -> str:
    """The name of a public key: the beginning of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:KEY_ID_CHARACTERS]


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public half."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def sign_seal(terms: SealTerms, key: Ed25519PrivateKey) -> SignedSeal:
    """Sign; the key must be the one the seal names."""
    if key_id_of(public_bytes(key)) != terms.key_id:
        raise ValueError("a seal is signed by the key it names")
    return SignedSeal(terms, key.sign(terms.text()))


def introduce_key(key: Ed25519PrivateKey, *, by: Ed25519PrivateKey | None, at: datetime) -> SignedKey:
    """The record of a new key, signed by its predecessor (by itself when it is the first)."""
    signer = by or key
    terms = KeyTerms(public_bytes(key), key_id_of(public_bytes(signer)), at)
    return SignedKey(terms, signer.sign(terms.text()))


def key_chain(keys: Iterable[SignedKey]) -> list[SignedKey]:
    """From the first key to the newest, each introduced by the one before; keys off this chain are left out."""
    known = list(keys)
    following = {key.terms.predecessor: key for key in known if key.terms.predecessor != key.terms.key_id}
    chain = [key for key in known if key.terms.predecessor == key.terms.key_id][:1]
    while chain and (found := following.pop(chain[-1].terms.key_id, None)) is not None:
        chain.append(found)
    return chain


def is_signed(text: bytes, signature: bytes, public_key: bytes) -> bool:
    """Whether the owner of ``public_key`` signed ``text``."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, text)
    except (InvalidSignature, ValueError):
        return False
    return True


def anchor_line(seal: SignedSeal, *, public_key: bytes, chain: bytes) -> bytes:
    """The line of an anchor file for a seal, without its end of line. ``chain`` is the SHA-256 of the line before."""
    return _canonical(
        {
            "chain": chain.hex(),
            "format": ANCHOR_FORMAT,
            "public_key": public_key.hex(),
            "seal": json.loads(seal.terms.text()),
            "signature": seal.signature.hex(),
        }
    )


@dataclass(frozen=True, slots=True)
class AnchorLine:
    """A line read back: what it says of its seal, and its own hash, which the next line names as ``chain``."""

    number: int
    sealed_at: datetime
    seal_text: bytes
    signature: bytes
    public_key: bytes
    chain: bytes
    hash: bytes


def read_anchor_line(line: bytes) -> AnchorLine | None:
    """Read a line without its end of line; None when it is not one of ours."""
    try:
        found = json.loads(line)
        if found["format"] != ANCHOR_FORMAT:
            return None
        return AnchorLine(
            number=int(found["seal"]["number"]),
            sealed_at=datetime.fromisoformat(found["seal"]["sealed_at"]).astimezone(UTC),
            seal_text=_canonical(found["seal"]),
            signature=bytes.fromhex(found["signature"]),
            public_key=bytes.fromhex(found["public_key"]),
            chain=bytes.fromhex(found["chain"]),
            hash=hashlib.sha256(line).digest(),
        )
    except (ValueError, KeyError, TypeError):
        return None
