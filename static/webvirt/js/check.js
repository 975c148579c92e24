// A checklist that failed before its host was reached is asked for anew: <form data-ask-now>.
const check = document.getElementById("check");

function ask() {
  const form = check?.querySelector("form[data-ask-now]");
  if (!form) return;
  delete form.dataset.askNow;
  form.requestSubmit();
}

if (check) {
  const wanted = { attributes: true, attributeFilter: ["data-ask-now"], childList: true, subtree: true };
  new MutationObserver(ask).observe(check, wanted);
}
// The scripts that submit it come after this one.
addEventListener("load", ask);
