// Asked to confirm who one is: a dialog over the page, so that what is typed stays; then back to the button that was pressed.
let pressed = null;

export function installStepUp() {
  const dialog = document.getElementById("step-up");
  const inside = document.getElementById("step-up-body");
  if (!dialog) return;
  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (!dialog.contains(event.target) && event.detail.requestConfig.verb !== "get") pressed = event.target;
  });
  document.body.addEventListener("oms:step-up", async () => {
    await htmx.ajax("GET", "/account/step-up", { target: inside, swap: "innerHTML" });
    if (!dialog.open) dialog.showModal();
    inside.querySelector("input:not([type=hidden])")?.focus();
  });
  document.body.addEventListener("oms:stepped-up", () => {
    dialog.close();
    inside.replaceChildren();
    const error = document.getElementById("form-error");
    if (error) error.textContent = "Confirmed. Press the button again: nothing was sent yet.";
    if (pressed?.isConnected) pressed.focus();
  });
  dialog.addEventListener("close", () => inside.replaceChildren());
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-close-step-up]")) dialog.close();
  });
}
