// Passkeys: asks the server for a challenge, the device for its answer, and sends that with the form of the page.
// Where the browser knows none of this the form stays hidden, and the mailed link is the way in.
const form = document.getElementById("passkey");
const line = form?.querySelector("[role=alert]");
const adds = form?.elements.namedItem("name") !== null;
const fresh = 4 * 60_000; // a challenge lives five minutes
let waiting = null;

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

class Refused extends Error {}

async function asked() {
  const answer = await fetch(form.dataset.begin, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (!answer.headers.get("Content-Type").startsWith("application/json")) {
    throw new Refused(answer.headers.get("Content-Type").startsWith("text/plain") ? await answer.text() : "");
  }
  const options = await answer.json();
  const known = (options.excludeCredentials ?? options.allowCredentials ?? []).map((one) => ({ ...one, id: bytes(one.id) }));
  return {
    ...options,
    challenge: bytes(options.challenge),
    ...(adds ? { user: { ...options.user, id: bytes(options.user.id) }, excludeCredentials: known } : { allowCredentials: [] }),
  };
}

async function signed(publicKey, how) {
  const found = await navigator.credentials[adds ? "create" : "get"]({ publicKey, ...how });
  const response = { clientDataJSON: text(found.response.clientDataJSON) };
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (found.response[part]) response[part] = text(found.response[part]);
  }
  form.elements.answer.value = JSON.stringify({ id: found.id, rawId: text(found.rawId), type: found.type, response });
  form.submit();
}

function say(error) {
  const { stopped, known, broken } = form.dataset;
  line.textContent =
    error instanceof Refused ? error.message || broken
    : error.name === "InvalidStateError" ? known
    : error.name === "NotAllowedError" || error.name === "AbortError" ? stopped
    : broken;
  line.hidden = false;
}

// The browser offers a passkey among the addresses it fills in. Nobody asked aloud, so what fails is not said.
async function offer() {
  waiting?.abort();
  waiting = new AbortController();
  const { signal } = waiting;
  try {
    await signed(await asked(), { mediation: "conditional", signal });
  } catch (error) {
    if (signal.aborted) return;
  }
}

if (form && window.PublicKeyCredential && navigator.credentials) {
  form.hidden = false;
  document.getElementById("no-passkey")?.remove();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    waiting?.abort();
    line.hidden = true;
    const button = form.querySelector("button:not([type])");
    button.disabled = true;
    try {
      await signed(await asked(), {});
    } catch (error) {
      say(error);
    }
    button.disabled = false;
  });
  // What has just been refused is not offered again by itself.
  if (!adds && !("quiet" in form.dataset) && (await window.PublicKeyCredential.isConditionalMediationAvailable?.())) {
    offer();
    setInterval(() => document.hidden || form.querySelector("button").disabled || offer(), fresh);
  }
}
