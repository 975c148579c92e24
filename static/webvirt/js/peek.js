// A guest's screen beside its name in the list, while the name is pointed at or has the keyboard's focus:
// <a data-peek="…/screenshot">. One picture is asked for at a time; Escape hides it.
import { lastShot, showShot, takeShot } from "./shots.js";

const WAIT_MS = 300;
const LEAVE_MS = 150;
const EVERY_MS = 5000;
const EDGE = 8;

const peek = document.getElementById("peek");
const image = peek.querySelector("img");
const time = peek.querySelector("time");
const words = peek.querySelector("[data-words]");
let link; // whose screen is shown, or is about to be
let timer;
let taking = false;

function wait(found) {
  if (found === link) {
    clearTimeout(timer);
    if (!peek.hidden) timer = setTimeout(take, EVERY_MS);
    return;
  }
  hide();
  link = found;
  timer = setTimeout(show, WAIT_MS);
}

function leave() {
  clearTimeout(timer);
  timer = setTimeout(hide, LEAVE_MS);
}

function hide() {
  clearTimeout(timer);
  link?.removeAttribute("aria-describedby");
  link = undefined;
  peek.hidden = true;
}

function show() {
  const before = lastShot(link.dataset.peek);
  image.alt = peek.dataset.alt.replace("{}", link.textContent.trim());
  image.hidden = time.hidden = !before;
  if (before) showShot(before, image, time);
  else image.removeAttribute("src");
  words.textContent = before ? "" : peek.dataset.waiting;
  peek.hidden = false;
  link.setAttribute("aria-describedby", "peek");
  place();
  take();
}

function place() {
  // Beside the name, so that the names below it stay in reach.
  const { right, top } = link.getBoundingClientRect();
  const within = (at, size, room) => `${Math.max(EDGE, Math.min(at, room - size - EDGE))}px`;
  peek.style.left = within(right + 2 * EDGE, peek.offsetWidth, innerWidth);
  peek.style.top = within(top - EDGE, peek.offsetHeight, innerHeight);
}

async function take() {
  clearTimeout(timer);
  timer = setTimeout(take, EVERY_MS);
  if (taking || document.visibilityState !== "visible") return;
  taking = true;
  const wanted = link;
  const shot = await takeShot(wanted.dataset.peek);
  taking = false;
  if (peek.hidden || !link) return;
  if (link !== wanted) take();
  else if (!link.isConnected) hide();
  else tell(shot);
}

function tell(shot) {
  // An old picture stays beside the word on why there is no newer one.
  words.textContent = shot.src ? "" : shot.words || peek.dataset.none;
  if (shot.src) {
    image.hidden = time.hidden = false;
    showShot(shot, image, time);
  }
  place();
}

const named = (event) => event.target.closest?.("[data-peek]");

document.addEventListener("pointerover", (event) => {
  if (event.pointerType === "touch") return;
  if (named(event)) wait(named(event));
  else if (link && peek.contains(event.target)) wait(link);
});
document.addEventListener("pointerout", (event) => {
  if (link && (named(event) || peek.contains(event.target))) leave();
});
document.addEventListener("focusin", (event) => {
  if (named(event)?.matches(":focus-visible")) wait(named(event));
});
document.addEventListener("focusout", (event) => {
  if (named(event)) leave();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !peek.hidden) hide();
});
document.addEventListener("scroll", () => !peek.hidden && hide(), { capture: true, passive: true });
