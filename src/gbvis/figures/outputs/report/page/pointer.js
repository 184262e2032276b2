// Pointing at a panel: a pointer reads a pixel, a press drags through time, a click keeps the pixel.

/** @typedef {import("./run_block.js").Place} Place */

/**
 * @typedef {object} PixelActions
 * @property {(place: Place | null) => void} point the pointer is there, or gone
 * @property {(place: Place | null) => void} keep it was clicked
 * @property {() => void} startDrag
 * @property {(share: number) => void} drag by this part of a panel's width, to the right
 */

const LEAST_DRAG = 4;

/**
 * @param {HTMLElement} view
 * @param {PixelActions} actions
 * @param {(across: number, down: number) => Place | null} findPlace returns the place of the clip at a place of the view
 */
export function followPixel(view, actions, findPlace) {
  let startedAt = 0;
  let isPressed = false;
  let isDragging = false;
  /** @param {PointerEvent} event */
  const placeOf = (event) => {
    const box = view.getBoundingClientRect();
    const [across, down] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    return across >= 0 && across < 1 && down >= 0 && down < 1 ? findPlace(across, down) : null;
  };
  view.addEventListener("pointerdown", (event) => {
    if (event.button === 0) {
      view.setPointerCapture(event.pointerId);
      [startedAt, isPressed, isDragging] = [event.clientX, true, false];
      actions.startDrag();
    }
  });
  view.addEventListener("pointermove", (event) => {
    isDragging ||= isPressed && Math.abs(event.clientX - startedAt) > LEAST_DRAG;
    if (isDragging) {
      actions.drag((event.clientX - startedAt) / view.clientWidth);
    }
    actions.point(placeOf(event));
  });
  view.addEventListener("pointerup", (event) => {
    if (isPressed && !isDragging) {
      actions.keep(placeOf(event));
    }
    isPressed = isDragging = false;
  });
  view.addEventListener("pointercancel", () => {
    isPressed = isDragging = false;
  });
  view.addEventListener("pointerleave", () => actions.point(null));
}
