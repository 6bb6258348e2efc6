// The thread, its form, and what becomes of one's own comments in it.
class Discussion {
  constructor(host, words, service, memory, signal) {
    Object.assign(this, { host, words, service, memory, signal, count: 0, next: null });
    this.order = host.getAttribute("order");
    this.shown = new Map();
    this.status = h("p", { class: "status", role: "status" });
    this.title = h("h2", { id: "title", tabindex: "-1" });
    this.hint = h("p", { class: "note" }, words.say("loading"));
    this.list = h("ol", { class: "thread", role: "list" });
    this.older = h("button", { type: "button", class: "more", hidden: true, click: () => this.more(true) }, words.say("more"));
    this.thread = h("section", { part: "thread", "aria-labelledby": "title", "aria-busy": "true" }, this.title, this.hint, this.list, this.older);
    this.foot = h("div", {});
    const ages = setInterval(() => this.root.querySelectorAll("time").forEach((time) => (time.textContent = words.ago(time.dateTime))), 60e3);
    signal.addEventListener("abort", () => clearInterval(ages));
    this.root = h("div", { class: "root", lang: words.lang, dir: words.texts.dir }, this.status, this.thread, this.foot);
  }

  say(text) {
    this.status.textContent = "";
    this.status.textContent = text;
  }

  async open() {
    this.title.hidden = true;
    try {
      const [page] = await Promise.all([this.service.thread(this.order), this.service.learn()]);
      if (this.signal.aborted) return;
      this.begin(page);
    } catch (trouble) {
      if (!this.signal.aborted) this.failed(trouble);
    }
  }

  failed(trouble) {
    console.warn(`leave-a-reply: ${trouble}. Is ${location.origin} an origin of the site, the service in connect-src?`);
    this.thread.removeAttribute("aria-busy");
    const again = () => {
      this.hint.replaceChildren(this.words.say("loading"));
      this.open();
    };
    this.hint.replaceChildren(this.words.say("load_failed"), " ", h("button", { type: "button", class: "plain", click: again }, this.words.say("again")));
  }

  begin(page) {
    this.thread.removeAttribute("aria-busy");
    this.title.hidden = false;
    this.isOpen = page.article.comments_open;
    // What the page calls itself goes along until it is known.
    this.isNew = !(page.article.url || page.article.title || page.count);
    this.take(page);
    this.tally(page.count);
    if (this.isOpen) {
      this.form = new ReplyForm(this);
      const to = this.shown.get(this.memory.draft?.to);
      if (to) this.form.reply(to, true);
    } else {
      this.foot.append(h("p", { class: "note" }, this.words.say("closed")));
    }
    this.reveal();
    addEventListener("hashchange", () => this.reveal(), { signal: this.signal });
    const held = this.memory.mine.filter((own) => own.article === this.memory.article && !own.approved);
    held.slice(0, 5).reverse().forEach((own) => this.ask(own));
  }

  tally(count) {
    this.count = count;
    this.title.textContent = this.words.many("comments", count);
    this.hint.textContent = this.shown.size || count ? "" : this.words.say("none");
    this.hint.hidden = !this.hint.textContent;
  }

  // A page of the thread. What stands here already (one's own, a moment ago) is not shown twice.
  take(page) {
    const add = (comments, list) => {
      for (const comment of comments) {
        const above = this.shown.get(comment.parent);
        const entry = this.shown.get(comment.id) || this.put(comment, above ? above.replies() : list);
        if (comment.replies.length) add(comment.replies, entry.replies());
      }
    };
    add(page.comments, this.list);
    this.next = page.next;
    this.older.hidden = !page.next;
  }

  async more(moves) {
    const before = this.shown.size;
    try {
      this.take(await this.service.thread(this.order, this.next));
    } catch (trouble) {
      this.say(this.words.problem(trouble));
      return false;
    }
    if (moves) [...this.shown.values()][before]?.card.focus();
    return true;
  }

  // An address that ends in #comment-… leads to that comment, on whatever page it stands.
  async reveal() {
    const id = /^#comment-(\w+)$/.exec(location.hash)?.[1];
    for (let pages = 0; id && !this.shown.has(id) && this.next && pages < 40; pages++) if (!(await this.more())) break;
    this.root.querySelector(".target")?.classList.remove("target");
    const found = this.shown.get(id);
    if (!found || this.signal.aborted) return;
    found.card.classList.add("target");
    found.card.focus();
  }

