// Name, email and website for the next time, where the reader asks for it: kept in this browser, never a cookie.
// The box is of no use without a script, so only this one shows it. The embed keeps the same under the same name.
const KEPT = "leave-a-reply:author";
const box = document.getElementById("reply-remember");

if (box) {
  const { elements } = box.form;
  const fields = ["name", "email", "url"].map((name) => elements.namedItem(name));
  let author = null;
  try {
    author = JSON.parse(localStorage.getItem(KEPT));
    box.closest("[hidden]").hidden = false;
  } catch { /* storage is closed: the box stays hidden */ }
  if (author) {
    box.checked = true;
    if (fields.every((field) => !field.value)) for (const field of fields) field.value = author[field.name] || "";
  }
  box.form.addEventListener("submit", () => {
    if (box.closest("[hidden]")) return;
    if (box.checked) localStorage.setItem(KEPT, JSON.stringify(Object.fromEntries(fields.map((field) => [field.name, field.value.trim()]))));
    else localStorage.removeItem(KEPT);
  });
}
