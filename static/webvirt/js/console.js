// A guest's display: connects with a fresh token each time, says what it waits for, and comes back by itself.
import RFB from "../../vendor/novnc/core/rfb.js";
import { beginBar, closeMenus, showBar } from "./console-bar.js";
import { hold, press, type, untypable } from "./console-keys.js";
import { toast } from "./toasts.js";

const SCALE = "webvirt.console.scale";
const SCALES = ["fit", "one", "remote"];
const RETRY_MS = [300, 1000, 2000, 4000, 5000];
const TOLD_MS = 5000;

// How the console service ends a connection (console/service.py); 1000 is the end of the display itself.
const DISPLAY_ENDED = 1000;
const NO_DISPLAY = 4404;

const screen = document.getElementById("screen");
const cover = document.getElementById("cover");
const form = document.getElementById("token");
const words = document.getElementById("console-words").dataset;

let rfb; // the connection, once its picture is there
let attempt; // the connection being made or held
let tries = 0;
let timer;
let lostAt;
let lostWords;
let password; // the display's, where it has one and it was told

function picture() {
  return document.getElementById("picture").dataset.picture === "yes";
}

/** Show one of the cover's sayings; the dark guest's own stands before all that could be retried. */
function say(what) {
  const dark = !picture() && ["connecting", "waiting", "lost", "problem", "password"].includes(what);
  cover.dataset.shows = dark ? "dark" : what;
  cover.hidden = false;
  showBar();
}

async function open() {
  clearTimeout(timer);
  if (attempt) return;
  attempt = "asking";
  let answer;
  try {
    answer = await fetch(form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { "X-Webvirt-Toast": "1", Accept: "application/json" },
      redirect: "manual",
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  attempt = undefined;
  if (answer?.ok) connect((await answer.json()).websocket);
  else refused(answer);
}

async function refused(answer) {
  if (answer?.type === "opaqueredirect") say("signed-out");
  else if (answer?.status === 403) say("forbidden");
  else if (answer?.status === 404) say("gone");
  else {
    const problem = answer?.headers.get("Content-Type")?.includes("json") ? await answer.json() : undefined;
    if (problem) {
      cover.querySelector("[data-problem-title]").textContent = problem.title;
      cover.querySelector("[data-problem-detail]").textContent = problem.detail;
    }
    say(problem ? "problem" : "lost");
    again();
  }
}

function connect(address) {
  const url = new URL(address);
  url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  url.host = location.host;
  const socket = new WebSocket(url);
  let end = {};
  socket.addEventListener("close", (event) => (end = event));
  attempt = new RFB(screen, socket);
  attempt.background = "transparent";
  scale(scaling());
  attempt.addEventListener("connect", connected);
  attempt.addEventListener("credentialsrequired", identify);
  attempt.addEventListener("securityfailure", () => {
    document.getElementById("password-problem").hidden = password === undefined;
    password = undefined;
  });
  attempt.addEventListener("disconnect", () => lost(end.code, end.reason));
}

function identify() {
  if (password !== undefined) attempt.sendCredentials({ password });
  else {
    say("password");
    document.getElementById("display-password").focus();
  }
}

function connected() {
  rfb = attempt;
  tries = 0;
  cover.hidden = true;
  document.getElementById("password-problem").hidden = true;
  if (!document.querySelector("dialog[open], .cbar :focus")) rfb.focus();
  if (lostAt) tell(lostWords.replace("{}", Math.max(1, Math.round((Date.now() - lostAt) / 1000))));
  lostAt = undefined;
  showBar();
}

function lost(code, reason) {
  const refusal = code === NO_DISPLAY && [...cover.querySelectorAll("[data-refusal]")].some((one) => one.dataset.when === reason);
  const ended = code === DISPLAY_ENDED || code === NO_DISPLAY;
  if (rfb) {
    lostAt = Date.now();
    lostWords = ended ? words.guest : words.network;
  }
  rfb = undefined;
  attempt = undefined;
  release();
  if (refusal) {
    say(reason);
    return;
  }
  const mistaken = !document.getElementById("password-problem").hidden;
  say(mistaken ? "password" : ended ? "waiting" : lostAt ? "lost" : "connecting");
  again();
}

function again() {
  clearTimeout(timer);
  // A guest without a picture is waited for, not asked: the cover is live and says when it has one.
  if (picture()) timer = setTimeout(open, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]);
  tries += 1;
}

function tell(text) {
  const told = document.getElementById("told");
  told.querySelector("[data-told]").textContent = text;
  told.hidden = false;
  setTimeout(() => (told.hidden = true), TOLD_MS);
}

function scaling() {
  const kept = localStorage.getItem(SCALE);
  return SCALES.includes(kept) ? kept : "fit";
}

function scale(how) {
  localStorage.setItem(SCALE, how);
  document.body.dataset.scale = how;
  for (const choice of document.querySelectorAll("[data-scale]:not(body)")) {
    choice.toggleAttribute("aria-current", choice.dataset.scale === how);
  }
  if (!(attempt instanceof RFB)) return;
  attempt.scaleViewport = how !== "one";
  attempt.resizeSession = how === "remote";
}

function release() {
  for (const key of document.querySelectorAll("[data-hold][aria-pressed=true]")) key.setAttribute("aria-pressed", "false");
}

function screenshot() {
  rfb.toBlob((blob) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${screen.dataset.name}-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), TOLD_MS);
  }, "image/png");
}

function fullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen();
}

document.querySelector(".cbar").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { keys, hold: held, scale: how } = button.dataset;
  if (how) scale(how);
  if ("fullscreen" in button.dataset) fullScreen();
  if (!rfb) return;
  if (keys) press(rfb, keys.split(" "));
  if (held) {
    const down = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", down);
    hold(rfb, held, down);
  }
  if ("screenshot" in button.dataset) screenshot();
  if (keys || how) rfb.focus();
});

document.getElementById("paste-form").addEventListener("submit", async (event) => {
  const field = document.getElementById("paste-text");
  const problem = document.getElementById("paste-problem");
  const text = field.value.replaceAll("\r\n", "\n");
  const strange = untypable(text);
  problem.textContent = strange.length ? words.notTyped.replace("{}", () => strange.join(" ")) : "";
  if (strange.length || !rfb) {
    event.preventDefault();
    return;
  }
  field.value = "";
  const told = toast(words.typing, words.typed);
  const typing = rfb;
  typing.focus();
  const whole = await type(() => (rfb === typing ? rfb : undefined), text);
  if (whole) told.succeed();
  else told.fail({ title: words.cut });
});

document.getElementById("password").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = document.getElementById("display-password");
  password = field.value;
  field.value = "";
  document.getElementById("password-problem").hidden = true;
  say("connecting");
  if (attempt instanceof RFB) attempt.sendCredentials({ password });
  else open();
});

// Whether the guest has a picture comes with the live cover.
new MutationObserver(() => {
  tries = 0;
  if (rfb) return;
  if (!picture()) say("waiting");
  else if (!attempt) {
    say("connecting");
    open();
  }
}).observe(cover, { attributes: true, attributeFilter: ["data-picture"], subtree: true });

addEventListener("online", () => !rfb && picture() && open());
screen.addEventListener("pointerdown", closeMenus, true);

beginBar({ mayHide: () => Boolean(rfb), leave: () => rfb?.focus() });
scale(scaling());
if (picture()) open();
else say("waiting");
