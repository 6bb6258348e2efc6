// Replies, pieces removed, and blocks in the queue without loading the page: the same requests as by API, and what became of
// it is said where it was pressed. Nothing typed is lost: a box stays until it is kept. Without this file each loads a page.
import { acts, at, field, form, idOf, instead, kept, leave, look, newer, say, seenOf, send, under, words } from "./deciding.js";

const busy = new WeakSet(); // rows

function wrong(place, text) {
  let said = place.querySelector(".alarm");
  if (!said) {
    said = words("p", "", "alarm");
    said.setAttribute("role", "alert");
    place.prepend(said);
  }
  said.textContent = text;
}

function close(row) {
  row.querySelector(".box")?.remove();
  for (const id of ["reply-form", "redact-form"]) document.getElementById(id)?.remove();
}

// A row as it is now: what an act may have changed of it. The place in the list, a tick and who looks stay.
async function refresh(row) {
  const query = new URLSearchParams({ back: form.elements.back.value });
  const answer = await fetch(at(`/moderate/comments/${idOf(row)}/row?${query}`));
  const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-row]");
  if (!fresh) throw { text: "It is done; load the page to see it", changed: [] };
  for (const part of ["header", ".body", ".appeal", ".verdict", ".further"]) {
    const now = fresh.querySelector(part);
    const old = row.querySelector(part);
    if (!now || !old) continue;
    if (part === ".verdict") now.open = old.open;
    old.replaceWith(document.adoptNode(now));
  }
}

// What was blocked from one comment is blocked for the others too: their buttons say so.
async function others(but) {
  const answer = await fetch(at(form.elements.back.value));
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const fresh of page.querySelectorAll("#queue [data-row]")) {
    const row = document.getElementById(fresh.id), old = row?.querySelector(".further");
    const now = fresh.querySelector(".further");
    if (row && row !== but && old && now && !old.open) old.replaceWith(document.adoptNode(now));
  }
}

// Nobody is called back to a row that they have left meanwhile.
const look_here = (row) => {
  const here = document.activeElement?.closest("[data-row]");
  if (row.isConnected && (!here || here === row)) look(row);
};

function renewed(row, id, revision) {
  field(row, "seen").value = revision;
  const wave = field(row, "wave");
  if (wave) wave.value = wave.value.split(" ").map((pair) => (pair.startsWith(`${id}:`) ? `${id}:${revision}` : pair)).join(" ");
}

// The row that the list has for what is left of a wave.
async function standing_for(ids) {
  const answer = await fetch(at(form.elements.back.value)).catch(() => null);
  const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page && [...page.querySelectorAll("#queue [data-row]")].find((row) => Object.keys(seenOf(row)).some((id) => ids.includes(id)));
  return found ? document.adoptNode(found) : null;
}

async function reply(row, sent) {
  const { name, body, approve, seen } = Object.fromEntries(new FormData(sent));
  row.dataset.returning = ""; // our own change is no news
  try {
    const told = await send(`/api/v1/comments/${idOf(row)}/replies`, { name, body, approve: approve === "1", expected_revision: Number(seen) });
    if (approve === "1") await answered(row, told);
    else {
      const act = { action: "approve", size: 0, rows: [], places: [], label: "Your reply is published", id: told.id, back: false };
      acts.push(act);
      close(row);
      say(act.label, act);
      look_here(row);
    }
  } finally {
    delete row.dataset.returning;
  }
}

// What was answered is published too; what is left of a wave stays, as a row of its own.
async function answered(row, told) {
  const said = "Your reply is published, and what it answers", others = Object.keys(seenOf(row)).filter((one) => one !== idOf(row));
  const rest = others.length && await standing_for(others);
  if (others.length && !rest) return location.assign(at(form.elements.back.value)); // the list is another one now
  close(row);
  kept(rest ? instead("approve", row, rest, said) : leave("approve", [row], said), told);
}

async function redact(row, sent) {
  const id = idOf(row), { text, seen } = Object.fromEntries(new FormData(sent));
  row.dataset.returning = ""; // our own change is no news
  try {
    const told = await send(`/api/v1/comments/${id}/redact`, { text, expected_revision: Number(seen) });
    renewed(row, id, told.revision);
    await refresh(row);
  } finally {
    delete row.dataset.returning;
  }
  close(row);
  say("It is removed, and nothing of it is kept.", acts.at(-1));
  look_here(row);
}

async function block(row, button) {
  const id = idOf(row), target = button.value, said = button.dataset.done;
  const lifts = button.getAttribute("formaction").endsWith("/unblock");
  const lasts = row.querySelector(`[name="lasts-${id}"]`)?.value, reason = row.querySelector(`[name="because-${id}"]`)?.value;
  const set = async (lift) => {
    await send(`/api/v1/comments/${id}/${lift ? "unblock" : "block"}`, lift ? { target } : { target, lasts, reason });
    await refresh(row);
    others(row).catch(() => { /* pressed again, it is done already */ });
  };
  await set(lifts);
  const act = { label: said, back: false, take_back: async () => {
    try {
      const again = row.querySelector(`[data-block][value="${CSS.escape(target)}"]`)?.dataset.done ?? `Undone: ${said}`;
      await set(!lifts);
      say(again, acts.at(-1));
      look_here(row);
    } catch (failed) {
      say(`Not undone, ${said}: ${failed.text}.`, acts.at(-1));
    }
  } };
  acts.push(act);
  say(said, act);
  look_here(row);
}

// One at a time on a row. `place`: where it says why it could not be done.
function act(row, place, doing, typed = "") {
  if (busy.has(row)) return;
  busy.add(row);
  under(doing().catch((failed) => {
    newer({ rows: [row] }, failed.changed ?? []);
    wrong(place(), `${failed.text ?? "Something went wrong"}.${typed}`);
    const one = failed.changed?.find((found) => found.id === idOf(row));
    const seen = document.querySelector("#reply-form, #redact-form")?.elements.seen;
    if (one && seen) seen.value = one.revision; // pressed once more, it is meant for the newer state, which is in view
  }).finally(() => busy.delete(row)));
}

document.addEventListener("submit", (event) => {
  const sent = event.target, box = document.querySelector("#queue .box"), row = box?.closest("[data-row]");
  const doing = { "reply-form": reply, "redact-form": redact }[sent.id];
  if (!form || !doing || !row) return;
  event.preventDefault();
  act(row, () => box, () => doing(row, sent), " Your text is still here.");
});

form?.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.matches("[data-block]")) return;
  event.preventDefault();
  const row = button.closest("[data-row]"), more = row.querySelector(".further");
  more.open = false;
  look(row);
  act(row, () => {
    const choices = row.querySelector(".further .choices") ?? row;
    if (choices !== row) row.querySelector(".further").open = true;
    return choices;
  }, () => block(row, button));
});
