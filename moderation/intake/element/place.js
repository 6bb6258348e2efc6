// Where the service is, and where the reader is: single-page applications change the address without loading a page.
// A module has no `currentScript`; the browser still knows from where it was loaded.
const loaded = [...document.scripts, ...performance.getEntriesByType("resource")].map(({ src, name }) => src || name);
const BASE = new URL(".", document.currentScript?.src || loaded.find((url) => /\/embed\.js(\?|$)/.test(url)) || location).href;
const baseOf = (element) => new URL(element.getAttribute("server") || element.dataset.server || BASE, location.href).href.replace(/\/?$/, "/");

// Told once the address has changed, by whatever means; the elements look whether that concerns them.
const MOVED = "leave-a-reply:moved";
const tell = () => dispatchEvent(new Event(MOVED));
for (const name of ["pushState", "replaceState"]) {
  const act = history[name];
  history[name] = function (...given) {
    act.apply(this, given);
    tell();
  };
}
addEventListener("popstate", tell);
window.navigation?.addEventListener("currententrychange", tell); // also where a page kept the functions of before
