// The picture of a guest's screen on its page, taken again every few seconds while somebody looks.
import { showShot, takeShot } from "./shots.js";

const EVERY_MS = 5000;
let taking = false;

async function refresh() {
  const image = document.querySelector("img[data-screen]");
  if (!image || taking || document.visibilityState !== "visible") return;
  taking = true;
  const shot = await takeShot(image.dataset.screen);
  taking = false;
  // Without a new one the old one stays, and its age tells.
  if (shot.src && image.isConnected) showShot(shot, image, document.querySelector("[data-screen-age]"));
}

setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
refresh();
