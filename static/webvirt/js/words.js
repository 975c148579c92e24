// The words that scripts say, translated by the server: <template id="words" data-…>.
const words = document.getElementById("words").dataset;

/** The words under `key`; `{}` in them becomes `number`. */
export function say(key, number) {
  return words[key].replace("{}", number);
}
