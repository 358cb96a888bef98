// Says every ten seconds that this page is open and which field has the focus, and hears who else is here. Nobody is
// locked out by it. A draft that moved on meanwhile is fetched anew; what is being typed is left alone.
const { base, token } = document.body.dataset;
const phrases = document.getElementById("phrases").dataset;
const EVERY_MS = 10_000;
let timer, asking = false, where = "";

async function ask() {
  clearTimeout(timer);
  if (asking || document.hidden) return;
  asking = true;
  try {
    const answer = await fetch(`${base}here`, { method: "POST", body: new URLSearchParams({ token, where }) });
    if (answer.ok) show(await answer.json());
  } catch {
    // No connection: desk-save says so where it matters.
  } finally {
    asking = false;
    timer = setTimeout(ask, EVERY_MS);
  }
}

function show({ said, others, mark }) {
  const line = document.getElementById("others");
  if (line && !line.querySelector("#anew") && line.textContent !== said) line.textContent = said;
  const names = new Map(others.map((one) => [one.where, one.says]));
  for (const spot of document.querySelectorAll("[data-who]")) {
    const [item] = others.filter((one) => place(one.where) === spot.dataset.who).map((one) => one.name);
    spot.textContent = item ?? "";
  }
  for (const field of document.querySelectorAll("form[data-save] :is(input[type=text], textarea)")) {
    const form = field.form.dataset.item ? `${field.form.dataset.item}/${field.name}` : field.name;
    field.closest("div").dataset.busy = names.get(form) ?? "";
  }
  const outline = document.getElementById("outline");
  if (!outline || outline.dataset.mark === mark || document.querySelector(".sortable-chosen")) return;
  const [, state] = mark.split("."), [, shown] = outline.dataset.mark.split(".");
  if (state === shown) document.dispatchEvent(new CustomEvent("desk:stale"));
  else if (!document.getElementById("anew")) over();
}

// Approved, or held: the whole page is another one. It is not pulled away under somebody who writes.
function over() {
  const line = document.getElementById("others");
  const link = Object.assign(document.createElement("a"), { id: "anew", href: base, textContent: phrases.reload });
  line.replaceChildren(`${phrases.movedOn} `, link);
}

// `12/blurb-fr` is at item 12, `note-en` at the note.
const place = (text) => text.includes("/") ? text.split("/")[0] : text ? "note" : "";

document.addEventListener("focusin", (event) => {
  const form = event.target.closest("form[data-save]");
  const now = form && event.target.name ? (form.dataset.item ? `${form.dataset.item}/` : "") + event.target.name : "";
  if (now !== where) { where = now; ask(); }
});
document.addEventListener("visibilitychange", ask);
window.addEventListener("focus", ask);
window.addEventListener("online", ask);
ask();
