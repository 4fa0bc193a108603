"""The table behind ``error_contract``: each code of a venue with its class, what we do, and what the person is told.

Two lines a code: ``code name | class | repeatable? | deed | severity``, then the sentence. A hyphen is none.
"""

from __future__ import annotations

ORDER = """
0 BrokerOption | venue state | - | nothing | -
  The venue declines the order by its own choice; ask it why.
1 UnknownSymbol | our defect | - | tell | high
  The venue does not list the symbol we sent; the listing must be corrected.
2 ExchangeClosed | venue state | repeatable | nothing | -
  The market is closed or halted; enter it again when it trades.
3 OrderExceedsLimit | terms | - | nothing | -
  It exceeds a limit the venue holds for us; make it smaller or phone.
4 TooLateToEnter | too late | - | nothing | -
  The auction or session it was meant for is over.
5 UnknownOrder | unknown order | - | ask_status | medium
  The venue does not know the order this belongs to; its status is asked.
6 DuplicateOrder | duplicate | - | ask_status | high
  The venue has had this ClOrdID before. The first order stands as it was; its status is asked.
7 DuplicateOfAVerballyCommunicatedOrder | duplicate | - | tell | high
  The venue holds the order by phone already: find it and join it, or cancel one.
8 StaleOrder | too late | repeatable | nothing | -
  It reached the venue too long after it was sent; enter it again if it is still wanted.
9 TradeAlongRequired | terms | - | nothing | -
  The venue wants trade-along terms that the order does not carry.
10 InvalidInvestorID | our defect | - | tell | high
  The account's investor id is not accepted; operations must correct it.
11 UnsupportedOrderCharacteristic | terms | - | nothing | -
  The venue does not take this combination of order type and conditions.
12 SurveillanceOption | venue state | - | tell | high
  The venue's surveillance stopped it; compliance must look before anything is repeated.
13 IncorrectQuantity | terms | - | nothing | -
  The quantity does not fit the lot or the venue's bounds.
14 IncorrectAllocatedQuantity | terms | - | nothing | -
  The allocated quantities do not add up for the venue.
15 UnknownAccount | our defect | - | tell | high
  The venue does not know the account we sent; operations must correct it.
16 PriceExceedsCurrentPriceBand | terms | - | nothing | -
  The price lies outside the venue's price band now.
18 InvalidPriceIncrement | terms | - | tell | medium
  The price is not on the venue's tick; our tick table may be old.
99 Other | venue state | - | nothing | -
  The venue gives its reason only in words.
* a code of the venue's own | venue state | - | tell | medium
  The venue gives a reason that the standard does not have; ask it what it means.
"""
REQUEST = """
0 TooLateToCancel | too late | - | ask_status | -
  The order was done before the request reached it; its status is asked.
1 UnknownOrder | unknown order | - | ask_status | high
  The venue does not know the order to be changed; its status is asked.
2 BrokerOption | venue state | repeatable | nothing | medium
  The venue declines by its own choice; the order works on. Phone if it must go.
3 AlreadyPending | duplicate | repeatable | nothing | -
  An earlier cancel or replace is still pending; wait for its answer.
4 UnableToProcessMassCancel | venue state | repeatable | tell | critical
  The venue could not cancel all: the orders work on. Phone.
5 OrigOrdModTimeMismatch | unknown order | - | ask_status | medium
  The order has changed at the venue meanwhile; its status is asked.
6 DuplicateClOrdID | duplicate | - | ask_status | high
  The venue has had this ClOrdID before; the order's status is asked.
7 PriceExceedsCurrentPrice | terms | - | nothing | -
  The new price lies beyond what the venue accepts now; the order works on unchanged.
8 PriceExceedsCurrentPriceBand | terms | - | nothing | -
  The new price lies outside the venue's price band; the order works on unchanged.
18 InvalidPriceIncrement | terms | - | tell | medium
  The new price is not on the venue's tick; our tick table may be old.
99 Other | venue state | - | nothing | medium
  The venue gives its reason only in words; the order works on unchanged.
* a code of the venue's own | venue state | - | tell | high
  The venue gives a reason that the standard does not have; the order works on. Ask.
"""
SESSION = """
0 InvalidTagNumber | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
1 RequiredTagMissing | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
2 TagNotDefinedForThisMessageType | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
3 UndefinedTag | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
4 TagSpecifiedWithoutAValue | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
5 ValueIsIncorrect | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
6 IncorrectDataFormatForValue | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
7 DecryptionProblem | our defect | - | stop_session | critical
  The venue cannot decrypt what we send: nothing more is sent until somebody has looked.
8 SignatureProblem | our defect | - | stop_session | critical
  The venue does not accept our signature: nothing more is sent until somebody has looked.
9 CompIDProblem | our defect | - | stop_session | critical
  The venue does not accept our name on this session: its settings are wrong.
10 SendingTimeAccuracyProblem | our defect | - | stop_session | critical
  Our clock and the venue's are apart: set the clock before anything is sent.
11 InvalidMsgType | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
12 XMLValidationError | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
13 TagAppearsMoreThanOnce | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
14 TagSpecifiedOutOfRequiredOrder | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
15 RepeatingGroupFieldsOutOfOrder | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
16 IncorrectNumInGroupCount | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
17 NonDataValueIncludesFieldDelimiter | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
18 UnsupportedApplicationVersion | our defect | - | stop_session | critical
  The venue speaks another version of FIX than this session is set to.
99 Other | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
* a code of the venue's own | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
"""
BUSINESS = """
0 Other | venue state | - | tell | medium
  The venue cannot carry it out and gives its reason only in words.
1 UnknownID | unknown order | - | ask_status | high
  The venue does not know what the message names; the order's status is asked.
2 UnknownSecurity | our defect | - | tell | high
  The venue does not know the instrument we sent; the listing must be corrected.
3 UnsupportedMessageType | our defect | - | tell | high
  The venue does not take this kind of message: the adapter declares too much.
4 ApplicationNotAvailable | venue state | repeatable | back_off | high
  The venue is connected and cannot work now; new orders are held back for a while.
5 ConditionallyRequiredFieldMissing | our defect | - | tell | high
  The message was wrong in form: a defect of ours or of the adapter. Do not send it again; tell the engineers.
6 NotAuthorized | our defect | - | stop_session | critical
  The venue does not allow us this: new orders are stopped on the session until somebody has spoken to it.
7 DeliverToFirmNotAvailableAtThisTime | venue state | repeatable | back_off | high
  The firm behind the venue cannot be reached now; new orders are held back for a while.
8 ThrottleLimitExceeded | throttled | repeatable | back_off | medium
  Too many messages: new orders are held back for a while, cancels still go.
9 ThrottleLimitExceededSessionWillBeDisconnected | throttled | repeatable | back_off | high
  Too many messages, and the venue is about to hang up: new orders are held back.
10 ThrottledMessagesRejectedOnRequest | throttled | repeatable | back_off | medium
  Too many messages: the venue refused what it had kept waiting.
18 InvalidPriceIncrement | terms | - | tell | medium
  The price is not on the venue's tick; our tick table may be old.
* a code of the venue's own | venue state | - | tell | high
  The venue gives a reason that the standard does not have; ask it what it means.
"""
TIME_OUT = """
NO_ANSWER no answer within 10 s | venue state | - | ask_status | high
  The venue has not answered. Its fate is unknown, not refused: the venue is asked until it speaks.
SESSION_LOST the session was lost before the answer | venue state | - | ask_status | high
  It was handed over and the line fell: unknown until the venue is asked after the next logon.
RESTARTED the gateway was restarted | venue state | - | ask_status | high
  It may or may not have left before the restart: unknown until the venue is asked.
NO_FATE five questions or three minutes without a word | venue state | - | tell | critical
  Phone the venue: only its word says what became of the request.
"""
