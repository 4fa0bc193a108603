"""Every kind of matter a room may raise: what people call it, whose it is, how soon, on which clock, and what is safe to press.

One line a kind, pure. A kind that is not here still becomes an item, with ``OTHERWISE``; a test over all rooms finds it.

``settles`` says how a matter of the kind ends. HOUSE: the room that raised it says so (AnomalyCleared); until then a person can
only end the item by force. PERSON: nothing below will ever say so, a person closes it with a cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from operations.domain.working_clock import ClockName

HOUSE = "house"
PERSON = "person"
FROM_EVENT = "event"  # ages from when it happened
FROM_BREAK = "break"  # ages from what its evidence says under ``since``, as a break that earlier runs saw

OPERATIONS = "operations"
DESK_HEAD = "desk_head"
COMPLIANCE = "compliance"
RISK = "risk"
ADMINISTRATOR = "administrator"
GROUPS = {
    OPERATIONS: "Operations",
    DESK_HEAD: "Desk heads",
    COMPLIANCE: "Compliance",
    RISK: "Risk",
    ADMINISTRATOR: "Administrators",
}
HEADS = {OPERATIONS: DESK_HEAD, DESK_HEAD: COMPLIANCE, COMPLIANCE: RISK, RISK: COMPLIANCE, ADMINISTRATOR: COMPLIANCE}
"""Who is told last, when a group lets its time pass twice."""

ORDER = "order"
SESSION = "session"
ASK_STATUS = "ask_status"
SUSPENSE = "suspense"
STOPS = "stops"
LIMITS = "limits"
ACCOUNT = "account"
PRICES = "prices"
ACTIONS = "actions"
WEBHOOKS = "webhooks"
ACCESS = "access"
REVIEWS = "reviews"
APPROVALS = "approvals"
BREAK = "break"
SETTLEMENT = "settlement"
RULES = "rules"
RUNS = "runs"
CONFIRMATIONS = "confirmations"
SAFE_ACTIONS: dict[str, str] = {
    ORDER: "Open the order",
    SESSION: "Open the session",
    ASK_STATUS: "Ask the venue now",
    SUSPENSE: "Decide what lies in suspense",
    STOPS: "Look at stops and breakers",
    LIMITS: "Look at limits",
    ACCOUNT: "Open the account",
    PRICES: "Look at prices and feeds",
    ACTIONS: "Open corporate actions",
    WEBHOOKS: "Open webhooks",
    ACCESS: "Open access",
    REVIEWS: "Open access reviews",
    APPROVALS: "Open approvals",
    BREAK: "Open the break",
    SETTLEMENT: "Open settlement",
    RULES: "Open the rulebook",
    RUNS: "Open runs and breaks",
    CONFIRMATIONS: "Open confirmations",
}
"""What may be pressed from an item or a runbook: it shows, or asks; none of it adds risk or changes a book."""


@dataclass(frozen=True, slots=True)
class Sla:
    """Minutes of the kind's clock until somebody must have dealt with it, by severity."""

    critical: int
    high: int
    medium: int
    low: int

    def of(self, severity: str) -> timedelta:
        """The time of a severity."""
        return timedelta(
            minutes={"critical": self.critical, "high": self.high, "medium": self.medium}.get(severity, self.low)
        )


LIVE = Sla(5, 15, 60, 240)
HOUSE_RUNS = Sla(15, 60, 240, 1440)
BOOKS = Sla(60, 240, 480, 2400)
OFFICE = Sla(240, 480, 2400, 4800)


@dataclass(frozen=True, slots=True)
class Kind:
    """What the house knows about a kind of matter."""

    title: str
    group: str
    clock: ClockName
    sla: Sla
    runbook: str
    settles: str = HOUSE
    actions: tuple[str, ...] = ()
    ages: str = FROM_EVENT

    @property
    def by_person(self) -> bool:
        """Whether a person settles it."""
        return self.settles == PERSON


