/** Datatypes: how the elements of each are held, checked, and carried over to the host. */

import { narrowToBf16, narrowToFp16, widenBf16, widenFp16 } from "./half.js";

/** What there is to know of each datatype, by its name. */
const KINDS = {
  boolean: { wire: "BOOL", contents: "bools", list: Array, is: isBoolean, expected: "true or false" },
  uint8: integer("UINT8", "u8s", Uint8Array, 0, 255),
  uint16: integer("UINT16", "u16s", Uint16Array, 0, 65535),
  uint32: integer("UINT32", "u32s", Uint32Array, 0, 4294967295),
  uint64: long("UINT64", "u64s", BigUint64Array, 0n, 2n ** 64n - 1n),
  int8: integer("INT8", "s8s", Int8Array, -128, 127),
  int16: integer("INT16", "s16s", Int16Array, -32768, 32767),
  int32: integer("INT32", "s32s", Int32Array, -2147483648, 2147483647),
  int64: long("INT64", "s64s", BigInt64Array, -(2n ** 63n), 2n ** 63n - 1n),
  fp16: half("FP16", "f16s", widenFp16, narrowToFp16),
  bf16: half("BF16", "bf16s", widenBf16, narrowToBf16),
  fp32: float("FP32", "f32s", Float32Array),
  fp64: float("FP64", "f64s", Float64Array),
  text: { wire: "BYTES (text)", contents: "texts", list: Array, is: isText, expected: "a string" },
  blob: { wire: "BYTES (blob)", contents: "blobs", list: Array, is: isBlob, expected: "a Uint8Array" },
};

const DATATYPE_OF_CONTENTS = new Map(Object.entries(KINDS).map(([name, kind]) => [kind.contents, name]));

/** The names of the datatypes, in the order of the contract. */
export const DATATYPES = Object.freeze(Object.keys(KINDS));

/** Whether this is the name of a datatype. */
export function isDatatype(name) {
  return Object.hasOwn(KINDS, name);
}

/** The name on the wire; the two kinds of `BYTES` are told apart. */
export function wireName(datatype) {
  return KINDS[datatype].wire;
}

/**
 * The elements as a tensor of this datatype holds them; typed arrays of the right type are not copied.
 *
 * @throws {TypeError} where one cannot be an element.
 */
export function held(datatype, elements) {
  const kind = KINDS[datatype];
  if (kind.list !== Array && elements instanceof kind.list) return elements;
  const list = Array.from(elements, (element, index) => {
    const converted = kind.convert ? kind.convert(element) : element;
    if (kind.is(converted)) return converted;
    const found = typeof element === "string" ? JSON.stringify(element) : String(element);
    throw new TypeError(`element ${index} is ${found}, expected ${kind.expected} for ${kind.wire}`);
  });
  return kind.list === Array ? list : kind.list.from(list);
}

/** Whether this is one element of the datatype, and no list of them. */
export function isElement(datatype, value) {
  const kind = KINDS[datatype];
  return typeof value !== "object" || (datatype === "blob" && value instanceof Uint8Array)
    ? kind.is(kind.convert ? kind.convert(value) : value)
    : false;
}

/** What crosses to the host: numbers as the bytes that they have in memory. */
export function toContents(datatype, elements) {
  const { contents, narrow, list } = KINDS[datatype];
  if (datatype === "boolean") return { tag: contents, val: Uint8Array.from(elements, Number) };
  // Half of a surrogate pair has no form in UTF-8.
  if (datatype === "text") return { tag: contents, val: elements.map((text) => text.toWellFormed()) };
  if (list === Array) return { tag: contents, val: elements };
  const numbers = narrow ? Uint16Array.from(elements, narrow) : elements;
  return { tag: contents, val: new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength) };
}

/** The datatype and the elements of what came from the host. */
export function fromContents({ tag, val }) {
  const datatype = DATATYPE_OF_CONTENTS.get(tag);
  const { list, widen } = KINDS[datatype];
  if (datatype === "boolean") return { datatype, elements: Array.from(val, Boolean) };
  if (list === Array) return { datatype, elements: val };
  const view = (type) => new type(val.buffer, val.byteOffset, val.byteLength / type.BYTES_PER_ELEMENT);
  return { datatype, elements: widen ? Float32Array.from(view(Uint16Array), widen) : view(list) };
}

function integer(wire, contents, list, least, most) {
  const is = (element) => Number.isInteger(element) && element >= least && element <= most;
  return { wire, contents, list, is, expected: `an integer from ${least} to ${most}` };
}

/** Numbers are taken too, as far as they are whole and safe. */
function long(wire, contents, list, least, most) {
  const is = (element) => typeof element === "bigint" && element >= least && element <= most;
  const convert = (element) => (Number.isSafeInteger(element) ? BigInt(element) : element);
  return { wire, contents, list, is, convert, expected: `a bigint from ${least} to ${most}` };
}

function float(wire, contents, list) {
  return { wire, contents, list, is: isNumber, expected: "a number" };
}

/** Elements are held as binary32, which has a place for each of these numbers. */
function half(wire, contents, widen, narrow) {
  return { ...float(wire, contents, Float32Array), widen, narrow };
}

function isNumber(element) {
  return typeof element === "number";
}

function isBoolean(element) {
  return typeof element === "boolean";
}

function isText(element) {
  return typeof element === "string";
}

function isBlob(element) {
  return element instanceof Uint8Array;
}
