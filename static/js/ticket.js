// The ticket: suggestions, numbers as people type them, live preview, and one order however often Ctrl+Enter is pressed.
// Loaded by the desk (drawer) and by /o/new; works on every form[data-ticket] that appears.
import { hub } from "./hub.js";
import { age, grouped, typedNumber } from "./format.js";
import { toast } from "./toasts.js";

const PREVIEW_MS = 150;
let lists = null;

async function loadLists() {
  lists ??= fetch("/ticket/lists.json").then((response) => response.json());
  return lists;
}

function terms(form) {
  const data = new FormData(form);
  return ["side", "symbol", "qty", "price", "stop_px", "account", "ord_type", "time_in_force", "expire_date", "min_qty", "max_floor", "locate_ref"]
    .map((name) => data.get(name) ?? "").join("|");
}

function suggest(form, input, source) {
  const box = form.querySelector(`#${input.getAttribute("aria-controls")}`);
  let found = [];
  let at = 0;

  async function look() {
    const all = (await loadLists())[source];
    const text = input.value.trim().toLowerCase();
    const rank = (item) => (item[0].toLowerCase().startsWith(text) ? 0 : item[1].toLowerCase().startsWith(text) ? 1 : item[1].toLowerCase().includes(text) ? 2 : 9);
    found = text ? all.map((item) => [rank(item), item]).filter(([r]) => r < 9).sort((a, b) => a[0] - b[0] || (a[1][0] < b[1][0] ? -1 : 1)).slice(0, 8).map(([, item]) => item) : [];
    at = 0;
    draw();
  }

  function draw() {
    const exact = found.length === 1 && found[0][0].toLowerCase() === input.value.trim().toLowerCase();
    const show = found.length > 0 && !exact && document.activeElement === input;
    box.hidden = !show;
    input.setAttribute("aria-expanded", String(show));
    box.replaceChildren(...found.map((item, index) => {
      const option = document.createElement("li");
      option.id = `${box.id}-${index}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", String(index === at));
      const code = document.createElement("b");
      code.textContent = item[0];
      const name = document.createElement("span");
      name.textContent = item[1];
      option.append(code, name);
      option.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        take(index);
      });
      return option;
    }));
    if (show) input.setAttribute("aria-activedescendant", `${box.id}-${at}`);
    else input.removeAttribute("aria-activedescendant");
  }

  function take(index) {
    if (found[index] && input.value.trim().toUpperCase() !== found[index][0]) {
      input.value = found[index][0];
      changed(form);
    }
    found = [];
    draw();
  }

  input.addEventListener("input", look);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!found.length) return;
      event.preventDefault();
      at = (at + (event.key === "ArrowDown" ? 1 : found.length - 1)) % found.length;
      draw();
    } else if (event.key === "Escape" && !box.hidden) {
      event.stopPropagation();
      found = [];
      draw();
    } else if ((event.key === "Enter" || event.key === "Tab") && !event.ctrlKey && input.value.trim()) {
      if (event.key === "Enter") event.preventDefault();
      if (found.length) take(at);
      else look().then(() => take(0)); // the lists were still on their way when this was typed
    }
  });
  input.addEventListener("blur", () => setTimeout(() => { box.hidden = true; }, 100));
}

function changed(form) {
  clearTimeout(form.previewTimer);
  form.dataset.pending = "1";
  form.previewTimer = setTimeout(() => preview(form), PREVIEW_MS);
}

function preview(form) {
  clearTimeout(form.previewTimer);
  if (form.dataset.sending || !form.isConnected) return;
  form.dispatchEvent(new CustomEvent("oms:preview"));
}

function showType(form) {
  const type = form.elements.ord_type.value;
  for (const line of form.querySelectorAll("[data-for-type]")) line.hidden = !line.dataset.forType.includes(type);
  for (const line of form.querySelectorAll("[data-for-tif]")) line.hidden = !line.dataset.forTif.includes(form.elements.time_in_force.value);
}

function setUp(form) {
  if (form.dataset.ready) return;
  form.dataset.ready = "1";
  loadLists();
  suggest(form, form.elements.symbol, "instruments");
  suggest(form, form.elements.account, "accounts");
  form.addEventListener("input", () => {
    form.wantsCommit = false;
    changed(form);
  });
  form.addEventListener("change", (event) => {
    const input = event.target;
    if (input.matches("[data-number]")) {
      const value = typedNumber(input.value);
      if (value !== null) input.value = grouped(value);
    }
    showType(form);
    changed(form);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && event.target.matches("input")) event.preventDefault();
  });
  form.addEventListener("oms:commit", (event) => {
    event.preventDefault();
    commit(form);
  });
  form.addEventListener("htmx:beforeRequest", (event) => {
    if (!event.detail.pathInfo.requestPath.startsWith("/ticket/send")) return;
    if (form.dataset.sending || !["live", "connecting"].includes(hub.state)) {
      event.preventDefault();
      if (!form.dataset.sending) toast("Not sent: the figures on this page are stale.");
      return;
    }
    form.dataset.sending = "1";
    const button = form.querySelector("[data-primary]");
    if (button) {
      button.setAttribute("aria-disabled", "true");
      button.title = "Sent, waiting for confirmation";
      button.textContent = "Sent, waiting for confirmation";
    }
  });
  form.addEventListener("htmx:afterRequest", (event) => {
    const path = event.detail.pathInfo?.requestPath || "";
    if (path.startsWith("/ticket/send") && !event.detail.successful) {
      delete form.dataset.sending; // the same key goes with the next try, so it stays one order
      changed(form);
    }
  });
  form.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.path === "/ticket/preview") form.asked = terms(form); // answers may be of older terms
  });
  form.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target?.id !== "ticket-preview" || form.asked !== terms(form)) return;
    delete form.dataset.pending;
    if (form.wantsCommit) {
      form.wantsCommit = false;
      commit(form);
    }
  });
  showType(form);
  const first = [...form.querySelectorAll("[data-first]")].find((input) => !input.value) || form.elements.qty;
  first.focus();
  preview(form);
}

function commit(form) {
  if (form.dataset.sending) return;
  if (form.dataset.pending) {
    // What is typed is checked first; it goes only if that leaves a send button.
    if (!form.wantsCommit) preview(form);
    form.wantsCommit = true;
    return;
  }
  const button = form.querySelector("[data-primary]");
  if (!button) return;
  if (button.getAttribute("aria-disabled") === "true") toast(button.title || button.dataset.why || "This cannot be sent now.");
  else button.click();
}

hub.on("state", (message) => {
  if (message.state === "live" && message.was !== "live") for (const form of document.querySelectorAll("form[data-ticket]")) preview(form);
});
document.body.addEventListener("htmx:load", (event) => {
  for (const form of event.detail.elt.querySelectorAll?.("form[data-ticket]") || []) setUp(form);
  if (event.detail.elt.matches?.("form[data-ticket]")) setUp(event.detail.elt);
});
for (const form of document.querySelectorAll("form[data-ticket]")) setUp(form);

// The age of the price under the instrument goes on while nothing is typed.
setInterval(() => {
  const cell = document.querySelector("#ticket-listing [data-alive]");
  if (cell) cell.textContent = age(hub.serverNow() - Date.parse(cell.dataset.alive));
}, 1000);
