// The side bar as a drawer, the theme, and whether the task strip is open.
const menu = document.querySelector("[data-menu]");

function openMenu(open) {
  document.body.classList.toggle("menu-open", open);
  menu.setAttribute("aria-expanded", open);
  for (const covered of document.querySelectorAll(".top, #main, .foot")) covered.inert = open;
  if (open) document.querySelector("#side nav a").focus();
  else menu.focus();
}

if (menu) {
  menu.addEventListener("click", () => openMenu(!document.body.classList.contains("menu-open")));
  document.querySelector("[data-menu-close]").addEventListener("click", () => openMenu(false));
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.body.classList.contains("menu-open")) openMenu(false);
  });
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-theme-form]")) return;
  event.preventDefault();
  const chosen = event.submitter;
  document.documentElement.dataset.bsTheme = chosen.value;
  for (const choice of document.querySelectorAll("[data-theme-form] [name=theme]")) {
    if (choice.value === chosen.value) choice.setAttribute("aria-current", "true");
    else choice.removeAttribute("aria-current");
  }
  fetch(form.action, {
    method: "POST",
    body: new FormData(form, chosen),
    headers: { "X-Webvirt-Toast": "1" },
  });
});

const OPEN = "webvirt.strip";
const strip = document.querySelector("[data-strip]");
if (strip) {
  strip.open = localStorage.getItem(OPEN) === "open" && !matchMedia("(max-width: 767px)").matches;
  strip.addEventListener("toggle", () => localStorage.setItem(OPEN, strip.open ? "open" : "folded"));
}
