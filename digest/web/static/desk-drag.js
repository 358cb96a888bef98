// Drag an item by its grip, within a section, to another one, or to the bench. The buttons and Alt+arrows do the same.
let home = null, givenUp = false;
const lists = () => document.querySelectorAll("#outline [data-section]");

function start() {
  if (!("canChange" in document.body.dataset)) return;
  for (const list of lists()) {
    if (list.sortable?.el?.isConnected) continue;
    list.sortable = new window.Sortable(list, {
      group: "items", handle: ".grip", draggable: "[data-item]", animation: calm() ? 0 : 120,
      forceFallback: true, // one behaviour for mouse, pen and finger
      fallbackTolerance: 4, scrollSensitivity: 60,
      onChoose: ({ item, from }) => { home = { from, next: item.nextElementSibling }; },
      onEnd: put,
    });
  }
}

// Escape gives it up: the item goes back to where it was taken from.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !document.querySelector(".sortable-fallback")) return;
  event.preventDefault();
  givenUp = true;
  for (const name of ["pointerup", "mouseup", "touchend"]) document.dispatchEvent(new Event(name, { bubbles: true }));
});

function put({ item, from, to, oldIndex, newIndex }) {
  if (givenUp) {
    givenUp = false;
    return home.from.insertBefore(item, home.next);
  }
  if (from === to && oldIndex === newIndex) return;
  const values = {
    token: document.body.dataset.token, act: "put", section: to.dataset.section,
    before: item.nextElementSibling?.dataset.item ?? "",
  };
  for (const name of ["letter", "view", "look"]) {
    const kept = document.querySelector(`#outline [name=${name}]`);
    if (kept) values[name] = kept.value;
  }
  window.htmx.ajax("POST", `${document.body.dataset.base}items/${item.dataset.item}/move`, { source: "#panes", values });
}

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

document.addEventListener("desk:changed", start);
start();
