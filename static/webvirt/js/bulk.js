// Choosing several guests in the list: Space or a click takes one, Shift with it all from the last one; the bar
// counts them, and offers what at least one of them can do now (data-can: the names of its verbs).
const form = document.querySelector("[data-bulk]");
const body = document.querySelector("[data-live=instance]");
const all = document.querySelector("[data-all]");
const remove = form.querySelector("[data-delete]");
const deleteUrl = remove.href;
let last; // the id of the guest that was chosen last

function boxes() {
  return [...body.querySelectorAll(".c-sel input")];
}

function refresh() {
  const every = boxes();
  const chosen = every.filter((box) => box.checked);
  const can = new Set(chosen.flatMap((box) => box.dataset.can.split(" ")));
  const count = form.querySelector("[data-count]");
  count.textContent = count.dataset.words.replace("{n}", chosen.length);
  const some = form.dataset[chosen.length === 1 ? "one" : "many"].replace("{n}", chosen.length);
  for (const button of form.querySelectorAll("[name=verb]")) {
    button.disabled = !can.has(button.value);
    button.title = button.disabled ? form.dataset.nobody : "";
    button.dataset.toast = button.dataset.toastWords.replace("{some}", some);
  }
  remove.hidden = !can.has("delete");
  remove.href = `${deleteUrl}?ids=${chosen.map((box) => box.value).join(",")}`;
  all.hidden = !every.length;
  all.checked = every.length > 0 && chosen.length === every.length;
  all.indeterminate = chosen.length > 0 && !all.checked;
}

body.addEventListener("click", (event) => {
  const box = event.target.closest(".c-sel input");
  if (!box) return;
  const every = boxes();
  const from = every.findIndex((one) => one.value === last);
  if (event.shiftKey && from >= 0) {
    const ends = [from, every.indexOf(box)].sort((a, b) => a - b);
    for (const one of every.slice(ends[0], ends[1] + 1)) one.checked = box.checked;
  }
  last = box.value;
  refresh();
});

all.addEventListener("change", () => {
  for (const box of boxes()) box.checked = all.checked;
  refresh();
});

form.addEventListener("reset", () => setTimeout(refresh));

// Rows come, go and change by themselves.
new MutationObserver(refresh).observe(body, { childList: true, subtree: true, attributeFilter: ["data-can"] });
refresh();
