/** Models: what one is defined by, and how the host calls it. */

import { fromContents, isDatatype, toContents } from "./datatype.js";
import { Prediction, predictionOf } from "./prediction.js";
import { Refusal } from "./refusal.js";
import { Request } from "./request.js";
import { Tensor } from "./tensor.js";

/** Under this name the builder has what is to be done before the first call: clocks stop, for one. */
const BEGIN = Symbol.for("understudy.begin");

/** Stands in a shape for a dimension of any length. */
export const ANY_LENGTH = -1;

/** The type of an input or output: a length of {@link ANY_LENGTH} fits any; `[]` is a scalar. */
export function tensor(datatype, shape) {
  if (!isDatatype(datatype)) throw new TypeError(`there is no datatype \`${datatype}\``);
  const isLength = (length) => Number.isInteger(length) && length >= ANY_LENGTH;
  if (!Array.isArray(shape) || !shape.every(isLength)) {
    throw new TypeError(`the shape is ${JSON.stringify(shape)}, expected a list of lengths, or ANY_LENGTH`);
  }
  return Object.freeze({ datatype, shape: Object.freeze([...shape]) });
}

/**
 * Defines a model by what it takes, what it gives, and either `predict` or `predictBatch`.
 *
 * What either throws is a refusal: a {@link Refusal} is meant; anything else becomes one of the kind `failed` that says
 * what was thrown, and in which function.
 */
export function defineModel({ inputs, outputs, predict, predictBatch, batchLimit = 0, stateless = true }) {
  if ((predict === undefined) === (predictBatch === undefined)) {
    throw new TypeError("a model has either `predict` or `predictBatch`");
  }
  const description = Object.freeze({
    inputs: typesOf("inputs", inputs),
    outputs: typesOf("outputs", outputs),
    batchLimit,
    stateless,
  });
  const finished = (answer) => (answer instanceof Prediction ? answer : predictionOf(answer, description));
  const answerOne = (request) => {
    const answer = predict(request);
    if (answer instanceof Refusal) throw answer;
    return finished(answer);
  };
  const model = {
    description,
    predict: (request) => (predict ? answerOne(request) : only(model.predictBatch([request]))),
    predictBatch: (requests) =>
      predict ? requests.map((request) => refusing(() => answerOne(request))) : answerAll(requests),
  };
  const answerAll = (requests) => {
    const answers = predictBatch(requests);
    if (answers?.length !== requests.length) {
      throw new TypeError(`predictBatch returned ${answers?.length} answers, expected ${requests.length}`);
    }
    return answers.map((answer) => (answer instanceof Refusal ? answer : refusing(() => finished(answer))));
  };
  return Object.freeze({ ...model, predictor: predictorOf(model) });
}

function typesOf(what, types) {
  if (typeof types !== "object" || types === null) throw new TypeError(`a model has \`${what}\`, as in { x: tensor("fp32", [1]) }`);
  return Object.freeze(Object.entries(types).map(([name, type]) => Object.freeze({ name, ...tensor(type.datatype, type.shape) })));
}

function only([answer]) {
  if (answer instanceof Refusal) throw answer;
  return answer;
}

/** What `answer` gives, or the refusal that it throws. */
function refusing(answer) {
  try {
    return answer();
  } catch (error) {
    return error instanceof Refusal ? error : Refusal.failed(described(error));
  }
}

/** What was thrown, and the function that threw it. Lines would be those of the bundle, which nobody sees. */
function described(error) {
  if (!(error instanceof Error)) return `${String(error)} was thrown`;
  const [, name] = /^\s*at ([\w$.<>]+) \(/m.exec(error.stack ?? "") ?? [];
  return `${error.name}: ${error.message}${name ? ` (in ${name})` : ""}`;
}

/** The model as the shim of the builder calls it; see `contract.wit` there. */
function predictorOf(model) {
  const predict = (requests) => {
    globalThis[BEGIN]?.();
    const answers = refusing(() => model.predictBatch(requests));
    return answers instanceof Refusal ? requests.map(() => answers) : answers;
  };
  return Object.freeze({
    describe: () => model.description,
    predict: (requests) => predict(requests.map(requestOf)).map(resultOf),
  });
}

function requestOf({ id, timeUsLow, timeUsHigh, inputs }) {
  const tensors = inputs.map(({ name, shape, contents }) => {
    const { datatype, elements } = fromContents(contents);
    return new Tensor(name, datatype, shape, elements);
  });
  // The engine hands over whole numbers of 32 bits as signed ones.
  const timeUs = (BigInt(timeUsHigh >>> 0) << 32n) | BigInt(timeUsLow >>> 0);
  return new Request(id, timeUs, tensors);
}

function resultOf(answer) {
  if (answer instanceof Refusal) {
    return { tag: "err", val: { tag: answer.kind, val: String(answer.message).toWellFormed() } };
  }
  const outputs = answer.outputs.map((output) => ({
    name: output.name,
    shape: output.shape,
    contents: toContents(output.datatype, Tensor.heldBy(output)),
  }));
  const notes = answer.notes.map(([name, text]) => [String(name).toWellFormed(), String(text).toWellFormed()]);
  return { tag: "ok", val: { outputs, notes } };
}
