/** The conformance model: what it does is in sdk/conformance/README.md. */

import { ANY_LENGTH, DATATYPES, defineModel, Prediction, Refusal, tensor, Tensor } from "../src/index.js";

const EACH = Object.fromEntries(DATATYPES.map((datatype) => [datatype, tensor(datatype, [ANY_LENGTH])]));
const ACCESSORS = ["elements", "scalar", "vector", "matrix"];
const REFUSALS = ["invalid-input", "abstain", "failed"];

const outputs = {
  ...EACH,
  scalar: tensor("fp64", []),
  matrix: tensor("fp32", [ANY_LENGTH, ANY_LENGTH]),
  cube: tensor("int32", [ANY_LENGTH, ANY_LENGTH, ANY_LENGTH]),
  report: tensor("text", [ANY_LENGTH]),
};

export default defineModel({
  inputs: {
    mode: tensor("text", [1]),
    argument: tensor("text", [1]),
    ...EACH,
    scalar: tensor("fp64", []),
    matrix: tensor("fp32", [ANY_LENGTH, ANY_LENGTH]),
    cube: tensor("int32", [2, ANY_LENGTH, 2]),
  },
  outputs,
  batchLimit: 100,
  predictBatch: (requests) => requests.map(answer),
});

const MODES = { echo, reverse, sum, halves, unicode, read, notes, refuse, request: report, break: breaks };

function answer(request) {
  try {
    const mode = request.input("mode").scalar("text");
    if (Object.hasOwn(MODES, mode)) return MODES[mode](request);
    throw Refusal.invalidInput(
      `mode is \`${mode}\`, expected \`echo\`, \`reverse\`, \`sum\`, \`halves\`, \`unicode\`, \`read\`, \`notes\`, \`refuse\`, \`request\` or \`break\``,
    );
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** A prediction with these outputs; the others are empty. Values are lists, or whole tensors where they have a shape. */
function only(values) {
  const prediction = new Prediction();
  for (const [name, { datatype, shape }] of Object.entries(outputs)) {
    const value = values[name] ?? (name === "scalar" ? [0] : []);
    if (value instanceof Tensor) prediction.output(name, datatype, value.shape, value.elements());
    else if (shape.length < 2) prediction.output(name, datatype, shape.length === 0 ? [] : [value.length], value);
    else prediction.output(name, datatype, shape.map(() => 0), value);
  }
  return prediction;
}

function echo(request) {
  return only(Object.fromEntries(request.inputs.map((input) => [input.name, input])));
}

function reverse(request) {
  const values = Object.fromEntries(DATATYPES.map((name) => [name, request.input(name).vector(name).slice().reverse()]));
  const matrix = request.input("matrix").matrix("fp32");
  const transposed = new Float32Array(matrix.rowCount * matrix.columnCount);
  [...matrix].forEach((row, at) => row.forEach((element, column) => { transposed[column * matrix.rowCount + at] = element; }));
  const cube = request.input("cube");
  return only({
    ...values,
    scalar: [-request.input("scalar").scalar("fp64")],
    matrix: new Tensor("matrix", "fp32", [matrix.columnCount, matrix.rowCount], transposed),
    cube: new Tensor("cube", "int32", [...cube.shape].reverse(), cube.elements("int32").slice().reverse()),
  });
}

function sum(request) {
  const total = (numbers) => numbers.reduce((left, right) => left + right, 0);
  return only({
    scalar: [total(request.input("fp64").vector("fp64"))],
    fp64: Array.from(request.input("matrix").matrix("fp32"), (row) => total(Array.from(row))),
    int64: [request.input("int32").vector("int32").reduce((left, right) => left + BigInt(right), 0n)],
    uint64: [total(request.input("blob").vector("blob").map((bytes) => bytes.length))],
  });
}

function halves(request) {
  const numbers = request.input("fp32").vector("fp32");
  const widened = [...request.input("fp16").vector("fp16"), ...request.input("bf16").vector("bf16")];
  return only({ fp32: widened, fp16: numbers, bf16: numbers });
}

function unicode(request) {
  const texts = request.input("text").vector("text");
  const blobs = texts.map((text) => new TextEncoder().encode(text));
  return only({
    text: [texts.join("|")],
    blob: blobs,
    uint32: blobs.map((bytes) => bytes.length),
    uint64: texts.map((text) => [...text].length),
    boolean: texts.map((text) => text === texts[0]),
  });
}

function read(request) {
  const argument = request.input("argument").scalar("text");
  const [, accessor, datatype, name] = /^([^ ]*) ([^ ]*) (.*)$/su.exec(argument) ?? [];
  if (!ACCESSORS.includes(accessor) || !DATATYPES.includes(datatype)) {
    throw Refusal.invalidInput(`argument is \`${argument}\`, expected ACCESSOR DATATYPE INPUT`);
  }
  const found = request.input(name)[accessor](datatype);
  if (accessor === "scalar") return only({ [datatype]: [found] });
  if (accessor !== "matrix") return only({ [datatype]: found });
  const elements = [...found].reverse().flatMap((row) => [...row]);
  return only({ [datatype]: elements, report: [`${found.rowCount} rows`, `${found.columnCount} columns`] });
}

function notes(request) {
  const texts = request.input("text").vector("text");
  const prediction = only({});
  for (let at = 0; at < texts.length; at += 2) prediction.note(texts[at], texts[at + 1] ?? "");
  return prediction;
}

function refuse(request) {
  const kind = request.input("argument").scalar("text");
  if (!REFUSALS.includes(kind)) {
    throw Refusal.invalidInput(`argument is \`${kind}\`, expected \`invalid-input\`, \`abstain\` or \`failed\``);
  }
  return new Refusal(kind, request.input("text").vector("text")[0] ?? "");
}

function breaks(request) {
  const kind = request.input("argument").scalar("text");
  if (kind === "throw") throw new Error(request.input("text").vector("text")[0] ?? "");
  while (kind === "loop");
  return Refusal.invalidInput(`argument is \`${kind}\`, expected \`throw\` or \`loop\``);
}

function report(request) {
  return only({ report: [request.id, String(request.timeUs), ...request.inputs.map(String)] });
}
