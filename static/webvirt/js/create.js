// The form of a new guest: the summary, what each host has to choose from, sliders, and rows to add and remove.
import { bytes } from "./format.js";
import { fill } from "./words.js";

const GIB = 1024 ** 3;
const TICKS = 5;

const form = document.querySelector("[data-create]");

function begin() {
  for (const slider of Object.values(sliders())) slider.begin();
  for (const list of form.querySelectorAll("[data-list]")) beginList(list);
  form.querySelector("[data-summary]").hidden = false;
  for (const choice of form.elements.source) choice.addEventListener("change", followSource);
  form.addEventListener("input", refresh);
  form.addEventListener("change", refresh);
  refresh();
}

function refresh() {
  const host = chosenHost();
  followHost(host);
  for (const part of form.querySelectorAll("[data-source]")) part.hidden = part.dataset.source !== form.elements.source.value;
  for (const slider of Object.values(sliders())) slider.follow();
  summarise(host);
}

// What the guest starts from: the chosen image, or the disk that is there.
function origin() {
  return { iso: selected(form.elements.cdrom), disk: selected(form.elements.existing) }[form.elements.source.value];
}

// A guest with a disk needs no other: the first one, that was there for it, goes, and comes back for another source.
function followSource() {
  const first = form.querySelector("[data-list=disks] tbody tr");
  const box = first?.querySelector("[data-delete] input");
  if (!box) return;
  const disk = form.elements.source.value === "disk";
  if (disk && !box.checked) {
    first.dataset.aside = "";
    box.checked = first.hidden = true;
  } else if (!disk && "aside" in first.dataset) {
    delete first.dataset.aside;
    box.checked = first.hidden = false;
  }
}

// The host: the one chosen, else the one of the image or the disk, else the best, which is listed first.
function chosenHost() {
  const options = [...form.elements.host.options].filter((option) => option.value);
  const id = form.elements.host.value || origin()?.dataset.host || options[0].value;
  return options.find((option) => option.value === id) ?? options[0];
}

function selected(select) {
  return select?.selectedOptions[0];
}

// Pools and networks of other hosts cannot be chosen, nor their images once a host is.
function followHost(host) {
  for (const option of form.querySelectorAll("[data-list] option[data-host]")) keepTo(option, host.value);
  for (const option of [...form.elements.cdrom.options, ...form.elements.existing.options]) {
    if (option.dataset.host) keepTo(option, form.elements.host.value || option.dataset.host);
  }
  for (const select of form.querySelectorAll("select")) {
    if (selected(select)?.disabled) select.value = [...select.options].find((option) => !option.disabled)?.value ?? "";
  }
  for (const words of form.querySelectorAll("[data-of-host]")) words.hidden = words.dataset.ofHost !== host.value;
}

function keepTo(option, host) {
  option.disabled = option.hidden = option.dataset.host !== host;
}

// Sliders: powers of two between what is small and what the host has.
let made;
function sliders() {
  made ??= {
    vcpus: new Slider("vcpus", form.elements.vcpus, 1, (host) => Number(host.dataset.threads), 4, 1),
    memory: new Slider("memory", form.elements.memory_gib, 0.5, (host) => host.dataset.memory / GIB, 2, 0.5),
  };
  return made;
}

class Slider {
  constructor(name, input, least, most, atLeast, step) {
    this.range = form.querySelector(`[data-slider=${name}]`);
    this.ticks = form.querySelector(`[data-ticks=${name}]`);
    Object.assign(this, { input, least, most, atLeast, step });
  }

  begin() {
    this.range.hidden = this.ticks.hidden = false;
    this.range.addEventListener("input", () => {
      const value = this.least * 2 ** Number(this.range.value);
      const step = value < 8 ? this.step : 1;
      this.input.value = Math.max(Math.round(value / step) * step, this.least);
    });
  }

  /** Reach as far as the chosen host does, and stand where the number is. */
  follow() {
    const most = Math.max(this.most(chosenHost()), this.atLeast);
    const doublings = Math.floor(Math.log2(most / this.least));
    if (Number(this.range.max) !== doublings) {
      this.range.max = doublings;
      this.label(doublings);
    }
    const place = Math.log2(Number(this.input.value) / this.least);
    if (document.activeElement !== this.range && Number.isFinite(place)) this.range.value = place;
  }

  label(doublings) {
    const marks = Math.min(doublings + 1, TICKS);
    const places = Array.from({ length: marks }, (_, mark) => (mark * doublings) / Math.max(marks - 1, 1));
    this.ticks.replaceChildren(
      ...places.map((place) => {
        const tick = document.createElement("span");
        tick.textContent = this.least * 2 ** Math.round(place);
        return tick;
      }),
    );
  }
}

