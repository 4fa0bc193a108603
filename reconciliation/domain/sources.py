"""Whose word a file is that neither says so nor was brought under a name: told by what the file is called. Pure.

Two senders must never share a name, for a run closes the breaks of its source that it does not find. So there is no name for
"nobody": a file that is called otherwise is another source's. Days, numbers and words of sending again say nothing of a sender.
"""

from __future__ import annotations

import re

LONGEST = 40
_BEGIN = "file-"
_WORDS = re.compile(r"[^\W\d_]+")
_AGAIN = frozenset({"v", "copy", "again", "resent", "resend", "corrected", "correction", "amended", "final", "new"})


def source_of_name(name: str) -> str:
    """``Broker_A_fills-2026-11-25_v2.csv`` is of ``file-broker-a-fills``; a name without words is one of its own, ``file-unnamed``."""
    stem = name.replace("\\", "/").rpartition("/")[2]
    while "." in stem.lstrip("."):
        stem = stem.rpartition(".")[0]
    words = [word for word in _WORDS.findall(stem.casefold()) if word not in _AGAIN]
    return (_BEGIN + ("-".join(words) or "unnamed"))[:LONGEST]


def is_derived(source: str) -> bool:
    """Whether nobody said it."""
    return source.startswith(_BEGIN)
