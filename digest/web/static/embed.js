// <script src="https://letter.example.org/static/embed.js"></script> <digest-signup lang="fr"></digest-signup>
// Puts the sign-up form of the letter into this page, in a frame as tall as the form. Nothing is read from this page, nothing is counted.
(() => {
  const home = new URL("../", document.currentScript.src);
  class DigestSignup extends HTMLElement {
    connectedCallback() {
      if (this.firstElementChild instanceof HTMLIFrameElement) return;
      const french = (this.lang || document.documentElement.lang || "").toLowerCase().startsWith("fr");
      const frame = document.createElement("iframe");
      const height = this.getAttribute("height");
      frame.src = new URL(french ? "fr/embed" : "embed", home);
      frame.title = french ? "Inscription à l’infolettre" : "Sign up for the letter";
      frame.loading = "lazy";
      frame.style.cssText = `border: 0; width: 100%; height: ${height || "720px"}`;
      this.replaceChildren(frame);
      if (!height) addEventListener("message", message => fit(frame, message));
    }
  }
  // The form in the frame says how tall it is (framed.js); nobody else is heard.
  function fit(frame, { source, origin, data }) {
    const px = data?.digestSignupHeight;
    if (source !== frame.contentWindow || origin !== home.origin || !Number.isFinite(px)) return;
    frame.style.height = `${Math.min(Math.max(px, 200), 3000)}px`;
  }
  customElements.define("digest-signup", DigestSignup);
})();
