// Dialogs are native: Esc closes them, and the focus goes back to what opened them.
//   <button data-dialog="id"> opens <dialog id="id">.
//   <a href="/instances/7/delete/" data-dialog> fetches the inside of a dialog (header X-Webvirt-Live: dialog);
//   without scripts the link is a page.
//   data-close inside closes. An input with data-type-to-confirm="NAME" holds its form's button back until NAME is typed.
const shared = document.getElementById("dialog");
let returnTo; // what had the focus; of a menu, that closes meanwhile, its button

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  const closer = event.target.closest("dialog [data-close]");
  if (closer || event.target instanceof HTMLDialogElement) {
    event.preventDefault();
    event.target.closest("dialog").close();
  } else if (opener?.href && plain(event)) {
    event.preventDefault();
    load(opener);
  } else if (opener && !opener.href) {
    open(document.getElementById(opener.dataset.dialog), opener);
  }
});

function remember(opener) {
  returnTo = opener.closest(".dropdown-menu")?.parentElement.querySelector("[data-bs-toggle=dropdown]") ?? opener;
}

// The event does not bubble, but it can be captured.
document.addEventListener("close", () => returnTo?.focus(), true);

function plain(event) {
  return !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
}

async function load(opener) {
  const href = opener.href;
  const answer = await fetch(href, { headers: { "X-Webvirt-Live": "dialog" } }).catch(() => undefined);
  if (!answer?.ok || answer.redirected) {
    location.assign(href); // the page itself says what is wrong
    return;
  }
  shared.innerHTML = await answer.text();
  open(shared, opener);
}

/** Open `dialog`; when it closes, the focus goes back to `opener`. */
export function open(dialog, opener) {
  remember(opener);
  for (const input of dialog.querySelectorAll("[data-type-to-confirm]")) hold(input);
  dialog.showModal();
}

function hold(input) {
  const right = input.value.trim() === input.dataset.typeToConfirm;
  for (const button of input.form.querySelectorAll("[type=submit]")) button.disabled = !right;
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-type-to-confirm]")) hold(event.target);
});
