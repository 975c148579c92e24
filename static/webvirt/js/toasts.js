// A toast answers a click at once and turns into the result when its task ends, on this page or the next.
import { fill, say } from "./words.js";

const DONE_MS = 6000;
const ASK_MS = 5000; // in case the live channel is away
const KEPT = "webvirt.toasts";
const UNFINISHED = ["queued", "running"];

const region = document.getElementById("toasts");
const shape = document.getElementById("toast");
const followed = new Map(); // task id: its toast

function kept() {
  return JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
}

function keep(id, words) {
  const all = kept();
  if (words) all[id] = words;
  else delete all[id];
  sessionStorage.setItem(KEPT, JSON.stringify(all));
}

class Toast {
  constructor(text, done, take) {
    this.words = { text, done, take };
    this.element = shape.content.cloneNode(true).firstElementChild;
    this.part("title").textContent = text;
    region.append(this.element);
  }

  part(name) {
    return this.element.querySelector(`[data-${name}]`);
  }

  mark(name, title) {
    for (const mark of this.element.querySelectorAll("[data-mark]")) mark.hidden = mark.dataset.mark !== name;
    this.part("title").textContent = title;
  }

  /** Show how `task` (as the API writes it) goes, until it ends. */
  follow(task) {
    const link = this.part("task");
    link.href = region.dataset.taskUrl.replace("/0/", `/${task.id}/`);
    link.hidden = false;
    this.task = task.id;
    followed.set(task.id, this);
    keep(task.id, this.words);
    if (!this.ended(task)) this.timer = setInterval(() => this.ask(), ASK_MS);
  }

  async ask() {
    const answer = await fetch(region.dataset.apiUrl.replace("/0/", `/${this.task}/`)).catch(() => undefined);
    if (answer?.ok) this.ended(await answer.json());
    else if (answer?.status === 404) this.close();
  }

  ended(task) {
    if (UNFINISHED.includes(task.state)) return false;
    const first = followed.get(task.id) === this; // two answers may tell of the end
    this.forget();
    if (!first) return true;
    if (task.state === "succeeded") {
      this.succeed();
      // A file, which the browser saves; the page stays.
      if (this.words.take !== undefined && task.result?.url) location.assign(task.result.url);
    } else {
      const why = task.error ?? { title: say(task.state) };
      // It stays, beside others and on other pages: without the name nobody would know whose it is.
      this.fail({ ...why, title: fill(say("named"), { name: task.title, what: why.title }) });
    }
    return true;
  }

  succeed() {
    this.mark("done", this.words.done || say("done"));
    this.closeLater();
  }

  /** Say what failed, why, and what to do next; `problem` has title, detail and perhaps hint, errors, libvirt. */
  fail({ title, detail, hint, errors, libvirt }) {
    this.mark("failed", title);
    this.element.setAttribute("role", "alert");
    const words = [detail, ...Object.values(errors ?? {}).flat(), hint].filter(Boolean);
    this.part("detail").textContent = words.join(say("blank"));
    this.part("detail").hidden = !words.length;
    this.part("libvirt").textContent = libvirt ?? "";
    this.part("raw").hidden = !libvirt;
  }

  closeLater() {
    setTimeout(() => {
      if (this.element.matches(":hover, :focus-within")) this.closeLater();
      else this.close();
    }, DONE_MS);
  }

  forget() {
    clearInterval(this.timer);
    followed.delete(this.task);
    keep(this.task);
  }

  close() {
    this.forget();
    this.element.remove();
  }
}

/** A new toast: `text` at once, `done` when its task has succeeded; with `take`, the file of its result is saved then. */
export function toast(text, done, take) {
  return new Toast(text, done, take);
}

region.addEventListener("click", (event) => {
  const element = event.target.closest("[data-toast-close]")?.closest(".toastx");
  if (!element) return;
  const own = [...followed.values()].find((one) => one.element === element);
  if (own) own.close();
  else element.remove();
});

document.addEventListener("webvirt:changes", ({ detail }) => {
  for (const { type, id } of detail) if (type === "task") followed.get(id)?.ask();
});

document.addEventListener("webvirt:resync", () => {
  for (const one of followed.values()) one.ask();
});

for (const [id, { text, done, take }] of Object.entries(kept())) {
  const one = new Toast(text, done, take);
  one.follow({ id: Number(id), state: "queued" });
  one.ask();
}
