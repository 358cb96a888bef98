// <script src="https://letter.example.org/static/embed.js"></script> <digest-signup lang="fr"></digest-signup>
// Puts the sign-up form of the letter into this page, in a frame. Nothing is read from this page, nothing is counted.
(() => {
  const home = new URL("../", document.currentScript.src);
  class DigestSignup extends HTMLElement {
    connectedCallback() {
      if (this.firstElementChild instanceof HTMLIFrameElement) return;
      const french = (this.lang || document.documentElement.lang || "").toLowerCase().startsWith("fr");
      const frame = document.createElement("iframe");
      frame.src = new URL(french ? "fr/embed" : "embed", home);
      frame.title = french ? "Inscription à l’infolettre" : "Sign up for the letter";
      frame.loading = "lazy";
      frame.style.cssText = `border: 0; width: 100%; height: ${this.getAttribute("height") || "720px"}`;
      this.replaceChildren(frame);
    }
  }
  customElements.define("digest-signup", DigestSignup);
})();