  // A new entry of the thread, at the end of a list or (`first`) at its head.
  put(comment, list, first) {
    const item = h("li", {});
    let replies;
    const entry = {
      comment, item,
      replies: () => {
        if (!replies) item.append((replies = h("ol", { class: "thread", role: "list" })));
        return replies;
      },
    };
    this.draw(entry, comment);
    if (first) list.prepend(item);
    else list.append(item);
    this.shown.set(comment.id, entry);
    return entry;
  }

  draw(entry, comment) {
    const { words } = this;
    const before = entry.card;
    const { name, url, avatar, mark } = comment.author;
    const shownName = h("bdi", {}, name || words.say("anonymous"));
    const isOut = !comment.status || comment.status === "approved";
    entry.comment = comment;
    entry.said = rendered(comment, words);
    entry.acts = h("p", { class: "acts" });
    entry.card = h("article", { class: isOut ? "comment" : "comment held", part: "comment", id: `comment-${comment.id}`, tabindex: "-1" },
      h("header", {},
        avatar && h("img", { class: "avatar", src: avatar, alt: "", width: 40, height: 40, loading: "lazy" }),
        h("p", { class: "by" },
          /^https?:/.test(url || "") ? h("a", { class: "author", href: url, rel: "nofollow ugc noopener" }, shownName) : h("span", { class: "author" }, shownName),
          " ",
          mark && h("span", { class: mark, part: mark }, words.say(mark)),
          mark && " ",
          h("a", { class: "when", href: `${location.href.split("#")[0]}#comment-${comment.id}` }, words.when(comment.created_at)),
          comment.edited_at && h("span", { class: "when" }, " ", words.say("edited")))),
      entry.said,
      !isOut && this.heldNote(comment),
      entry.acts);
    if (before) before.replaceWith(entry.card);
    else entry.item.prepend(entry.card);
    this.offer(entry, isOut);
  }

  heldNote(comment) {
    const { words, memory } = this;
    const rejected = comment.status === "rejected";
    const receipt = memory.own(comment.id)?.receipt;
    const because = rejected && words.texts[`because.${comment.reason_code}`];
    return h("div", { class: "verdict" },
      h("p", {}, h("strong", {}, words.say(rejected ? "rejected" : "held"))),
      h("p", {}, because, because && " ", ...(rejected ? (comment.reason ? words.parts("reason", { reason: h("q", { dir: "auto" }, comment.reason) }) : []) : [words.say("held_note")]),
        " ", receipt && h("a", { href: receipt, rel: "nofollow" }, words.say(comment.can_appeal ? "appeal" : "receipt"))));
  }

  // What may be done with a comment, by this reader, now.
  offer(entry, isOut) {
    const { words, memory } = this;
    const { comment } = entry;
    const own = memory.own(comment.id);
    const act = (key, label, click, name) => h("button", { type: "button", class: `plain ${name || ""}`, "aria-label": label, click }, words.say(key));
    const acts = [];
    if (isOut && this.isOpen && comment.depth < 5) {
      acts.push(act("reply", words.say("reply_to", { name: comment.author.name }), () => this.form.reply(entry), "reply-to"));
    }
    if (canChange(own) && comment.status !== "rejected") {
      acts.push(act("edit", words.say("edit_own"), () => this.edit(entry), "edit"), act("withdraw", words.say("withdraw_own"), () => this.askWithdraw(entry), "withdraw"));
      setTimeout(() => entry.comment === comment && this.root.isConnected && this.offer(entry, isOut), own.at + WINDOW + 500 - Date.now());
    }
    if (isOut && !own) acts.push(act("report", words.say("report") + ": " + comment.author.name, () => open(`${this.service.here}comments/${comment.id}/report`)));
    if (comment.status === "rejected") {
      acts.push(act("dismiss", null, () => {
        memory.forget(comment.id);
        entry.item.remove();
        this.title.focus();
      }));
    }
    entry.acts.replaceChildren(...acts);
  }

  // Our own comment is on the server's disk: show it as it stands there.
  stored(told, typed) {
    const { memory, words } = this;
    const approved = told.status === "approved";
    memory.keep({ id: told.id, article: memory.article, parent: typed.parent, receipt: told.receipt, token: told.edit_token, at: Date.now(), approved });
    const comment = approved ? told : waiting(told.id, typed);
    const above = this.shown.get(comment.parent);
    const again = this.shown.get(told.id);
    const entry = again || this.put(comment, above ? above.replies() : this.list, !above && this.order === "newest");
    if (!again) this.tally(this.count + approved);
    if (!approved) this.render(entry);
    const note = this.form.notify?.checked && h("p", { class: "note" }, words.say("notify_sent"));
    if (note) entry.card.append(note);
    entry.card.focus();
    this.say(`${words.say(approved ? "published" : "held")} ${note ? note.textContent : ""}`.trim());
  }

