// The kill panel: which scope is meant, and a button that must be held for a second.
const HOLD_MS = 1000;
const form = document.getElementById("kill-form");
const scope = document.getElementById("k-scope");
const nameField = document.getElementById("k-name-field");
const reason = document.getElementById("k-reason");

function showName() {
  nameField.hidden = scope.value === "firm";
  document.getElementById("k-typed")?.setAttribute("placeholder", scope.value === "firm" ? "type firm" : "type its name again");
}

function send() {
  if (!reason.reportValidity()) return;
  form.elements.held.value = "yes";
  window.htmx.ajax("POST", "/risk/kill", { source: form, target: "#stops", swap: "innerHTML", values: Object.fromEntries(new FormData(form)) });
  form.elements.held.value = "";
}

function holdable(button) {
  let timer = 0;
  const start = () => {
    if (timer || !reason.reportValidity()) return;
    button.dataset.holding = "yes";
    timer = setTimeout(() => {
      end();
      send();
    }, HOLD_MS);
  };
  const end = () => {
    clearTimeout(timer);
    timer = 0;
    delete button.dataset.holding;
  };
  button.addEventListener("pointerdown", start);
  for (const name of ["pointerup", "pointerleave", "pointercancel", "blur"]) button.addEventListener(name, end);
  button.addEventListener("keydown", (event) => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat) start();
  });
  button.addEventListener("keyup", end);
}

scope.addEventListener("change", showName);
document.querySelectorAll("[data-hold-to-press]").forEach(holdable);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (!reason.reportValidity()) return;
  window.htmx.ajax("POST", "/risk/kill", { source: form, target: "#stops", swap: "innerHTML", values: Object.fromEntries(new FormData(form)) });
});
document.body.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.requestConfig?.path !== "/risk/kill" || event.detail.xhr.status >= 400) return;
  document.getElementById("form-error").replaceChildren();
  for (const name of ["typed", "reason"]) if (form.elements[name]) form.elements[name].value = "";
  document.getElementById("h-stops")?.scrollIntoView({ block: "nearest" });
});
showName();
