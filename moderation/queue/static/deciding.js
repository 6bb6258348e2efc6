// Decisions in the queue without loading the page: a comment goes at the press, the next one is there, and what was decided is
// sent behind it. What could not be kept comes back to its place and says why. Without this file each decision loads the page.
// acting.js, which replies, redacts and blocks in the same way, builds on it.

export const form = document.getElementById("queue");
const csrf = document.querySelector('meta[name="csrf-token"]')?.content;
const LEADS_TO = { approve: "approved", spam: "spam", reject: "rejected", delete: "deleted", hold: "pending", snooze: "snoozed", unsnooze: "pending" };
const DONE = { approve: "approved", spam: "filed as spam", reject: "rejected", delete: "deleted", hold: "held" };
const FEW = 10; // so few rows left: those of the next page follow

// The public address of a path of the service, which may stand below a prefix. This file is /static/deciding.js.
const ROOT = new URL("..", import.meta.url);
export const at = (path) => new URL(path.slice(1), ROOT).href;

export const words = (tag, text, name) => Object.assign(document.createElement(tag), { textContent: text, className: name });
export const field = (row, name) => row.querySelector(`input[name^="${name}-"]`);
export const idOf = (row) => field(row, "seen").name.slice(5);

// What a row stands for, with the revisions that were seen: one comment, or all of a wave.
export const seenOf = (row) => {
  const wave = field(row, "wave")?.value.split(" ").map((pair) => pair.split(":"));
  return Object.fromEntries((wave ?? [[idOf(row), field(row, "seen").value]]).map(([id, revision]) => [id, Number(revision)]));
};

// Its buttons stand for a state that is no more: the newer state is said in their place, where nothing else moves.
document.addEventListener("overtaken", (event) => {
  const row = event.target, { text, id } = event.detail;
  if (!row.classList.contains("overtaken")) {
    row.classList.add("overtaken");
    row.querySelector(".decide")?.replaceChildren();
    for (const box of row.querySelectorAll('input[name="comments"]')) Object.assign(box, { checked: false, disabled: true });
  }
  let said = row.querySelector(".newer");
  if (!said) {
    said = words("span", "", "newer");
    said.setAttribute("role", "status");
    row.querySelector(".decide")?.append(said);
  }
  said.replaceChildren(`${text}. `, Object.assign(words("a", "See its current state", ""), { href: at(`/moderate/comments/${id}`) }));
});

const list = form?.querySelector(".rows");
const status = form?.dataset.status;
const rows = () => [...list.querySelectorAll("[data-row]")];
const gone = new Map(); // what was decided here → the revision that it had then; a later one has come back
export const acts = []; // what can still be undone, the latest last
const under_way = new Set();
const ready = new WeakMap(); // row → until its undo is kept
let filling = false;

export function say(text, act) {
  let box = document.querySelector(".notice");
  if (!box) {
    box = words("div", "", "notice");
    box.setAttribute("role", "status");
    document.getElementById("main").before(box);
  }
  box.replaceChildren(words("p", text, ""));
  if (!act) return;
  const button = words("button", text === act.label ? "Undo" : `Undo before that: ${act.label}`, "plain");
  button.type = "button";
  button.dataset.undo = "";
  if (text === act.label) button.append(words("span", `: ${act.label}`, "hush"));
  button.addEventListener("click", () => undo(act));
  box.append(button);
}

export function move(name, by) {
  for (const place of document.querySelectorAll(`[data-count="${name}"]`)) {
    place.textContent = Math.max(0, Number(place.textContent) + by);
    const tab = place.closest("[data-some]:not([aria-current])"); // a tab that is there once it has something
    if (tab) tab.hidden = place.textContent === "0";
  }
}

function count(act, step) {
  form.dataset.decided = Date.now(); // which live.js needs not call news
  move(status, -step * act.size);
  move("match", -step * act.size);
  move(LEADS_TO[act.action], step * act.size);
  shown();
}

function shown() {
  const place = form.querySelector("[data-here]");
  if (place) place.textContent = rows().reduce((sum, row) => sum + Object.keys(seenOf(row)).length, 0);
  together();
}

