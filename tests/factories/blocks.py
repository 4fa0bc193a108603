"""A wash account that traded for real, clients with money, and every view of the books held to one another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from django.db import connection

from accounts.models import CashBalance, Client, Holding, TradingAccount
from accounts.services.deposit import Deposit, deposit
from accounts.services.open_account import open_account
from allocations.models import Block, WashAccount
from allocations.services import on_executions
from allocations.services.complete_blocks import complete_blocks
from authorisation.domain.principal import Principal, process_principal
from journal.selectors.happenings import list_happenings
from journal.services.advance_projection import take_all
from journal.services.run_listener import run_listener
from kernel.fix import ExecType, OrdStatus
from kernel.ids import new_id
from operations.domain.picture_state import PictureState
from operations.fsck.registry import BY_CODE
from operations.services.compare_picture import compare_picture
from operations.services.compare_replay import compare_replay
from orders.domain.results import CaptureResult
from orders.services.apply_reports import apply_reports
from tests.factories import AT, DeskWorld, make_principal
from tests.factories.busy_day import told_desk
from tests.integration.orders.test_apply_reports import report, sent

D = Decimal
KINDS = ("ExecutionRecorded", "ExecutionCorrected", "ExecutionBusted", "ExcessMoved")
HELD = (
    "CASH_DIFFERS",
    "STOCK_DIFFERS",
    "MONEY_FROM_NOWHERE",
    "CHARGES_DIFFER",
    "OVERDRAWN_UNMARKED",
    "EXECUTION_BOOKED_WRONGLY",
)
HOUSE = process_principal("allocations")


@dataclass
class BlockWorld:
    """The desk, its wash account, clients by code, who proposes and who decides."""

    desk: DeskWorld
    wash: WashAccount
    clients: dict[str, TradingAccount]
    dealer: Principal
    compliance: Principal
    seq: int = 0

    def traded(self, *fills: tuple[int, str], key: str = "k1", side: str = "1") -> CaptureResult:
        """An order of the wash account that these fills of (units, price) end."""
        order = sent(self.desk, key)
        for place, (qty, px) in enumerate(fills):
            last = place == len(fills) - 1
            status = OrdStatus.FILLED if last and sum(one for one, _ in fills) == 1000 else OrdStatus.PARTIALLY_FILLED
            self.says(order, ExecType.TRADE, status, last_qty=D(qty), last_px=D(px))
        return order

    def says(self, order: CaptureResult, exec_type: ExecType, status: OrdStatus, **values: object) -> int:
        """One report of the venue, read, and heard by whoever makes blocks of it; its number."""
        self.seq += 1
        said = report(order, 10 + self.seq, exec_type, status, identity=f"{order.order_id}:{self.seq}", **values)
        apply_reports(reports=[said], at=AT)
        while run_listener(name="allocations.blocks", kinds=KINDS, handle=on_executions.handle, at=AT).handled:
            pass
        complete_blocks(at=AT)
        return 10 + self.seq

    def bust(self, order: CaptureResult, of: int) -> None:
        """The venue takes an execution back."""
        self.says(order, ExecType.TRADE_CANCEL, OrdStatus.PARTIALLY_FILLED, exec_ref_id=f"X{of}")

    @property
    def block(self) -> Block:
        """The newest block."""
        return Block.objects.select_related("listing__instrument").order_by("-number")[0]

    def figures(self, *codes: str) -> dict[str, tuple[Decimal, Decimal]]:
        """Pending cash and units by code, of the clients named or of all that are not the firm's."""
        named = {code: self.clients[code] for code in codes} if codes else self.clients
        found = {}
        for code, account in named.items():
            cash = CashBalance.objects.get(account=account, currency="GBP").pending
            stock = Holding.objects.filter(account=account, instrument_id=self.desk.listing.instrument_id).first()
            found[code] = (cash, stock.pending if stock else D(0))
        return found

    def of(self, account: TradingAccount) -> tuple[Decimal, Decimal]:
        """Pending cash and units of an account of the firm."""
        stock = Holding.objects.filter(account=account, instrument_id=self.desk.listing.instrument_id).first()
        cash = CashBalance.objects.get(account=account, currency="GBP").pending
        return cash, stock.pending if stock else D(0)

    def prove(self) -> None:
        """Balances, bookings, events, replay and picture say the same."""
        with connection.cursor() as cursor:
            for code in (*HELD, *(code for code in BY_CODE if code.startswith("ALLOCATION"))):
                cursor.execute(BY_CODE[code].sql)
                found = cursor.fetchall()
                assert found == [], (code, found)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        assert compare_replay().differing == 0
        state = PictureState()
        take_all(state, list_happenings(0))
        assert compare_picture(state=state, position=2**62).equal


def block_world(*, clients: int = 3, cash: str = "10000", charged: bool = False) -> BlockWorld:
    """``told_desk`` whose account is the firm's, and clients C1, C2 … with cash; ``charged`` as London's schedules say."""
    desk = told_desk(charged=charged)
    TradingAccount.objects.filter(pk=desk.account.pk).update(account_class="block")
    firm = [_opened(desk, code, "1000", desk.account.client) for code in ("ROUND", "ERROR")]
    wash = WashAccount.objects.create(
        account=desk.account, desk=desk.desk, rounding_account=firm[0], error_account=firm[1]
    )
    named = {}
    for number in range(1, clients + 1):
        client = Client.objects.create(id=new_id(), code=f"CL{number}", name=f"Client {number}")
        named[f"C{number}"] = _opened(desk, f"C{number}", cash, client)
    compliance = make_principal(
        "compliance-1", role="compliance", rights=("decide_allocation",), desks=(desk.desk,), groups=(desk.group,),
        trades=False, persona="compliance",
    )  # fmt: skip
    dealer = replace(desk.dealer, rights=desk.dealer.rights | {"allocate_block"})
    return BlockWorld(desk, wash, named, dealer, compliance)


def _opened(desk: DeskWorld, code: str, cash: str, client: Client) -> TradingAccount:
    account = open_account(
        actor=process_principal("test"), at=AT, business_date=AT.date(), code=code, name=code, client=client,
        group=desk.group, base_currency="GBP",
    )  # fmt: skip
    if D(cash):
        line = Deposit(account.id, D(cash), currency="GBP")
        deposit(actor=process_principal("test"), at=AT, business_date=AT.date(), deposits=[line], kind="opening")
    return account
