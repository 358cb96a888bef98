// When a form that was sent in place fails, the page says so where it says everything else, and shows what stands now.
const phrases = document.getElementById("phrases").dataset;

function say(text) {
  const line = document.querySelector(".said [role=status]");
  line.closest(".said").classList.remove("none");
  line.textContent = text;
}

document.addEventListener("htmx:before:swap", (event) => {
  const { target, text } = event.detail.ctx;
  if (text.includes(`id="${target.id}"`)) return;
  event.preventDefault(); // another page than the one asked for: signed out, most likely
  say(phrases.signedOut);
});
document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  const answer = new DOMParser().parseFromString(ctx.text ?? "", "text/html");
  const why = answer.querySelector("main .box")?.textContent ?? phrases.notHere;
  say(why);
  if (ctx.request.method === "GET") return;
  document.addEventListener("desk:changed", () => say(why), { once: true }); // it stays said beside what stands now
  document.dispatchEvent(new CustomEvent("desk:stale"));
});
// Fetching what stands now is nobody's act: it fails unsaid, and is tried again.
document.addEventListener("htmx:error", ({ detail: { ctx } }) => ctx.request.method !== "GET" && say(phrases.notDone));
