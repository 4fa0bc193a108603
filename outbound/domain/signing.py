"""How a delivery is signed: as a partner signs a request to us (``authorisation.domain.signing``), under one of our secrets.

While two secrets live, a delivery carries a signature of each, and the receiver takes it when one of them is right: so it
may change its secret at any moment in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from authorisation.domain.signing import Credentials, signature_of, text_to_sign, write_credentials

SIGNATURE_HEADER = "OMS-Signature"


def signatures(
    *, secrets: Sequence[tuple[str, str]], path: str, body: bytes, event_id: str, time: int, nonce: str
) -> list[tuple[str, str]]:
    """The signature headers of a POST of ``body`` to ``path`` (as sent, with its query); ``secrets`` are (key id, secret).

    The event's id takes the place of the idempotency key: it is sent as that header too.
    """
    parts = urlsplit(path)
    headers = []
    for key, secret in secrets:
        text = text_to_sign(
            method="POST",
            path=unquote(parts.path),
            query=parts.query,
            body=body,
            time=time,
            nonce=nonce,
            key=key,
            idempotency_key=event_id,
        )
        headers.append((SIGNATURE_HEADER, write_credentials(Credentials(key, time, nonce, signature_of(secret, text)))))
    return headers
