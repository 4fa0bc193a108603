// Parts of a page draw themselves anew every few seconds. Whoever stands in one with the keyboard keeps standing there, the
// chosen row stays chosen, what is open stays open, what somebody has typed stays typed and why it was refused stays said: no
// part is frozen for it. Only under a pressed pointer nothing is drawn, for the click would be lost with the button it began on,
// and while something is sent from it, for the answer would be lost with the form it belongs to.
const all = (part, selector) => [...part.querySelectorAll(selector)];
const words = (details) => details.querySelector("summary")?.textContent;

let kept = null;
let pressed = null;
const sending = new Set(); // what has sent something and has no answer yet
const late = new Set(); // parts that wait for the pointer to be let go, or for an answer

function place(part) {
  const at = part.contains(document.activeElement) ? document.activeElement : null;
  const row = part.querySelector('tr[data-href][aria-selected="true"]');
  return {
    part,
    row: row?.dataset.href,
    inRow: Boolean(at && row?.contains(at)),
    href: at?.getAttribute("href"),
    caret: at?.id && at.matches("input, textarea") ? [at.id, at.selectionStart, at.selectionEnd] : null,
    typed: all(part, "input[id]:not([type=hidden], [type=checkbox]), textarea[id]").filter((field) => field.value !== field.defaultValue).map((field) => [field.id, field.value]),
    picked: all(part, "select[id]").map((field) => [field.id, field.value, [...field.options].find((option) => option.defaultSelected)?.value ?? field.options[0]?.value]).filter(([, value, drawn]) => value !== drawn),
    open: all(part, "details[open]").map(words),
    refused: all(part, "[role=alert][id]").filter((box) => box.hasChildNodes()).map((box) => [box.id, [...box.childNodes]]),
  };
}

function restore({ part, row, inRow, href, caret, typed, picked, open, refused }) {
  const again = row && all(part, "tr[data-href]").find((one) => one.dataset.href === row);
  if (again) for (const one of again.parentElement.children) one.setAttribute("aria-selected", String(one === again));
  for (const [id, value] of typed) {
    const field = document.getElementById(id);
    if (field) field.value = value;
  }
  for (const [id, value] of picked) {
    const field = document.getElementById(id);
    if (field && [...field.options].some((option) => option.value === value)) field.value = value;
  }
  for (const details of all(part, "details")) if (open.includes(words(details))) details.open = true;
  for (const [id, nodes] of refused) {
    const box = document.getElementById(id);
    if (box && !box.hasChildNodes()) box.append(...nodes);
  }
  if (caret) {
    const field = document.getElementById(caret[0]);
    field?.focus({ preventScroll: true });
    if (caret[1] !== null) field?.setSelectionRange(caret[1], caret[2]);
  }
  const link = (href && all(part, "a[href]").find((one) => one.getAttribute("href") === href)) || (inRow && again && again.querySelector("a"));
  if (link) link.focus({ preventScroll: true });
}

// Opening what is open already: the same address as that which the part's content is drawn anew from.
function opensAgain(target, { verb, path }) {
  const from = target.firstElementChild?.getAttribute("hx-get");
  return verb === "get" && Boolean(from) && from.split("?")[0] === path.split("?")[0];
}

function drawLate() {
  for (const part of late) part.dispatchEvent(new CustomEvent("oms:refresh"));
  late.clear();
}

export function keepPlace() {
  addEventListener("pointerdown", (event) => { pressed = event.target; }, true);
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => setTimeout(() => { // after the click
    pressed = null;
    drawLate();
  }), true);
  document.body.addEventListener("htmx:beforeSend", ({ detail: { requestConfig: { verb, elt } } }) => verb === "get" || sending.add(elt));
  document.body.addEventListener("htmx:afterRequest", ({ detail: { requestConfig: { elt } } }) => {
    if (sending.delete(elt)) drawLate();
  });
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { target, requestConfig } = event.detail;
    const asked = requestConfig.elt; // itself, or a control that only has it drawn anew
    const drawsItself = asked === target || asked.hasAttribute("data-keeps") || opensAgain(target, requestConfig);
    const waits = (pressed && target.contains(pressed)) || [...sending].some((one) => one !== asked && target.contains(one));
    if (drawsItself && waits) {
      event.detail.shouldSwap = false;
      late.add(target);
      return;
    }
    kept = drawsItself ? place(target) : null;
  });
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (kept?.part !== event.detail.target) return;
    const before = kept;
    kept = null;
    restore(before);
  });
}
