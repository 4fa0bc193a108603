"""How the venue writes and reads FIX text: its own few lines, so that no mistake of ours is made twice.

A report is kept as words (``Words``) and written out once for each time it is sent: a repeat under a new number says
the same under another header.
"""

from __future__ import annotations

from typing import NamedTuple

from venues.simulation.script import PX, QTY

SOH = "\x01"
BEGIN = {"fix42": "FIX.4.2"}
_TRANS_TYPES = {"H": "1", "G": "2", "I": "3"}


class Words(NamedTuple):
    """One message of the venue in 4.4 words. ``kind`` is ExecType; R a cancel reject, j and s (35=3) rejects by number."""

    kind: str
    said: str
    order_id: str
    cl_ord_id: str = ""
    orig: str = ""
    exec_id: str = ""
    ref: str = ""
    side: str = "1"
    order_qty: int | None = None
    px: int | None = None
    last_qty: int = 0
    last_px: int = 0
    cum: int = 0
    leaves: int = 0
    reason: str = ""  # CxlRejReason, OrdRejReason, ExecRestatementReason or RefSeqNum, as the kind wants
    day: int = 1
    question: str = ""  # OrdStatusReqID (790) of the question this answers


def digits(value: int, scale: int) -> str:
    """A whole number of 1/scale as decimal text."""
    whole, rest = divmod(value, scale)
    if not rest:
        return str(whole)
    return f"{whole}.{str(rest + scale)[1:].rstrip('0')}"


def units(text: str, scale: int) -> int:
    """The inverse of :func:`digits`; raises ValueError for what is finer than the scale."""
    whole, _, rest = text.partition(".")
    wide = len(str(scale)) - 1
    if len(rest) > wide or not whole.isdigit():
        raise ValueError(f"{text} is no number of 1/{scale}")
    return int(whole) * scale + int(rest.ljust(wide, "0") or "0")


def read(raw: str) -> dict[int, str]:
    """Tags of a message that was sent to the venue."""
    return {int(tag): value for tag, _, value in (part.partition("=") for part in raw.split(SOH) if part)}


def write(words: Words, adapter: str, *, seq: int, clock: str, repeat: bool = False) -> str:
    """The raw text of a message; ``clock`` is its SendingTime, ``repeat`` says PossResend."""
    old = adapter == "fix42"
    msg_type = {"R": "9", "j": "j", "s": "3"}.get(words.kind, "8")
    body = f"35={msg_type}{SOH}34={seq}{SOH}49=VENUE{SOH}56=OMS{SOH}52={clock}{SOH}"
    if repeat:
        body += f"97=Y{SOH}"
    if msg_type == "8":
        body += _report(words, old, clock)
    elif msg_type == "9":
        body += (
            f"37={words.order_id}{SOH}11={words.cl_ord_id}{SOH}41={words.orig}{SOH}39={words.said}{SOH}"
            f"434={words.leaves or 1}{SOH}102={words.reason}{SOH}60={clock}{SOH}"
        )
    else:
        code = "373" if msg_type == "3" else "380"
        body += f"45={words.reason}{SOH}372=D{SOH}{code}=5{SOH}58=Not taken{SOH}"
    head = f"8={BEGIN.get(adapter, 'FIX.4.4')}{SOH}9={len(body)}{SOH}{body}"
    return f"{head}10={sum(head.encode()) % 256:03d}{SOH}"


def duplicate(raw: str) -> str:
    """The same message once more under its own number, as a resend answers: PossDup."""
    return raw.replace(f"{SOH}49=VENUE{SOH}", f"{SOH}43=Y{SOH}49=VENUE{SOH}", 1)


def _report(words: Words, old: bool, clock: str) -> str:
    kind, said, trans = words.kind, words.said, ""
    if old:
        trans = f"20={_TRANS_TYPES.get(kind, '0')}{SOH}"
        if kind in "FHGI":
            kind = ("2" if said == "2" else "1") if kind == "F" else said
        if words.kind == "5" and said == "0":
            said = "5"  # 4.2 has Replaced as a status, below PartiallyFilled
    text = f"37={words.order_id}{SOH}"
    if words.cl_ord_id:
        text += f"11={words.cl_ord_id}{SOH}"
    if words.orig:
        text += f"41={words.orig}{SOH}"
    text += f"17={words.exec_id}{SOH}{trans}150={kind}{SOH}39={said}{SOH}55=SIM{SOH}54={words.side}{SOH}"
    if words.ref:
        text += f"19={words.ref}{SOH}"
    if words.order_qty is not None:
        text += f"38={digits(words.order_qty, QTY)}{SOH}"
    if words.px is not None:
        text += f"44={digits(words.px, PX)}{SOH}"
    if words.last_qty or words.last_px:
        text += f"32={digits(words.last_qty, QTY)}{SOH}31={digits(words.last_px, PX)}{SOH}"
    text += f"14={digits(words.cum, QTY)}{SOH}151={digits(words.leaves, QTY)}{SOH}6=0{SOH}"
    if words.reason:
        text += f"{'378' if words.kind == 'D' else '103'}={words.reason}{SOH}"
    if words.question:
        text += f"790={words.question}{SOH}"
    return f"{text}75={clock[:8]}{SOH}60={clock}{SOH}"