// On the page of a wave: the buttons for all stand for those that are left, at the revisions that they have now.
const whole = document.querySelector("form.together");
function together() {
  if (!whole) return;
  const left = Object.entries(Object.assign({}, ...rows().map(seenOf)));
  whole.hidden = left.length < 2;
  if (whole.hidden) return;
  const [id, revision] = left[0];
  Object.assign(field(whole, "seen"), { name: `seen-${id}`, value: revision });
  Object.assign(field(whole, "wave"), { name: `wave-${id}`, value: left.map((pair) => pair.join(":")).join(" ") });
  for (const button of whole.querySelectorAll('button[name="one"]')) {
    button.value = `${button.value.split(":")[0]}:${id}`;
    button.textContent = button.textContent.replace(/\d+$/, left.length);
  }
}
whole?.addEventListener("click", together);

export const look = (row) => {
  row?.focus();
  row?.scrollIntoView({ block: "nearest" });
};

// Raises what a person can read, with the newer state where there is one.
export async function send(path, told) {
  const body = told && JSON.stringify(told);
  let answer;
  try {
    // `keepalive`: what was pressed is kept, even if the page is left at once
    answer = await fetch(at(path), { method: "POST", body, keepalive: (body?.length ?? 0) < 20_000,
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf } });
  } catch {
    throw { text: "The service cannot be reached", changed: [] };
  }
  const said = await answer.json().catch(() => ({}));
  if (answer.ok) return said;
  if (answer.status === 401) throw { text: "You are signed out; sign in again", changed: [] };
  const fields = said.errors?.map((one) => `${one.field} ${one.message}`).join("; ");
  const text = fields ? fields[0].toUpperCase() + fields.slice(1) : said.detail ?? `Error ${answer.status}`;
  throw { text: text.replace(/\.$/, ""), changed: said.comments ?? [] };
}

function forget(act) {
  const at = acts.indexOf(act);
  if (at >= 0) acts.splice(at, 1);
}

export function put_back(act) {
  empty(null);
  act.rows.forEach((row, at) => {
    if (act.places[at].isConnected) act.places[at].replaceWith(row);
    for (const id of Object.keys(seenOf(row))) gone.delete(id);
  });
  count(act, -1);
}

export function newer(act, changed) {
  for (const row of act.rows) {
    const mine = seenOf(row);
    const one = changed.find((found) => found.id in mine);
    if (!one) continue;
    const text = Object.keys(mine).length > 1 ? "Some of this wave have changed meanwhile" : `Now ${one.status}`;
    row.dispatchEvent(new CustomEvent("overtaken", { bubbles: true, detail: { text, id: one.id } }));
  }
}

// The rows go, and the next one is looked at. `said`: what has been done, where it is not a decision on these alone.
export function leave(action, chosen, said) {
  const all = rows(), last = all.indexOf(chosen.at(-1));
  const next = all.slice(last + 1).find((row) => !chosen.includes(row)) ?? all.slice(0, last).reverse().find((row) => !chosen.includes(row));
  const size = chosen.reduce((sum, row) => sum + Object.keys(seenOf(row)).length, 0);
  const here = document.activeElement?.closest("[data-row]"), elsewhere = said && here && !chosen.includes(here);
  const act = { action, size, rows: chosen, places: chosen.map(() => document.createComment("decided")),
    label: said ?? `${size} ${size === 1 ? "comment" : "comments"} ${DONE[action]}`, back: false };
  chosen.forEach((row, at) => {
    row.querySelector(".box")?.remove();
    for (const more of row.querySelectorAll("[data-more][open]")) more.open = false;
    for (const box of row.querySelectorAll('input[name="comments"]')) box.checked = false;
    for (const id of Object.keys(seenOf(row))) gone.set(id, Infinity);
    row.replaceWith(act.places[at]);
  });
  acts.push(act);
  count(act, 1);
  say(act.label, act);
  if (!elsewhere) look(next);
  return act;
}

// One of a wave is decided on alone: `rest` stands for the others, in the row's place.
export function instead(action, row, rest, label) {
  const act = { action, size: 1, rows: [row], places: [rest], label, back: false };
  row.replaceWith(rest);
  acts.push(act);
  count(act, 1);
  say(label, act);
  look(rest);
  return act;
}

export function kept(act, told) {
  act.id = told.id;
  if (!act.back) for (const one of told.comments) gone.set(one.id, one.revision);
}

