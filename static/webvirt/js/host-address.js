// The form of a host's address: the fields of the chosen way, and the address that they make (the server composes it).
const form = document.querySelector("[data-address-form]");
// What an address is made of. Nothing else of the form is sent before it is submitted.
const PARTS = ["how", "host", "port", "user", "login", "scope", "socket", "uri"];
const PAUSE_MS = 200;

const shown = form.querySelector("[data-uri]");
let pause;
let request;

function choose() {
  const how = form.elements.how.value;
  for (const part of form.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(how);
}

async function compose() {
  request?.abort();
  request = new AbortController();
  const query = new URLSearchParams(PARTS.map((name) => [name, form.elements[name].value]));
  try {
    const answer = await fetch(`${form.dataset.uriUrl}&${query}`, { signal: request.signal });
    shown.textContent = answer.ok && !answer.redirected ? await answer.text() : "";
  } catch (error) {
    if (error.name !== "AbortError" && !(error instanceof TypeError)) throw error;
  }
}

form.addEventListener("input", (event) => {
  if (event.target.name === "how") choose();
  if (!PARTS.includes(event.target.name)) return;
  clearTimeout(pause);
  pause = setTimeout(compose, PAUSE_MS);
});

choose();
compose();
