// The bar: it goes out of the way by itself, can be pinned, and is reached by pointer, touch and keyboard.
const PINNED = "webvirt.console.pinned";
const AWAY_MS = 2500;
const EDGE_PX = 56; // a pointer this near to the top means the bar

const bar = document.querySelector(".cbar");
const grip = document.querySelector("[data-grip]");
let timer;
let hides = () => false;

function pinned() {
  return localStorage.getItem(PINNED) === "yes";
}

function pin(on) {
  localStorage.setItem(PINNED, on ? "yes" : "no");
  document.body.toggleAttribute("data-pinned", on);
  document.querySelector("[data-pin]").setAttribute("aria-pressed", on);
}

function busy() {
  return pinned() || bar.matches(":hover, :focus-within") || bar.querySelector(".dropdown-menu.show") || !hides();
}

function away() {
  if (busy()) showBar();
  else bar.classList.add("away");
}

/** Show the bar; it goes again by itself. */
export function showBar() {
  bar.classList.remove("away");
  clearTimeout(timer);
  timer = setTimeout(away, AWAY_MS);
}

/** Close the bar's menus, as a press anywhere on the page does, which the display keeps to itself. */
export function closeMenus() {
  if (bar.querySelector(".dropdown-menu.show")) document.body.click();
}

function controls() {
  return [...bar.querySelectorAll("a, button:not(:disabled)")].filter((control) => control.checkVisibility());
}

/**
 * Begin: `mayHide()` says whether a display is there to make room for, `leave()` takes the focus back to it.
 */
export function beginBar({ mayHide, leave }) {
  hides = mayHide;
  pin(pinned());
  showBar();
  // The display takes these events for the guest, so they are heard before it.
  addEventListener("pointermove", (event) => event.clientY < EDGE_PX && showBar(), true);
  addEventListener(
    "keydown",
    (event) => {
      if (!(event.ctrlKey && event.altKey && event.key === "Home")) return;
      event.preventDefault();
      event.stopPropagation();
      dispatchEvent(new Event("blur")); // noVNC then lets go of Ctrl and Alt in the guest
      showBar();
      controls()[0].focus();
    },
    true,
  );
  grip.addEventListener("click", showBar);
  bar.addEventListener("focusin", showBar);
  bar.addEventListener("click", (event) => event.target.closest("[data-pin]") && pin(!pinned()));
  bar.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !bar.querySelector(".dropdown-menu.show")) leave();
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.target.closest(".dropdown-menu")) return;
    const all = controls();
    all.at((all.indexOf(event.target) + step) % all.length)?.focus();
  });
}
