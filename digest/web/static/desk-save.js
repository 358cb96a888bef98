// Saves each field by itself, after a pause and on leaving it, one request at a time. A text is first put down in this
// browser, with the words it was written on; it is taken from there only when the server has it. So it outlives a cut
// connection, a reload and a closed window, and two people's words never overwrite each other unseen.
const { base, token, editor, period } = document.body.dataset;
const phrases = document.getElementById("phrases").dataset;
const SHELF = `digest:${editor}:${period}:`;
const PAUSE_MS = 1500, AGAIN_MS = [2_000, 5_000, 15_000, 60_000];
const PASSING = new Set([401, 403, 408, 425, 429]); // of the session or of the moment, not of the text
const stuck = new Map(); // key -> { theirs } or { refused }: waits for a person, not for the network
const pauses = new Map(); // key -> timer, while somebody is typing there
const typed = new Map(); // key -> when this window last had new words for it
const windows = new BroadcastChannel(SHELF); // the same editor's other ones
let running = null, failures = 0, timer;

// --- the shelf in this browser ------------------------------------------------------------------------------------

const keyOf = (field) => `${SHELF}${field.form.dataset.item ?? ""}:${field.name}`;
const seenOf = (field) => field.form.elements[`seen-${field.name}`];
const read = (key) => JSON.parse(localStorage.getItem(key) ?? "null");
const waiting = () => Object.keys(localStorage).filter((key) => key.startsWith(SHELF));
const fieldOf = (key) => [...fields()].find((field) => keyOf(field) === key);
const fields = () => document.querySelectorAll("form[data-save] :is(input[type=text], textarea):not([readonly])");
const plain = (text) => text.replaceAll("\r\n", "\n").trim();

function put(field) {
  const key = keyOf(field), seen = stuck.get(key)?.seen ?? seenOf(field).value, at = Date.now();
  typed.set(key, at);
  if (plain(field.value) === plain(seen) && !stuck.has(key) && !read(key)) return;
  localStorage.setItem(key, JSON.stringify({ words: field.value, seen, at }));
}

// --- the queue ----------------------------------------------------------------------------------------------------

// One after the other, until the shelf is empty or the way is barred. Resolves to whether it is empty.
function send() {
  clearTimeout(timer);
  running ??= drain().finally(() => { running = null; });
  return running;
}

async function drain() {
  for (;;) {
    const key = waiting().find((one) => !stuck.has(one) && !pauses.has(one));
    if (!key) return tell(), true;
    tell(phrases.saving);
    const goesOn = await alone(() => post(key));
    if (!goesOn) return false;
    failures = 0;
  }
}

// One window at a time, so that what leaves is the newest and no older words come in behind it.
const alone = (act) => navigator.locks ? navigator.locks.request(SHELF, act) : act();

async function post(key) {
  const text = read(key), [item, name] = key.slice(SHELF.length).split(":");
  if (!text) return true; // another window has sent it
  const body = new URLSearchParams({ token, name, words: text.words, seen: text.seen });
  if (item) body.set("item", item);
  let answer = null, said = {};
  try {
    answer = await fetch(`${base}save`, { method: "POST", body, headers: { Accept: "application/json" } });
    if (answer.headers.get("Content-Type")?.includes("json")) said = await answer.json();
  } catch {
    answer = null;
  }
  if (answer?.ok) saved(key, text, said.now);
  else if ("theirs" in said) clash(key, text, said.theirs);
  else if ("refused" in said) refuse(key, text, said.refused);
  else if (answer && answer.status >= 400 && answer.status < 500 && !PASSING.has(answer.status)) refuse(key, text, phrases.noPlace);
  else return later(answer), false;
  return true;
}

function saved(key, text, now) {
  const newer = read(key);
  if (newer?.at > text.at) localStorage.setItem(key, JSON.stringify({ ...newer, seen: now })); // typed on: it goes next
  else localStorage.removeItem(key);
  stand(key, text.at, now);
  windows.postMessage({ key, at: text.at, now });
  document.dispatchEvent(new CustomEvent("desk:stale"));
}

// These words stand in the letter now, from this window or another: the newest wins, and each window shows it.
function stand(key, at, now) {
  const field = fieldOf(key);
  if (!field) return;
  seenOf(field).value = now;
  if ((typed.get(key) ?? 0) > at) return;
  stuck.delete(key);
  field.closest("div").querySelector(".clash")?.remove();
  if (plain(field.value) !== plain(now)) field.value = now;
  count(field);
  state(field, phrases.saved);
}

