// Figures come as values over the live channel: data-figure="instance:7:cpu_percent" data-format="percent".
// Formats: percent, bytes, rate, bits (text); share (a <rect>'s width, out of data-total); lines (the last hour:
// data-points, a value a minute of which the last is data-minute, up to data-top; perhaps a second line, of the
// figure data-second). The server draws the same: webvirt/drawing.py.
import { format } from "./format.js";

const HEADROOM = 1.4;
const MOST_POINTS = 60;

function* shown() {
  for (const element of document.querySelectorAll("[data-figure]")) {
    const [type, id, name] = element.dataset.figure.split(":");
    yield { element, type, id, name };
  }
}

/** The ids that this page shows figures of, by type. */
export function wanted() {
  const ids = {};
  for (const { type, id } of shown()) (ids[type] ??= new Set()).add(Number(id));
  return Object.fromEntries(Object.entries(ids).map(([type, set]) => [type, [...set]]));
}

/** Show `figures`: {instance: {7: {cpu_percent: 12.5}}}. What is null or missing is not known any more. */
export function show(figures) {
  for (const { element, type, id, name } of shown()) {
    const values = figures[type]?.[id] ?? {};
    if (element.dataset.format === "lines") {
      drawLines(element, values[name] ?? null, values[element.dataset.second] ?? null);
    } else draw(element, values[name] ?? null);
  }
}

function draw(element, value) {
  if (element.dataset.format === "share") drawShare(element, value);
  else {
    const words = format(value, element.dataset.format);
    if (element.textContent !== words) element.textContent = words;
  }
}

function drawShare(rect, value) {
  rect.setAttribute("width", `${Math.min((100 * (value ?? 0)) / rect.dataset.total, 100).toFixed(1)}%`);
}

// The running minute's value is the average of what came in it, as the server keeps it.
function drawLines(svg, first, second) {
  const now = thisMinute(Number(svg.dataset.minute));
  const passed = Math.min(Math.max(now - Number(svg.dataset.minute), 0), MOST_POINTS);
  if (passed) svg.dataset.came = 0;
  svg.dataset.minute = now;
  const came = Number(svg.dataset.came ?? 1);
  svg.dataset.came = came + 1;
  const lines = [moved(svg, "points", passed, came, first)];
  if (svg.dataset.second) lines.push(moved(svg, "secondPoints", passed, came, second));
  const { width, height } = svg.viewBox.baseVal;
  const top = Number(svg.dataset.top) || Math.max(...lines.flat()) || 1;
  const [runs, others = []] = lines.map((points) => runsOf(points, top, width, height));
  const drawn = [...svg.querySelectorAll(".g")];
  for (const [name, drawing] of [
    ["z", gaps(runs, width, height)],
    ["a", area(runs, height)],
    ["l", curve(runs)],
    ["l l2", curve(others)],
  ]) {
    if (drawing) drawn.push(path(svg, name, drawing));
  }
  svg.replaceChildren(...drawn);
}

// The minute since the epoch by the server's clock: `drawn` is its minute as the page was drawn, just now.
let ahead;
function thisMinute(drawn) {
  const here = Math.floor(Date.now() / 60000);
  ahead ??= drawn - here;
  return Math.max(here + ahead, drawn);
}

function moved(svg, name, passed, came, value) {
  const points = (svg.dataset[name] ?? "").split(" ").map((word) => (word ? Number(word) : null));
  while (points.length < MOST_POINTS) points.unshift(null);
  for (let minute = 0; minute < passed; minute += 1) points.push(null);
  const kept = points.slice(-MOST_POINTS);
  const last = kept.at(-1);
  if (value !== null) kept[MOST_POINTS - 1] = last === null ? value : last + (value - last) / (came + 1);
  svg.dataset[name] = kept.map((point) => point ?? "").join(" ");
  return kept;
}

function runsOf(points, top, width, height) {
  const step = width / (points.length - 1);
  const runs = [[]];
  points.forEach((point, place) => {
    if (point === null) {
      if (runs.at(-1).length) runs.push([]);
      return;
    }
    const share = Math.min(Math.max(point / top, 0), 1);
    runs.at(-1).push([(place * step).toFixed(1), (height - 0.5 - share * (height - 0.5 - HEADROOM)).toFixed(1)]);
  });
  return runs.filter((run) => run.length);
}

const along = (run) => run.map((place) => place.join(" ")).join("L");
const curve = (runs) => runs.map((run) => `M${along(run)}${run.length > 1 ? "" : "h0"}`).join("");
const area = (runs, height) =>
  runs
    .filter((run) => run.length > 1)
    .map((run) => `M${along(run)}V${height}H${run[0][0]}Z`)
    .join("");

function gaps(runs, width, height) {
  const starts = [0, ...runs.map((run) => run.at(-1)[0])];
  const ends = [...runs.map((run) => run[0][0]), width];
  return starts.map((start, place) => (Number(ends[place]) > Number(start) ? `M${start} ${height - 0.5}H${ends[place]}` : "")).join("");
}

function path(svg, name, drawing) {
  const made = document.createElementNS(svg.namespaceURI, "path");
  made.setAttribute("class", name);
  made.setAttribute("d", drawing);
  return made;
}
