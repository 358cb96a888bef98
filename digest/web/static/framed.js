// In the framed form: tells the page around it how tall the form is, and nothing else. Without it the frame scrolls.
(() => {
  const tell = () => parent.postMessage({ digestSignupHeight: Math.ceil(document.documentElement.getBoundingClientRect().height) }, "*");
  if (parent !== window) new ResizeObserver(tell).observe(document.documentElement);
})();
