// Keeps the desk in place when a form has been sent: the outline, the checks and the bar are exchanged, the letter is
// drawn anew beside the old one, focus stays with the item that moved. Without this file every form loads a page.
const outline = () => document.getElementById("outline");
let before = null; // what had the focus when the answer came
let last = {}; // what was done last, in the words of the address
remember(location.href);

document.addEventListener("htmx:before:swap", (event) => {
  if (event.defaultPrevented) return;
  for (const { fragment } of event.detail.tasks) {
    fragment.querySelectorAll("[autofocus]").forEach((one) => one.removeAttribute("autofocus")); // keepFocus knows better
  }
  const row = document.activeElement?.closest?.("#outline [data-item]");
  before = {
    mark: outline().dataset.mark,
    scroll: outline().scrollTop,
    row: row?.id,
    next: (row?.nextElementSibling ?? row?.previousElementSibling)?.id,
    list: row?.parentElement.id,
    control: document.activeElement?.value || document.activeElement?.dataset.key,
  };
});

document.addEventListener("htmx:after:swap", (event) => {
  const { sourceElement: source, response, request } = event.detail.ctx;
  if (request.method !== "GET") remember(response.raw.url);
  // Another width, language or look of the letter: a reload is to show the same.
  if (source?.closest(".switch")) history.replaceState(null, "", `${request.action}${location.hash}`);
  outline().scrollTop = before.scroll;
  keepFocus();
  if (outline().dataset.mark !== before.mark) drawLetter();
  document.dispatchEvent(new CustomEvent("desk:changed"));
});

// Somebody else changed the draft, or a text was saved: fetch what stands now. What the bar said last stays said, unless
// there is something newer to say (did, item).
document.addEventListener("desk:stale", ({ detail }) => refresh(detail));

function refresh(said) {
  const here = new URL(location.href), names = ["did", "item"];
  names.forEach((name) => here.searchParams.delete(name));
  last = said ?? last;
  for (const [name, value] of Object.entries(last)) if (value) here.searchParams.set(name, value);
  window.htmx.ajax("GET", here.pathname + here.search, { source: "#panes" });
}

function remember(address) {
  const { searchParams: asked } = new URL(address, location.href);
  last = { did: asked.get("did"), item: asked.get("item") };
}

// The moved item keeps its button; one that has gone to another list hands over to its neighbour.
function keepFocus() {
  const held = document.activeElement;
  if (!before.row || (held && held !== document.body && held.closest("#outline") && !held.disabled)) {
    if (!before.row || document.getElementById(before.row)?.parentElement.id === before.list) return;
  }
  const moved = document.getElementById(before.row);
  const row = moved?.parentElement.id === before.list ? moved : document.getElementById(before.next) ?? moved;
  if (!row) return outline().focus();
  const same = row.querySelector(`[value="${before.control}"]:enabled`);
  const other = before.control === "down" ? "up" : "down";
  (before.control ? (same ?? row.querySelector(`[value="${other}"]:enabled`) ?? row) : row).focus();
}

// The new letter loads behind the old one and takes its place when it is there: nothing flashes. It opens at the item
// that was changed, for a sandboxed frame cannot tell where it was scrolled to.
let drawing = 0;
function drawLetter() {
  const old = document.querySelector(".letter iframe");
  if (!old) return;
  const [path, query] = old.getAttribute("src").split("#")[0].split("?");
  const wanted = new URLSearchParams(query);
  const item = document.querySelector("#drawer[open] [data-item]")?.dataset.item ?? document.querySelector(".here")?.dataset.item;
  wanted.delete("at");
  if (item) wanted.set("at", item);
  wanted.set("v", outline().dataset.mark);
  const coming = old.cloneNode();
  const turn = ++drawing;
  coming.classList.add("coming");
  coming.setAttribute("src", `${path}?${wanted}${item ? "#at" : ""}`);
  coming.addEventListener("load", () => {
    if (turn !== drawing) return coming.remove();
    document.querySelectorAll(".letter iframe").forEach((frame) => frame !== coming && frame.remove());
    coming.classList.remove("coming");
    document.dispatchEvent(new CustomEvent("desk:drawn"));
  });
  document.querySelector(".letter").append(coming);
}
