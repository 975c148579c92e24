// What the guest's keyboard is made to do: combinations from the bar, keys that stay down, texts typed key by key.
import KeyTable from "../../vendor/novnc/core/input/keysym.js";

const KEYSYMS = {
  ControlLeft: KeyTable.XK_Control_L,
  AltLeft: KeyTable.XK_Alt_L,
  MetaLeft: KeyTable.XK_Super_L,
  ShiftLeft: KeyTable.XK_Shift_L,
  Delete: KeyTable.XK_Delete,
  Tab: KeyTable.XK_Tab,
  Escape: KeyTable.XK_Escape,
  PrintScreen: KeyTable.XK_Print,
  Enter: KeyTable.XK_Return,
};
for (let number = 1; number <= 12; number += 1) KEYSYMS[`F${number}`] = KeyTable.XK_F1 + number - 1;

// QEMU's keyboards hold 16 keystrokes, and guests in text mode empty them slowly.
const TYPE_MS = 20;

// The US layout: the keys in order, what they type, and what they type with Shift.
const CODES = [
  "Backquote", ..."1234567890".split("").map((digit) => `Digit${digit}`), "Minus", "Equal",
  ..."qwertyuiop".split("").map(letterCode), "BracketLeft", "BracketRight", "Backslash",
  ..."asdfghjkl".split("").map(letterCode), "Semicolon", "Quote",
  ..."zxcvbnm".split("").map(letterCode), "Comma", "Period", "Slash", "Space",
];
const PLAIN = "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./ ";
const SHIFTED = '~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:"ZXCVBNM<>?';

function letterCode(letter) {
  return `Key${letter.toUpperCase()}`;
}

const STROKES = new Map([
  ["\n", ["Enter", false]],
  ["\t", ["Tab", false]],
]);
CODES.forEach((code, at) => {
  STROKES.set(PLAIN[at], [code, false]);
  if (at < SHIFTED.length) STROKES.set(SHIFTED[at], [code, true]);
});

function keysym(code, character) {
  return KEYSYMS[code] ?? character.codePointAt(0);
}

/** Press the keys in order and let them go in reverse. */
export function press(rfb, codes) {
  for (const code of codes) rfb.sendKey(KEYSYMS[code], code, true);
  for (const code of codes.toReversed()) rfb.sendKey(KEYSYMS[code], code, false);
}

/** Hold a key down, or let it go. */
export function hold(rfb, code, down) {
  rfb.sendKey(KEYSYMS[code], code, down);
}

/** The characters of `text` that a US keyboard cannot type, each once. */
export function untypable(text) {
  return [...new Set([...text].filter((character) => !STROKES.has(character)))];
}

/** Type `text` into `current()`; says whether all of it was typed before that became undefined. */
export async function type(current, text) {
  for (const character of text) {
    const rfb = current();
    if (!rfb) return false;
    const [code, shift] = STROKES.get(character);
    if (shift) rfb.sendKey(KEYSYMS.ShiftLeft, "ShiftLeft", true);
    rfb.sendKey(keysym(code, character), code);
    if (shift) rfb.sendKey(KEYSYMS.ShiftLeft, "ShiftLeft", false);
    await new Promise((resolve) => setTimeout(resolve, TYPE_MS));
  }
  return true;
}
