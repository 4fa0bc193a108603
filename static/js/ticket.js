// The ticket: suggestions, numbers as people type them, live preview, and one order however often Ctrl+Enter is pressed; the amend
// form likewise. Loaded by the desk (drawer), by an order's page and by /o/new; works on every form[data-ticket] that appears.
import { hub } from "./hub.js";
import { age, grouped, typedNumber } from "./format.js";
import { previewed } from "./previewed.js";

let lists = null;

async function loadLists() {
  lists ??= fetch("/ticket/lists.json").then((response) => response.json());
  return lists;
}

function suggest(form, input, source, changed) {
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
      changed();
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

function showType(form) {
  const type = form.elements.ord_type.value;
  for (const line of form.querySelectorAll("[data-for-type]")) line.hidden = !line.dataset.forType.includes(type);
  for (const line of form.querySelectorAll("[data-for-tif]")) line.hidden = !line.dataset.forTif.includes(form.elements.time_in_force.value);
}

function setUp(form) {
  const changed = previewed(form);
  if (!changed) return;
  loadLists();
  suggest(form, form.elements.symbol, "instruments", changed);
  suggest(form, form.elements.account, "accounts", changed);
  form.addEventListener("change", (event) => {
    const input = event.target;
    if (input.matches("[data-number]")) {
      const value = typedNumber(input.value);
      if (value !== null) input.value = grouped(value);
    }
    showType(form);
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && event.target.matches("input")) event.preventDefault();
  });
  showType(form);
  const first = [...form.querySelectorAll("[data-first]")].find((input) => !input.value) || form.elements.qty;
  first.focus();
}

function setUpAll(part) {
  for (const form of part.querySelectorAll("form[data-ticket]")) setUp(form);
  for (const form of part.querySelectorAll("form[data-amend]")) previewed(form);
}

document.body.addEventListener("htmx:load", (event) => setUpAll(event.detail.elt.parentElement || event.detail.elt));
setUpAll(document);

// The age of the price under the instrument goes on while nothing is typed.
setInterval(() => {
  const cell = document.querySelector("#ticket-listing [data-alive]");
  if (cell) cell.textContent = age(hub.serverNow() - Date.parse(cell.dataset.alive));
}, 1000);
