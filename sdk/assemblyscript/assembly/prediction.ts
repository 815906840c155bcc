import { Datatype, datatypeOf } from "./datatype";
import { Tensor } from "./tensor";

/** What a model answers with: a `Prediction` or a `Refusal`. */
export abstract class Answer {}

/** What a model gives back. */
export class Prediction extends Answer {
  readonly outputs: Tensor[] = [];
  /** The name of each note, and after it its text. */
  readonly notes: string[] = [];

  /** Adds an output. The host takes a shape that does not fit the elements, or the description, for a fault. */
  output<T>(name: string, shape: i32[], elements: T[], datatype: Datatype = datatypeOf<T>()): this {
    return this.tensor(Tensor.of<T>(name, shape, elements, datatype));
  }

  /** Adds a tensor as an output. */
  tensor(tensor: Tensor): this {
    this.outputs.push(tensor);
    return this;
  }

  /** Adds a text as an output of shape `[1]`. */
  text(name: string, text: string): this {
    return this.output<string>(name, [1], [text]);
  }

  /** Adds a remark for people, which is recorded with the score. */
  note(name: string, text: string): this {
    this.notes.push(name);
    this.notes.push(text);
    return this;
  }
}
