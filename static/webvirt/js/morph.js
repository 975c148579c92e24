// Changing what is shown into what the server says now, node by node: focus, scrolling, open menus and
// what somebody is typing stay. htmx does the morphing; this adds what it may not touch.
const htmx = window.htmx;

// A menu that is open, and what belongs to it, waits until it is closed: nothing changes under a finger.
const BUSY = ".dropdown-menu.show, [data-bs-toggle=dropdown].show";
const late = new WeakSet();

function kept(element, name) {
  return element.dataset.keep?.split(" ").includes(name);
}

htmx.registerExtension("webvirt-keep", {
  htmx_before_morph_node: (element) => {
    const busy = element.matches?.(BUSY);
    if (busy) late.add(element);
    return !busy;
  },
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

/** Whether `element` was passed over while its menu was open; asked once. */
export function wasPassedOver(element) {
  return late.delete(element);
}
