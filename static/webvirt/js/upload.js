// Files on their way to a pool: chosen or dropped, sent one after the other, each able to go on after a
// pause, a cut or a reload. The server's own rows (#uploads) are the truth; a file that this page sends
// has a row of its own (#sending), and the server's row of the same name is hidden meanwhile.
import { bytes } from "./format.js";
import { toast } from "./toasts.js";

const { Upload } = window.tus;
const RETRY_MS = [0, 1000, 2000, 4000, 8000, 15000, 15000, 15000, 30000, 30000, 30000];
const WINDOW_MS = 5000; // speed is that of these last seconds
const NO_ROOM = 507;
const HANDED_OVER_MS = 5000; // by then the server's own row, or the volume, tells the rest

const list = document.getElementById("sending");
const known = document.getElementById("uploads");
const chooser = document.getElementById("chooser");
const shape = document.getElementById("sending-row");
const words = document.getElementById("upload-words").dataset;
const files = []; // in the order they were chosen
let wanted; // the row whose file is to be chosen again

function say(key, values = {}) {
  return words[key].replace(/\{(\w+)\}/g, (_all, name) => values[name]);
}

function countOf(done, total) {
  const [count, unit] = bytes(done).split(" ");
  const all = bytes(total);
  return say("of", { count: all.endsWith(` ${unit}`) ? count : `${count} ${unit}`, total: all });
}

function duration(seconds) {
  if (seconds < 90) return say("seconds", { n: Math.ceil(seconds) });
  if (seconds < 5400) return say("minutes", { n: Math.round(seconds / 60) });
  return say("hours", { n: (seconds / 3600).toFixed(1) });
}

function csrfToken() {
  return /(?:^|; )webvirt_csrf=([^;]+)/.exec(document.cookie)?.[1] ?? "";
}

const openRowOf = (name) => [...known.children].find((row) => row.dataset.name === name && "open" in row.dataset);
const begunKey = (id) => `webvirt.upload.${id}`;

/** What the answer to a request said, as a problem document; undefined where none came. */
function problemOf(response) {
  if (!response) return undefined;
  const status = response.getStatus();
  try {
    return { status, ...JSON.parse(response.getBody()) };
  } catch {
    return { status };
  }
}

class Sending {
  constructor(file, begun) {
    this.file = file;
    this.done = 0;
    this.marks = [];
    this.row = shape.content.cloneNode(true).firstElementChild;
    this.part("name").textContent = file.name;
    this.part("size").textContent = bytes(file.size);
    this.bar = this.row.querySelector("progress");
    this.bar.setAttribute("aria-label", say("uploadOf", { name: file.name }));
    this.part("pause").addEventListener("click", () => this.pause());
    this.part("resume").addEventListener("click", () => this.goOn());
    this.part("cancel").addEventListener("click", () => this.cancel());
    this.upload = new Upload(file, {
      endpoint: list.dataset.uploadUrl,
      uploadUrl: begun ? `${list.dataset.uploadUrl}${begun}/` : null,
      metadata: { pool: list.dataset.pool, filename: file.name },
      retryDelays: RETRY_MS,
      storeFingerprintForResuming: false, // the server's list says what can go on
      onBeforeRequest: (request) => request.setHeader("X-CSRFToken", csrfToken()),
      onUploadUrlAvailable: () => localStorage.setItem(begunKey(this.id), file.lastModified),
      onShouldRetry: (error) => this.mayRetry(error),
      onProgress: (sent) => this.progress(sent),
      onSuccess: ({ lastResponse }) => this.whole(lastResponse.getHeader("Webvirt-Task")),
      onError: (error) => this.fail(problemOf(error.originalResponse)),
    });
    this.show("waiting", say("waiting"));
    list.append(this.row);
  }

  get id() {
    return this.upload.url?.replace(/\/$/, "").split("/").pop();
  }

  part(name) {
    return this.row.querySelector(`[data-${name}]`);
  }

  show(state, text) {
    this.state = state;
    const going = state === "sending" || state === "waiting";
    this.row.classList.toggle("on", going || state === "moving");
    this.bar.classList.toggle("idle", !going);
    this.bar.value = this.file.size ? (this.done / this.file.size) * 100 : 0;
    this.bar.hidden = this.part("percent").hidden = state === "failed";
    this.part("percent").textContent = `${Math.floor(this.bar.value)} %`;
    this.part("words").textContent = text;
    this.part("words").classList.toggle("bad", state === "failed");
    this.part("words").classList.toggle("nowrap", state !== "failed");
    this.part("pause").hidden = !going;
    this.part("resume").hidden = !["paused", "stopped"].includes(state);
    this.part("cancel").hidden = state === "moving";
    hideKnown();
  }

  start() {
    this.marks = [];
    this.show("sending", countOf(this.done, this.file.size));
    if (this.done === this.file.size && this.done) this.whole();
    else this.upload.start();
  }

  progress(sent) {
    if (this.state !== "sending") return;
    this.done = sent;
    const now = performance.now();
    this.marks.push([now, sent]);
    while (this.marks.length > 2 && now - this.marks[0][0] > WINDOW_MS) this.marks.shift();
    const [since, before] = this.marks[0];
    const told = [countOf(sent, this.file.size)];
    if (now > since && sent > before) {
      const speed = ((sent - before) / (now - since)) * 1000;
      told.push(`${bytes(speed)}/s`, say("left", { time: duration((this.file.size - sent) / speed) }));
    }
    this.show("sending", told.join(" · "));
  }

