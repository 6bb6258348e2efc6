// What is asked of our server. No cookie goes with it, and what was not answered is asked again without doubling it.
const troubled = (code, detail, errors = [], after = 2) => Object.assign(new Error(detail), { code, detail, errors, after });

const wait = (seconds) => new Promise((done) => setTimeout(done, seconds * 1000));
const ORDINARY = { required: ["body", "name", "email"], fresh_for: 0 };

async function request(url, options = {}, tries = 3) {
  let answer, trouble;
  try {
    answer = await fetch(url, { credentials: "omit", signal: AbortSignal.timeout?.(20e3), ...options });
    const told = answer.status === 204 ? {} : await answer.json();
    if (answer.ok) return told;
    trouble = troubled(told.code, told.detail, told.errors, Number(answer.headers.get("Retry-After")) || 2);
  } catch (error) {
    trouble = troubled("offline", error.message);
  }
  const passing = !answer || answer.status > 501 || trouble.code === "in_flight";
  if (!passing || tries < 2 || trouble.after > 5) throw trouble;
  await wait(trouble.after);
  return request(url, options, tries - 1);
}

// What the page can do without.
const optional = (url) => request(url, {}, 1).catch(() => ({}));

class Service {
  constructor(base, site, article) {
    this.here = new URL(`sites/${site}/articles/${article}/`, base).href;
    this.facts = ORDINARY;
    this.learnt = 0;
  }

  thread(order, cursor) {
    const query = new URLSearchParams({ ...(order === "newest" && { order }), ...(cursor && { cursor }) });
    return request(`${this.here}comments${String(query) && "?" + query}`);
  }

  // A text as it would appear; nothing is stored.
  preview(body) {
    return request(new URL("../../preview", this.here), { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ body }) }, 1);
  }

  // The form's token and what it asks for. Without it a comment may still be sent.
  async learn() {
    if (Date.now() - this.learnt < this.facts.fresh_for * 1000) return;
    try {
      this.facts = await request(`${this.here}form-token`, { cache: "no-store" }, 1);
      this.learnt = Date.now();
    } catch { /* another time */ }
  }

  // The same words get the same key, and byte for byte the same request: however often it is sent, it is stored once.
  async post(fields, page, proof) {
    const typed = JSON.stringify(fields);
    if (this.sent?.typed !== typed) {
      const key = crypto.getRandomValues(new Uint32Array(4)).join("-");
      this.sent = { typed, key, body: JSON.stringify({ ...fields, page, form_token: this.facts.form_token }) };
    }
    const headers = { "Content-Type": "application/json", "Idempotency-Key": this.sent.key };
    if (proof) headers.Receipt = proof;
    const told = await request(`${this.here}comments`, { method: "POST", headers, body: this.sent.body });
    this.sent = null;
    return told;
  }

  amend(own, body) {
    const headers = { "Content-Type": "application/json", "Edit-Token": own.token };
    return request(`${this.here}comments/${own.id}`, { method: "PATCH", headers, body: JSON.stringify({ body }) });
  }

  withdraw(own) {
    return request(`${this.here}comments/${own.id}`, { method: "DELETE", headers: { "Edit-Token": own.token } });
  }

  receipt(own) {
    return request(own.receipt, { headers: { Accept: "application/json" } }, 1);
  }
}
