// The approvals page: time left by the server's clock, arming a decision with a letter, and the next item after it.
// A letter arms, Ctrl+Enter commits what is armed. Nothing is armed on an item that was just opened; a held key and the
// second click of a double click commit nothing.
import { timeLeft } from "./format.js";
import { hub } from "./hub.js";
import { toast } from "./toasts.js";
import { typing } from "./keys.js";

const detail = document.getElementById("approval-detail");
const list = document.getElementById("approval-list");
const openNext = document.getElementById("open-next");
const NEXT = "oms.approvals.next";
const GUARD_MS = 600; // a click that was meant for the item before must not reach this one

let armed = null; // { id, held, verdict }
let openedAt = -GUARD_MS;
let openId = detail.querySelector("[data-approval]")?.dataset.approval;

const form = () => document.getElementById("decide");
const button = (verdict) => form()?.querySelector(`[data-arms="${verdict}"]`);
const blocked = (control) => !control || control.getAttribute("aria-disabled") === "true";

function tick() {
  for (const box of document.querySelectorAll("[data-until]")) {
    const text = timeLeft(Date.parse(box.dataset.until) - hub.serverNow());
    if (box.textContent !== text) box.textContent = text;
  }
}

function show() {
  const box = form();
  if (!box) return;
  box.dataset.armed = armed?.verdict || "";
  const words = { approve: "Armed: approve.", decline: "Armed: decline. Choose why and say why." };
  const text = armed ? `${words[armed.verdict]} Ctrl+Enter commits, Esc disarms.` : "";
  const line = document.getElementById("armed");
  if (line.textContent !== text) line.textContent = text;
}

function disarm() {
  armed = null;
  show();
}

function arm(verdict) {
  const control = button(verdict);
  if (blocked(control)) {
    if (control?.dataset.why || control?.title) toast(control.title || control.dataset.why);
    return;
  }
  armed = { id: form().dataset.approval, held: form().dataset.held, verdict };
  show();
  if (verdict === "decline") document.getElementById("d-code").focus();
}

function nextId() {
  const rows = [...list.querySelectorAll("tbody tr[data-href]")];
  const at = rows.findIndex((row) => row.getAttribute("aria-selected") === "true");
  const row = rows[at + 1] || rows[at - 1];
  return row ? row.dataset.href.split("/").pop() : "";
}

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && armed) {
    disarm();
    return;
  }
  if (document.body.dataset.letters === "off" || typing(event.target) || event.target.closest("dialog")) return;
  const verdict = { a: "approve", r: "decline" }[event.key];
  if (!verdict || !form()) return;
  event.preventDefault();
  arm(verdict);
});

document.addEventListener("oms:commit", (event) => {
  if (event.target !== form()) return;
  event.preventDefault();
  const control = armed && armed.id === form().dataset.approval ? button(armed.verdict) : null;
  if (!control) toast("Nothing is armed: press A to approve or R to decline, then Ctrl+Enter.");
  else if (blocked(control)) toast(control.title || control.dataset.why || "This cannot be decided now.");
  else control.click();
});

document.addEventListener("click", (event) => {
  const control = event.target.closest("#decide [data-arms]");
  if (!control || !event.isTrusted) return;
  if (event.detail > 1 || (event.detail === 1 && performance.now() - openedAt < GUARD_MS)) {
    event.preventDefault();
    event.stopImmediatePropagation();
    toast("This item has just opened: look at it first.");
  }
}, true);

document.body.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.elt.closest("#decide")) event.detail.parameters.set("next", openNext.checked ? nextId() : "");
});

document.body.addEventListener("htmx:afterSwap", (event) => {
  const target = event.detail.target;
  if (target !== detail && target.id !== "approval-item") return;
  tick();
  const id = detail.querySelector("[data-approval]")?.dataset.approval;
  if (target === detail) {
    const decided = event.detail.requestConfig.verb === "post"; // the item opened by itself
    openedAt = decided ? performance.now() : -GUARD_MS;
    if (decided || id !== openId) armed = null;
    if (id !== openId) {
      openId = id;
      for (const row of list.querySelectorAll("tbody tr[data-href]")) row.setAttribute("aria-selected", String(row.dataset.href.endsWith(`/${id}`)));
    }
    if (document.getElementById("decided")) list.dispatchEvent(new CustomEvent("oms:refresh"));
  }
  // What is armed stays armed on a redrawn item only while it is the same item, shown the same, and may be decided.
  if (armed && (armed.id !== id || armed.held !== form()?.dataset.held || blocked(button(armed.verdict)))) armed = null;
  show();
});

// Chosen rows stay chosen when the list is drawn anew; those that went away are let go.
const chosen = new Set();
const together = document.getElementById("together");
function showChosen() {
  const boxes = [...list.querySelectorAll("[data-together]")];
  for (const id of chosen) if (!boxes.some((box) => box.value === id)) chosen.delete(id);
  for (const box of boxes) box.checked = chosen.has(box.value);
  together.hidden = chosen.size === 0;
  together.textContent = `Approve ${chosen.size} together …`;
  together.href = `/approvals/together?ids=${[...chosen].join(",")}`;
}
list.addEventListener("change", (event) => {
  if (!event.target.matches("[data-together]")) return;
  if (event.target.checked) chosen.add(event.target.value);
  else chosen.delete(event.target.value);
  showChosen();
});
document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target === list) showChosen();
});

openNext.checked = localStorage.getItem(NEXT) !== "no";
openNext.addEventListener("change", () => localStorage.setItem(NEXT, openNext.checked ? "yes" : "no"));
setInterval(tick, 1000);
tick();
