// The exceptions page: time left and ages by the server's clock, chosen rows that stay chosen, the bar for several together.
import { hub } from "./hub.js";
import { timeLeft } from "./format.js";

const list = document.getElementById("exception-list");
const together = document.getElementById("together");
const chosen = new Map(); // id -> version seen when it was chosen

function tick() {
  const now = hub.serverNow();
  for (const box of document.querySelectorAll("[data-until]")) write(box, timeLeft(Date.parse(box.dataset.until) - now));
  for (const box of document.querySelectorAll("[data-age]")) write(box, timeLeft(now - Date.parse(box.dataset.age)));
}

function write(box, text) {
  if (box.textContent !== text) box.textContent = text;
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-focus]");
  if (opener) document.getElementById(opener.dataset.focus)?.focus();
});

document.body.addEventListener("htmx:afterSwap", (event) => {
  tick();
  if (event.detail.target === list) showChosen();
  if (event.detail.target.id !== "exception" || !list) return;
  const id = event.detail.target.querySelector("[data-exception]")?.dataset.exception;
  for (const row of list.querySelectorAll("tbody tr[data-href]")) row.setAttribute("aria-selected", String(row.dataset.href.endsWith(`/${id}`)));
});

function showChosen() {
  if (!together) return;
  const boxes = [...list.querySelectorAll("[data-chosen]")];
  const shown = new Set(boxes.map((box) => box.value.split(":")[0]));
  for (const id of chosen.keys()) if (!shown.has(id)) chosen.delete(id);
  for (const box of boxes) box.checked = chosen.has(box.value.split(":")[0]);
  const act = document.getElementById("t-act").value;
  for (const row of together.querySelectorAll("[data-for]")) row.hidden = row.dataset.for !== act;
  const typed = document.getElementById("t-typed");
  document.getElementById("t-typed-row").hidden = chosen.size <= Number(typed.dataset.above);
  document.getElementById("chosen-count").textContent = `${chosen.size} chosen`;
  together.hidden = chosen.size === 0;
}

if (list && together) {
  list.addEventListener("change", (event) => {
    if (!event.target.matches("[data-chosen]")) return;
    const [id, version] = event.target.value.split(":");
    if (event.target.checked) chosen.set(id, version);
    else chosen.delete(id);
    showChosen();
  });
  document.getElementById("t-act").addEventListener("change", showChosen);
  document.getElementById("choose-none").addEventListener("click", () => {
    chosen.clear();
    showChosen();
  });
  document.body.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt !== together) return;
    event.detail.formData.delete("item");
    for (const [id, version] of chosen) event.detail.formData.append("item", `${id}:${version}`);
  });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt !== together || !event.detail.successful) return;
    chosen.clear();
    document.getElementById("t-typed").value = "";
    showChosen();
  });
  showChosen();
}

setInterval(tick, 1000);
tick();
