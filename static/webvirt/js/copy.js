// <button data-copy="id" data-copied="Copied"> copies the value of the input with that id, and says so in its role=status.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const input = document.getElementById(button.dataset.copy);
  input.select();
  // Over plain http from another machine there is no clipboard but the one of old.
  if (navigator.clipboard) await navigator.clipboard.writeText(input.value);
  else document.execCommand("copy");
  button.querySelector("[role=status]").textContent = button.dataset.copied;
});
