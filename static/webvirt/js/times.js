// Relative times stay true while the page is open. The words are the server's (webvirt/units.py).
// They go by the server's clock, whatever the browser's says: <body data-now="UNIX SECONDS">.
import { say } from "./words.js";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

// How far the server's clock is ahead, in milliseconds; of a page that the browser had kept, as the one before found it.
const AHEAD = "webvirt-ahead";
const [arrival] = performance.getEntriesByType("navigation");
if (document.body.dataset.now && arrival?.type !== "back_forward") {
  sessionStorage.setItem(AHEAD, Number(document.body.dataset.now) * 1000 - Date.now());
}
const ahead = Number(sessionStorage.getItem(AHEAD));

/** Now by the server's clock, in milliseconds. */
export function now() {
  return Date.now() + ahead;
}

function ago(seconds) {
  if (seconds < 10) return say("now");
  if (seconds < MINUTE) return say("seconds", Math.floor(seconds));
  if (seconds < HOUR) return say("minutes", Math.floor(seconds / MINUTE));
  if (seconds < DAY) return say("hours", Math.floor(seconds / HOUR));
  return say("days", Math.floor(seconds / DAY));
}

function update(time) {
  const seconds = (now() - Date.parse(time.dateTime)) / 1000;
  // Not of a time that is not there yet.
  if (!(seconds < 7 * DAY)) return;
  const words = ago(seconds);
  if (time.textContent !== words) time.textContent = words;
}

setInterval(() => document.querySelectorAll("time[data-time=ago]").forEach(update), 5000);
// A script gave a time another moment.
document.addEventListener("webvirt:time", (event) => update(event.target));
