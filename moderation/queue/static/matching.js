// A decision on all that match, in batches: how far it is can be seen, it can be stopped, and all of it is one decision with one
// undo. Without this file the form does the same in one go.
import { at, send, words } from "./deciding.js";

const form = document.querySelector("form[data-matching]");
const BATCH = 200;
const DONE = { approve: "approved", spam: "filed as spam", reject: "rejected", delete: "deleted", hold: "held" };
const FORMS = ["csrf_token", "expected_count", "action", "reason", "note"]; // what is no filter

async function matching(filters) {
  let answer;
  try {
    answer = await fetch(at(`/api/v1/comments/revisions?${filters}`));
  } catch {
    throw { text: "The service cannot be reached" };
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw { text: (told.detail ?? `Error ${answer.status}`).replace(/\.$/, "") };
  return told.comments;
}

function alarm(text, ...more) {
  document.querySelector("#main > .alarm")?.remove();
  const said = words("p", `${text}. `, "alarm");
  said.setAttribute("role", "alert");
  said.append(...more);
  form.before(said);
}

const link = (text, href) => Object.assign(words("a", text, ""), { href });

function progress(of) {
  const box = words("div", "", "progress");
  const bar = Object.assign(document.createElement("progress"), { max: of, value: 0 });
  bar.setAttribute("aria-label", "Decided so far");
  const said = words("p", "", "");
  said.setAttribute("role", "status");
  const stop = Object.assign(words("button", "Stop", ""), { type: "button" });
  box.append(bar, said, stop);
  form.hidden = true;
  form.after(box);
  stop.focus();
  return { box, bar, said, stop };
}

async function work(action, reason, note) {
  const given = [...new FormData(form)].filter(([name]) => !FORMS.includes(name));
  const filters = new URLSearchParams(given);
  const list = (count, decision) => at(`/moderate?${new URLSearchParams([...given, ["done", action], ["count", count], ["decision", decision]])}`);
  const expected = Number(form.dataset.matching);
  let found;
  try {
    found = await matching(filters);
  } catch (wrong) {
    return alarm(`${wrong.text}; nothing changed`);
  }
  if (found.length !== expected) {
    return alarm(`${found.length} ${found.length === 1 ? "comment matches" : "comments match"} now, not ${expected}; nothing changed`, link("Look again", location.href));
  }
  const shown = progress(found.length);
  let joins = null, moved = 0, stopped = false;
  shown.stop.addEventListener("click", () => { stopped = true; shown.stop.disabled = true; });
  const leaving = (event) => event.preventDefault();
  addEventListener("beforeunload", leaving);
  try {
    for (let low = 0; low < found.length && !stopped; low += BATCH) {
      const some = found.slice(low, low + BATCH);
      const told = await send("/api/v1/decisions", { comments: some.map((one) => one.id), action, leave_changed: true, joins,
        reason: action === "reject" ? reason || null : null, note: note || null, expected_revision: Object.fromEntries(some.map((one) => [one.id, one.revision])) });
      if (told.comments.length) joins = told.id;
      moved += told.comments.length;
      shown.bar.value = low + some.length;
      shown.said.textContent = `${moved} of ${found.length} ${DONE[action]}`;
    }
  } catch (wrong) {
    removeEventListener("beforeunload", leaving);
    shown.box.remove();
    form.hidden = moved > 0;
    return alarm(`${wrong.text}; ${moved} of ${found.length} ${DONE[action]}`, link(moved ? "See the list, and undo it there" : "Look again", moved ? list(moved, joins) : location.href));
  }
  removeEventListener("beforeunload", leaving);
  location.assign(moved ? list(moved, joins) : at(`/moderate?${filters}`));
}

let busy = false;
form?.addEventListener("submit", (event) => {
  event.preventDefault();
  const action = event.submitter?.value;
  if (!action || busy) return;
  busy = true;
  const { reason, note } = form.elements;
  work(action, reason?.value, note?.value).finally(() => { busy = false; });
});
