// On a narrow page: the card that is read has its buttons at the bottom, in reach of a thumb, and a swipe decides: to the right
// approves, to the left files as spam. Both press the card's own buttons, so undo and errors are the same. Without this file the
// buttons stay in their card.
const list = document.querySelector("#queue .rows");
const narrow = matchMedia("(max-width: 48rem)");
const rows = () => [...list.querySelectorAll("[data-row]")];
const TOP = 56; // of the page, below what sticks there
const MEANT = 96; // pixels from which a swipe is one

// The focused card while any of it is in view, else the first one in view.
function current() {
  const all = rows(), focused = document.activeElement?.closest("[data-row]");
  const inView = (row) => {
    const { top, bottom } = row.getBoundingClientRect();
    return bottom > TOP && top < innerHeight - TOP;
  };
  if (focused && all.includes(focused) && inView(focused)) return focused;
  return all.find((row) => inView(row) && row.getBoundingClientRect().top >= 0) ?? all.find(inView) ?? all[0];
}

let waiting = false;
function mark() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    const now = narrow.matches ? current() : undefined;
    for (const row of rows()) row.toggleAttribute("data-current", row === now);
  });
}

function swipes() {
  let swipe = null;
  const end = () => {
    if (!swipe) return;
    swipe.article.style.transform = "";
    delete swipe.row.dataset.swipe;
    swipe = null;
  };
  list.addEventListener("touchstart", (event) => {
    end();
    const article = event.target.closest(".row > article");
    if (!narrow.matches || !article || event.touches.length > 1 || !getSelection().isCollapsed) return;
    const [{ clientX, clientY }] = event.touches;
    swipe = { article, row: article.parentElement, x: clientX, y: clientY, by: 0 };
  }, { passive: true });
  list.addEventListener("touchmove", (event) => {
    if (!swipe) return;
    const [{ clientX, clientY }] = event.touches;
    const across = clientX - swipe.x, down = clientY - swipe.y;
    if (event.touches.length > 1 || (!swipe.by && Math.abs(down) > 12 && Math.abs(down) > Math.abs(across))) return end();
    if (!swipe.by && Math.abs(across) < 12) return;
    const act = across > 0 ? "approve" : "spam";
    if (!swipe.row.querySelector(`[data-act=${act}]`)) return end();
    swipe.by = across;
    swipe.row.dataset.swipe = act;
    swipe.article.style.transform = `translateX(${across}px)`;
    if (event.cancelable) event.preventDefault(); // else the page flings, and the next tap only stops that
  }, { passive: false });
  list.addEventListener("touchcancel", end);
  list.addEventListener("touchend", () => {
    const meant = swipe && Math.abs(swipe.by) >= MEANT && swipe.row.querySelector(`[data-act=${swipe.by > 0 ? "approve" : "spam"}]`);
    end();
    if (meant) meant.click();
  });
}

if (list) {
  document.documentElement.classList.add("thumbs");
  for (const [target, name] of [[document, "focusin"], [document, "scroll"], [window, "resize"], [document, "overtaken"]]) {
    target.addEventListener(name, mark, { passive: true });
  }
  narrow.addEventListener("change", mark);
  new MutationObserver(mark).observe(list, { childList: true });
  swipes();
  mark();
}
