// The form of a new network: a free range of the chosen host, the fields of the chosen mode, and a drawing.
const form = document.querySelector("[data-new-network]");

let proposed; // the range that stands there because we put it there

function begin() {
  proposed = selected().dataset.subnet;
  form.querySelector("[data-drawing]").hidden = false;
  form.addEventListener("input", refresh);
  form.addEventListener("change", refresh);
  refresh();
}

function selected() {
  return form.elements.host.selectedOptions[0];
}

function refresh() {
  const mode = form.elements.mode.value;
  const host = selected();
  if (form.elements.subnet.value === proposed) form.elements.subnet.value = host.dataset.subnet;
  proposed = host.dataset.subnet;
  for (const part of form.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(mode);
  form.querySelector("[data-dhcp]").hidden = !form.elements.dhcp.checked;
  form.querySelector("#bridges").replaceChildren(
    ...host.dataset.bridges.split(" ").filter(Boolean).map((name) => new Option("", name)),
  );
  const range = mode === "bridge" ? undefined : rangeOf(form.elements.subnet.value);
  form.elements.dhcp_first.placeholder = range ? written(range.first) : "";
  form.elements.dhcp_last.placeholder = range ? written(range.last) : "";
  draw(mode, range);
}

function part(name) {
  return form.querySelector(`[data-drawing] [data-${name}]`);
}

function draw(mode, range) {
  const { elements } = form;
  const bridged = mode === "bridge";
  const guests = part("guests");
  const dhcp = range && elements.dhcp.checked;
  guests.textContent = bridged ? guests.dataset.beyond : dhcp ? leases(guests.dataset.dhcp) : guests.dataset.fixed;
  const kind = form.querySelector("[data-drawing] .main [data-bridge]");
  kind.textContent = bridged ? kind.dataset.host : kind.dataset.own;
  part("name").textContent = (bridged ? elements.bridge.value : elements.name.value).trim() || "–";
  const addresses = [range && `${written(range.own)}/${range.prefix}`, !bridged && elements.ipv6.value.trim()];
  part("addresses").textContent = addresses.filter(Boolean).join(" · ");
  part("domain").textContent = bridged ? "" : elements.domain.value.trim();
  part("mode").textContent = form.querySelector(`[name=mode][value=${mode}]`).dataset.label;
  part("hint").textContent = part("hint").dataset[mode] ?? "";
  for (const end of form.querySelectorAll("[data-drawing] [data-out]")) end.hidden = mode === "isolated";
  part("in").hidden = mode !== "isolated";
}

function leases(words) {
  const { dhcp_first: first, dhcp_last: last } = form.elements;
  return words
    .replace("{first}", first.value.trim() || first.placeholder)
    .replace("{last}", last.value.trim() || last.placeholder);
}

// As networks/ranges.py: the host has the address that was written, or the first; DHCP the longer run beside it.
function rangeOf(text) {
  const found = /^\s*(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)\s*$/.exec(text);
  if (!found) return undefined;
  const [a, b, c, d, prefix] = found.slice(1).map(Number);
  if ([a, b, c, d].some((byte) => byte > 255) || prefix < 8 || prefix > 30) return undefined;
  const ip = ((a * 256 + b) * 256 + c) * 256 + d;
  const size = 2 ** (32 - prefix);
  const start = ip - (ip % size);
  const end = start + size - 2;
  const own = ip === start ? start + 1 : ip;
  const above = end - own >= own - (start + 1);
  const first = above ? own + 1 : Math.max(start + 1, own - 65535);
  return { own, prefix, first, last: above ? Math.min(end, own + 65535) : own - 1 };
}

function written(number) {
  return [24, 16, 8, 0].map((bits) => Math.floor(number / 2 ** bits) % 256).join(".");
}

if (form) begin();
