// Forms that ask for a change: <form method="post" data-action-form data-toast="Starting web-3…"
// data-toast-done="web-3 is running">, or both on the submit button. Without scripts they are plain posts.
// data-then: where to go once the task is accepted. data-take: the file that the task comes to is saved. data-quiet: only a failure is told.
// A form in a dialog closes it at once, and opens it again when something in the form needs changing.
import { followMany } from "./many.js";
import { fill, say } from "./words.js";
import { toast } from "./toasts.js";

const INVALID = [400, 422];
const NOBODY = [502, 504]; // nginx says so, where the web processes start anew

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-action-form]") || event.defaultPrevented) return;
  event.preventDefault();
  if (!form.hasAttribute("aria-busy")) send(form, event.submitter);
});

async function send(form, button) {
  const words = { ...form.dataset, ...button?.dataset };
  const told = "quiet" in form.dataset ? undefined : toast(words.toast || say("sending"), words.toastDone, words.take);
  form.setAttribute("aria-busy", "true");
  form.closest("dialog")?.close();
  try {
    const answer = await fetch(button?.getAttribute("formaction") ?? form.getAttribute("action"), {
      method: "POST",
      body: new FormData(form, button),
      headers: { "X-Webvirt-Toast": "1", Accept: "application/json" },
    });
    if (NOBODY.includes(answer.status)) throw new TypeError(answer.statusText);
    await hear(answer, form, told);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    (told ?? toast("")).fail({ title: say("noAnswer"), detail: say("noAnswerDetail") });
  } finally {
    form.removeAttribute("aria-busy");
    renewKey(form);
  }
}

async function hear(answer, form, told) {
  if (answer.redirected && new URL(answer.url).pathname === "/login/") {
    location.reload();
    return;
  }
  const json = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
  const problem = { title: say("wrongAnswer"), detail: `${answer.status}`, ...json };
  if (form.closest("dialog") && INVALID.includes(answer.status)) {
    told?.close();
    reopen(form, problem);
    return;
  }
  if (!answer.ok) {
    (told ?? toast("")).fail(problem);
    return;
  }
  if (json.task) told?.follow(json.task);
  else if (json.results && told) followMany(told, json.results);
  else told?.succeed();
  if (form.dataset.then) location.assign(form.dataset.then);
}

function reopen(form, { title, detail, errors }) {
  const note = form.querySelector("[data-problem]") ?? document.createElement("div");
  note.className = "note err mb";
  note.dataset.problem = "";
  note.setAttribute("role", "alert");
  const whole = detail ? fill(say("titled"), { title, detail }) : title;
  note.textContent = [whole, ...Object.values(errors ?? {}).flat()].join(say("blank"));
  form.prepend(note);
  form.closest("dialog").showModal();
}

// The next press is another request, not this one again.
function renewKey(form) {
  const key = form.elements.namedItem("idempotency_key");
  if (!key) return;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  key.value = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
