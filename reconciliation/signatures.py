"""Whether a file is signed by the key that was agreed with its source.

The signature is Ed25519 over the 64 hexadecimal digits of the file's SHA-256, so that a file of any size is verified in
constant memory; it lies beside the file in ``<file>.sig`` as 64 bytes, or as their hexadecimal digits or base64. With OpenSSL:
``sha256sum FILE | cut -c1-64 | tr -d '\\n' > d; openssl pkeyutl -sign -rawin -inkey KEY.pem -in d -out FILE.sig``.
"""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.conf import settings

SIGNATURE = ".sig"
BYTES = 64


def is_signed_by(key_name: str, *, sha256: str, signature: bytes) -> bool:
    """True when the named key signed this digest. Raises FileNotFoundError when the house has no such key."""
    key = _public_key(key_name)
    raw = _raw(signature)
    if key is None or raw is None:
        return False
    try:
        key.verify(raw, sha256.encode("ascii"))
    except InvalidSignature:
        return False
    return True


def _public_key(name: str) -> Ed25519PublicKey | None:
    path = Path(settings.VAR_DIR) / "keys" / "feeds" / Path(name).name
    try:
        key = load_pem_public_key(path.read_bytes())
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, Ed25519PublicKey) else None


def _raw(signature: bytes) -> bytes | None:
    if len(signature) == BYTES:
        return signature
    text = b"".join(signature.split())
    for decode in (binascii.unhexlify, _base64):
        try:
            raw = decode(text)
        except (binascii.Error, ValueError):
            continue
        if len(raw) == BYTES:
            return raw
    return None


def _base64(text: bytes) -> bytes:
    return base64.b64decode(text, validate=True)
