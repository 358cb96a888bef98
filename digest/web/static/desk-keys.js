// Keys for the outline and the pool: j and k go from row to row, a letter presses the button of the row that says so
// (data-key), some letters one of the page (data-page-key). They act only while no field is being written in, and the
// single letters can be turned off (WCAG 2.1.4); Alt+arrows and Escape are no letters and stay.
const help = document.getElementById("keys-help");
const box = document.getElementById("keys-on");
const OFF = "digest:letters-off";

box.checked = localStorage.getItem(OFF) === null;
box.addEventListener("change", () => box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1"));
document.addEventListener("click", (event) => event.target.closest("#keys-open") && help.showModal());

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || document.querySelector("dialog[open]")) return;
  const held = document.activeElement;
  if (held.closest("input, textarea, select, [contenteditable]")) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
    return press(event, `[data-page-key=${event.shiftKey ? "y" : "z"}]`);
  }
  if (event.ctrlKey || event.metaKey) return;
  const row = held.closest("[data-item]");
  if (event.altKey) {
    const way = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    return way && row && press(event, `[value=${way}]`, row);
  }
  if (held !== document.body && !held.closest("[data-keys], #outline, #bar")) return;
  if (event.key === "Enter" && held !== row) return; // a button or link has its own Enter
  const arrow = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (arrow && row === held) return go(event, row, arrow);
  if (event.key.length > 1 && event.key !== "Enter") return;
  if (!box.checked && event.key !== "Enter") return;
  if (event.key === "j" || event.key === "k") return go(event, row, event.key === "j" ? 1 : -1);
  if (event.key === "?") return event.preventDefault(), help.showModal();
  if (event.key === "p") return press(event, "#letter");
  const name = CSS.escape(event.key);
  return (row && press(event, `[data-key~=${name}]`, row)) || press(event, `[data-page-key~=${name}]`);
});

function go(event, row, step) {
  const rows = [...document.querySelectorAll("[data-item][tabindex]")];
  const next = row ? rows[rows.indexOf(row) + step] : rows[0];
  event.preventDefault();
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

// Buttons are pressed, everything else is gone to.
function press(event, selector, within = document) {
  const found = within.querySelector(selector);
  if (!found) return false;
  event.preventDefault();
  if (found.matches("button, a")) found.click();
  else found.focus();
  return true;
}
