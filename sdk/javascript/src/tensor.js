/** Tensors: elements with a name and a shape, and typed views of them. */

import { held, isDatatype, wireName } from "./datatype.js";
import { Refusal } from "./refusal.js";

/** A named array of any rank. */
export class Tensor {
  #elements;

  /**
   * @throws {TypeError} where an element cannot be one of the datatype.
   */
  constructor(name, datatype, shape, elements) {
    if (!isDatatype(datatype)) throw new TypeError(`tensor \`${name}\`: there is no datatype \`${datatype}\``);
    this.name = name;
    this.datatype = datatype;
    this.shape = Array.from(shape);
    const isLength = (length) => Number.isInteger(length) && length >= 0 && length < 2 ** 32;
    if (!this.shape.every(isLength)) {
      throw new TypeError(`tensor \`${name}\`: the shape is [${this.shape}], expected a list of lengths`);
    }
    try {
      this.#elements = held(datatype, elements);
    } catch (error) {
      throw new TypeError(`tensor \`${name}\`: ${error.message}`);
    }
    Object.freeze(this);
  }

  /**
   * All elements in row-major order, whatever the shape.
   *
   * @throws {Refusal} where they are of another datatype, or not as many as the shape asks for.
   */
  elements(datatype = this.datatype) {
    if (datatype !== this.datatype) {
      if (!isDatatype(datatype)) throw new TypeError(`there is no datatype \`${datatype}\``);
      throw this.#refusal(wireName(datatype));
    }
    const expected = this.shape.reduce((count, length) => count * length, 1);
    const found = this.#elements.length;
    if (expected !== found) throw Refusal.invalidInput(`${this} but holds ${found} elements`);
    return this.#elements;
  }

  /** The elements as they are, for the host to check. */
  static heldBy(tensor) {
    return tensor.#elements;
  }

  /** The one element, of a tensor of shape `[]`, `[1]`, `[1, 1]` and so on. */
  scalar(datatype = this.datatype) {
    const elements = this.elements(datatype);
    if (elements.length !== 1) throw this.#refusal(`${wireName(datatype)} with one element`);
    return elements[0];
  }

  /** The elements of a tensor with one dimension. */
  vector(datatype = this.datatype) {
    const elements = this.elements(datatype);
    if (this.shape.length !== 1) throw this.#refusal(`${wireName(datatype)} with one dimension`);
    return elements;
  }

  /** The elements of a tensor with two dimensions, as rows. */
  matrix(datatype = this.datatype) {
    const elements = this.elements(datatype);
    if (this.shape.length !== 2) throw this.#refusal(`${wireName(datatype)} with two dimensions`);
    return new Matrix(this.shape[0], this.shape[1], elements);
  }

  /** What the tensor is, and none of its elements. */
  toString() {
    return `tensor \`${this.name}\` is ${wireName(this.datatype)}[${this.shape.join(", ")}]`;
  }

  #refusal(expected) {
    return Refusal.invalidInput(`${this}, expected ${expected}`);
  }
}

/** The elements of a tensor with two dimensions. Iterating gives the rows. */
export class Matrix {
  #elements;

  constructor(rowCount, columnCount, elements) {
    this.rowCount = rowCount;
    this.columnCount = columnCount;
    this.#elements = elements;
    Object.freeze(this);
  }

  /** The row at `index`, or `undefined` past the last. A row of numbers is a view, and no copy. */
  row(index) {
    if (!Number.isInteger(index) || index < 0 || index >= this.rowCount) return undefined;
    const [begin, end] = [index * this.columnCount, (index + 1) * this.columnCount];
    return Array.isArray(this.#elements) ? this.#elements.slice(begin, end) : this.#elements.subarray(begin, end);
  }

  *[Symbol.iterator]() {
    for (let index = 0; index < this.rowCount; index += 1) yield this.row(index);
  }
}
