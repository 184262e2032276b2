// What went wrong while something was read, in words.

/** Says the problem, and what to do next. */
export class ReadError extends Error {
  /**
   * @param {string} problem
   * @param {string} [hint]
   */
  constructor(problem, hint = "") {
    super(problem);
    this.name = "ReadError";
    this.problem = problem;
    this.hint = hint;
  }
}

/**
 * An error's problem and hint. One that nobody foresaw is told as the browser tells it.
 *
 * @param {unknown} error
 * @returns {{problem: string, hint: string}}
 */
export function explainError(error) {
  if (error instanceof ReadError) {
    return { problem: error.problem, hint: error.hint };
  }
  return { problem: error instanceof Error ? error.message : String(error), hint: "reload the page" };
}
