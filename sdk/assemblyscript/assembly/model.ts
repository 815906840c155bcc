import { Description } from "./description";
import { Answer } from "./prediction";
import { Request } from "./request";

/** A model that gains from seeing many requests at once. */
export abstract class BatchModel {
  /** Says what the model takes and gives. Called once after loading; must always return the same. */
  abstract describe(): Description;

  /**
   * Answers requests: exactly one answer for each, in their order. The host chooses how many it hands over, so an answer must
   * not depend on its neighbours.
   */
  abstract predictBatch(requests: Request[]): Answer[];
}

/** A model that answers one request at a time. */
export abstract class Model extends BatchModel {
  /** Answers one request, or says why not. */
  abstract predict(request: Request): Answer;

  predictBatch(requests: Request[]): Answer[] {
    const answers: Answer[] = [];
    for (let index = 0; index < requests.length; index++) answers.push(this.predict(requests[index]));
    return answers;
  }
}

let registered: BatchModel | null = null;

/** Makes this the model of the component. To be called once, at the top of the main module. */
export function register(model: BatchModel): void {
  registered = model;
}

/** The model of the component. Without one, the component breaks when the host asks it what it is. */
export function theModel(): BatchModel {
  return registered!;
}
