// The live channel: what changed comes as ids, and the page fetches those of its own pieces again.
//
//   <tbody data-live="instance" data-live-url="/instances/?state=running" data-live-all="host">
//     rows <tr id="instance-7">. A batch fetches the url with ids=7,9 added: the answer holds those of the
//     rows that belong on this page. A change of a type in data-live-all fetches all rows.
//   <section data-live-block="instance:7,host" data-live-url="/instances/7/?block=head">
//     fetched whole (the answer is this very element) when guest 7 or any host changes; `host+` means only
//     when one comes or goes.
//   data-live-first: the block is fetched as the page opens, since another room draws it.
//
// Both fetches carry the header X-Webvirt-Live. Other modules listen to the events `webvirt:changes`
// (detail: the changes) and `webvirt:resync` (anything may have changed) on the document.
import { show, wanted } from "./figures.js";
import { morph, morphInside, wasPassedOver } from "./morph.js";

const QUIET_MS = 3000; // a loss shorter than this is not worth a word
const SILENCE_MS = 30000; // figures come every 5 s: after this the connection is dead
const RETRY_MS = 500;
const MOST_RETRY_MS = 10000;
const MOST_IDS = 100;
const LEAVING_MS = 5000; // an answer that takes longer is not waited for
const ALL = null;

let socket;
let seq = document.body.dataset.liveSeq ? Number(document.body.dataset.liveSeq) : undefined;
let retry = RETRY_MS;
let quietTimer;
let silenceTimer;
let subscribed = "";
let leaving = false;

// What is to be fetched for an element: a set of ids, or ALL. Missing: nothing.
const waiting = new Map();
const fetching = new Set();

let named = heading();

