// <button data-copy="id" data-copied="Copied"><span>Copy</span></button><span role="status"></span> copies the value of the
// input with that id, and says so.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const input = document.getElementById(button.dataset.copy);
  input.select();
  // Over plain http from another machine there is no clipboard but the one of old.
  if (navigator.clipboard) await navigator.clipboard.writeText(input.value);
  else document.execCommand("copy");
  button.querySelector("span").textContent = button.dataset.copied;
  button.nextElementSibling.textContent = button.dataset.copied;
});
