// Reconciliation: Esc leads back from what is explained on the right to the break that is chosen on the left.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || event.target.closest("dialog, details.menu[open], #break-list")) return;
  const chosen = document.querySelector('#break-list tr[data-href][aria-selected="true"] a') || document.querySelector("#break-list tr[data-href] a");
  chosen?.focus();
});
