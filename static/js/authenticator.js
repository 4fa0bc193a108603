// Security keys and passkeys. A button [data-key] holds the options the server made, as JSON; what the key answers goes
// into the field key_answer of its form, which is then sent. The server checks; nothing here decides anything.

function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

function text(buffer) {
  const letters = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(letters).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

function readable(options) {
  const listed = (keys) => (keys || []).map((key) => ({ ...key, id: bytes(key.id) }));
  const read = { ...options, challenge: bytes(options.challenge) };
  if (options.user) read.user = { ...options.user, id: bytes(options.user.id) };
  if (options.excludeCredentials) read.excludeCredentials = listed(options.excludeCredentials);
  if (options.allowCredentials) read.allowCredentials = listed(options.allowCredentials);
  return read;
}

function spelled(credential) {
  const answer = credential.response;
  const response = { clientDataJSON: text(answer.clientDataJSON) };
  for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (answer[name]) response[name] = text(answer[name]);
  }
  return JSON.stringify({ id: credential.id, rawId: text(credential.rawId), type: credential.type, response, clientExtensionResults: {} });
}

async function ask(button) {
  const said = button.form.querySelector("[data-key-said]");
  said.textContent = "";
  if (!window.PublicKeyCredential) {
    said.textContent = "This browser cannot speak to security keys here. They need https, or localhost.";
    return;
  }
  const publicKey = readable(JSON.parse(button.dataset.key));
  try {
    const credential = publicKey.user ? await navigator.credentials.create({ publicKey }) : await navigator.credentials.get({ publicKey });
    button.form.elements.key_answer.value = spelled(credential);
    button.form.noValidate = true;
    button.form.requestSubmit();
  } catch (error) {
    said.textContent = error.name === "InvalidStateError" ? "This key is enrolled already." : "The key did not answer. Try again.";
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-key]");
  if (button?.form?.querySelector("[data-key-said]")) ask(button); // the desk's buttons name their letter the same way
});
