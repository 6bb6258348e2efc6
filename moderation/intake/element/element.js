// <leave-a-reply site="default" article="my-post">: the element itself, in a shadow that the page's styles do not reach.
const THEMES = ["class", "style", "data-theme", "data-color-scheme"];

class LeaveAReply extends HTMLElement {
  static observedAttributes = ["site", "article", "order", "lang", "texts", "theme", "server"];

  connectedCallback() {
    if (!this.shadowRoot) dress(this.attachShadow({ mode: "open" }));
    this.start();
  }

  key() {
    return keyOf(this.getAttribute("article") || location.pathname);
  }

  disconnectedCallback() {
    this.gone?.abort();
    this.gone = null;
  }

  attributeChangedCallback(name, before, now) {
    if (!this.gone || before === now) return;
    if (name === "theme") this.shade();
    else this.start();
  }

  async start() {
    this.gone?.abort();
    const { signal } = (this.gone = new AbortController());
    const site = this.getAttribute("site") || "default";
    const article = this.key();
    addEventListener(MOVED, () => this.key() === article || this.start(), { signal });
    const base = baseOf(this);
    this.shadowRoot.replaceChildren(); // nothing can be sent to the earlier article meanwhile
    if (this.getAttribute("loading") === "lazy" && !location.hash.startsWith("#comment-")) await nearView(this);
    const words = await Words.learn(this, base);
    if (signal.aborted) return;
    const talk = new Discussion(this, words, new Service(base, site, article), new Memory(site, article), signal);
    this.root = talk.root;
    this.shadowRoot.replaceChildren(talk.root);
    this.shade();
    this.watch(signal);
    await talk.open();
  }

  // The palette that goes with the page's own text, and goes on doing so when the page changes its theme.
  shade() {
    const theme = this.getAttribute("theme");
    this.root?.classList.toggle("dark", theme ? theme === "dark" : isLight(getComputedStyle(this).color));
  }

  watch(signal) {
    const shade = () => this.shade();
    const eye = new MutationObserver(shade);
    for (const node of [document.documentElement, document.body]) eye.observe(node, { attributes: true, attributeFilter: THEMES });
    signal.addEventListener("abort", () => eye.disconnect());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", shade, { signal });
    document.addEventListener("transitionend", shade, { signal });
  }
}

// Until the reader comes near. One who follows a link to a comment need not.
const nearView = (element) => new Promise((done) => {
  const eye = new IntersectionObserver(([entry]) => entry.isIntersecting && done(eye.disconnect()), { rootMargin: "600px" });
  eye.observe(element);
});

// A constructed sheet is no inline style: a strict Content-Security-Policy of the page lets it be.
function dress(root) {
  try {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(CSS);
    root.adoptedStyleSheets = [sheet];
  } catch {
    root.append(h("style", {}, CSS));
  }
}

if (!customElements.get("leave-a-reply")) customElements.define("leave-a-reply", LeaveAReply);
