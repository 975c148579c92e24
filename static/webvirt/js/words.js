// The words that scripts say, translated by the server: <template id="words" data-…>.
const words = document.getElementById("words").dataset;

/** The words under `key`; `{}` in them becomes `number`. */
export function say(key, number) {
  return words[key].replace("{}", number);
}

/** `words` with each of the values at its `{name}`, whatever they have in them. */
export function fill(words, values) {
  return words.replace(/\{(\w+)\}/g, (_, key) => values[key]);
}
