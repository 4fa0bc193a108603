// Pages with server-drawn parts: the drawer beside an order, copying a link, rows of lists that act as links.
const drawer = document.getElementById("drawer");

function closeDrawer() {
  if (!drawer || drawer.hidden) return false;
  drawer.hidden = true;
  drawer.replaceChildren();
  return true;
}

document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== drawer) return;
  drawer.hidden = false;
  drawer.querySelector("[autofocus]")?.focus();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.target.closest("dialog")) closeDrawer();
});
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-drawer-close]")) {
    if (!closeDrawer()) history.back();
    return;
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) navigator.clipboard?.writeText(`${location.origin}/o/${copy.dataset.copy}`);
  const row = event.target.closest("[data-list] tr[data-href]");
  if (row) {
    for (const other of row.parentElement.children) other.setAttribute("aria-selected", String(other === row));
    if (!event.target.closest("a, input")) row.querySelector("a").click();
  }
});
