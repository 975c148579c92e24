// Relative times stay true while the page is open. The words are the server's (webvirt/units.py).
import { say } from "./words.js";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

function ago(seconds) {
  if (seconds < 10) return say("now");
  if (seconds < MINUTE) return say("seconds", Math.floor(seconds));
  if (seconds < HOUR) return say("minutes", Math.floor(seconds / MINUTE));
  if (seconds < DAY) return say("hours", Math.floor(seconds / HOUR));
  return say("days", Math.floor(seconds / DAY));
}

function update(time) {
  const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
  // Not of a time that is not there yet.
  if (!(seconds < 7 * DAY)) return;
  const words = ago(seconds);
  if (time.textContent !== words) time.textContent = words;
}

setInterval(() => document.querySelectorAll("time[data-time=ago]").forEach(update), 5000);
// A script gave a time another moment.
document.addEventListener("webvirt:time", (event) => update(event.target));
