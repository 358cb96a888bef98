// Opens an item or the note beside the letter instead of on its own page: the page's own form, in a drawer over the
// outline. What is typed is saved by desk-save; closing never throws anything away.
const drawer = document.getElementById("drawer");
const outline = () => document.getElementById("outline");
let opener = null; // [data-item] or nothing: where the focus goes back to

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-drawer]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  opener = link.closest("[data-item]")?.id ?? null;
  await open(link.href);
});

async function open(address) {
  let answer;
  try {
    answer = await fetch(address, { headers: { Accept: "text/html" } });
  } catch {
    return void (location.href = address); // the browser itself says that there is no connection
  }
  const sheet = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("sheet");
  if (!sheet) return void (location.href = address);
  drawer.replaceChildren(document.importNode(sheet, true));
  drawer.show();
  outline().inert = true;
  document.dispatchEvent(new CustomEvent("desk:opened"));
  const own = drawer.querySelector(`textarea[lang=${document.documentElement.lang}]:not([readonly])`);
  (own ?? drawer.querySelector("textarea:not([readonly]), a")).focus();
}

function close(did = {}) {
  drawer.close();
  drawer.replaceChildren();
  outline().inert = false;
  const row = opener ? document.getElementById(opener) : outline();
  (row ?? outline()).focus();
  document.dispatchEvent(new CustomEvent("desk:stale", { detail: did }));
}

// Saved, "back to the issue", or Escape from anywhere: it closes. What could not be sent yet stays on its shelf.
document.addEventListener("desk:done", (event) => {
  if (!drawer.open) return;
  event.preventDefault();
  close(event.detail);
});
drawer.addEventListener("click", (event) => {
  if (!event.target.closest("a[data-close]")) return;
  event.preventDefault();
  close();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && drawer.open && !document.querySelector("dialog:modal")) close();
});
