// Search over the page: Ctrl K or its button opens it, the arrows choose, Enter does, Esc closes.
// One request a pause in typing; the server answers with the choices (instances/_hits.html).
// What was chosen lately is remembered here by key alone: the server says what it is called, and to whom.
import { open } from "./dialogs.js";

const PAUSE_MS = 150;
const MOST_RECENT = 8;

const palette = document.getElementById("palette");

if (palette) {
  const RECENT = `webvirt.search.${palette.dataset.user}`;
  const field = palette.querySelector("[role=combobox]");
  const list = palette.querySelector("[role=listbox]");
  const status = palette.querySelector("[role=status]");
  const form = palette.querySelector("form");
  let pause;
  let request; // the one under way; a newer one ends it
  let asked; // the text whose answer is shown
  let eager = false; // Enter was pressed before the answer came

  const recent = () => JSON.parse(localStorage.getItem(RECENT) ?? "[]");
  const text = () => field.value.trim();
  const hits = () => [...list.children];
  const chosen = () => list.querySelector("[aria-selected=true]");

  function choose(hit) {
    chosen()?.setAttribute("aria-selected", "false");
    hit?.setAttribute("aria-selected", "true");
    hit?.scrollIntoView({ block: "nearest" });
    if (hit) field.setAttribute("aria-activedescendant", hit.id);
    else field.removeAttribute("aria-activedescendant");
  }

  async function ask() {
    clearTimeout(pause);
    request?.abort();
    const own = (request = new AbortController());
    const wanted = text();
    const query = new URLSearchParams(wanted ? { q: wanted } : { recent: recent().join(",") });
    try {
      const answer = await fetch(`${palette.dataset.searchUrl}?${query}`, {
        headers: { "X-Webvirt-Live": "block" },
        signal: own.signal,
      });
      if (answer.redirected) location.reload();
      else if (answer.ok) show(await answer.text(), wanted);
      else tell(palette.dataset.noAnswer);
    } catch (error) {
      if (error.name === "AbortError") return;
      if (!(error instanceof TypeError)) throw error;
      tell(palette.dataset.noAnswer);
    }
  }

  function show(html, wanted) {
    list.innerHTML = html;
    asked = wanted;
    choose(list.firstElementChild);
    status.textContent = palette.dataset.count.replace("{}", list.children.length);
    // What nobody has seen is gone to, but not done.
    if (eager && chosen() && !chosen().dataset.toast) take(chosen());
    eager = false;
  }

  function tell(words) {
    eager = false;
    list.replaceChildren();
    choose(null);
    const line = document.createElement("li");
    line.className = "hit soft";
    line.setAttribute("role", "option");
    line.setAttribute("aria-disabled", "true");
    line.textContent = words;
    list.append(line);
    status.textContent = words;
  }

  function take(hit) {
    const { key, url, toast, toastDone } = hit.dataset;
    if (!url) return;
    if (key) localStorage.setItem(RECENT, JSON.stringify([key, ...recent().filter((one) => one !== key)].slice(0, MOST_RECENT)));
    if (!toast) {
      palette.close();
      location.assign(url);
      return;
    }
    form.action = url;
    Object.assign(form.dataset, { toast, toastDone });
    form.requestSubmit(); // actions.js sends it, closes this and tells
  }

  function start() {
    if (palette.open) return;
    field.value = "";
    asked = undefined;
    open(palette, document.activeElement);
    ask();
  }

  field.addEventListener("input", () => {
    eager = false;
    clearTimeout(pause);
    pause = setTimeout(ask, PAUSE_MS);
  });

  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.isComposing) return; // Enter ends the composing of a Chinese word
    if (step) {
      event.preventDefault();
      const all = hits();
      choose(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (asked !== text()) {
        eager = true;
        ask();
      } else if (chosen()) take(chosen());
    }
  });

  list.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
  list.addEventListener("click", (event) => {
    const hit = event.target.closest("[role=option]");
    if (hit) take(hit);
  });

  document.querySelector("[data-seek]")?.addEventListener("submit", (event) => {
    event.preventDefault();
    start();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
    if (document.querySelector("dialog[open]:not(#palette)")) return; // that has its own question first
    event.preventDefault();
    start();
  });
}
