"""What may leave the house: one line a kind of event, its contract version, its fields. Everything else stays at home. Pure.

Contracts are promises: a published version never loses a field, never tells another thing in it, never begins to tell null
where it told a value (``schemas.breaking_changes``; published versions lie frozen beside the tests). Whatever is more than
an addition becomes the next version of its family.

Free text of ours, of a checker or of a venue never leaves, nor do the answers of checks: why the house said no is told at
its door to who asked. So a reason that only compliance may know cannot leak here.
"""

from __future__ import annotations

from dataclasses import dataclass

from kernel.fix import ORD_STATUS_NAMES, ExecType
from orders.domain.words import ORD_TYPE_WORDS, SIDE_WORDS, TIME_IN_FORCE_WORDS
from outbound.domain.fields import Field, Rows, Shape
from risk.domain.conduct import FOR_COMPLIANCE_ALONE

ORDER = "order"
STOP = "stop"
EXCEPTION = "exception"
TRADE = "trade"
AT_HOME = FOR_COMPLIANCE_ALONE | {"RESTRICTED_ORDERS"}
"""Kinds of exceptions that are never told outside: that there is one says what only compliance may know."""
STOP_SCOPES = {"firm": "firm", "desk": "desk"}
STATUS_WORDS = {status.value: name for status, name in ORD_STATUS_NAMES.items()}
EXEC_TYPE_WORDS = {one.value: one.name.lower() for one in ExecType}
TRADE_KIND_WORDS = {one: one for one in ("trade", "rounding", "compensation")}
TRADE_STATE_WORDS = {one: one for one in ("booked", "parked")}
REQUEST_WORDS = {"new": "new", "replace": "replace", "cancel": "cancel"}


@dataclass(frozen=True, slots=True)
class Contract:
    """``kind`` outside is what ``tells`` names in the journal; ``subject`` says whose event it is and so who may hear it."""

    kind: str
    tells: tuple[str, ...]
    why: str
    fields: tuple[Field | Rows, ...]
    subject: str = ORDER
    since: int = 1  # the first version of the journal's event that says enough

    @property
    def family(self) -> str:
        """The part before the dot: kinds of one family share a file and a version."""
        return self.kind.partition(".")[0]


FAMILY_VERSIONS = {"order": 1, "request": 1, "execution": 1, "trade": 1, "stop": 1, "exception": 1}

_REQUEST = Field(
    "request_id", Shape.ID, "request_id", "The request this is about; an order has one NEW and any number of others."
)
_NAME = Field("cl_ord_id", Shape.TEXT, "cl_ord_id", "ClOrdID (11) of the request.", nullable=True)
_ORIGINAL = Field(
    "orig_cl_ord_id", Shape.TEXT, "orig_cl_ord_id", "OrigClOrdID (41): what it replaces or cancels.", nullable=True
)
_REPLACED_BY = Field("replaced_by", Shape.ID, "replaced_by", "The order that was entered in its place.", nullable=True)
_VENUE_REASON = Field(
    "reason_code", Shape.TEXT, "code", "OrdRejReason (103) or CxlRejReason (102) of the venue.", nullable=True
)


def _word(name: str, at: str, why: str, words: dict[str, str], *, nullable: bool = False) -> Field:
    return Field(name, Shape.WORD, at, why, nullable, words)


def _figure(name: str, at: str, why: str, *, nullable: bool = False) -> Field:
    return Field(name, Shape.FIGURE, at, why, nullable)


def _terms(at: str) -> tuple[Field, ...]:
    """What an order or a replace asks for, kept under ``at``."""
    return (
        _figure("order_qty", f"{at}.order_qty", "OrderQty (38).", nullable=True),
        _figure("price", f"{at}.price", "Price (44) in the price unit.", nullable=True),
        _figure("stop_px", f"{at}.stop_px", "StopPx (99) in the price unit.", nullable=True),
        _word("time_in_force", f"{at}.time_in_force", "TimeInForce (59).", TIME_IN_FORCE_WORDS, nullable=True),
    )


