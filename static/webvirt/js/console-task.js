// While a guest is being made: once it is there, its console takes this page's place.
const cover = document.querySelector(".cover");

function go() {
  const address = document.getElementById("progress").dataset.console;
  if (address) location.replace(address);
}

new MutationObserver(go).observe(cover, { attributes: true, attributeFilter: ["data-console"], subtree: true });
go();
