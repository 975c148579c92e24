// Figures come as values over the live channel: data-figure="instance:7:cpu_percent" data-format="percent".
// Formats: percent, bytes, rate, bits (text); share (a <rect>'s width, out of data-total); spark (a line of
// data-points up to data-top).
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
  for (const { element, type, id, name } of shown()) draw(element, figures[type]?.[id]?.[name] ?? null);
}

function draw(element, value) {
  if (element.dataset.format === "share") drawShare(element, value);
  else if (element.dataset.format === "spark") drawSpark(element, value);
  else {
    const words = format(value, element.dataset.format);
    if (element.textContent !== words) element.textContent = words;
  }
}

function drawShare(rect, value) {
  rect.setAttribute("width", `${Math.min((100 * (value ?? 0)) / rect.dataset.total, 100).toFixed(1)}%`);
}

function drawSpark(svg, value) {
  const points = svg.dataset.points ? svg.dataset.points.split(" ").map((word) => (word ? Number(word) : null)) : [];
  points.push(value);
  svg.dataset.points = points.slice(-MOST_POINTS).join(" ");
  const { width, height } = svg.viewBox.baseVal;
  const line = curve(points.slice(-MOST_POINTS), Number(svg.dataset.top), width, height);
  const drawn = [];
  if (!line) drawn.push(path(svg, "z", `M0 ${height - 0.5}H${width}`));
  else {
    if (!points.includes(null)) drawn.push(path(svg, "a", `${line}V${height}H0Z`));
    drawn.push(path(svg, "l", line));
  }
  svg.replaceChildren(...drawn);
}

function path(svg, name, drawing) {
  const made = document.createElementNS(svg.namespaceURI, "path");
  made.setAttribute("class", name);
  made.setAttribute("d", drawing);
  return made;
}

function curve(points, top, width, height) {
  const step = width / Math.max(points.length - 1, 1);
  let pen = "M";
  let path = "";
  points.forEach((point, place) => {
    if (point === null) {
      pen = "M";
      return;
    }
    const share = Math.min(Math.max(point / top, 0), 1);
    path += `${pen}${(place * step).toFixed(1)} ${(height - 0.5 - share * (height - 0.5 - HEADROOM)).toFixed(1)}`;
    pen = "L";
  });
  return path;
}
