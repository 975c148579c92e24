// Changing what is shown into what the server says now, node by node: focus, scrolling, open menus and
// what somebody is typing stay. htmx does the morphing; this adds what it may not touch.
const htmx = window.htmx;

// A menu that is open, and what belongs to it, waits for the next change.
const BUSY = ".dropdown-menu.show, [data-bs-toggle=dropdown].show";

function kept(element, name) {
  return element.dataset.keep?.split(" ").includes(name);
}

htmx.registerExtension("webvirt-keep", {
  htmx_before_morph_node: (element) => !element.matches?.(BUSY),
  htmx_before_morph_attr: (element, { attrName }) => !kept(element, attrName),
});

/** Turn `element` into the element of `html`. */
export function morph(element, html) {
  return htmx.swap({ target: element, text: html, swap: "outerMorph" });
}

/** Turn the children of `element` into `html`. */
export function morphInside(element, html) {
  return htmx.swap({ target: element, text: html, swap: "innerMorph" });
}
