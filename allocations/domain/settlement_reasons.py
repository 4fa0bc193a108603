"""What a custodian's reason code says in words: the codes of ISO 20022 that settlement meets. Pure.

A code that is not here keeps itself: a custodian's own code is never guessed at.
"""

from __future__ import annotations

WORDS: dict[str, str] = {
    "ADEA": "came after the custodian's deadline",
    "AWMO": "the other side's cash has not come",
    "AWSH": "the other side's stock has not come",
    "BLOC": "the account is blocked",
    "CAIS": "stock of a corporate action has not come",
    "CLAC": "the other side lacks the stock",
    "CLAT": "the other side was too late",
    "CMIS": "the other side has not instructed",
    "CMON": "the other side lacks the cash",
    "COLL": "the stock is pledged",
    "CYCL": "waits for the next settlement cycle",
    "DDAT": "the settlement date differs",
    "DDEA": "the price differs",
    "DEPT": "the depository differs or is not known",
    "DMON": "the amount differs",
    "DQUA": "the quantity differs",
    "DSEC": "the instrument differs or is not known",
    "FUTU": "waits for its day",
    "LACK": "our account lacks the stock",
    "LALO": "the stock is lent out",
    "LATE": "came after the market's deadline",
    "LINK": "waits for a linked instruction",
    "MONY": "our account lacks the cash",
    "PRCY": "the other side holds its instruction back",
    "PREA": "our instruction is on hold with them",
    "SAFE": "they do not know the safekeeping account",
    "SBLO": "the stock is blocked",
}


def in_words(code: str) -> str:
    """The words of a code; empty for one that is not known."""
    return WORDS.get(code.strip().upper(), "")
