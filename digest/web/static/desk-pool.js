// Keeps one's place in the pool: when an item has been taken or put aside, the focus goes on to the next row.
let rows = [];

document.addEventListener("htmx:before:swap", () => {
  const row = document.activeElement?.closest("[data-item]");
  rows = row ? [row.id, row.nextElementSibling?.id, row.previousElementSibling?.id] : [];
});
document.addEventListener("htmx:after:swap", () => {
  if (rows.length && !document.activeElement?.closest("[data-item]")) {
    rows.map((id) => id && document.getElementById(id)).find(Boolean)?.focus();
  }
});
