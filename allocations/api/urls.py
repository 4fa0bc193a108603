"""API addresses of this room."""

from django.urls import URLPattern, path

from allocations.api.blocks import BlockAllocationsView, BlocksView, BlockView
from allocations.api.confirmations import (
    AffirmConfirmationView,
    ConfirmationsView,
    ConfirmationView,
    RejectConfirmationView,
)
from allocations.api.notes import ContractNotePdfView, ContractNotesView, ContractNoteView, TradeFeedView

urlpatterns: list[URLPattern] = [
    path("blocks", BlocksView.as_view(), name="api-blocks"),
    path("blocks/<str:ref>", BlockView.as_view(), name="api-block"),
    path("blocks/<str:ref>/allocations", BlockAllocationsView.as_view(), name="api-block-allocations"),
    path("confirmations", ConfirmationsView.as_view(), name="api-confirmations"),
    path("confirmations/<uuid:confirmation_id>", ConfirmationView.as_view(), name="api-confirmation"),
    path(
        "confirmations/<uuid:confirmation_id>/affirm", AffirmConfirmationView.as_view(), name="api-confirmation-affirm"
    ),
    path(
        "confirmations/<uuid:confirmation_id>/reject", RejectConfirmationView.as_view(), name="api-confirmation-reject"
    ),
    path("trade-feed", TradeFeedView.as_view(), name="api-trade-feed"),
    path("contract-notes", ContractNotesView.as_view(), name="api-contract-notes"),
    path("contract-notes/<uuid:note_id>", ContractNoteView.as_view(), name="api-contract-note"),
    path("contract-notes/<uuid:note_id>/pdf", ContractNotePdfView.as_view(), name="api-contract-note-pdf"),
]
