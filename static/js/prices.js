// The board of prices: ages tick on their own, and a price that grows stale says so even when no answer comes any more.
import { hub } from "./hub.js";
import { age } from "./format.js";

const mark = document.getElementById("stale-mark");

function tick() {
  const now = hub.serverNow();
  for (const cell of document.querySelectorAll("#price-board td[data-alive]")) {
    if (cell.textContent === "—") continue;
    const silence = now - Date.parse(cell.dataset.alive);
    cell.textContent = age(silence);
    if (cell.dataset.mark && silence > Number(cell.dataset.mark) * 1000 + 999) {
      delete cell.dataset.mark;
      cell.nextElementSibling.replaceChildren(mark.content.cloneNode(true));
      cell.closest("tr").dataset.frozen = "1";
    }
  }
}

// The lines are drawn anew every two seconds: who stands on one with the keyboard keeps standing there.
let kept = null;
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "price-board") return;
  const row = document.querySelector('#price-board tr[aria-selected="true"]');
  kept = row && { href: row.dataset.href, focus: row.contains(document.activeElement) };
});
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "price-board") return;
  tick();
  const row = kept && document.querySelector(`#price-board tr[data-href="${CSS.escape(kept.href)}"]`);
  if (!row) return;
  row.setAttribute("aria-selected", "true");
  if (kept.focus) row.querySelector("a").focus({ preventScroll: true });
});

setInterval(tick, 1000);
