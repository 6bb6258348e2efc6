// Numbers of comments beside links to articles: <reply-count article="my-post"> and <a href="/my-post/" data-replies>. One
// request asks for all of them.
const parsed = new Promise((done) => (document.readyState === "loading" ? addEventListener("DOMContentLoaded", done) : done()));
const asked = new Set();

function addCount(element) {
  if (!asked.size) parsed.then(() => setTimeout(count));
  asked.add(element);
}

async function count() {
  // The address of a site's numbers → [key, element]
  const sites = {};
  for (const element of asked) {
    const { dataset, pathname } = element;
    const url = `${baseOf(element)}sites/${element.getAttribute("site") || dataset.site || "default"}/counts?`;
    (sites[url] ??= []).push([keyOf(element.getAttribute("article") || dataset.replies || pathname || location.pathname), element]);
  }
  asked.clear();
  for (const url in sites) {
    const keys = [...new Set(sites[url].map(([key]) => key))];
    const counts = {};
    while (keys.length) Object.assign(counts, await optional(`${url}article=${keys.splice(0, 200).join("&article=")}`));
    for (const [key, element] of sites[url]) {
      if (key in counts) element.textContent = (await Words.learn(element)).many("comments", counts[key]);
    }
  }
}

class ReplyCount extends HTMLElement {
  static observedAttributes = ["site", "article", "server"];

  connectedCallback() { addCount(this); }

  attributeChangedCallback() { if (this.isConnected) addCount(this); }
}

if (!customElements.get("reply-count")) {
  customElements.define("reply-count", ReplyCount);
  const askAll = (selector) => document.querySelectorAll(selector).forEach(addCount);
  parsed.then(() => askAll("a[data-replies]"));
  addEventListener(MOVED, () => askAll("reply-count:not([article])"));
}