_SIDE = _word("side", "side", "Side (54).", SIDE_WORDS)
_EXECUTION = (
    Field("execution_id", Shape.ID, "execution_id", "Ours: the same in its corrections and its bust."),
    Field("exec_id", Shape.TEXT, "exec_id", "ExecID (17) of the venue; not unique at every venue.", nullable=True),
    Field("exec_ref_id", Shape.TEXT, "exec_ref_id", "ExecRefID (19): what it corrects or busts.", nullable=True),
    _SIDE,
    _figure("last_qty", "effective_qty", "Quantity in force from now on; 0 once busted."),
    _figure("last_px", "effective_px", "Price in force from now on, in the price unit."),
    _figure("last_qty_before", "effective_qty_before", "Quantity in force until now; 0 for a new execution."),
    _figure("last_px_before", "effective_px_before", "Price in force until now; 0 for a new execution."),
    _figure("value", "value", "Value of the quantity in force, in the currency, without charges."),
    _figure("cash_delta", "cash_delta", "What it changes of the account's cash, charges included."),
    Field("currency", Shape.TEXT, "currency", "ISO 4217."),
    Field("trade_date", Shape.DAY, "trade_date", "TradeDate (75)."),
    Field("settlement_date", Shape.DAY, "settlement_date", "SettlDate (64)."),
    Rows(
        "charges",
        "fees",
        "What it changes of what the account was charged, by component; part of cash_delta. Given back where negative.",
        (
            Field("kind", Shape.TEXT, "0", "commission, tax, levy …"),
            Field("name", Shape.TEXT, "1", "The schedule's line."),
            Field("schedule_version", Shape.TEXT, "2", "Version of the line."),
            _figure("amount", "3", "In the currency; a cost is positive."),
        ),
    ),
)

