// The queue as others change it: numbers, rows that somebody else decided, what is new, and who looks at what. Nothing here
// moves what is being read, and nothing decides; without this file the page says the same once it is loaded again.
"use strict";

(() => {
  const since = document.querySelector('meta[name="live"]')?.content;
  const csrf = document.querySelector('meta[name="csrf-token"]')?.content;
  if (!since || !csrf || !("EventSource" in window)) return;
  const root = new URL("..", document.currentScript.src); // of the service, which may stand below a prefix
  const rows = () => [...document.querySelectorAll("[data-row]")]; // asked anew: deciding.js takes some and brings others
  const field = (row, name) => row.querySelector(`input[name^="${name}-"]`);
  const idOf = (row) => field(row, "seen")?.name.slice(5);
  const fresh = new Set();
  let source = null, last = since, looking = null, beat = 0;

  const words = (tag, text, name) => Object.assign(document.createElement(tag), { textContent: text, className: name });

  function corner(text) {
    let box = document.querySelector(".live");
    if (!box) {
      box = words("p", "", "live");
      box.setAttribute("role", "status");
      document.body.append(box);
    }
    if (box.textContent === text) return;
    box.replaceChildren(Object.assign(words("a", text, ""), { href: location.pathname + location.search }));
  }

  // deciding.js says it in the row's place; one that is being put back here is no news.
  function overtaken(row, text, id) {
    if (!("returning" in row.dataset)) row.dispatchEvent(new CustomEvent("overtaken", { bubbles: true, detail: { text, id } }));
  }

  // Whose it is and until when it is set aside, in its line; nothing is refused for it.
  function shared(one) {
    const here = rows().find((row) => idOf(row) === one.id);
    const place = here?.querySelector(".shared");
    if (place) {
      const lang = document.documentElement.lang, me = document.querySelector(".who bdi")?.textContent;
      const until = one.snoozed_until && new Date(one.snoozed_until).toLocaleString(lang === "en" ? "en-GB" : lang, { dateStyle: "medium", timeStyle: "short" });
      const whose = one.assigned_to === me ? "For you" : `For ${one.assigned_to}`;
      const said = [until && words("span", `Snoozed until ${until}`, "snoozed"), one.assigned_to && words("bdi", whose, "assigned")];
      place.replaceChildren(...said.filter(Boolean));
    } else if (!here && one.what === "woken" && document.getElementById("queue-page")) {
      fresh.add(one.id);
      corner(`${fresh.size} new`);
    }
  }

  function changed(one) {
    if (["snoozed", "woken", "assigned"].includes(one.what)) return shared(one);
    const did = { decided: `Now ${one.status}`, undone: `Undone: now ${one.status}`, edited: "Its author has changed it", redacted: "A piece of it was removed",
      withdrawn: "Withdrawn by its author", appealed: "Appealed by its author", arrived: "" }[one.what] ?? `Now ${one.status}`;
    for (const row of rows()) {
      const id = idOf(row), seen = field(row, "seen"), wave = field(row, "wave");
      if (id === one.id) {
        if (one.revision > Number(seen.value)) overtaken(row, did + (one.by && one.by !== "author" ? `, by ${one.by}` : ""), id);
        return;
      }
      const part = wave?.value.split(" ").find((pair) => pair.startsWith(`${one.id}:`));
      if (part) {
        if (one.revision > Number(part.slice(one.id.length + 1))) overtaken(row, "Some of this wave have changed meanwhile", id);
        return;
      }
    }
    const comes = (one.what === "arrived" && one.id > since) || one.what === "appealed"; // which waits again
    if (comes && one.status === "pending" && document.getElementById("queue-page")) {
      fresh.add(one.id);
      corner(`${fresh.size} new`);
    }
  }

  function count(counts) {
    for (const place of document.querySelectorAll("[data-count]")) {
      if (place.dataset.count in counts) place.textContent = counts[place.dataset.count];
      const tab = place.closest("[data-some]:not([aria-current])"); // a tab that is there once it has something
      if (tab) tab.hidden = place.textContent === "0";
    }
  }

  // The numbers of the saved filters, once for whatever comes within three seconds.
  let soon_counted = 0;
  function tabs() {
    if (soon_counted || !document.querySelector("[data-filter]")) return;
    soon_counted = setTimeout(async () => {
      soon_counted = 0;
      const answer = await fetch(new URL("api/v1/filters", root)).catch(() => null);
      for (const one of answer?.ok ? (await answer.json()).filters : []) {
        const place = document.querySelector(`[data-filter="${CSS.escape(one.id)}"]`);
        if (place) place.textContent = one.number;
      }
    }, 3000);
  }

  function who(list) {
    for (const row of rows()) {
      const here = list.filter((one) => one.comment === idOf(row)).map((one) => one.who);
      let place = row.querySelector(".looking");
      if (!here.length) { place?.remove(); continue; }
      if (!place) row.querySelector(".where")?.append(place = words("span", "", "looking"));
      if (place) place.textContent = ` · ${here.join(", ")} ${here.length > 1 ? "look" : "looks"} at this now`;
    }
  }

  // What this moderator has just done, a wave of hundreds say: here the page shows it already, or was made after it.
  const knows = () => performance.now() < 60_000 || Date.now() - Number(document.getElementById("queue")?.dataset.decided ?? 0) < 60_000;

  function listen() {
    if (source || document.hidden) return;
    source = new EventSource(new URL(`api/v1/events?since=${encodeURIComponent(last)}`, root));
    const hear = (name, act) => source.addEventListener(name, (event) => {
      if (event.lastEventId) last = event.lastEventId;
      act(JSON.parse(event.data));
    });
    hear("queue", (told) => { told.comments.forEach(changed); count(told.counts); tabs(); });
    hear("presence", (told) => who(told.looking));
    hear("resync", (told) => { tabs(); if (told.counts) count(told.counts); if (!told.own || !knows()) corner("Much has changed: load again"); });
  }

  // A hidden page listens to nothing: a browser opens only six connections to one host.
  function rest() {
    source?.close();
    source = null;
  }

  function look(id) {
    if (id === looking && Date.now() - beat < 10_000) return;
    looking = id;
    beat = Date.now();
    fetch(new URL("api/v1/presence", root), { method: "POST", keepalive: true, headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
      body: JSON.stringify({ comment: id ?? null }) }).catch(() => { /* the next beat says it again */ });
  }

  const one = rows().length === 1 && !document.getElementById("queue") ? idOf(rows()[0]) : null;
  const current = () => one ?? idOf(rows().find((row) => row.contains(document.activeElement)) ?? document.body);
  let soon = 0;
  document.addEventListener("focusin", () => {
    clearTimeout(soon);
    soon = setTimeout(() => { const id = current(); if (id) look(id); }, 400);
  });
  setInterval(() => { const id = current(); if (id && !document.hidden) look(id); }, 12_000);
  if (current()) look(current());
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : listen()));
  addEventListener("pagehide", () => { rest(); if (looking) look(null); });
  addEventListener("pageshow", listen);
  listen();
})();