  // A held comment as it will appear, which its receipt knows.
  async render(entry) {
    const { comment } = entry;
    const { html } = await this.service.receipt(this.memory.own(comment.id)).catch(() => ({}));
    if (!html || entry.comment !== comment) return;
    comment.html = html;
    const said = rendered(comment, this.words);
    entry.said.replaceWith(said);
    entry.said = said;
  }

  // What became of an own comment that the thread does not show.
  async ask(own) {
    const found = this.shown.has(own.id) ? { status: "approved" } : await this.service.receipt(own).catch((trouble) => ({ status: trouble.code }));
    if (this.signal.aborted) return;
    if (["withdrawn", "not_found", "gone"].includes(found.status)) this.memory.forget(own.id);
    else if (found.status === "approved") this.memory.keep({ ...own, approved: true });
    else if (found.body && !this.shown.has(own.id)) {
      const above = this.shown.get(own.parent);
      this.put({ ...waiting(own.id, { ...found, parent: own.parent }), status: found.status, reason: found.reason, reason_code: found.reason_code, can_appeal: found.can_appeal, created_at: found.created_at },
        above ? above.replies() : this.list, !above && this.order === "newest");
      this.tally(this.count);
    }
  }

  edit(entry) {
    const { words } = this;
    const own = this.memory.own(entry.comment.id);
    const body = new Field(words, `edit-${own.id}`, words.say("edit_own"), h("textarea", { rows: 5, dir: "auto" }), true);
    body.control.value = entry.comment.text;
    const button = h("button", { type: "submit" }, words.say("save"));
    const alert = alertBox();
    const sending = new Sending(words, { body }, button, alert);
    const back = () => {
      this.draw(entry, entry.comment);
      entry.card.querySelector(".edit")?.focus();
    };
    const save = async () => {
      const told = await this.service.amend(own, body.control.value);
      const approved = told.status === "approved";
      const was = entry.comment.status !== "pending";
      this.memory.keep({ ...own, approved });
      this.draw(entry, approved ? told : { ...entry.comment, html: "", text: body.control.value, status: "pending" });
      if (!approved) this.render(entry);
      this.tally(this.count + approved - was);
      entry.card.focus();
      this.say(`${words.say("saved")} ${approved ? "" : words.say("held")}`.trim());
    };
    const submit = (event) => {
      event.preventDefault();
      sending.run(save, (text) => this.say(text));
    };
    entry.said.replaceWith(h("form", { class: "edit-form", novalidate: true, submit }, body.node, alert,
      h("p", {}, button, " ", h("button", { type: "button", class: "plain", click: back }, words.say("keep")))));
    entry.acts.replaceChildren();
    body.control.focus();
  }

  askWithdraw(entry) {
    const { words } = this;
    const alert = alertBox();
    const id = `sure-${entry.comment.id}`;
    const keep = () => {
      this.draw(entry, entry.comment);
      entry.card.querySelector(".withdraw")?.focus();
    };
    const button = h("button", { type: "button", class: "grave" }, words.say("withdraw"));
    const sending = new Sending(words, {}, button, alert);
    button.addEventListener("click", () => sending.run(async () => {
      await this.service.withdraw(this.memory.own(entry.comment.id)).catch((trouble) => {
        if (trouble.code !== "not_found") throw trouble; // gone already: an answer got lost
      });
      if (entry.comment.status !== "pending") this.tally(this.count - 1);
      this.drop(entry, words.say("withdrawn"));
    }, (text) => this.say(text)));
    entry.acts.replaceChildren(h("span", { role: "group", "aria-labelledby": id, class: "sure" },
      h("span", { id }, words.say("withdraw_sure")), " ", button, " ", h("button", { type: "button", class: "plain", click: keep }, words.say("keep"))), alert);
    button.focus();
  }

  // A card gives way to a line; the replies below it stay.
  drop(entry, text) {
    this.memory.forget(entry.comment.id);
    if (this.form?.to === entry) this.form.home();
    const line = h("p", { class: "note", tabindex: "-1" }, text);
    entry.card.replaceWith(line);
    entry.card = line;
    line.focus();
    this.say(text);
  }
}

const waiting = (id, { name, body, html, parent }) => ({
  id, parent, depth: 5, author: { name, url: null, avatar: null }, text: body, html, status: "pending", created_at: new Date().toISOString(),
});
