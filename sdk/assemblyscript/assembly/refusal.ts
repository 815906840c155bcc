import { Answer } from "./prediction";

/** Why a model gives no prediction. */
export enum RefusalKind {
  /** Because the request makes no sense to it. */
  InvalidInput,
  /** Because it would rather not answer. */
  Abstain,
  /** Because it tried and could not. */
  Failed,
}

/** A model's polite no. It costs the model nothing. */
export class Refusal extends Answer {
  constructor(
    readonly kind: RefusalKind,
    readonly message: string,
  ) {
    super();
  }

  /** A no because the request makes no sense. Say which input, what was found, and what was expected. */
  static invalidInput(why: string): Refusal {
    return new Refusal(RefusalKind.InvalidInput, why);
  }

  /** A no because the model would rather not answer: the request is outside of what it was trained on, say. */
  static abstain(why: string): Refusal {
    return new Refusal(RefusalKind.Abstain, why);
  }

  /** A no because the model tried and could not. */
  static failed(why: string): Refusal {
    return new Refusal(RefusalKind.Failed, why);
  }
}
