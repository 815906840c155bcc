import { isElement } from "./datatype.js";
import { Tensor } from "./tensor.js";

/** What a model gives back, where the plain object of its outputs does not do: with notes, say. */
export class Prediction {
  constructor() {
    this.outputs = [];
    this.notes = [];
  }

  /** Adds an output. The host takes a shape that does not fit the elements, or the description, for a fault. */
  output(name, datatype, shape, elements) {
    this.outputs.push(new Tensor(name, datatype, shape, elements));
    return this;
  }

  /** Adds a text as an output of shape `[1]`. */
  text(name, text) {
    return this.output(name, "text", [1], [text]);
  }

  /** Adds a remark for people, which is recorded with the score. */
  note(name, text) {
    this.notes.push([name, text]);
    return this;
  }

  /** The output with this name, or `undefined`. For tests. */
  tensor(name) {
    return this.outputs.find((output) => output.name === name);
  }
}

/** Elements with a shape of their own, for an output with several dimensions of any length. */
export function shaped(shape, elements) {
  return new Shaped(shape, elements);
}

class Shaped {
  constructor(shape, elements) {
    this.shape = shape;
    this.elements = elements;
  }
}

/** Makes a prediction of a plain object with one value for each described output. */
export function predictionOf(values, description) {
  const prediction = new Prediction();
  for (const { name, datatype, shape } of description.outputs) {
    if (!Object.hasOwn(values, name)) {
      const found = Object.keys(values).map((key) => `\`${key}\``).join(", ") || "nothing";
      throw new TypeError(`predict returned ${found}, expected a value for the output \`${name}\` too`);
    }
    const value = values[name];
    if (value instanceof Shaped) {
      prediction.output(name, datatype, value.shape, value.elements);
    } else {
      const elements = isElement(datatype, value) ? [value] : Array.isArray(value) || ArrayBuffer.isView(value) ? value : undefined;
      if (!elements) throw new TypeError(`predict returned ${String(value)} for the output \`${name}\`, expected its elements`);
      prediction.output(name, datatype, lengths(name, shape, elements.length), elements);
    }
  }
  const extra = Object.keys(values).find((name) => !description.outputs.some((output) => output.name === name));
  if (extra !== undefined) throw new TypeError(`predict returned \`${extra}\`, which is not among the outputs of the model`);
  return prediction;
}

/** The shape of so many elements: at most one length can be told from their number. */
function lengths(name, shape, count) {
  const open = shape.filter((length) => length < 0).length;
  if (open > 1) throw new TypeError(`output \`${name}\` has several dimensions of any length, expected shaped(shape, elements)`);
  const known = shape.reduce((product, length) => (length < 0 ? product : product * length), 1);
  return shape.map((length) => (length < 0 ? (known === 0 ? 0 : Math.floor(count / known)) : length));
}
