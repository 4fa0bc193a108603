"""The rulebook of now, parsed once a version and kept in the process.

Its number travels with every read of an order's world, so what is kept is never stale: a change by whatever road gives a
new number in the same transaction. A book that cannot be read is None, and everything that adds risk is refused.
"""

from __future__ import annotations

import json
import logging
from typing import Final

from django.db import connection

from risk.domain.rulebook.book import Rulebook
from risk.domain.rulebook.reading import read_rulebook

logger = logging.getLogger(__name__)

RULEBOOK_SQL: Final = "(SELECT version FROM risk_rulebook)"
"""A column for statements that read an order's world; :func:`rulebook_at` takes its value."""

_BOOK = """
SELECT json_build_object(
    'version', b.version,
    'policy', (SELECT to_json(p) FROM risk_conductpolicy p),
    'rules', coalesce((SELECT json_agg(r ORDER BY r.code) FROM risk_rule r), '[]'),
    'restrictions', coalesce((SELECT json_agg(json_build_object(
        'id', x.id, 'reference', x.reference, 'list', x.list, 'subject', x.subject, 'subject_id', x.subject_id,
        'scope', x.scope, 'scope_id', x.scope_id, 'sides', x.sides,
        'effective_from', x.effective_from, 'effective_until', x.effective_until) ORDER BY x.reference)
      FROM risk_restriction x WHERE x.approved_at IS NOT NULL), '[]'),
    'mandates', coalesce((SELECT json_agg(m ORDER BY m.id) FROM risk_mandate m), '[]'),
    'collars', coalesce((SELECT json_agg(c ORDER BY c.id) FROM risk_collar c), '[]'))::text
  FROM risk_rulebook b
"""
_kept: dict[int, Rulebook] = {}


def rulebook_at(version: int | None) -> Rulebook | None:
    """The book that was read as ``version``, or a later one that has replaced it meanwhile; None when there is none."""
    if version is None:
        return None
    held = _kept.get(version)
    return held if held is not None else _load()


def get_rulebook() -> Rulebook | None:
    """The book of now: one small statement when nothing has changed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM risk_rulebook")
        row = cursor.fetchone()
    return rulebook_at(row[0] if row else None)


def _load() -> Rulebook | None:
    with connection.cursor() as cursor:
        cursor.execute(_BOOK)
        row = cursor.fetchone()
    if row is None:
        return None
    stored = json.loads(row[0], parse_float=str)
    try:
        book = read_rulebook(stored)
    except (ValueError, KeyError, TypeError, ArithmeticError):
        logger.exception("rulebook %s cannot be read: what adds risk is refused", stored["version"])
        return None
    _kept.clear()
    _kept[book.version] = book
    return book
