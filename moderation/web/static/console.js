// The keyboard, and nothing else: every key presses what is on the page and works without this file; where that is a page of
// its own, its form comes to the comment instead.
"use strict";

(() => {
  const KEYS = { a: "approve", s: "spam", d: "delete", u: "hold" };
  const HELP = [
    ["j", "next comment"], ["k", "previous comment"], ["a", "approve"], ["s", "spam"],
    ["r", "reject, then 1 to 6 for the reason, r for none, n for a note"], ["d", "delete"],
    ["v", "why: labels, weights, rules, model"],
    ["c", "reply as staff"],
    ["e", "remove a piece of the text: what is selected"],
    ["b", "block or close, then a figure for what"],
    ["h", "snooze, then 1 this evening, 2 tomorrow, 3 next week"], ["m", "assign to me, or to me no more"], ["u", "back to the queue"], ["x", "tick or untick"],
    ["Shift+X", "tick all that are shown, or none"], ["Shift+M", "all that match the filter, on every page"], ["Shift+A, S, D, R, U", "the same as a, s, d, r, u for all that are ticked"], ["o", "open with all decisions"],
    ["p", "everything by the same author"], ["z", "undo the last decision"],
    ["?", "this list"],
  ];
  const all = () => [...document.querySelectorAll("[data-row]")]; // asked anew: deciding.js takes rows and brings others
  const one = all().length === 1 && !document.getElementById("queue");
  let pressed = false; // a page is on its way: a second key must not decide the next comment unseen
  let place = null; // of the row that a key speaks for

  const kept = (store, key, value) => {
    try {
      if (value === undefined) return store.getItem(key);
      if (value === null) store.removeItem(key);
      else store.setItem(key, value);
    } catch { /* storage is switched off: the keys work all the same */ }
    return null;
  };
  const off = () => kept(localStorage, "keys") === "off";
  const current = () => (one ? all()[0] : all().find((row) => row.contains(document.activeElement)));
  const look = (row) => {
    if (!row) return;
    row.focus();
    row.scrollIntoView({ block: "nearest" });
  };

  function move(step) {
    const rows = all(), at = rows.indexOf(current());
    if (step > 0 && at === rows.length - 1) document.querySelector(".more a")?.click();
    else look(rows[at < 0 ? 0 : Math.max(at + step, 0)]);
  }

  function press(button, row = current()) {
    if (!button || pressed) return;
    place = String(Math.max(all().indexOf(row), 0));
    button.click();
    place = null;
  }

  const close = (look) => {
    const box = document.querySelector(".box");
    const row = box?.closest("[data-row]");
    box?.remove();
    for (const id of ["reply-form", "redact-form"]) document.getElementById(id)?.remove();
    if (look && row) row.focus();
  };

  // What a template holds, below the comment: one at a time, and gone with Escape.
  function open(row, name) {
    close(false);
    const piece = document.getElementById(name)?.content.cloneNode(true);
    if (!piece) return null;
    const box = piece.querySelector(".box");
    (row.querySelector(".decide") ?? row).after(box);
    document.body.append(piece);
    box.querySelector("[data-close]")?.addEventListener("click", () => close(true));
    box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") close(true);
      else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) box.querySelector("[type=submit]")?.click();
    });
    return box;
  }

  // `what` is reply or redact: the form of the page that the row's link leads to.
  function ask(row, what) {
    const marked = String(getSelection()).trim();
    const within = row.querySelector(".body")?.contains(getSelection().anchorNode);
    const link = row.querySelector(`a[data-${what}]`);
    const box = link && open(row, `${what}-box`);
    if (!box) return false;
    const form = document.getElementById(`${what}-form`);
    form.action = new URL(link.href).pathname;
    form.elements.seen.value = row.querySelector('input[name^="seen-"]')?.value ?? "";
    form.addEventListener("submit", (event) => {
      if (pressed) event.preventDefault();
      else place = String(Math.max(all().indexOf(row), 0));
    });
    const field = box.querySelector("textarea, input");
    if (what === "redact" && within) field.value = marked;
    field.focus();
    box.scrollIntoView({ block: "nearest" });
    return true;
  }

  function reject(row) {
    const button = row.querySelector("[data-act=reject]");
    const box = button && open(row, "reject-box");
    if (!box) return;
    const fields = button.form.elements;
    const said = box.querySelector("#reject-note");
    for (const choice of box.querySelectorAll("[data-choice]")) choice.addEventListener("click", () => {
      if (!fields.note) button.form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "note" }));
      fields.reason.value = choice.dataset.reason;
      if (said.value) fields.note.value = said.value;
      press(button, row);
    });
    said.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.ctrlKey) return;
      event.preventDefault();
      box.querySelector("[data-choice]").focus();
    });
    box.querySelector("[data-choice]").focus();
    box.scrollIntoView({ block: "nearest" });
  }

  // What the menu offers of one kind, each with a figure.
  function choices(row, kind) {
    const more = row.querySelector("[data-more]");
    if (!more) return;
    close(false);
    more.open = true;
    for (const other of more.querySelectorAll("[data-choice]")) {
      delete other.dataset.choice;
      other.querySelector("kbd").remove();
    }
    [...more.querySelectorAll(`[data-${kind}]`)].forEach((button, at) => {
      button.dataset.choice = String(at + 1);
      button.prepend(Object.assign(document.createElement("kbd"), { textContent: at + 1 }), " ");
    });
    more.querySelector(`[data-${kind}]`)?.focus();
  }

  function why(row) {
    const verdict = row.querySelector("details.verdict");
    if (verdict) verdict.open = !verdict.open;
    look(row);
  }

  // The second key, where the first one asked which.
  function choose(row, key) {
    const place = row?.querySelector(".box") ?? row?.querySelector("[data-more][open]");
    if (!place) return false;
    if (key === "Escape") {
      if (place.open) place.open = false;
      close(false);
      row.focus();
      return true;
    }
    if (key === "n" && place.querySelector("#reject-note")) {
      place.querySelector("#reject-note").focus();
      return true;
    }
    const chosen = [...place.querySelectorAll("[data-choice]")].find((button) => button.dataset.choice === key);
    if (!chosen) return false;
    if (chosen.dataset.reason === undefined) press(chosen, row);
    else chosen.click();
    return true;
  }

  // As WordPress has it: with Shift, all that are ticked.
  function ticked(key) {
    const boxes = [...document.querySelectorAll('#queue input[name="comments"]:not(:disabled)')];
    if (key === "X") {
      const on = !boxes.every((box) => box.checked);
      for (const box of boxes) box.checked = on;
    } else if (boxes.some((box) => box.checked)) {
      press(document.querySelector(`.bulk button[value=${key === "R" ? "reject" : KEYS[key.toLowerCase()]}]`));
    }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-reply], a[data-redact]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (ask(link.closest("[data-row]"), "reply" in link.dataset ? "reply" : "redact")) event.preventDefault();
  });

  function help() {
    let dialog = document.querySelector("dialog");
    if (!dialog) {
      dialog = document.createElement("dialog");
      dialog.setAttribute("aria-labelledby", "keys-title");
      const title = document.createElement("h2");
      title.id = "keys-title";
      title.textContent = "Keyboard";
      const list = document.createElement("dl");
      for (const [key, does] of HELP) {
        const term = document.createElement("dt");
        term.append(Object.assign(document.createElement("kbd"), { textContent: key }));
        list.append(term, Object.assign(document.createElement("dd"), { textContent: does }));
      }
      // WCAG 2.1.4: single keys can be switched off, for those who speak to their computer.
      const label = document.createElement("label");
      label.className = "tick";
      const box = Object.assign(document.createElement("input"), { type: "checkbox", checked: !off() });
      box.addEventListener("change", () => kept(localStorage, "keys", box.checked ? null : "off"));
      label.append(box, "Use single keys in this browser");
      const close = Object.assign(document.createElement("button"), { type: "button", textContent: "Close" });
      close.addEventListener("click", () => dialog.close());
      dialog.append(title, list, label, close);
      document.body.append(dialog);
    }
    if (dialog.open) dialog.close();
    else dialog.showModal();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat && !"jk".includes(event.key)) return;
    // Chromium sends a form at Enter in a checkbox. Only a button decides here.
    if (event.key === "Enter" && event.target.matches(".queue input, .decision input") && !event.target.closest(".box")) return event.preventDefault();
    if (event.target.closest("select, textarea, input:not([type=checkbox])")) return;
    if (event.key === "?") return help();
    if (off() || document.querySelector("dialog[open]")) return;
    const row = current();
    const act = KEYS[event.key];
    if (event.shiftKey && "ASDRUX".includes(event.key)) {
      ticked(event.key);
      return event.preventDefault();
    }
    if (choose(row, event.key)) return event.preventDefault();
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "z") press(document.querySelector("[data-undo]"));
    else if (event.key === "x" && row) row.querySelector("input[name=comments][type=checkbox]")?.click();
    else if (event.key === "o" && row) row.querySelector("[data-open]")?.click();
    else if (event.key === "p" && row) row.querySelector("a[data-author]")?.click();
    else if (event.key === "v" && row) why(row);
    else if (event.key === "r" && row) reject(row);
    else if (event.key === "b" && row) choices(row, "block");
    else if (event.key === "h" && row) choices(row, "snooze");
    else if (event.key === "m" && row) press(row.querySelector("[data-assign]"));
    else if (event.key === "c" && row) ask(row, "reply");
    else if (event.key === "e" && row) ask(row, "redact");
    else if (act && row?.querySelector(`[data-act=${act}]`)) press(row.querySelector(`[data-act=${act}]`));
    else if (event.key === "M") document.querySelector("[data-match]")?.click();
    else if (event.key === "u") document.querySelector("a[data-up]")?.click();
    else return;
    event.preventDefault();
  });

  // After a decision by key, the comment that moved up into its place is in focus.
  const left = kept(sessionStorage, "row");
  kept(sessionStorage, "row", null);
  if (left !== null) look(all()[Math.min(Number(left), all().length - 1)]);
  addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    pressed = true;
    if (place !== null) kept(sessionStorage, "row", place);
  });
  addEventListener("pageshow", () => { pressed = false; });
})();
