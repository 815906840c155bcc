import { Refusal } from "./refusal.js";
import { Tensor } from "./tensor.js";

/** What a model is asked. */
export class Request {
  /** A request without inputs. For tests; those of a model come from the host. */
  constructor(id, timeUs = 0n, inputs = []) {
    this.id = id;
    this.timeUs = timeUs;
    this.inputs = inputs;
    Object.freeze(this);
  }

  /** The same request with one more input. For tests. */
  withInput(name, datatype, shape, elements) {
    const inputs = [...this.inputs, new Tensor(name, datatype, shape, elements)];
    return new Request(this.id, this.timeUs, inputs);
  }

  /** The same request with a text as an input of shape `[1]`. For tests. */
  withText(name, text) {
    return this.withInput(name, "text", [1], [text]);
  }

  /**
   * The input with this name.
   *
   * @throws {Refusal} where there is none; the host hands over every input that the model describes.
   */
  input(name) {
    const found = this.inputs.find((input) => input.name === name);
    if (found) return found;
    const names = this.inputs.map((input) => `\`${input.name}\``).join(", ") || "none";
    throw Refusal.invalidInput(`input \`${name}\` is missing; the inputs are: ${names}`);
  }
}
