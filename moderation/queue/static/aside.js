// Snoozes and assignments in the queue without loading the page. What is snoozed leaves the list as what is decided does; times are
// those of this browser's own zone. Without this file each loads a page, and the times are UTC's.
import { acts, at, field, form, idOf, leave, look, move, put_back, say, seenOf, send, under } from "./deciding.js";

document.documentElement.classList.add("local");
const busy = new WeakSet(); // rows

// The next evening, morning, or Monday's morning, as `queue/snooze.py` has them in UTC.
function moment(choice) {
  const now = new Date(), at = new Date(now);
  at.setHours(choice === "evening" ? 18 : 9, 0, 0, 0);
  if (choice === "tomorrow") at.setDate(at.getDate() + 1);
  if (choice === "week") at.setDate(at.getDate() + 7 - (at.getDay() + 6) % 7);
  if (choice === "evening" && at - now < 30 * 60_000) at.setTime(now.getTime() + 3 * 3_600_000);
  return at;
}

const { lang } = document.documentElement;
const written = (at) => at.toLocaleString(lang === "en" ? "en-GB" : lang, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

async function snooze(row, choice) {
  const ids = Object.keys(seenOf(row)), wakes = choice === "now", until = wakes ? null : moment(choice);
  const here = form.dataset.snoozed === "only"; // the list of what is snoozed
  const said = wakes ? "Back in the queue" : `${ids.length} ${ids.length === 1 ? "comment" : "comments"} snoozed until ${written(until)}`;
  const act = wakes === here ? leave(wakes ? "unsnooze" : "snooze", [row], said) : null;
  if (act) act.take_back = () => back(act, "snoozes");
  const sent = send("/api/v1/snoozes", { comments: ids, until: until?.toISOString() ?? null });
  if (act) act.sent = sent.then((told) => { act.id = told.id; }, () => { /* said below */ });
  try {
    await sent;
    if (!act) location.reload();
  } catch (wrong) {
    if (act) {
      acts.splice(acts.indexOf(act), 1);
      put_back(act);
    }
    say(`Not kept, ${said}: ${wrong.text}.`, acts.at(-1));
    look(row);
  }
}

async function back(act, kind) {
  put_back(act);
  say(`It is undone: ${act.label}`, acts.at(-1));
  look(act.rows[0]);
  await act.sent;
  try {
    if (act.id) await send(`/api/v1/${kind}/${act.id}/undo`);
  } catch (wrong) {
    say(`Not undone, ${act.label}: ${wrong.text}.`, acts.at(-1));
  }
}

// The row's line and its menu, as they are now.
async function refresh(row) {
  const query = new URLSearchParams({ back: form.elements.back.value });
  const answer = await fetch(at(`/moderate/comments/${idOf(row)}/row?${query}`));
  const fresh = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-row]");
  if (!fresh) throw { text: "It is done; load the page to see it" };
  for (const part of [".shared", ".further"]) {
    const now = fresh.querySelector(part);
    if (now) row.querySelector(part)?.replaceWith(document.adoptNode(now));
  }
}

async function assign(row, to) {
  const ids = Object.keys(seenOf(row)), label = to ? "Assigned to you" : "Assigned to nobody";
  try {
    const told = await send("/api/v1/assignments", { comments: ids, to: to || null });
    const step = to ? ids.length : -ids.length;
    move("mine", step);
    const act = { label, back: false, take_back: async () => {
      try {
        await send(`/api/v1/assignments/${told.id}/undo`);
        move("mine", -step);
        await refresh(row);
        say(`It is undone: ${label}`, acts.at(-1));
        look(row);
      } catch (wrong) {
        say(`Not undone, ${label}: ${wrong.text}.`, acts.at(-1));
      }
    } };
    acts.push(act);
    await refresh(row);
    say(label, act);
  } catch (wrong) {
    say(`Not kept, ${label}: ${wrong.text}.`, acts.at(-1));
  }
  if (row.isConnected) look(row);
}

form?.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.matches("[data-snooze], [data-assign]")) return;
  event.preventDefault();
  const row = button.closest("[data-row]");
  row.querySelector(".further").open = false;
  if (busy.has(row) || !field(row, "seen")) return;
  busy.add(row);
  const done = button.matches("[data-snooze]") ? snooze(row, button.value) : assign(row, button.value);
  under(done.finally(() => busy.delete(row)));
});