_TRADE: tuple[Field | Rows, ...] = (
    Field("feed_position", Shape.TEXT, "position", "Place in the trade feed: a whole number, without gaps."),
    Field("trade_ref", Shape.TEXT, "trade_ref", "The trade's name: the same in all that becomes of it."),
    Field("trade_version", Shape.TEXT, "version", "1 for a new trade; each correction or cancel is the next."),
    _word(
        "trade_kind",
        "kind",
        "An account's share, what rounding left, or what undoes a settled trade.",
        TRADE_KIND_WORDS,
    ),
    _word("state", "state", "Booked in the account, or parked in suspense.", TRADE_STATE_WORDS),
    Field("compensates", Shape.TEXT, "compensates", "The settled trade that this one undoes.", nullable=True),
    Field("allocation_id", Shape.ID, "allocation.id", "Ours; another one after a re-allocation."),
    Field("block_id", Shape.ID, "block.id", "The executions that were allocated together."),
    Field("account", Shape.TEXT, "account", "Code of the account whose trade it is."),
    Field(
        "booked_account", Shape.TEXT, "booked_account", "Code of the account it is booked in: suspense while parked."
    ),
    Field("client", Shape.TEXT, "client", "Code of the client."),
    Field("client_lei", Shape.TEXT, "client_lei", "ISO 17442.", nullable=True),
    Field("counterparty", Shape.TEXT, "counterparty", "Whom it was executed with.", nullable=True),
    Field("symbol", Shape.TEXT, "symbol", "Symbol of the house."),
    Field("isin", Shape.TEXT, "isin", "ISO 6166."),
    Field("mic", Shape.TEXT, "mic", "Market, ISO 10383."),
    _word("side", "side", "Side (54).", {word: word for word in SIDE_WORDS.values()}),
    Field("capacity", Shape.TEXT, "capacity", "OrderCapacity (528).", nullable=True),
    _figure("qty", "qty", "Units; 0 of what rounding left."),
    _figure("avg_px", "avg_px", "Average price in the price unit."),
    Field("price_unit", Shape.TEXT, "price_unit", "Unit of prices, where it is not the currency: GBX."),
    Field("currency", Shape.TEXT, "currency", "ISO 4217."),
    _figure("gross", "gross", "Without charges; negative is paid."),
    Rows(
        "charges",
        "charges",
        "Everything that is charged beside, by component.",
        (
            Field("kind", Shape.TEXT, "kind", "commission, tax, levy …"),
            Field("name", Shape.TEXT, "name", "The schedule's line."),
            Field("schedule_version", Shape.TEXT, "version", "Version of the line."),
            _figure("amount", "amount", "In the currency; a cost is positive."),
        ),
    ),
    _figure("fees", "fees", "All charges together; a cost is positive."),
    _figure("net", "net", "gross less fees; negative is paid."),
    Field("trade_date", Shape.DAY, "trade_date", "TradeDate (75)."),
    Field("settlement_date", Shape.DAY, "settlement_date", "SettlDate (64)."),
    Field(
        "settlement_place",
        Shape.TEXT,
        "settlement.place",
        "Depository by BIC, where instructions stand.",
        nullable=True,
    ),
    Field("settlement_agent", Shape.TEXT, "settlement.agent", "Custodian by BIC.", nullable=True),
    Rows(
        "orders",
        "orders",
        "The orders whose executions are in the block.",
        (
            Field("order_id", Shape.ID, "id", "Ours."),
            Field("ref", Shape.TEXT, "ref", "The house's reference."),
            Field("client_order_id", Shape.TEXT, "client_order_id", "The sender's own id.", nullable=True),
        ),
    ),
    Field("fills_count", Shape.TEXT, "fills_count", "How many executions the block has."),
    Rows(
        "fills",
        "fills",
        "The executions of the block; none where there are more than twenty: the family execution tells each of them.",
        (
            Field("execution_id", Shape.ID, "execution_id", "Ours: the same in its corrections and its bust."),
            Field("exec_id", Shape.TEXT, "exec_id", "ExecID (17) of the venue.", nullable=True),
            Field("order_id", Shape.ID, "order_id", "The order it executed."),
            _figure("qty", "qty", "Units in force."),
            _figure("px", "px", "Price in force, in the price unit."),
            Field("event_at", Shape.TIME, "event_at", "When it was executed."),
        ),
    ),
)


def _outcome(kind: str, tells: tuple[str, ...], why: str, *more: Field) -> Contract:
    return Contract(f"request.{kind}", tells, why, (_REQUEST, _NAME, *more))


_STOP = (
    _word("scope", "scope", "What is stopped: the whole firm, or a desk.", STOP_SCOPES),
    Field("name", Shape.TEXT, "name", "The scope in words."),
)

SEVERITY_WORDS = {one: one for one in ("low", "medium", "high", "critical")}
ENDED_WORDS = {"cleared": "cleared", "closed": "closed", "force_closed": "force_closed"}
_MATTER = (
    Field("kind", Shape.TEXT, "kind", "Code of the kind of matter, UPPER_SNAKE; there may be new ones at any time."),
    _word("severity", "shown_severity", "As people see it: raised by escalation.", SEVERITY_WORDS),
    Field("group", Shape.TEXT, "group", "The group whose matter it is."),
    Field("order_id", Shape.ID, "order_id", "The order it is about.", nullable=True),
    Field("due_at", Shape.TIME, "due_at", "When it must have been dealt with.", nullable=True),
    _figure("exposure", "exposure", "What is at stake, where it was stated.", nullable=True),
    Field("currency", Shape.TEXT, "currency", "ISO 4217, of the exposure.", nullable=True),
)