function connect() {
  socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws/live/`);
  subscribed = "";
  socket.addEventListener("message", (event) => hear(JSON.parse(event.data)));
  socket.addEventListener("close", lost);
}

function lost(event) {
  clearTimeout(silenceTimer);
  if (event.code === 4401) {
    // Signed out elsewhere: the server shows the login page. A form on its way, a new password perhaps, brings its own answer.
    setTimeout(() => location.reload(), leaving ? LEAVING_MS : 0);
    return;
  }
  quietTimer ??= setTimeout(() => notLive(true), QUIET_MS);
  setTimeout(connect, retry * (0.5 + Math.random() / 2));
  retry = Math.min(retry * 2, MOST_RETRY_MS);
}

function notLive(shown) {
  const line = document.querySelector("[data-not-live]");
  if (line) line.hidden = !shown;
}

function hear(message) {
  clearTimeout(silenceTimer);
  silenceTimer = setTimeout(() => socket.close(), SILENCE_MS);
  if ("seq" in message) {
    if (quietTimer || retry !== RETRY_MS) welcomeBack();
    const missed = message.first ? message.first > seq + 1 || seq === undefined : message.seq !== seq;
    seq = message.seq;
    if (missed) resync();
    else if (message.changes.length) pass(message.changes);
    subscribe();
  }
  if (message.figures) show(message.figures);
}

function welcomeBack() {
  clearTimeout(quietTimer);
  quietTimer = undefined;
  retry = RETRY_MS;
  notLive(false);
}

function subscribe() {
  const ids = JSON.stringify({ subscribe: wanted() });
  if (ids === subscribed || socket.readyState !== WebSocket.OPEN) return;
  subscribed = ids;
  socket.send(ids);
}

function resync() {
  for (const element of document.querySelectorAll("[data-live], [data-live-block]")) want(element, ALL);
  document.dispatchEvent(new CustomEvent("webvirt:resync"));
}

function pass(changes) {
  const types = new Set(changes.map((change) => change.type));
  for (const rows of document.querySelectorAll("[data-live]")) {
    const own = changes.filter((change) => change.type === rows.dataset.live);
    const all = rows.dataset.liveAll?.split(",").some((type) => types.has(type));
    if (all || own.some((change) => change.change === "added")) want(rows, ALL);
    else if (own.length) want(rows, own.map((change) => change.id));
  }
  const names = new Set(changes.flatMap(namesOf));
  for (const block of document.querySelectorAll("[data-live-block]")) {
    if (block.dataset.liveBlock.split(",").some((name) => names.has(name))) want(block, ALL);
  }
  document.dispatchEvent(new CustomEvent("webvirt:changes", { detail: changes }));
}

function namesOf({ type, id, change }) {
  return [type, `${type}:${id}`, ...(change === "changed" ? [] : [`${type}+`])];
}

function want(element, ids) {
  const before = waiting.get(element);
  const all = ids === ALL || before === ALL || (before?.size ?? 0) + ids.length > MOST_IDS;
  waiting.set(element, all ? ALL : new Set([...(before ?? []), ...ids]));
  if (!fetching.has(element)) refresh(element);
}

// One fetch at a time for an element; what changes meanwhile is fetched after it.
async function refresh(element) {
  fetching.add(element);
  try {
    while (waiting.has(element) && element.isConnected) {
      const ids = waiting.get(element);
      waiting.delete(element);
      await fetchPiece(element, ids);
    }
  } finally {
    fetching.delete(element);
    waiting.delete(element);
  }
  subscribe();
}

async function fetchPiece(element, ids) {
  const rows = "live" in element.dataset;
  const url = new URL(element.dataset.liveUrl, location.href);
  if (ids !== ALL) url.searchParams.set("ids", [...ids].join(","));
  let answer;
  let html;
  try {
    answer = await fetch(url, { headers: { "X-Webvirt-Live": rows ? "rows" : "block" } });
    html = await answer.text();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    later(element, ids);
    return;
  }
  if (answer.redirected) location.reload();
  else if (answer.status === 404) gone();
  else if (!answer.ok) later(element, ids);
  else if (!rows) await morph(element, html);
  else if (ids === ALL) await morphInside(element, html);
  else await swapRows(element, ids, html);
  rename();
}

function heading() {
  return document.querySelector("#main .head h1")?.textContent;
}

// What has a page of its own was given another name: the window and the last crumb bear it too.
function rename() {
  const name = heading();
  if (!named || !name || name === named) return;
  document.title = document.title.replace(named, () => name);
  const crumb = document.querySelector(".crumbs > b");
  if (crumb?.textContent === named) crumb.textContent = name;
  named = name;
}

// The server did not answer, or with a fault: the channel may be up all the same, so ask again.
function later(element, ids) {
  setTimeout(() => element.isConnected && want(element, ids === ALL ? ALL : [...ids]), MOST_RETRY_MS / 5);
}

async function swapRows(body, ids, html) {
  const answer = document.createElement("template");
  answer.innerHTML = html;
  for (const id of ids) {
    const name = `${body.dataset.live}-${id}`;
    const now = answer.content.getElementById(name);
    const shown = document.getElementById(name);
    if (now && shown) await morph(shown, now.outerHTML);
    else if (shown) shown.remove();
    else if (now) want(body, ALL); // new on this page: its place is known only from the whole
  }
}

function gone() {
  const main = document.getElementById("main");
  if (main.querySelector(":scope > [data-gone]")) return;
  const note = document.getElementById("gone").content.cloneNode(true).firstElementChild;
  note.dataset.gone = "";
  main.prepend(note);
}

document.addEventListener("hidden.bs.dropdown", (event) => {
  if (!wasPassedOver(event.target)) return;
  const block = event.target.closest("[data-live-block]");
  const row = event.target.closest("[data-live] > [id]");
  if (block) want(block, ALL);
  else if (row) want(row.parentElement, [Number(row.id.split("-").at(-1))]);
});

addEventListener("beforeunload", () => {
  leaving = true;
});

addEventListener("online", () => {
  if (socket.readyState === WebSocket.CLOSED) retry = RETRY_MS;
});

for (const block of document.querySelectorAll("[data-live-first]")) want(block, ALL);
connect();
