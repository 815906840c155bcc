/**
 * A model's polite no, to be thrown (or returned, in a batch). It costs the model nothing.
 */
export class Refusal extends Error {
  /**
   * @param {"invalid-input" | "abstain" | "failed"} kind
   * @param {string} message
   */
  constructor(kind, message) {
    super(message);
    this.name = "Refusal";
    this.kind = kind;
  }

  /** A no because the request makes no sense. Say which input, what was found, and what was expected. */
  static invalidInput(why) {
    return new Refusal("invalid-input", why);
  }

  /** A no because the model would rather not answer: the request is outside of what it was trained on, say. */
  static abstain(why) {
    return new Refusal("abstain", why);
  }

  /** A no because the model tried and could not. */
  static failed(why) {
    return new Refusal("failed", why);
  }
}