function decide(action, chosen, why) {
  const act = leave(action, chosen);
  act.sent = (async () => {
    await Promise.all(chosen.map((row) => ready.get(row)));
    try {
      const seen = Object.assign({}, ...chosen.map(seenOf));
      const told = await send("/api/v1/decisions", { comments: Object.keys(seen), action, expected_revision: seen, ...why });
      kept(act, told);
    } catch (wrong) {
      forget(act);
      if (!act.back) put_back(act);
      act.back = true;
      newer(act, wrong.changed);
      say(`Not kept, ${act.label}: ${wrong.text}.`, acts.at(-1));
      look(act.rows[0]);
    }
  })();
  under(act.sent);
}

function undo(act) {
  if (act.back) return;
  act.back = true;
  forget(act);
  if (act.take_back) return under(act.take_back());
  put_back(act);
  say(`The decision is undone: ${act.label}`, acts.at(-1));
  look(act.rows[0]);
  const done = (async () => {
    await act.sent;
    if (!act.id) return;
    try {
      const moved = (await send(`/api/v1/decisions/${act.id}/undo`)).comments;
      const now = Object.fromEntries(moved.map((one) => [one.id, one.revision]));
      for (const row of act.rows) {
        field(row, "seen").value = now[idOf(row)];
        const wave = field(row, "wave");
        if (wave) wave.value = Object.entries(seenOf(row)).map(([id, old]) => `${id}:${now[id] ?? old}`).join(" ");
      }
    } catch (wrong) {
      newer(act, wrong.changed);
      say(`Not undone, ${act.label}: ${wrong.text}.`, acts.at(-1));
    }
  })();
  for (const row of act.rows) {
    ready.set(row, done);
    row.dataset.returning = "";
  }
  done.finally(() => act.rows.forEach((row) => delete row.dataset.returning));
  under(done);
}

export function under(promise) {
  under_way.add(promise);
  form.dataset.sending = "";
  promise.finally(() => {
    under_way.delete(promise);
    if (!under_way.size) delete form.dataset.sending;
    refill();
  });
}

// The rows of the next page come below these. Where nothing is left, whatever has come meanwhile; else the page says so.
async function refill(asked = false) {
  const more = document.querySelector(".more a"), last = rows().at(-1);
  if (filling || !asked && (under_way.size || rows().length > (more ? FEW : 0))) return;
  filling = true;
  let found = 0;
  try {
    const answer = await fetch(more?.href ?? at(form.elements.back.value));
    if (!answer.ok) throw answer;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const here = new Set(rows().flatMap((row) => Object.keys(seenOf(row))));
    for (const row of page.querySelectorAll("#queue [data-row]")) {
      const id = idOf(row);
      if (here.has(id) || Number(field(row, "seen").value) <= gone.get(id)) continue;
      list.append(document.adoptNode(row));
      found += 1;
    }
    const following = page.querySelector(".more");
    if (more && following) more.href = following.querySelector("a").getAttribute("href");
    else if (more) more.closest(".more").remove();
    else if (following && found) document.querySelector(".keys").before(document.adoptNode(following));
    empty(found || rows().length || more ? null : page.querySelector(".empty"));
    shown();
    if (asked && found) look(rows()[rows().indexOf(last) + 1]);
    else if (document.activeElement === document.body) look(rows()[0]);
  } catch { // loading the page does the same
    if (asked) location.assign(more.href);
    return;
  } finally {
    filling = false;
  }
  if (more) refill();
}

function empty(said) {
  document.querySelector(".empty")?.remove();
  form.hidden = Boolean(said);
  if (said) form.after(document.adoptNode(said));
}

// All that are shown, by mouse and thumb: as Shift+X does.
const tick = form?.querySelector("[data-tick-all]");
if (tick) tick.hidden = false;
tick?.addEventListener("click", () => {
  const boxes = [...list.querySelectorAll('input[name="comments"]:not(:disabled)')], on = !boxes.every((box) => box.checked);
  for (const box of boxes) box.checked = on;
});

// More of the list below what is there, so that all of it can be ticked: up to 500 at once.
document.addEventListener("click", (event) => {
  if (!form || !event.target.closest(".more a") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  refill(true);
});

form?.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || button.hasAttribute("formaction") || !["one", "action"].includes(button.name) || !button.value) return;
  const action = button.value.split(":")[0];
  const chosen = button.name === "one" ? [button.closest("[data-row]")]
    : rows().filter((row) => row.querySelector('input[name="comments"]:checked'));
  event.preventDefault();
  if (!chosen.length) return;
  const { reason, note } = form.elements;
  decide(action, chosen, action === "reject" ? { reason: reason?.value || null, note: note?.value || null } : {});
  if (reason) reason.value = "";
  note?.remove();
});
