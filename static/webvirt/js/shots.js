// Pictures of guests' screens, as the API gives them.
import { now } from "./times.js";

const MOST_KEPT = 20;

// By address: {src, at}; `at` is when it came, which is at most 2 s after it was taken.
const kept = new Map();

/** The last picture of this address, or undefined. */
export const lastShot = (url) => kept.get(url);

/** A new picture {src, at}, or {words} on why there is none. */
export async function takeShot(url) {
  let answer;
  try {
    answer = await fetch(url);
    if (!answer.ok) return { words: (await answer.json()).detail };
  } catch (error) {
    if (error instanceof TypeError || error instanceof SyntaxError) return { words: "" };
    throw error;
  }
  const shot = { src: URL.createObjectURL(await answer.blob()), at: new Date(now()) };
  forget(url);
  kept.set(url, shot);
  if (kept.size > MOST_KEPT) forget(kept.keys().next().value);
  return shot;
}

function forget(url) {
  const old = kept.get(url);
  kept.delete(url);
  // A picture that is being shown is drawn already.
  if (old) URL.revokeObjectURL(old.src);
}

/** Show a picture, and how old it is. */
export function showShot({ src, at }, image, time) {
  image.src = src;
  time.dateTime = at.toISOString();
  time.title = at.toLocaleString(document.documentElement.lang);
  time.dispatchEvent(new Event("webvirt:time", { bubbles: true }));
}
