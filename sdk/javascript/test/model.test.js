import assert from "node:assert/strict";
import { test } from "node:test";

import { ANY_LENGTH, defineModel, Prediction, Refusal, Request, shaped, tensor } from "../src/index.js";

const answering = (outputs, predict) => defineModel({ inputs: {}, outputs, predict });
const request = new Request("1");

test("a plain object becomes the described outputs", () => {
  const outputs = { p: tensor("fp64", [1]), rows: tensor("fp32", [ANY_LENGTH, 2]), label: tensor("text", []), id: tensor("blob", [1]) };
  const model = answering(outputs, () => ({ label: "late", p: 0.5, rows: [1, 2, 3, 4], id: Uint8Array.of(1) }));
  const prediction = model.predict(request);
  assert.deepEqual(prediction.outputs.map(String), [
    "tensor `p` is FP64[1]", "tensor `rows` is FP32[2, 2]", "tensor `label` is BYTES (text)[]", "tensor `id` is BYTES (blob)[1]",
  ]);
  const open = { x: tensor("fp64", [ANY_LENGTH, ANY_LENGTH]) };
  assert.deepEqual(answering(open, () => ({ x: shaped([1, 2], [3, 4]) })).predict(request).tensor("x").shape, [1, 2]);
  assert.throws(() => answering(open, () => ({ x: [1] })).predict(request), /expected shaped\(shape, elements\)/);
  assert.throws(() => answering(open, () => ({})).predict(request), /expected a value for the output `x` too/);
  assert.throws(() => answering({}, () => ({ x: 1 })).predict(request), /`x`, which is not among the outputs/);
});

test("each request of a batch has its own answer", () => {
  const broken = () => {
    throw new RangeError("oh");
  };
  const model = answering({ p: tensor("fp64", [1]) }, ({ id }) => {
    if (id === "no") throw Refusal.abstain("rather not");
    if (id === "bug") broken();
    return new Prediction().output("p", "fp64", [1], [1]).note("seen", id);
  });
  const [yes, no, bug] = model.predictBatch(["yes", "no", "bug"].map((id) => new Request(id)));
  assert.deepEqual(yes.notes, [["seen", "yes"]]);
  assert.deepEqual([no.kind, no.message], ["abstain", "rather not"]);
  assert.equal(bug.kind, "failed");
  assert.equal(bug.message, "RangeError: oh (in broken)");
  assert.throws(() => model.predict(new Request("no")), { kind: "abstain" });
});

test("a batch has as many answers as requests", () => {
  const model = defineModel({ inputs: {}, outputs: {}, predictBatch: () => [{}] });
  assert.equal(model.predictBatch([request]).length, 1);
  assert.throws(() => model.predictBatch([request, request]), /returned 1 answers, expected 2/);
});

test("a definition that cannot be is refused", () => {
  const define = (definition) => () => defineModel(definition);
  assert.throws(define({ inputs: {}, outputs: {} }), /either `predict` or `predictBatch`/);
  assert.throws(define({ outputs: {}, predict() {} }), /a model has `inputs`/);
  assert.throws(() => tensor("float", [1]), /there is no datatype `float`/);
  assert.throws(() => tensor("fp32", [1.5]), /expected a list of lengths/);
});

test("the host sees bytes, and a time in two halves", () => {
  const model = defineModel({
    inputs: { x: tensor("uint64", [ANY_LENGTH]) },
    outputs: { x: tensor("uint64", [ANY_LENGTH]), half: tensor("fp16", [1]) },
    predict: (request) => new Prediction().output("x", "uint64", [1], request.input("x").vector()).output("half", "fp16", [1], [1.5]).note("time", String(request.timeUs)),
  });
  const val = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 128);
  const asked = { id: "1", timeUsLow: 5, timeUsHigh: 1, inputs: [{ name: "x", shape: [1], contents: { tag: "u64s", val } }] };
  const [{ tag, val: { outputs, notes } }] = model.predictor.predict([asked]);
  assert.equal(tag, "ok");
  assert.deepEqual(outputs[0], { name: "x", shape: [1], contents: { tag: "u64s", val } });
  assert.deepEqual(outputs[1].contents, { tag: "f16s", val: Uint8Array.of(0, 0x3e) });
  assert.deepEqual(notes, [["time", "4294967301"]]);
});

test("the time of a request is whole although the engine takes its halves for signed numbers", () => {
  let seen;
  const { predictor } = answering({}, ({ timeUs }) => {
    seen = timeUs;
    return {};
  });
  predictor.predict([{ id: "1", timeUsLow: -385948010, timeUsHigh: 418003, inputs: [] }]);
  assert.equal(seen, 1_795_313_123_649_174n);
});
