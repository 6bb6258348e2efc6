// Elements, made without a string of HTML. Only what our server has rendered is ever read as HTML.
function h(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if ((value ?? false) !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child || child === 0));
  return node;
}

// A page with Trusted Types lets our HTML in where its policy names `leave-a-reply`.
let policy = { createHTML: (html) => html };
try {
  policy = window.trustedTypes?.createPolicy("leave-a-reply", policy) ?? policy;
} catch { /* not named there: the page refuses, and the comments stand as plain text */ }

function rendered(comment, words) {
  const said = h("div", { class: "said", dir: "auto" });
  try {
    if (comment.html) said.innerHTML = policy.createHTML(comment.html);
  } catch { /* refused */ }
  // Code that is wider than its place is scrolled by the keyboard too.
  for (const code of said.querySelectorAll("pre")) Object.assign(code, { tabIndex: 0, role: "group", ariaLabel: words.say("code") });
  if (!said.firstChild) said.append(h("p", { class: "verbatim" }, comment.text));
  return said;
}

// Is this text light? Then it stands on a dark page, whatever that page calls its themes.
function isLight(colour) {
  const [kind, values] = colour.split("(");
  const [a, b, c] = (kind === "color" ? values.slice(values.indexOf(" ")) : values).match(/-?[\d.]+/g).map(Number);
  if (kind.startsWith("ok")) return a > 0.6;
  if (kind === "lab" || kind === "lch") return a > 60;
  return (0.3 * a + 0.6 * b + 0.1 * c) / (kind === "color" ? 1 : 255) > 0.55;
}

// The key of an article: as in the site's paths, with `~` for `/`; the same with and without slashes at its ends.
// `key_of` in sites/article_keys.py says the same of a whole address, and a test holds them equal.
function keyOf(path) {
  const spell = (text) => text.replace(/[^\0-\x7f]+/gu, encodeURIComponent).replace(/%[0-9a-f]{2}/gi, (c) => c.toUpperCase())
    .replace(/[^A-Za-z0-9._~-]/g, (c) => (c === "/" ? "~" : c === "%" ? "-" : "-" + c.codePointAt(0).toString(16)));
  const plain = spell(path.replace(/^\/+|\/+$/g, ""));
  if (plain.length === 200) return plain;
  const key = spell(plain.replace(/-([cd]\w-[89ab]\w|e\w(-[89ab]\w){2}|f[0-4](-[89ab]\w){3})/gi, (c) => {
    try { return decodeURIComponent(c.replace(/-/g, "%")); } catch { return c; }
  }).normalize("NFC"));
  if (key.length <= 200) return /^\.{0,2}$/.test(key) ? "~" + key : key;
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (const c of key) [a, b] = [Math.imul(a ^ c.charCodeAt(), 0x01000193), Math.imul(b ^ c.charCodeAt(), 0x5bd1e995)];
  return key.slice(0, 183) + "-" + [a, b].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

// What the page says of itself: the first comment proposes it, and a moderator's approval makes it the article's.
const FIRST = { path: location.pathname, ...pageHead() };

function pageHead() {
  return {
    title: document.querySelector('meta[property="og:title"],meta[name="og:title"]')?.content.trim(),
    url: document.querySelector('link[rel~="canonical"]')?.href,
  };
}

function pageFacts() {
  const facts = pageHead();
  // Once the address has moved on, what still stands there is said of the page before.
  if (location.pathname !== FIRST.path) for (const name in facts) if (facts[name] === FIRST[name]) facts[name] = "";
  const here = new URL(location.href);
  here.hash = "";
  for (const name of [...here.searchParams.keys()]) if (/^(utm_|fbclid|gclid)/.test(name)) here.searchParams.delete(name);
  return {
    title: (facts.title || document.querySelector("h1")?.textContent || document.title).trim().slice(0, 500),
    url: facts.url || here.href,
  };
}