def _live(title: str, runbook: str, *actions: str, group: str = OPERATIONS, settles: str = HOUSE) -> Kind:
    return Kind(title, group, ClockName.VENUE, LIVE, runbook, settles, actions)


def _house(title: str, runbook: str, *actions: str, group: str = OPERATIONS, settles: str = HOUSE) -> Kind:
    return Kind(title, group, ClockName.WALL, HOUSE_RUNS, runbook, settles, actions)


def _books(title: str, runbook: str, *actions: str, settles: str = HOUSE, ages: str = FROM_EVENT) -> Kind:
    return Kind(title, OPERATIONS, ClockName.BUSINESS, BOOKS, runbook, settles, actions, ages)


def _office(title: str, runbook: str, *actions: str, group: str, settles: str = HOUSE) -> Kind:
    return Kind(title, group, ClockName.BUSINESS, OFFICE, runbook, settles, actions)


OTHERWISE = _house("Something nobody described yet", "R-11")

_ORDERS = {
    "REQUEST_UNKNOWN": _live("Sent, fate unknown", "R-01", ORDER, ASK_STATUS),
    "MANUAL_REVIEW": _live("The venue does not answer: call it", "R-01", ORDER, ASK_STATUS),
    "STUCK_ORDER": _live("Order stands still", "R-01", ORDER),
    "NO_ANSWER": _live("No answer in a recovery", "R-01", ORDER, SESSION, ASK_STATUS),
    "UNKNOWN_AT_VENUE": _live("The venue does not know our order", "R-05", ORDER, SESSION, ASK_STATUS),
    "EXECUTION_MISSING": _live("A trade is missing here", "R-05", ORDER, SESSION),
    "EXECUTION_SURPLUS": _live("A trade the venue does not know", "R-05", ORDER, SESSION),
    "TERMS_DIFFER": _live("Terms differ from the venue's", "R-05", ORDER, SESSION),
    "LIFE_DIFFERS": _live("Alive here or there, not both", "R-05", ORDER, SESSION),
    "ORDER_NOT_OURS": _live("The venue works an order that is not ours", "R-03", SESSION),
    "OVERFILL": _live("More was executed than ordered", "R-03", ORDER, SUSPENSE),
    "UNKNOWN_ORDER": _live("Executions on an unknown order", "R-03", SUSPENSE),
    "SUSPENSE_MISSING": _live("No suspense account for an excess", "R-03", ORDER, settles=PERSON),
    "DK_BY_PHONE": _live("Tell the venue by phone that we do not know a trade", "R-03", SESSION, settles=PERSON),
    "LATE_TRADE": _live("Trade after the order had ended", "R-04", ORDER, settles=PERSON),
    "CONTRADICTION": _live("The venue contradicts itself", "R-04", ORDER, ASK_STATUS, settles=PERSON),
    "RESEND_UNSURE": _live("Report sent again, perhaps the same", "R-04", ORDER, settles=PERSON),
    "DUPLICATE_REJECTED": _live("The venue refused a duplicate", "R-04", ORDER, settles=PERSON),
    "REJECTED_AFTER_TRADE": _live("Rejected after it had traded", "R-04", ORDER, ASK_STATUS, settles=PERSON),
    "ANSWER_TO_UNSENT": _live("Answer to something never sent", "R-04", ORDER, ASK_STATUS, settles=PERSON),
    "WRONG_PREDECESSOR": _live("Answer names another predecessor", "R-04", ORDER, settles=PERSON),
    "UNKNOWN_KIND": _live("Report of an unknown kind", "R-04", ORDER, settles=PERSON),
    "TRADE_WITHOUT_QTY": _live("Trade without quantity", "R-04", ORDER, settles=PERSON),
    "AMBIGUOUS_REF": _live("Correction of we do not know which trade", "R-04", ORDER, settles=PERSON),
    "PARKED_BUST": _live("Bust of a trade we do not have", "R-04", ORDER, settles=PERSON),
    "CORRECTED_BUST": _live("Correction of a busted trade", "R-04", ORDER, settles=PERSON),
    "REPEATED_EXECUTIONS": _live("The same execution again and again", "R-04", STOPS, settles=PERSON),
    "VENUE_REFUSAL": _live("The venue refused", "R-17", ORDER, SESSION, settles=PERSON),
    "MESSAGE_REFUSED_BY_VENUE": _live("The venue could not read our message", "R-17", SESSION, settles=PERSON),
    "DAY_ORDER_NOT_OVER": _live("Day order without an end", "R-01", ORDER, ASK_STATUS, settles=PERSON),
    "EXPIRY_INFERRED": _books("Expiry inferred, not reported", "R-01", ORDER, settles=PERSON),
    "STAGED_NOT_ENTERED": _live(
        "What was left could not be entered anew", "R-04", ORDER, settles=PERSON, group=DESK_HEAD
    ),
    "ORDERS_OWNER_GONE": _live("Open orders of somebody who left", "R-14", ACCESS, group=DESK_HEAD),
    "CANCEL_QUESTIONED": _books("A cancel was questioned", "R-04", ORDER, APPROVALS, settles=PERSON),
    "CANCEL_UNREVIEWED": _books("A cancel was not reviewed in time", "R-04", ORDER, APPROVALS, settles=PERSON),
    "CANARY_ESCAPED": _live("A canary passed every control", "R-07", ORDER, STOPS, settles=PERSON, group=RISK),
    "INTENT_FORGED": _live(
        "What waited to be sent was not what was released", "R-07", ORDER, settles=PERSON, group=RISK
    ),
}
_MONEY = {
    "OVERDRAWN": _live("Account overdrawn by a fact", "R-06", ACCOUNT),
    "LOCATE_OVERUSED": _live("More sold short than was located", "R-06", ACCOUNT),
    "FEES_UNKNOWN": _books("No fee schedule for a trade", "R-06", ORDER, settles=PERSON),
    "RECONCILIATION_BREAK": _books("Our books and a statement disagree", "R-12", BREAK, ORDER, ages=FROM_BREAK),
    "BREAK_NOBODY_TO_BLOCK": _books("A break would block, and names nobody", "R-12", BREAK),
    "ORDER_CANCELED_BY_POLICY": _live("Orders were cancelled because of a break", "R-12", BREAK, ORDER, settles=PERSON),
    "FILED_EXECUTION_DIFFERS": _live(
        "A session contradicts an execution booked from a file", "R-12", BREAK, ORDER, settles=PERSON
    ),
    "RUN_SUSPECT": _books("A reconciliation run that cannot be believed", "R-13", RUNS),
    "CORPORATE_ACTION_WAITING": _books("Corporate action waits", "R-09", ACTIONS),
    "CORPORATE_ACTION_LATE": _books("Corporate action is late", "R-09", ACTIONS),
    "CORPORATE_ACTION_FAILING": _books("Corporate action fails", "R-09", ACTIONS),
    "CORPORATE_ACTION_NOT_REVERSED": _books("Corporate action could not be undone whole", "R-09", ACTIONS),
    "CORPORATE_ACTION_PAYMENT_DUE": _books("Payment of a corporate action is due", "R-09", ACTIONS),
    "CORPORATE_ACTION_OLD_MARKS": _books("Limits are in the shares of before", "R-09", ACTIONS, LIMITS),
    "EXECUTION_RESTATED": _books("A venue stated trades anew and no action says so", "R-09", ACTIONS, ORDER),
}
_POST_TRADE = {
    "ALLOCATION_PARKED": _books("A share of a block lies in suspense", "R-21", ACCOUNT),
    "ALLOCATION_COMPENSATED": _books("Settled shares were undone by trades", "R-21", ACCOUNT, settles=PERSON),
    "SETTLED_TRADE_CHANGED": _books("A trade changed after it had settled", "R-21", ACCOUNT, settles=PERSON),
    "MARKET_CLAIM": _books("A trade had not settled when its instrument's entitlement was fixed", "R-21", ACCOUNT),
    "CASCADE_STUCK": _books("What a changed block asks for cannot be done", "R-21", ACCOUNT),
    "ALLOCATION_STANDS": _books("A block could not be booked as was said before", "R-22", ACCOUNT),
    "WASH_NOT_FLAT": _books("A wash account is not flat after its cut-off", "R-22", ACCOUNT),
}
_FILES = {
    "FILE_UNEXPECTED": _books("A file that no feed waits for", "R-18", RUNS, settles=PERSON),
    "FILE_DUPLICATE": _books("The same file again", "R-18", RUNS),
    "FILE_RESENT": _books("A file was sent again, changed", "R-18", RUNS),
    "FILE_TOO_LARGE": _books("A file is too large", "R-18", RUNS),
    "FILE_SIGNATURE": _books("A file is not signed as it should be", "R-18", RUNS),
    "FILE_CORRUPT": _books("A file cannot be read", "R-18", RUNS),
    "FILE_TRUNCATED": _books("A file is not whole", "R-18", RUNS),
    "FILE_TOTALS_DIFFER": _books("A file's totals differ from its rows", "R-18", RUNS),
    "FILE_WRONG_DAY": _books("A file is of another day", "R-18", RUNS),
    "FILE_OLDER": _books("A file is older than what was applied", "R-18", RUNS),
    "FILE_SEQUENCE_GAP": _books("A file before this one is missing", "R-18", RUNS),
    "FILE_LATE": _books("A file is late", "R-18", RUNS),
    "FILE_MISSING": _books("A file is missing", "R-18", RUNS),
    "INTAKE_STOPPED": _books("A file of the start of day was not applied", "R-19", RUNS),
    "NOTE_LATE": _books("Contract notes are late", "R-27"),
    "NOTE_INCOMPLETE": _books("A contract note lacks what it must say", "R-27"),
    "NOTE_DIFFERS": _house("A contract note differs from its record", "R-27", settles=PERSON),
    "DAY_RUN_STANDS": _books("The begin or end of a day stands still", "R-20", RUNS),
    "RUN_FAILED": _books("A reconciliation run failed", "R-13", RUNS),
    "START_UNCOMPARED": _live("A market waits for its comparison since the house started", "R-13", RUNS),
}
_SETTLEMENT = {
    "SSI_MISSING": _books("Nobody said where trades of an account settle", "R-25", SETTLEMENT, ACCOUNT),
    "SETTLEMENT_REJECTED": _books("A custodian refused an instruction", "R-25", SETTLEMENT),
    "SETTLEMENT_UNAFFIRMED": _books(
        "Instructions left unaffirmed at their cut-off", "R-25", SETTLEMENT, settles=PERSON
    ),
    "SETTLEMENT_HELD": _books("An instruction is held back past its cut-off", "R-25", SETTLEMENT),
    "SETTLEMENT_FILE_IN_THE_WAY": _books("A file for a custodian could not be written", "R-25", SETTLEMENT),
    "SETTLEMENT_FILE_REFUSED": _books("A custodian's file cannot be used", "R-25", SETTLEMENT, settles=PERSON),
    "SETTLEMENT_LINES_UNREADABLE": _books("A custodian's records cannot be read", "R-25", SETTLEMENT, settles=PERSON),
    "SETTLEMENT_UNKNOWN_REF": _books("A custodian names no instruction of ours", "R-25", SETTLEMENT, settles=PERSON),
    "SETTLEMENT_CONTRADICTION": _books("A custodian contradicts what we know", "R-26", SETTLEMENT, settles=PERSON),
    "SETTLEMENT_AMOUNT_DIFFERS": _books("Another amount was paid than instructed", "R-26", SETTLEMENT, settles=PERSON),
    "SETTLEMENT_NOT_TRANSFORMED": _books(
        "An instruction cannot be said in the shares that hold now", "R-26", SETTLEMENT, settles=PERSON
    ),
    "SETTLEMENT_FAILED": _books("A trade did not settle on its day", "R-26", SETTLEMENT),
    "CUSTODIAN_SILENT": _books("A custodian has said nothing of a day", "R-25", SETTLEMENT, settles=PERSON),
    "SETTLED_REVERSED": _books("What had settled was reversed", "R-26", SETTLEMENT, settles=PERSON),
}
_RISK = {
    "LIMIT_BREACHED": _live("Limit breached by facts", "R-07", LIMITS, group=RISK),
    "LIMIT_LOWERED": _live("A limit was lowered below its use", "R-07", LIMITS, group=RISK, settles=PERSON),
    "KILL_SWITCH_ENGAGED": _live("A stop stands", "R-07", STOPS, group=RISK),
    "STOP_NOT_PROVEN": _live("Orders not proven dead after a stop", "R-07", STOPS),
    "BREAKER_OPEN": _live("A breaker is open", "R-07", STOPS),
    "CONTROL_SLEEPS": _house("A control let its canary pass", "R-07", STOPS, group=RISK),
    "PROCESSES_DIFFER": _house("Processes run different builds", "R-11"),
    "CLOCK_OFF": _house("A clock is wrong", "R-11"),
    "RESTRICTED_ORDERS": _live("Working orders in a restricted instrument", "R-16", RULES, group=COMPLIANCE),
    "WATCH_LIST_HIT": _live("Order in a watched instrument", "R-16", ORDER, group=COMPLIANCE, settles=PERSON),
}
_VENUES = {
    "SESSION_DOWN": _live("Session down", "R-02", SESSION),
    "RECOVERY_OVERDUE": _live("Recovery does not end", "R-02", SESSION, ASK_STATUS),
    "INBOX_BEHIND": _house("Reports wait in the inbox", "R-02", SESSION),
    "POST_TRADE_UNANSWERED": _house("The other side has not said that it has our message", "R-28", SESSION),
    "POST_TRADE_BY_HAND": _house("Tell a counterparty by hand what was allocated", "R-28", SESSION, settles=PERSON),
    "POST_TRADE_NAME_USED": _house("A post-trade message under a name that was used", "R-28", SESSION, settles=PERSON),
    "POST_TRADE_NOT_MAPPED": _house("A post-trade message that cannot be made", "R-28", SESSION, settles=PERSON),
    "WIRE_MESSAGE_SET_ASIDE": _house("A message could not be worked", "R-11", SESSION, settles=PERSON),
    "FEED_SILENT": _live("Price feed is silent", "R-08", PRICES),
    "FEED_UNREADABLE": _live("Price feed cannot be read", "R-08", PRICES),
    "PRICE_REFUSED": _live("Prices refused", "R-08", PRICES),
    "PRICE_SUSPECT": _live("A price is doubted", "R-08", PRICES),
}
_PROOF = {
    "FSCK_FAILED": _house("An invariant does not hold", "R-10"),
    "REPLAY_DIFFERS": _house("Tables differ from their events", "R-10"),
    "PICTURE_DIFFERS": _house("The live picture differs from the tables", "R-10"),
    "SEALING_STOPPED": _house("Sealing has stopped", "R-10"),
    "SEALER_BEHIND": _house("Sealing is behind", "R-10"),
    "SEAL_NOT_ANCHORED": _house("Seals are not anchored", "R-10"),
    "SEAL_ANCHOR_CUT": _house("An anchor was cut", "R-10", settles=PERSON, group=COMPLIANCE),
    "SNAPSHOT_DAMAGED": _house("A snapshot is damaged", "R-10", settles=PERSON),
    "ARCHIVE_DAMAGED": _house("An archive is damaged", "R-10", group=COMPLIANCE),
    "ARCHIVE_UNSOUND": _house("An archive is unsound", "R-10", group=COMPLIANCE),
    "EVENT_SET_ASIDE": _house("An event could not be worked", "R-11", settles=PERSON),
    "MAIL_FAILING": _house("Notices cannot be mailed", "R-11"),
    "SWEEPER_FAILING": _house("A service that runs by time fails", "R-11"),
}
_PEOPLE = {
    "ACCESS_HELD": _office(
        "Access kept though a review says otherwise", "R-14", REVIEWS, group=COMPLIANCE, settles=PERSON
    ),
    "ACCESS_REVIEW_DUE": _office("Access review is due", "R-14", REVIEWS, group=COMPLIANCE),
    "ACCESS_REVIEW_OVERDUE": _office("Access review is overdue", "R-14", REVIEWS, group=COMPLIANCE),
    "ACCESS_REVIEW_MISSING": _office("No access review", "R-14", REVIEWS, group=COMPLIANCE),
    "APPROVAL_POLICY_MISSING": _house(
        "No policy says who decides", "R-14", APPROVALS, group=COMPLIANCE, settles=PERSON
    ),
    "AUTHENTICATOR_COPIED": _house(
        "A second factor may be copied", "R-14", ACCESS, group=ADMINISTRATOR, settles=PERSON
    ),
    "RIGHT_VACANT": _office("Nobody holds a right any more", "R-14", ACCESS, group=ADMINISTRATOR, settles=PERSON),
    "ROLE_NOT_LAPSED": _office("A role could not lapse", "R-14", ACCESS, group=ADMINISTRATOR, settles=PERSON),
    "OUTBOUND_CONTRACT_BROKEN": _house("An event broke its contract", "R-15", WEBHOOKS, settles=PERSON),
    "WEBHOOK_FAILING": _house("A webhook fails", "R-15", WEBHOOKS),
    "WEBHOOK_DEAD_LETTERS": _house("A webhook gave up events", "R-15", WEBHOOKS),
    "WEBHOOK_HALTED": _house("A webhook was halted", "R-15", WEBHOOKS),
}
_CONFIRMING = {
    "CONFIRMATION_MISMATCH": _books("The counterparty says something else of a trade", "R-23", CONFIRMATIONS),
    "CONFIRMATION_REJECTED": _books("Confirmations were rejected", "R-23", CONFIRMATIONS),
    "CONFIRMATION_UNPAIRED": _books("What a counterparty says pairs with nothing", "R-23", CONFIRMATIONS),
    "INSTRUCTION_REFUSED": _books("A client's instruction was refused", "R-23", CONFIRMATIONS, settles=PERSON),
    "CONFIRMATION_DISPUTED": _books("What was affirmed is disputed", "R-23", CONFIRMATIONS, settles=PERSON),
    "CONFIRMATION_UNDONE": _books("What was affirmed is undone", "R-23", CONFIRMATIONS, settles=PERSON),
    "AFFIRM_SOON": _live("A cut-off passes soon with trades not affirmed", "R-24", CONFIRMATIONS),
    "AFFIRM_LATE": _live("A cut-off passed with trades not affirmed", "R-24", CONFIRMATIONS),
}
KINDS: dict[str, Kind] = {
    **_ORDERS,
    **_MONEY,
    **_POST_TRADE,
    **_FILES,
    **_SETTLEMENT,
    **_RISK,
    **_VENUES,
    **_PROOF,
    **_PEOPLE,
    **_CONFIRMING,
}

CAUSES: dict[str, str] = {
    "VENUE_CONFIRMED": "The venue confirmed by another way",
    "BOOKED_RIGHT": "Looked at: the books are right",
    "CORRECTED": "Corrected elsewhere, named in the text",
    "KNOWN_DEFECT": "Known defect of ours or theirs, with a ticket",
    "TEST": "A test or drill",
    "DUPLICATE": "The same as another item",
    "OTHER": "Other, see the text",
}
"""Why a person closed an item."""


def kind_of(name: str) -> Kind:
    """The line of a kind, or what holds for a kind nobody described."""
    return KINDS.get(name, OTHERWISE)
