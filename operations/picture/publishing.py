"""What the picture process tells others, through Redis: rows and topics to the streams, accounts to whoever looks.

Messages are numbered; a lost Redis costs messages, never the picture. Accounts stand in one hash, a field an account. A
picture that starts or takes another's place writes a hash of its own and renames it over the old one, so that readers
never see a mixture.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from typing import Any
from uuid import uuid4

import orjson
import redis
from django.conf import settings
from django.db import connection
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

ACCOUNTS_A_WRITE = 1000


def channel() -> str:
    """Where rows are published: one channel a database, so that houses may share a Redis."""
    return f"oms:rows:{connection.settings_dict['NAME']}"


def accounts_key() -> str:
    """The hash of accounts by id."""
    return f"oms:accounts:{connection.settings_dict['NAME']}"


def standing_key() -> str:
    """What the accounts in the hash are worth: position, whether proven equal; gone a few seconds after the picture."""
    return f"oms:picture:{connection.settings_dict['NAME']}"


class Publisher:
    """Numbers and sends messages; writes accounts. Each method answers False when Redis does not."""

    STANDS_S = 5

    def __init__(self) -> None:
        self._redis = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=2)
        self._channel = channel()
        self._accounts, self._standing = accounts_key(), standing_key()
        self._epoch = uuid4().hex[:12]
        self._number = 0
        self._whole = False

    def send(self, kind: str, position: int, **more: Any) -> bool:
        """Publish one message. The number is spent either way, so readers see the gap."""
        self._number += 1
        body = orjson.dumps({"k": kind, "e": self._epoch, "n": self._number, "position": position, **more})
        try:
            self._redis.publish(self._channel, body)
        except (RedisError, OSError) as error:
            logger.warning("live rows not published: %s", error)
            return False
        return True

    @property
    def needs_all_accounts(self) -> bool:
        """Whether a write was lost, or none was made yet: then only a whole set of accounts makes readers right."""
        return not self._whole

    def replace_accounts(self, rows: Mapping[str, Mapping[str, Any]]) -> bool:
        """Put these accounts in the place of all that were there."""
        fresh = f"{self._accounts}:{self._epoch}"
        fields = [(account_id, orjson.dumps(row)) for account_id, row in rows.items()]
        try:
            self._redis.delete(fresh)
            for start in range(0, len(fields), ACCOUNTS_A_WRITE):
                self._redis.hset(fresh, mapping=dict(fields[start : start + ACCOUNTS_A_WRITE]))
            if fields:
                self._redis.rename(fresh, self._accounts)
            else:
                self._redis.delete(self._accounts)
        except (RedisError, OSError) as error:
            logger.warning("accounts not published: %s", error)
            return False
        self._whole = True
        return True

    def update_accounts(self, rows: Mapping[str, Mapping[str, Any]]) -> bool:
        """Write the accounts that changed."""
        try:
            self._redis.hset(self._accounts, mapping={key: orjson.dumps(row) for key, row in rows.items()})
        except (RedisError, OSError) as error:
            logger.warning("accounts not published: %s", error)
            self._whole = False
            return False
        return True

    def stand(self, position: int, *, equal: bool) -> bool:
        """Say what the accounts are worth; it fades by itself when nobody says so any more."""
        body = orjson.dumps({"position": position, "equal": equal and self._whole})
        try:
            self._redis.set(self._standing, body, ex=self.STANDS_S)
        except (RedisError, OSError) as error:
            logger.warning("standing of the picture not published: %s", error)
            return False
        return True


def read_standing() -> tuple[int, bool] | None:
    """How far the picture has read and whether it was proven equal; None when none runs or Redis does not answer."""
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=2)
    try:
        standing = client.get(standing_key())
    except (RedisError, OSError) as error:
        logger.warning("standing of the picture not read: %s", error)
        return None
    finally:
        client.close()
    if standing is None:
        return None
    said = orjson.loads(standing)
    return int(said["position"]), bool(said["equal"])


def read_accounts(account_ids: Collection[str]) -> dict[str, dict[str, Any]] | None:
    """The accounts as the picture has them, or None when it is not there, not equal, or Redis does not answer."""
    wanted = list(account_ids)
    client = redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, socket_timeout=2)
    try:
        standing = client.get(standing_key())
        if standing is None or not orjson.loads(standing)["equal"]:
            return None
        found = client.hmget(accounts_key(), wanted) if wanted else []
    except (RedisError, OSError) as error:
        logger.warning("accounts not read from the picture: %s", error)
        return None
    finally:
        client.close()
    return {key: orjson.loads(row) for key, row in zip(wanted, found, strict=True) if row is not None}