windows.addEventListener("message", ({ data }) => stand(data.key, data.at, data.now));

// The network, a busy server, a session that ended: the text waits on its shelf. This page's token is no good for the
// next session either, so it does not ask again by itself.
function later(answer) {
  const why = answer === null ? phrases.offline : answer.status === 403 ? phrases.signedOut : phrases.waiting;
  tell(why);
  if (answer?.status === 403) return;
  timer = setTimeout(send, AGAIN_MS[Math.min(failures++, AGAIN_MS.length - 1)]);
}

// --- two texts, a frozen issue, or a role too low -----------------------------------------------------------------

function clash(key, text, theirs) {
  stuck.set(key, { seen: text.seen, theirs });
  const field = fieldOf(key);
  if (!field) return strays();
  state(field, phrases.unsaved);
  const box = panel(field, phrases.clash, theirs || phrases.theirsEmpty);
  button(box, phrases.takeMine, () => settle(field, field.value, theirs));
  button(box, phrases.takeTheirs, () => settle(field, theirs, theirs));
  box.scrollIntoView({ block: "center" });
}

function settle(field, words, seen) {
  const key = keyOf(field);
  stuck.delete(key);
  field.closest("div").querySelector(".clash")?.remove();
  field.value = words;
  seenOf(field).value = seen;
  put(field);
  field.focus();
  send();
}

// A frozen issue takes no words, nor do they from whom may not write: they stay here to be copied, and go in with the next
// page that may send them.
function refuse(key, text, why) {
  stuck.set(key, { seen: text.seen });
  const field = fieldOf(key);
  if (field) panel(field, `${why} ${phrases.refused}`, "");
  else strays(why);
}

// Words that wait for a person and have no field on this page: they are shown here, to be looked at, copied or let go.
function strays(why = "") {
  const lost = waiting().filter((key) => stuck.has(key) && !fieldOf(key));
  document.getElementById("strays")?.remove();
  if (!lost.length) return;
  const box = Object.assign(document.createElement("aside"), { id: "strays", className: "box warn strays" });
  box.setAttribute("role", "alert");
  box.append(Object.assign(document.createElement("p"), { textContent: `${why} ${phrases.refused}` }));
  for (const key of lost) {
    const [item] = key.slice(SHELF.length).split(":");
    const { theirs } = stuck.get(key), mine = read(key);
    if (theirs !== undefined) {
      box.append(Object.assign(document.createElement("p"), { textContent: phrases.clashStray }));
      box.append(Object.assign(document.createElement("div"), { className: "theirs", textContent: theirs || phrases.theirsEmpty }));
      box.append(Object.assign(document.createElement("p"), { textContent: phrases.yours }));
    }
    box.append(Object.assign(document.createElement("div"), { className: "theirs", textContent: mine.words }));
    const look = Object.assign(document.createElement("a"), { href: base + (item ? `items/${item}` : "note"), textContent: phrases.openField });
    box.append(look, " ");
    button(box, phrases.forget, () => {
      const kept = stuck.get(key);
      localStorage.removeItem(key);
      stuck.delete(key);
      strays();
      tell();
      regret(key, mine, kept);
    });
  }
  document.getElementById("main").before(box);
}

// Let go of by mistake: it can be had back as long as this page stands.
function regret(key, text, kept) {
  document.getElementById("regret")?.remove();
  const box = Object.assign(document.createElement("p"), { id: "regret", className: "box strays", textContent: `${phrases.gone} ` });
  box.setAttribute("role", "status");
  button(box, phrases.haveBack, () => {
    localStorage.setItem(key, JSON.stringify(text));
    stuck.set(key, kept);
    box.remove();
    strays();
    tell();
  });
  document.getElementById("main").before(box);
}

function panel(field, sentence, words) {
  const box = Object.assign(document.createElement("div"), { className: "clash box warn" });
  box.setAttribute("role", "alert");
  box.append(Object.assign(document.createElement("p"), { textContent: sentence }));
  if (words) {
    const theirs = Object.assign(document.createElement("div"), { className: "theirs", textContent: words, lang: field.lang });
    box.append(theirs);
  }
  const place = field.closest("div");
  place.querySelector(".clash")?.remove();
  place.append(box);
  return box;
}

