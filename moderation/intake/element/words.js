// What it says, in the reader's language. English comes along, and stands in for what a file of texts lacks.
class Words {
  static read = {}; // URL → its texts, asked for once a page

  static async learn(element, base = baseOf(element)) {
    // `zh_CN` and `de_DE.UTF-8` are what many a generator writes
    const wanted = (element.closest("[lang]")?.lang || navigator.language || "en").replace(/[.@].*/, "").replaceAll("_", "-");
    const read = ({ href }) => (Words.read[href] ??= optional(href));
    const own = element.getAttribute("texts");
    const [ours, theirs] = await Promise.all([
      /^en\b/i.test(wanted) ? {} : read(new URL(`texts/${encodeURIComponent(wanted)}.json`, base)),
      own ? read(new URL(own, document.baseURI)) : {},
    ]);
    return new Words({ ...ours, ...(own && { lang: wanted }), ...theirs });
  }

  constructor(texts) {
    this.texts = { ...ENGLISH, ...texts };
    try {
      this.lang = Intl.getCanonicalLocales(this.texts.lang)[0];
    } catch {
      this.lang = "en";
    }
    this.plural = new Intl.PluralRules(this.lang);
    this.number = new Intl.NumberFormat(this.lang);
    this.date = new Intl.DateTimeFormat(this.lang, { dateStyle: "long" });
    this.exact = new Intl.DateTimeFormat(this.lang, { dateStyle: "full", timeStyle: "long" });
    this.since = new Intl.RelativeTimeFormat(this.lang, { numeric: "auto" });
  }

  // Words and, where a placeholder stood, its value: a text or an element.
  parts(key, values = {}) {
    return this.texts[key].split(/\{(\w+)\}/).map((part, at) => (at % 2 ? values[part] : part));
  }

  say(key, values) {
    return this.parts(key, values).join("");
  }

  many(key, n) {
    const form = [n === 0 && "zero", this.plural.select(n), "other"].find((form) => form && this.texts[`${key}.${form}`]);
    return this.say(`${key}.${form}`, { n: this.number.format(n) });
  }

  // As people say it; the exact time, in the reader's zone, on demand.
  when(iso) {
    return h("time", { datetime: iso, title: this.exact.format(Date.parse(iso)) }, this.ago(iso));
  }

  ago(iso) {
    const seconds = (Date.now() - Date.parse(iso)) / 1000;
    const [size, unit] = seconds < 3600 ? [60, "minute"] : seconds < 86400 ? [3600, "hour"] : [86400, "day"];
    return seconds < 30 * 86400 ? this.since.format(-(seconds / size | 0), unit) : this.date.format(Date.parse(iso));
  }

  // A wrong field, and a problem of the whole; in the server's own words where the language has none.
  wrong({ field, code, message }) {
    const key = [`error.${field}.${code}`, `error.${code}`].find((key) => this.texts[key]);
    if (key && !message.includes("bytes")) return this.say(key, { n: /\d+/.exec(message)?.[0] });
    return message.charAt(0).toUpperCase() + message.slice(1) + ".";
  }

  problem({ code, detail, after }) {
    return this.texts[`problem.${code}`] ? this.say(`problem.${code}`, { n: this.number.format(after) }) : detail || this.say("problem.offline");
  }
}
