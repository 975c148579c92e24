// The toast of a change that was asked of several things at once: it counts the tasks that have ended, and tells
// one by one what did not work. It goes on on the next page.
import { fill, say } from "./words.js";
import { toast } from "./toasts.js";

const KEPT = "webvirt.many";
const SOON_MS = 150;
const ASK_MS = 5000; // in case the live channel is away
const UNFINISHED = ["queued", "running"];
const tasksUrl = document.getElementById("toasts").dataset.apiUrl.replace("/0/", "/");

const followed = new Set();

function keep() {
  sessionStorage.setItem(KEPT, JSON.stringify([...followed].map((one) => one.state)));
}

function named(name, what) {
  return fill(say("named"), { name, what });
}

function titled({ title, detail }) {
  return fill(say("titled"), { title, detail });
}

class Many {
  // state: text, done (what a toast says before and after), names (of unfinished tasks, by id), told, total, good
  constructor(told, state) {
    this.toast = told;
    this.state = state;
    followed.add(this);
    this.show();
    this.timer = setInterval(() => this.ask(), ASK_MS);
  }

  soon() {
    this.waiting ??= setTimeout(() => this.ask(), SOON_MS);
  }

  async ask() {
    clearTimeout(this.waiting);
    this.waiting = undefined;
    if (!this.toast.element.isConnected) return this.end();
    const ids = Object.keys(this.state.names);
    if (!ids.length) return this.show();
    const answer = await fetch(`${tasksUrl}?limit=500&ids=${ids.join(",")}`).catch(() => undefined);
    if (!answer?.ok) return undefined;
    for (const task of (await answer.json()).results) if (!UNFINISHED.includes(task.state)) this.ended(task);
    return this.show();
  }

  ended({ id, state, error }) {
    const name = this.state.names[id];
    delete this.state.names[id];
    if (state === "succeeded") this.state.good += 1;
    else this.state.told.push(named(name, error ? titled(error) : say(state)));
  }

  show() {
    const { done, total, good, told } = this.state;
    const count = fill(say("of"), { done: good, total });
    this.toast.part("detail").hidden = false;
    if (!Object.keys(this.state.names).length) {
      if (told.length) this.toast.fail({ title: named(done, count) });
      else this.toast.words.done = named(done, count);
      if (!told.length) this.toast.succeed();
      this.end();
    }
    this.lines(followed.has(this) ? [count, ...told] : told);
    keep();
  }

  lines(texts) {
    const lines = texts.map((text) => {
      const line = document.createElement("div");
      line.textContent = text;
      return line;
    });
    this.toast.part("detail").replaceChildren(...lines);
    this.toast.part("detail").hidden = !lines.length;
  }

  end() {
    clearInterval(this.timer);
    followed.delete(this);
    keep();
  }
}

/** Let the toast `told` follow `results`, as the server answers a change of several: {name, task or problem} each. */
export function followMany(told, results) {
  const tasks = results.filter((result) => result.task);
  const problems = results.filter((result) => result.problem);
  new Many(told, {
    text: told.words.text,
    done: told.words.done,
    names: Object.fromEntries(tasks.map(({ name, task }) => [task.id, name])),
    told: problems.map(({ name, problem }) => named(name, problem.detail)),
    total: results.length,
    good: 0,
  });
}

document.addEventListener("webvirt:changes", ({ detail }) => {
  const ids = new Set(detail.filter(({ type }) => type === "task").map(({ id }) => `${id}`));
  for (const one of followed) if (Object.keys(one.state.names).some((id) => ids.has(id))) one.soon();
});

document.addEventListener("webvirt:resync", () => {
  for (const one of followed) one.soon();
});

for (const state of JSON.parse(sessionStorage.getItem(KEPT) ?? "[]")) {
  new Many(toast(state.text, state.done), state).ask();
}
