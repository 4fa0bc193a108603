"""How a request is signed, by partners to us and by us to them. Pure; ``clients/python`` says the same in its own words.

Signed is this text of nine lines, under the key's secret (its ASCII bytes), with HMAC-SHA256:

====================  ===========================================================================================
scheme                ``OMS-HMAC-SHA256``
method                upper case
path                  every character but letters, digits and ``-._~/`` percent-encoded, as UTF-8
query                 names and values encoded the same way (``/`` too), sorted by name, then value, joined by ``&``
body                  hex SHA-256 of the bytes sent, of no bytes when there is none
time                  whole seconds since 1970-01-01 UTC
nonce                 16 to 64 letters, digits, ``-`` or ``_``, never used before with this key
key                   the key's id
idempotency key       the Idempotency-Key header without spaces around it, or nothing
====================  ===========================================================================================

The order of the lines and what each may hold make the text of two different requests different: no value can hold a
line break. Whoever has seen a request can send it once more only where its nonce is not known yet, and after WINDOW_S
not even there.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

SCHEME = "OMS-HMAC-SHA256"
WINDOW_S = 300
MAX_PARAMETERS = 200
_FIELDS = ("key", "time", "nonce", "signature")
_SHAPES = {
    "key": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "time": re.compile(r"[0-9]{1,12}"),
    "nonce": re.compile(r"[A-Za-z0-9_-]{16,64}"),
    "signature": re.compile(r"[0-9a-f]{64}"),
}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the Authorization header of a signed request says."""

    key: str
    time: int
    nonce: str
    signature: str


def read_credentials(parameters: str) -> Credentials:
    """``key=…,time=…,nonce=…,signature=…`` in any order. Raises ValueError for anything else."""
    pairs = [part.strip().partition("=") for part in parameters.split(",")]
    given = {name: value for name, _, value in pairs}
    if len(pairs) != len(_FIELDS) or set(given) != set(_FIELDS):
        raise ValueError(f"it must hold {', '.join(_FIELDS)}, each once")
    for name, shape in _SHAPES.items():
        if not shape.fullmatch(given[name]):
            raise ValueError(f"{name} is malformed")
    return Credentials(given["key"], int(given["time"]), given["nonce"], given["signature"])


def write_credentials(credentials: Credentials) -> str:
    """The Authorization header."""
    one = credentials
    return f"{SCHEME} key={one.key},time={one.time},nonce={one.nonce},signature={one.signature}"


def canonical_path(path: str) -> str:
    """A decoded path as it is signed."""
    return quote(path, safe="/-._~")


def canonical_query(query: str) -> str:
    """A query string as it is signed. Raises ValueError when it holds more than 200 parameters."""
    pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    encoded = sorted((quote(name, safe="-._~"), quote(value, safe="-._~")) for name, value in pairs)
    return "&".join(f"{name}={value}" for name, value in encoded)


def text_to_sign(
    *, method: str, path: str, query: str, body: bytes, time: int, nonce: str, key: str, idempotency_key: str = ""
) -> bytes:
    """The nine lines; ``path`` is decoded, ``query`` as sent without its question mark."""
    lines = (
        SCHEME,
        method.upper(),
        canonical_path(path),
        canonical_query(query),
        hashlib.sha256(body).hexdigest(),
        str(time),
        nonce,
        key,
        idempotency_key.strip(),
    )
    return "\n".join(lines).encode()


def signature_of(secret: str, text: bytes) -> str:
    """Hex HMAC-SHA256."""
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def is_signature(secret: str, text: bytes, signature: str) -> bool:
    """Whether ``signature`` was made with ``secret``; how long that takes tells nothing."""
    return hmac.compare_digest(signature_of(secret, text), signature)
