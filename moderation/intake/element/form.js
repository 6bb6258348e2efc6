// A control with its label and its place for a complaint.
class Field {
  constructor(words, id, label, control, needed, hint) {
    this.control = control;
    this.hint = hint && h("p", { class: "note", id: `${id}-hint` }, hint);
    control.id = id;
    control.required = needed;
    this.complaint = h("p", { class: "error", id: `${id}-error`, hidden: true });
    this.node = h("div", { class: "field" },
      h("label", { for: id }, label, needed && h("span", { class: "star", "aria-hidden": "true" }, " *")), control, this.hint, this.complaint);
    this.complain("");
  }

  complain(text) {
    const { control, complaint, hint } = this;
    complaint.textContent = text || "";
    complaint.hidden = !text;
    control.ariaInvalid = text ? "true" : null;
    control.setAttribute("aria-describedby", (text ? complaint : hint || complaint).id);
  }
}

// What is common to the reply and to an edit: one thing at a time, and each complaint at its field.
class Sending {
  constructor(words, fields, button, alert) {
    Object.assign(this, { words, fields, button, alert, ready: button.textContent });
  }

  // `aria-disabled`, for a disabled button would lose the focus.
  block(label) {
    this.blocked = Boolean(label);
    this.button.textContent = label || this.ready;
    this.button.ariaDisabled = label ? "true" : null;
  }

  async run(act, say) {
    if (this.blocked) return;
    for (const field of Object.values(this.fields)) field.complain("");
    this.alert.replaceChildren();
    this.block(this.words.say("sending"));
    try {
      await act();
      this.block("");
    } catch (trouble) {
      this.block("");
      this.complain(trouble);
      if (trouble.code === "too_fast") this.pause(trouble.after, say);
    }
  }

  complain(trouble) {
    const { words, fields, alert } = this;
    const general = trouble.errors.filter(({ field }) => !fields[field]).map((error) => words.wrong(error));
    for (const error of trouble.errors) fields[error.field]?.complain(words.wrong(error));
    if (!trouble.errors.length) general.push(words.problem(trouble));
    alert.replaceChildren(...general.map((text) => h("p", {}, text)));
    const first = Object.values(fields).find((field) => !field.complaint.hidden);
    (first ? first.control : alert).focus();
  }

  async pause(seconds, say) {
    this.block(this.ready);
    await wait(seconds);
    this.block("");
    this.alert.replaceChildren();
    say(this.words.say("ready"));
  }
}

const alertBox = () => h("div", { class: "alert", role: "alert", tabindex: "-1" });

// One form for the whole thread: it moves below the comment that is replied to, with all that is typed in it.
class ReplyForm {
  constructor(talk) {
    const { words, service, memory } = talk;
    Object.assign(this, { talk, words, memory, to: null });
    const { required, offer_notify, privacy_url } = service.facts;
    const kept = memory.author || {};
    const input = (name, type, dir) => h("input", { name, type, dir, autocomplete: name, value: kept[name] });
    const field = (name, control, hint) => new Field(words, `reply-${name}`, words.say(name), control, required.includes(name), hint);
    this.fields = {
      body: field("body", h("textarea", { name: "body", rows: 6, dir: "auto" }), words.say("markdown")),
      name: field("name", input("name", "text", "auto")),
      email: field("email", input("email", "email", "ltr")),
      url: field("url", input("url", "url", "ltr")),
    };
    this.remember = h("input", { type: "checkbox", id: "reply-remember", checked: Boolean(memory.author) });
    this.notify = offer_notify && h("input", { type: "checkbox", id: "reply-notify" });
    this.title = h("h2", { id: "reply-title" });
    this.cancel = h("button", { type: "button", class: "plain", click: () => this.home(true) }, words.say("cancel"));
    this.preview = h("div", { class: "preview field", role: "group", "aria-label": words.say("preview"), tabindex: "-1", hidden: true });
    const button = h("button", { type: "submit", part: "button" }, words.say("send"));
    const alert = alertBox();
    const tick = (box, key) => box && h("p", { class: "tick" }, box, h("label", { for: box.id }, words.say(key)));
    this.form = h("form", { novalidate: true, submit: (event) => this.submit(event) },
      this.fields.body.node,
      this.preview,
      h("div", { class: "pair" }, this.fields.name.node, this.fields.email.node),
      this.fields.url.node,
      tick(this.remember, "remember"),
      tick(this.notify, "notify"),
      privacy_url && h("p", { class: "note" }, h("a", { href: privacy_url, rel: "privacy-policy" }, words.say("privacy"))),
      alert,
      h("p", { class: "acts" }, button, h("button", { type: "button", class: "plain", click: () => this.see() }, words.say("preview"))));
    this.node = h("section", { class: "reply", part: "form", "aria-labelledby": "reply-title" },
      this.title, this.cancel, h("p", { class: "note" }, ...this.note()), this.form);
    this.sending = new Sending(words, this.fields, button, alert);
    this.form.addEventListener("input", () => {
      this.preview.hidden = true;
      this.keepDraft();
    });
    this.form.addEventListener("focusin", () => service.learn());
    this.fields.body.control.value = memory.draft?.body || "";
    this.home();
  }

  note() {
    const [before, after] = this.words.say("note").split("*");
    return [before, h("span", { class: "star" }, "*"), after];
  }

  keepDraft() {
    this.memory.draft = { body: this.fields.body.control.value, to: this.to?.comment.id };
  }

  // What is typed, as it would appear.
  see() {
    const body = this.fields.body.control.value;
    this.sending.run(async () => {
      const seen = await this.talk.service.preview(body);
      this.preview.replaceChildren(rendered({ ...seen, text: body }, this.words));
      this.preview.hidden = false;
      this.preview.focus();
    }, (text) => this.talk.say(text));
  }

  // Below the comment that it answers.
  reply(entry, quietly) {
    this.to = entry;
    this.title.replaceChildren(...this.words.parts("title_to", { name: h("bdi", {}, entry.comment.author.name) }));
    this.cancel.hidden = false;
    entry.card.after(this.node);
    if (quietly) return;
    this.fields.body.control.focus();
    this.keepDraft();
  }

  // Below the thread. `back` gives the focus to where it came from.
  home(back) {
    const from = this.to;
    this.to = null;
    this.title.replaceChildren(this.words.say("title"));
    this.cancel.hidden = true;
    this.talk.foot.append(this.node);
    if (back) from?.card.querySelector(".reply-to")?.focus();
    if (from) this.keepDraft();
  }

  submit(event) {
    event.preventDefault();
    const { talk, memory, fields } = this;
    this.sending.run(async () => {
      const typed = Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.control.value]));
      const who = { name: typed.name, email: typed.email, url: typed.url };
      const parent = this.to?.comment.id;
      try {
        const told = await talk.service.post({ ...typed, parent, notify: this.notify?.checked }, talk.isNew ? pageFacts() : undefined, memory.proof);
        memory.author = this.remember.checked ? who : null;
        fields.body.control.value = "";
        this.preview.hidden = true;
        this.home();
        memory.draft = null;
        talk.stored(told, { ...typed, parent });
      } catch (trouble) {
        if (trouble.errors?.some(({ code }) => code === "unknown_parent")) this.home();
        throw trouble;
      }
    }, (text) => talk.say(text));
  }
}