function button(box, text, act) {
  const made = Object.assign(document.createElement("button"), { type: "button", textContent: text });
  made.addEventListener("click", act);
  box.append(made);
}

// --- what the page says -------------------------------------------------------------------------------------------

// Beside each field a word or two; a whole sentence where there is room, and only when something is wrong: a line that
// comes and goes with every saving would move the button from under a hand.
function tell(text = "") {
  const open = waiting(), free = open.filter((key) => !stuck.has(key));
  const said = free.length ? (text === phrases.saving ? "" : text) : !open.length ? "" : open.some((key) => stuck.get(key).theirs !== undefined) ? phrases.choose : phrases.refused;
  for (const line of document.querySelectorAll(".unsent")) if (line.textContent !== said) line.textContent = said;
  for (const key of free) if (text) state(fieldOf(key), text === phrases.saving ? text : phrases.unsaved);
}

function state(field, text) {
  if (!field) return;
  const place = field.closest("div");
  let line = place.querySelector(".state");
  if (!line) {
    line = Object.assign(document.createElement("p"), { className: "state hint" });
    line.setAttribute("aria-live", "polite");
    place.append(line);
  }
  if (line.textContent !== text) line.textContent = text;
}

function count(field) {
  const line = document.querySelector(`[data-count="${field.name}"]`);
  const words = field.value.split(/\s+/).filter((word) => /[\p{L}\p{N}]/u.test(word)).length;
  if (line) line.textContent = words ? phrases.count.replace("#", words) : "";
}

// --- the page -----------------------------------------------------------------------------------------------------

document.addEventListener("input", ({ target: field }) => {
  if (![...fields()].includes(field)) return;
  put(field);
  count(field);
  state(field, "");
  const key = keyOf(field);
  clearTimeout(pauses.get(key));
  pauses.set(key, setTimeout(() => rest(key), PAUSE_MS));
});
document.addEventListener("focusout", ({ target }) => target.name && target.form?.matches("[data-save]") && rest(keyOf(target)));
document.addEventListener("click", (event) => {
  const take = event.target.closest("[data-take]");
  if (take) fill(document.getElementById(take.dataset.take), take.dataset.words);
  const restore = event.target.closest("[data-restore]");
  if (!restore) return;
  event.preventDefault();
  for (const name of ["title", "blurb"]) fill(document.getElementById(`${name}-${restore.dataset.restore}`), "");
  pauses.clear();
  send();
});

function rest(key) {
  clearTimeout(pauses.get(key));
  pauses.delete(key);
  send();
}

function fill(field, words) {
  field.value = words;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
}

// A form has come onto the page: give it what this browser still holds for it.
function open() {
  for (const field of fields()) {
    const kept = read(keyOf(field));
    if (kept) field.value = kept.words;
    stuck.delete(keyOf(field));
    count(field);
  }
  strays();
  send();
}

document.addEventListener("desk:opened", open);
window.addEventListener("online", () => { failures = 0; send(); });
window.addEventListener("beforeunload", (event) => { if (waiting().some((key) => !stuck.has(key))) event.preventDefault(); });

// The Save button: what is on the shelf goes first, then the form is done with. It stays on the page while two texts stand
// there or a word of its own is still on the shelf; why, `later` and `refuse` have said.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches("[data-save]")) return;
  event.preventDefault();
  pauses.forEach(clearTimeout);
  pauses.clear();
  while (running) await running;
  await send();
  const open = form.querySelector(".clash");
  if (open) return open.scrollIntoView({ block: "center" }), open.querySelector("button")?.focus();
  const lost = [...fields()].some((one) => plain(one.value) !== plain(seenOf(one).value) && !read(keyOf(one)));
  if (lost) return form.submit(); // no shelf to lay it on (storage full): the plain form carries it
  if ([...fields()].some((one) => one.form === form && read(keyOf(one)))) return;
  const did = form.dataset.item ? { did: "reword", item: form.dataset.item } : { did: "noted" };
  const done = new CustomEvent("desk:done", { detail: did, cancelable: true });
  if (document.dispatchEvent(done)) location.href = `${base}?${new URLSearchParams(did)}`;
});
open();
