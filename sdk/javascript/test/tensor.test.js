import assert from "node:assert/strict";
import { test } from "node:test";

import { DATATYPES, Request, Tensor } from "../src/index.js";

const SOME = {
  boolean: [true, false], uint8: [1, 255], uint16: [1, 65535], uint32: [1, 4294967295], uint64: [1n, 2n ** 64n - 1n],
  int8: [1, -128], int16: [1, -32768], int32: [1, -2147483648], int64: [1n, -(2n ** 63n)], fp16: [1, 65504],
  bf16: [1, -0.5], fp32: [1, 0.5], fp64: [1, 0.1], text: ["a", ""], blob: [Uint8Array.of(255), Uint8Array.of()],
};

const refused = (message) => ({ name: "Refusal", kind: "invalid-input", message });

test("every datatype is read as it was written", () => {
  for (const datatype of DATATYPES) {
    const tensor = new Tensor("x", datatype, [2], SOME[datatype]);
    assert.deepEqual([...tensor.vector(datatype)], SOME[datatype]);
    assert.deepEqual(new Tensor("x", datatype, [], [SOME[datatype][0]]).scalar(), SOME[datatype][0]);
  }
});

test("a wrong datatype or shape is refused with what was found and expected", () => {
  const distance = new Tensor("distance", "fp64", [1], [1]);
  assert.throws(() => distance.scalar("fp32"), refused("tensor `distance` is FP64[1], expected FP32"));
  assert.throws(() => distance.scalar("text"), refused("tensor `distance` is FP64[1], expected BYTES (text)"));
  assert.throws(() => distance.matrix(), refused("tensor `distance` is FP64[1], expected FP64 with two dimensions"));
  const square = new Tensor("x", "fp64", [2, 2], [1, 2, 3, 4]);
  assert.throws(() => square.scalar(), refused("tensor `x` is FP64[2, 2], expected FP64 with one element"));
  assert.throws(() => square.vector(), refused("tensor `x` is FP64[2, 2], expected FP64 with one dimension"));
  const short = new Tensor("x", "fp64", [3], [1, 2]);
  assert.throws(() => short.vector(), refused("tensor `x` is FP64[3] but holds 2 elements"));
});

test("a matrix is read by rows", () => {
  const matrix = new Tensor("x", "int32", [2, 3], [1, 2, 3, 4, 5, 6]).matrix();
  assert.deepEqual([matrix.rowCount, matrix.columnCount], [2, 3]);
  assert.deepEqual([...matrix.row(1)], [4, 5, 6]);
  assert.equal(matrix.row(2), undefined);
  assert.deepEqual([...matrix].map((row) => row.length), [3, 3]);
  assert.deepEqual([...new Tensor("x", "fp32", [2, 0], []).matrix()].length, 2);
});

test("an element that cannot be one is an error of whoever made the tensor", () => {
  const make = (datatype, element) => () => new Tensor("x", datatype, [1], [element]);
  assert.throws(make("uint8", 256), { name: "TypeError", message: "tensor `x`: element 0 is 256, expected an integer from 0 to 255 for UINT8" });
  assert.throws(make("int32", 1.5), TypeError);
  assert.throws(make("int64", 2 ** 60), TypeError);
  assert.throws(make("text", 1), TypeError);
  assert.throws(make("float", 1), { message: "tensor `x`: there is no datatype `float`" });
  assert.equal(new Tensor("x", "uint64", [1], [7]).scalar(), 7n);
});

test("a missing input is refused with the names that there are", () => {
  const request = new Request("7").withText("carrier", "HA").withInput("hour", "int32", [1], [9]);
  assert.equal(request.input("hour").scalar(), 9);
  assert.throws(() => request.input("distance"), refused("input `distance` is missing; the inputs are: `carrier`, `hour`"));
  assert.throws(() => new Request("7").input("distance"), refused("input `distance` is missing; the inputs are: none"));
});
