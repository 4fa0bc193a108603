"""Secrets that must be used again, such as the key of a signature, kept so that the database alone does not tell them.

AES-256-GCM under a key from the secret settings. The first key seals; every key unseals, so that a new one is put in front
of the file, ``seal`` is called again as secrets are used (``is_current``), and the old one is removed when none is left.

Invariants: a sealed text opens only for what it was sealed about, so rows cannot be swapped; a changed one never opens.
"""

from __future__ import annotations

import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import lru_cache
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from kernel.errors import InvariantBroken

VERSION = "v1"
NONCE_BYTES = 12


def seal(secret: bytes, *, about: str) -> str:
    """``secret`` as text for a column; ``about`` names its row and use, like ``api_key:<id>``."""
    name, key = _keys()[0]
    nonce = os.urandom(NONCE_BYTES)
    hidden = key.encrypt(nonce, secret, about.encode())
    return f"{VERSION}.{name}.{urlsafe_b64encode(nonce + hidden).decode()}"


def unseal(sealed: str, *, about: str) -> bytes:
    """The secret; raises InvariantBroken SEALED_UNREADABLE when no key of ours opens it or it is of something else."""
    try:
        version, name, text = sealed.split(".")
        whole = urlsafe_b64decode(text)
        if version == VERSION:
            return dict(_keys())[name].decrypt(whole[:NONCE_BYTES], whole[NONCE_BYTES:], about.encode())
    except (ValueError, KeyError, InvalidTag):
        pass  # told below, whatever was wrong with it
    raise InvariantBroken("SEALED_UNREADABLE", "A kept secret cannot be opened with the keys of this house.")


def is_current(sealed: str) -> bool:
    """Whether the first key sealed it; if not, seal it anew while its plain text is at hand."""
    return sealed.startswith(f"{VERSION}.{_keys()[0][0]}.")


def _keys() -> tuple[tuple[str, AESGCM], ...]:
    return tuple(_derived(text) for text in settings.SEALING_KEYS)


@lru_cache(maxsize=8)
def _derived(text: str) -> tuple[str, AESGCM]:
    """A key and the name it has inside sealed texts, from a long random text of the settings."""
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"oms sealing v1").derive(text.encode())
    return sha256(b"name of " + key).hexdigest()[:8], AESGCM(key)
