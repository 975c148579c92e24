// <button data-copy="id" data-copied="Copied"><span>Copy</span></button><span role="status"></span> copies the value of the
// input with that id, or the text of another element, and says so.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  if (source.select) source.select();
  else getSelection().selectAllChildren(source);
  // Over plain http from another machine there is no clipboard but the one of old.
  if (navigator.clipboard) await navigator.clipboard.writeText(source.value ?? source.textContent);
  else document.execCommand("copy");
  button.querySelector("span").textContent = button.dataset.copied;
  button.nextElementSibling.textContent = button.dataset.copied;
});
