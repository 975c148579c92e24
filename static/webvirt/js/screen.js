// The picture of a guest's screen, fetched again every few seconds while somebody looks.
const EVERY_MS = 5000;

async function refresh() {
  for (const image of document.querySelectorAll("img[data-screen]")) {
    const answer = await fetch(image.dataset.screen).catch(() => undefined);
    if (!answer?.ok) continue;
    const before = image.src;
    image.src = URL.createObjectURL(await answer.blob());
    if (before.startsWith("blob:")) URL.revokeObjectURL(before);
  }
}

function turn() {
  if (document.visibilityState === "visible") refresh();
}

setInterval(turn, EVERY_MS);
document.addEventListener("visibilitychange", turn);