  /** A cut, a restart or a full second of somebody else's: ask where it stands, and go on. */
  mayRetry(error) {
    const status = error.originalResponse?.getStatus() ?? 0;
    const may = status === 0 || status === 409 || status === 423 || (status >= 500 && status !== NO_ROOM);
    if (may) this.show("sending", say("again", { size: bytes(this.done) }));
    return may;
  }

  pause() {
    this.upload.abort();
    this.show("paused", say("paused", { size: bytes(this.done) }));
    next();
  }

  goOn() {
    this.show("waiting", say("waiting"));
    next();
  }

  async cancel() {
    this.forget();
    try {
      await this.upload.abort(Boolean(this.upload.url));
    } catch (error) {
      // Gone already is as good; anything else leaves the server's row, which says so.
      if (![404, 410].includes(error.originalResponse?.getStatus())) {
        toast("").fail({ title: say("wrong", { name: this.file.name }), ...problemOf(error.originalResponse) });
      }
    }
    next();
  }

  /** Every byte is there: follow the task that moves them into the pool. */
  async whole(task) {
    this.done = this.file.size;
    const id = task ?? (await this.askForTask());
    if (!id) return;
    this.show("moving", say("moving", { name: this.file.name }));
    localStorage.removeItem(begunKey(this.id));
    const name = { name: this.file.name };
    toast(say("moving", name), say("moved", name)).follow({ id: Number(id), state: "queued" });
    setTimeout(() => this.forget(), HANDED_OVER_MS);
    next();
  }

  /** The answer with the task was lost on its way: an empty part brings it. */
  async askForTask() {
    const answer = await fetch(this.upload.url, {
      method: "PATCH",
      headers: {
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": this.file.size,
        "Content-Type": "application/offset+octet-stream",
        "X-CSRFToken": csrfToken(),
      },
    }).catch(() => undefined);
    const task = answer?.headers.get("Webvirt-Task");
    if (!task) this.fail(answer && { status: answer.status, ...(await answer.json().catch(() => ({}))) });
    return task;
  }

  fail(problem) {
    const stopped = !problem || problem.status >= 500 || problem.status === 401;
    const why = !problem ? say("lost") : problem.status === 401 ? say("signedOut") : wordsOf(problem);
    if (stopped) this.show("stopped", `${say("stopped", { size: bytes(this.done) })} ${why}`);
    else this.show("failed", why || say("wrong", { name: this.file.name }));
    next();
  }

  forget() {
    const place = files.indexOf(this);
    if (place >= 0) files.splice(place, 1);
    this.row.remove();
    hideKnown();
  }
}

function wordsOf({ title, detail, errors }) {
  const fields = Object.values(errors ?? {}).flat();
  return (fields.length ? fields : [title && `${title}.`, detail]).filter(Boolean).join(" ");
}

/** Send the oldest that waits, unless one is being sent. */
function next() {
  if (files.some((file) => file.state === "sending")) return;
  files.find((file) => file.state === "waiting")?.start();
}

/** Hide the server's rows of what this page sends; its own row goes when the server's says what became of it. */
function hideKnown() {
  const handedOver = files.find(({ state, id }) => {
    const row = state === "moving" && document.getElementById(`upload-${id}`);
    return row && !("open" in row.dataset);
  });
  if (handedOver) {
    handedOver.forget();
    return;
  }
  const own = new Set(files.filter(({ state }) => state !== "failed").map(({ file }) => file.name));
  for (const row of known.children) row.hidden = "open" in row.dataset && own.has(row.dataset.name);
}

function take(chosen) {
  for (const file of chosen) {
    if (files.some((one) => one.file.name === file.name && one.state !== "failed")) continue;
    const row = wanted ?? openRowOf(file.name);
    wanted = undefined;
    const begun = row?.dataset.open;
    if (begun && !isSame(file, row)) {
      toast("").fail({ title: say("wrong", { name: file.name }), detail: say("otherFile", row.dataset) });
      continue;
    }
    files.push(new Sending(file, begun));
  }
  next();
}

/** Whether it is the file that was begun, as far as a browser can tell: by name, size and time. */
function isSame(file, row) {
  const time = localStorage.getItem(begunKey(row.dataset.open));
  const sameTime = time === null || Number(time) === file.lastModified;
  return file.name === row.dataset.name && file.size === Number(row.dataset.length) && sameTime;
}

chooser.addEventListener("change", () => {
  take(chooser.files);
  chooser.value = "";
});

document.addEventListener("click", (event) => {
  const go = event.target.closest("[data-go-on]");
  if (!go && !event.target.closest("[data-choose]")) return;
  event.preventDefault();
  wanted = go?.closest("tr");
  chooser.click();
});

// A file dropped beside the page's own place would replace the page.
const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
let depth = 0;

addEventListener("dragenter", (event) => {
  if (hasFiles(event)) document.body.classList.toggle("dropping", ++depth > 0);
});

addEventListener("dragleave", (event) => {
  if (hasFiles(event)) document.body.classList.toggle("dropping", --depth > 0);
});

addEventListener("dragover", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  event.dataTransfer.dropEffect = "copy";
});

addEventListener("drop", (event) => {
  if (!hasFiles(event)) return;
  event.preventDefault();
  depth = 0;
  document.body.classList.remove("dropping");
  take(event.dataTransfer.files);
});

addEventListener("online", () => {
  for (const file of files) if (file.state === "stopped") file.goOn();
});

new MutationObserver(hideKnown).observe(known, {
  childList: true,
  subtree: true,
  attributeFilter: ["data-open"],
});