CONTRACTS: tuple[Contract, ...] = (
    Contract(
        "order.captured",
        ("OrderCaptured",),
        "An order exists. What came of its request follows in the next event of the order.",
        (
            _REQUEST,
            _NAME,
            Field("source", Shape.TEXT, "source", "The door it came through: api, ticket, upload …"),
            Field("parent_id", Shape.ID, "parent_id", "The order it is a slice of.", nullable=True),
            Field("symbol", Shape.TEXT, "terms.symbol", "Symbol of the house."),
            Field("isin", Shape.TEXT, "terms.isin", "ISO 6166.", nullable=True),
            Field("mic", Shape.TEXT, "terms.mic", "Market, ISO 10383."),
            Field("currency", Shape.TEXT, "terms.currency", "ISO 4217."),
            Field("price_unit", Shape.TEXT, "terms.price_unit", "Unit of prices, where it is not the currency: GBX."),
            _word("side", "terms.side", "Side (54).", SIDE_WORDS),
            _word("ord_type", "terms.ord_type", "OrdType (40).", ORD_TYPE_WORDS),
            *_terms("terms"),
            _figure("min_qty", "terms.min_qty", "MinQty (110).", nullable=True),
            _figure("max_floor", "terms.max_floor", "MaxFloor (111).", nullable=True),
            Field("expire_at", Shape.TIME, "terms.expire_at", "ExpireTime (126).", nullable=True),
            Field("expire_date", Shape.DAY, "terms.expire_date", "ExpireDate (432).", nullable=True),
            Field("capacity", Shape.TEXT, "terms.capacity", "OrderCapacity (528).", nullable=True),
        ),
    ),
    Contract(
        "order.phoned",
        ("OrderPhoned",),
        "An order that was given to a venue by phone was entered afterwards.",
        (
            Field("symbol", Shape.TEXT, "symbol", "Symbol of the house."),
            Field("currency", Shape.TEXT, "currency", "ISO 4217."),
            _SIDE,
            Field("venue_order_id", Shape.TEXT, "venue_order_id", "OrderID (37) of the venue.", nullable=True),
        ),
    ),
    Contract(
        "order.reported",
        ("ReportApplied",),
        "The venue said something; these are the working figures after it.",
        (
            _word(
                "exec_type",
                "report.exec_type",
                "ExecType (150); null where the message has none.",
                EXEC_TYPE_WORDS,
                nullable=True,
            ),
            _word(
                "ord_status",
                "ord_status",
                "OrdStatus (39), derived from all the venue said.",
                STATUS_WORDS,
                nullable=True,
            ),
            _word("ord_status_before", "ord_status_before", "OrdStatus until now.", STATUS_WORDS, nullable=True),
            _figure("order_qty", "order_qty", "OrderQty (38) in force.", nullable=True),
            _figure("cum_qty", "cum_qty", "CumQty (14)."),
            _figure("leaves_qty", "leaves_qty", "LeavesQty (151)."),
            _figure("avg_px", "avg_px", "AvgPx (6) in the price unit."),
            Field(
                "venue_order_id",
                Shape.TEXT,
                "report.venue_order_id",
                "OrderID (37) as this report named it.",
                nullable=True,
            ),
        ),
    ),
    Contract(
        "order.day_turned",
        ("TradingDayTurned",),
        "A new trading day changed the order's status, for example from DoneForDay to New.",
        (
            _word("ord_status", "ord_status", "OrdStatus (39) from now on.", STATUS_WORDS, nullable=True),
            _word("ord_status_before", "ord_status_before", "OrdStatus until now.", STATUS_WORDS, nullable=True),
            Field("trading_day", Shape.DAY, "state_date", "The day that began."),
        ),
    ),
    Contract(
        "request.captured",
        ("ReplaceCaptured", "CancelCaptured"),
        "Somebody asked to replace or cancel the order.",
        (
            _REQUEST,
            _NAME,
            _ORIGINAL,
            _word("request_kind", "kind", "What was asked.", REQUEST_WORDS),
            *_terms("message"),
        ),
    ),
    Contract(
        "request.released",
        ("OrderReleased", "ReplaceReleased", "CancelReleased"),
        "The request passed every check, and a second person where one was needed; it goes to the venue.",
        (_REQUEST, _NAME, _ORIGINAL, _word("request_kind", "kind", "What was asked.", REQUEST_WORDS)),
    ),
    _outcome("held", ("OrderHeld", "ReplaceHeld"), "It waits for a second person."),
    _outcome("staged", ("ReplaceStaged",), "The order is canceled first; what is left is then entered anew."),
    _outcome("refused", ("OrderRefused", "ReplaceRefused"), "The house said no."),
    _outcome("declined", ("RequestDeclined",), "A second person said no."),
    _outcome("lapsed", ("RequestLapsed",), "Nobody decided in time."),
    _outcome("withdrawn", ("RequestWithdrawn",), "It was taken back before it left the house."),
    _outcome("not_sent", ("RequestNotSent",), "The house said no at the last boundary; it never left."),
    _outcome("handed_over", ("RequestHandedOver",), "It was given to the venue's session."),
    _outcome("unknown", ("RequestUnknown",), "It may or may not have reached the venue; the venue is asked."),
    _outcome("accepted", ("RequestAccepted",), "It was carried out."),
    _outcome("entered_anew", ("ReplaceEnteredAnew",), "What was left was entered as a new order.", _REPLACED_BY),
    _outcome("rejected", ("RequestRejected",), "The venue said no.", _VENUE_REASON),
    Contract("execution.recorded", ("ExecutionRecorded",), "The venue reported a trade.", _EXECUTION),
    Contract("execution.corrected", ("ExecutionCorrected",), "The venue corrected or restated a trade.", _EXECUTION),
    Contract("execution.busted", ("ExecutionBusted",), "The venue took a trade back.", _EXECUTION),
    Contract(
        "trade.new", ("TradeTold",), "An account got a trade: its share of a block, or its own order's.", _TRADE, TRADE
    ),
    Contract(
        "trade.corrected",
        ("TradeCorrected",),
        "The trade is another from now on; all of it is told again.",
        _TRADE,
        TRADE,
    ),
    Contract("trade.canceled", ("TradeCanceled",), "The trade is no more; this is what it was.", _TRADE, TRADE),
    Contract("stop.engaged", ("KillSwitchEngaged",), "Nothing that adds risk leaves the scope any more.", _STOP, STOP),
    Contract("stop.released", ("KillSwitchReleased",), "The scope may trade again.", _STOP, STOP),
    Contract("exception.opened", ("ExceptionOpened",), "A person must look at something.", _MATTER, EXCEPTION),
    Contract("exception.worsened", ("ExceptionWorsened",), "It was raised again, graver.", _MATTER, EXCEPTION),
    Contract(
        "exception.escalated",
        ("ExceptionEscalated",),
        "Nobody dealt with it in time, or a person sent it up.",
        _MATTER,
        EXCEPTION,
    ),
    Contract(
        "exception.ended",
        ("ExceptionCleared", "ExceptionClosed", "ExceptionForceClosed"),
        "It was settled, closed by a person, or ended by force though its matter stands.",
        (*_MATTER, _word("how", "state", "How it ended.", ENDED_WORDS)),
        EXCEPTION,
    ),
)

WITHHELD_OF_ORDERS: dict[str, str] = {
    "OrderRouted": "which session carries an order is the house's own business",
    "OrderReowned": "which dealer looks after an order is the house's own business",
    "ExcessMoved": "a booking between the account and the house's suspense account",
    "ExcessAccepted": "a decision of the desk about the house's suspense account",
    "TradesDisowned": "a quarrel with the venue, settled by people",
}

BY_KIND = {contract.kind: contract for contract in CONTRACTS}
BY_TOLD = {told: contract for contract in CONTRACTS for told in contract.tells}


def journal_kinds(kinds: frozenset[str] | None) -> tuple[str, ...]:
    """The journal's names of the outbound ``kinds``; of all there are when None."""
    return tuple(sorted(told for told, one in BY_TOLD.items() if kinds is None or one.kind in kinds))
