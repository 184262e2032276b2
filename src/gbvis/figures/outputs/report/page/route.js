// Where the reader is: kept after the address's `#`, so that the browser goes back, and a view can be sent to somebody.

/**
 * What stands after `#`: `run` is the run that is shown, and everything else is how.
 *
 * @returns {URLSearchParams}
 */
export function readRoute() {
  return new URLSearchParams(window.location.hash.slice(1));
}

/**
 * The link to a view.
 *
 * @param {Record<string, string> | string[][]} [state] such as `{run: key}`; nothing for the index
 * @returns {string}
 */
export function linkTo(state = {}) {
  return `#${new URLSearchParams(state)}`;
}

/**
 * Shows a view. The browser's button goes back to the one before.
 *
 * @param {Record<string, string> | string[][]} [state]
 */
export function openRoute(state = {}) {
  window.location.hash = linkTo(state);
}

/**
 * Notes how the view is shown now, without a step for the browser's button.
 *
 * @param {URLSearchParams} state
 */
export function replaceRoute(state) {
  const address = window.location.href.split("#")[0];
  try {
    window.history.replaceState(window.history.state, "", `${address}#${state}`);
  } catch {
    // A page inside a notebook may not change its address, and a browser refuses too many changes. Nothing is lost.
  }
}

/**
 * Follows links to `#...` by the address alone: inside a notebook they would otherwise mean the notebook.
 *
 * @param {Document} page
 */
export function followLinks(page) {
  page.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const target = link?.getAttribute("href");
    const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (target?.startsWith("#") && isPlain && !event.defaultPrevented) {
      event.preventDefault();
      window.location.hash = target;
    }
  });
}
