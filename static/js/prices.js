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

document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "price-board") tick();
});

setInterval(tick, 1000);