// Rows: added from the template under the next number, removed by ticking their box and hiding them.
function beginList(list) {
  for (const row of list.querySelectorAll("tbody tr")) beginRow(row);
  const add = list.querySelector("[data-add]");
  if (!add) return;
  add.hidden = false;
  add.addEventListener("click", () => {
    const total = list.querySelector("[name$=TOTAL_FORMS]");
    const body = list.querySelector("tbody");
    const holder = document.createElement("tbody");
    holder.innerHTML = list.querySelector("template").innerHTML.replaceAll("__prefix__", total.value);
    const row = holder.firstElementChild;
    total.value = Number(total.value) + 1;
    body.append(row);
    beginRow(row);
    refresh();
    (row.querySelector("input, select") ?? row).focus();
  });
}

function beginRow(row) {
  const box = row.querySelector("[data-delete] input");
  row.querySelector("[data-delete]").hidden = true;
  row.hidden = box.checked;
  const button = row.querySelector("[data-remove]");
  button.hidden = false;
  button.addEventListener("click", () => {
    box.checked = row.hidden = true;
    row.closest("[data-list]").querySelector("[data-add]").focus();
    refresh();
  });
}

function kept(name) {
  return [...form.querySelectorAll(`[data-list=${name}] tbody tr`)].filter((row) => !row.hidden);
}

function number(list, first) {
  kept(list).forEach((row, place) => {
    const label = row.querySelector("[data-label]");
    label.textContent = label.textContent.replace(/\d+/, place + first);
  });
}

// The summary.
function part(name) {
  return form.querySelector(`[data-sum=${name}]`);
}

function summarise(host) {
  const name = form.elements.name.value.trim();
  const vcpus = Number(form.elements.vcpus.value) || 0;
  const memory = (Number(form.elements.memory_gib.value) || 0) * GIB;
  const disks = kept("disks").map(diskOf);
  const cards = kept("cards").map((row) => selected(row.querySelector("select"))?.dataset.name);
  const from = origin()?.dataset.name;
  number("disks", 1);
  number("cards", 0);
  part("name").textContent = name || "–";
  part("host").textContent = host.dataset.name;
  part("source").textContent = part("source").title = from || part("source").dataset.empty;
  part("vcpus").textContent = `${vcpus} vCPU`;
  part("memory").textContent = size(memory);
  const had = form.elements.source.value === "disk" && from ? [from] : [];
  lines(part("disks"), [...had, ...disks.map((disk) => fill(part("disks").dataset.words, disk))]);
  lines(part("cards"), cards);
  const forced = form.elements.virt_type.value;
  for (const words of form.querySelectorAll("[data-forced]")) words.hidden = words.dataset.forced !== forced;
  if (forced) for (const words of form.querySelectorAll("[data-chosen]")) words.hidden = true;
  part("room").textContent = fill(part("room").dataset.words, { host: host.dataset.name });
  room("memory", Number(host.dataset.memoryPromised), memory, Number(host.dataset.memory), size);
  room("threads", Number(host.dataset.threadsPromised), vcpus, Number(host.dataset.threads), String);
  poolRoom(disks);
  const button = form.querySelector("[data-submit]");
  button.textContent = name ? fill(button.dataset.words, { name }) : button.dataset.words.replace("{name}", "").trim();
}

function diskOf(row) {
  const [pool, format] = row.querySelectorAll("select");
  const wanted = (Number(row.querySelector("input").value) || 0) * GIB;
  return { wanted, size: size(wanted), format: format.value, pool: selected(pool)?.dataset.name, option: selected(pool) };
}

// Sizes that somebody chose: `8 GiB`, `1.5 GiB`.
function size(count) {
  return bytes(count).replace(/(\.\d*?)0+ /, "$1 ").replace(". ", " ");
}

function lines(element, words) {
  element.replaceChildren(
    ...(words.length ? words : [element.dataset.none]).map((text) => {
      const line = document.createElement("div");
      line.textContent = text;
      return line;
    }),
  );
}

function room(name, before, more, total, words) {
  const element = form.querySelector(`[data-room=${name}]`);
  element.textContent = fill(element.dataset.words, { count: words(before + more), total: words(total) });
  element.classList.toggle("bad", before + more > total && name === "pool");
  element.classList.toggle("warn", before + more > total && name !== "pool");
  const [used, going] = form.querySelectorAll(`[data-bar=${name}] rect`);
  const share = (count) => Math.min(Math.max((100 * count) / total, 0), 100);
  used.setAttribute("width", `${share(before)}%`);
  going.setAttribute("x", `${share(before)}%`);
  going.setAttribute("width", `${Math.min(share(more), 100 - share(before))}%`);
}

function poolRoom(disks) {
  const first = disks[0]?.option;
  form.querySelector("[data-pool-room]").hidden = !first;
  if (!first) return;
  const more = disks.filter((disk) => disk.option === first || disk.option?.value === first.value);
  const wanted = more.reduce((sum, disk) => sum + disk.wanted, 0);
  const total = Number(first.dataset.total);
  const name = form.querySelector("[data-room-name]");
  name.textContent = fill(name.dataset.words, { pool: first.dataset.name });
  room("pool", total - first.dataset.free, wanted, total, bytes);
}

if (form) begin();
