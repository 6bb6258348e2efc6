// What this browser keeps, and no server: the author if asked to, the draft, and the receipts of one's own comments.
// Storage may be closed (a private window, a sandboxed frame): then nothing is kept, and nothing breaks.
const KEPT = "leave-a-reply:";
const WINDOW = 15 * 60e3;
const MONTH = 30 * 86400e3;

class Memory {
  constructor(site, article) {
    this.article = article;
    this.draftKey = `draft:${site}/${article}`;
    this.mineKey = `mine:${site}`;
  }

  get(key, otherwise) {
    try {
      return JSON.parse(localStorage.getItem(KEPT + key)) ?? otherwise;
    } catch {
      return otherwise;
    }
  }

  set(key, value) {
    try {
      if (value) localStorage.setItem(KEPT + key, JSON.stringify(value));
      else localStorage.removeItem(KEPT + key);
    } catch { /* closed, or full */ }
  }

  get author() { return this.get("author", null); }
  set author(who) { this.set("author", who); }

  // The words only, not who wrote them.
  get draft() { return this.get(this.draftKey, null); }
  set draft(draft) { this.set(this.draftKey, draft?.body.trim() ? draft : null); }

  get mine() { return this.get(this.mineKey, []); }

  own(id) { return this.mine.find((own) => own.id === id); }

  // The newest first. Approved ones stay as proof, the others for a month.
  keep(own) {
    const others = this.mine.filter((other) => other.id !== own.id && (other.approved || other.at > Date.now() - MONTH));
    this.set(this.mineKey, [own, ...others].slice(0, 50));
  }

  forget(id) { this.set(this.mineKey, this.mine.filter((own) => own.id !== id)); }

  get proof() { return this.mine.find((own) => own.approved)?.receipt; }
}

const canChange = (own) => own && Date.now() < own.at + WINDOW;
