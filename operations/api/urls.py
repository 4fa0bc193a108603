"""API addresses of this room."""

from django.urls import URLPattern, path

from operations.api.approvals import (
    ApprovalAnswerView,
    ApprovalClaimView,
    ApprovalDecideView,
    ApprovalReleaseView,
    ApprovalSendBackView,
    ApprovalsTogetherView,
    ApprovalsView,
    ApprovalView,
    ApprovalWithdrawView,
)
from operations.api.claims import BuyInView, ClaimActView, ClaimsView
from operations.api.exceptions import ExceptionActView, ExceptionsView, ExceptionView
from operations.api.feed_files import FilesView, FileView, IntakesView, IntakeView
from operations.api.feeds import FeedsView
from operations.api.gate_overrides import GateOverridesView, GateOverrideWithdrawView
from operations.api.reconciliation import RunBreaksView, RunCancelView, RunSignOffView, RunsView, RunView
from operations.api.reports import ReportsView, ReportView
from operations.api.settlement import (
    CashForecastView,
    HoldInstructionView,
    InstructionsView,
    InstructionView,
    ReleaseInstructionView,
    SendAgainView,
    SettlementFilesView,
)
from operations.api.stops import StopReleaseView, StopsView, StopView
from operations.api.views import AccountCashView, AccountPositionsView, PricesView

urlpatterns: list[URLPattern] = [
    path("approvals", ApprovalsView.as_view(), name="api-approvals"),
    path("approvals/together", ApprovalsTogetherView.as_view(), name="api-approvals-together"),
    path("approvals/<uuid:approval_id>", ApprovalView.as_view(), name="api-approval"),
    path("approvals/<uuid:approval_id>/decide", ApprovalDecideView.as_view(), name="api-approval-decide"),
    path("approvals/<uuid:approval_id>/claim", ApprovalClaimView.as_view(), name="api-approval-claim"),
    path("approvals/<uuid:approval_id>/release", ApprovalReleaseView.as_view(), name="api-approval-release"),
    path("approvals/<uuid:approval_id>/send-back", ApprovalSendBackView.as_view(), name="api-approval-send-back"),
    path("approvals/<uuid:approval_id>/answer", ApprovalAnswerView.as_view(), name="api-approval-answer"),
    path("approvals/<uuid:approval_id>/withdraw", ApprovalWithdrawView.as_view(), name="api-approval-withdraw"),
    path("exceptions", ExceptionsView.as_view(), name="api-exceptions"),
    path("exceptions/<uuid:item_id>", ExceptionView.as_view(), name="api-exception"),
    path("exceptions/<uuid:item_id>/act", ExceptionActView.as_view(), name="api-exception-act"),
    path("feed-files", FilesView.as_view(), name="api-feed-files"),
    path("feed-files/<uuid:file_id>", FileView.as_view(), name="api-feed-file"),
    path("feeds", FeedsView.as_view(), name="api-feeds"),
    path("gate-overrides", GateOverridesView.as_view(), name="api-gate-overrides"),
    path(
        "gate-overrides/<uuid:waiver_id>/withdraw",
        GateOverrideWithdrawView.as_view(),
        name="api-gate-override-withdraw",
    ),
    path("intakes", IntakesView.as_view(), name="api-intakes"),
    path("intakes/<uuid:intake_id>", IntakeView.as_view(), name="api-intake"),
    path("reconciliation-runs", RunsView.as_view(), name="api-reconciliation-runs"),
    path("reconciliation-runs/<uuid:run_id>", RunView.as_view(), name="api-reconciliation-run"),
    path("reconciliation-runs/<uuid:run_id>/breaks", RunBreaksView.as_view(), name="api-reconciliation-breaks"),
    path("reconciliation-runs/<uuid:run_id>/cancel", RunCancelView.as_view(), name="api-reconciliation-cancel"),
    path("reconciliation-runs/<uuid:run_id>/sign-off", RunSignOffView.as_view(), name="api-reconciliation-sign-off"),
    path("reports", ReportsView.as_view(), name="api-reports"),
    path("reports/<slug:name>", ReportView.as_view(), name="api-report"),
    path("settlement-instructions", InstructionsView.as_view(), name="api-settlement-instructions"),
    path("settlement-instructions/<str:ref>", InstructionView.as_view(), name="api-settlement-instruction"),
    path("settlement-instructions/<str:ref>/hold", HoldInstructionView.as_view(), name="api-instruction-hold"),
    path("settlement-instructions/<str:ref>/release", ReleaseInstructionView.as_view(), name="api-instruction-release"),
    path("settlement-instructions/<str:ref>/send-again", SendAgainView.as_view(), name="api-instruction-again"),
    path("settlement-instructions/<str:ref>/buy-in", BuyInView.as_view(), name="api-instruction-buy-in"),
    path("market-claims", ClaimsView.as_view(), name="api-market-claims"),
    path("market-claims/<str:ref>/act", ClaimActView.as_view(), name="api-market-claim-act"),
    path("settlement-files", SettlementFilesView.as_view(), name="api-settlement-files"),
    path("cash-forecast", CashForecastView.as_view(), name="api-cash-forecast"),
    path("stops", StopsView.as_view(), name="api-stops"),
    path("stops/<uuid:stop_id>", StopView.as_view(), name="api-stop"),
    path("stops/<uuid:stop_id>/release", StopReleaseView.as_view(), name="api-stop-release"),
    path("accounts/<str:code>/cash", AccountCashView.as_view(), name="api-account-cash"),
    path("accounts/<str:code>/positions", AccountPositionsView.as_view(), name="api-account-positions"),
    path("prices", PricesView.as_view(), name="api-prices"),
]
