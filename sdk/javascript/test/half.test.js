import assert from "node:assert/strict";
import { test } from "node:test";

import { narrowToBf16, narrowToFp16, widenBf16, widenFp16 } from "../src/index.js";

test("every half survives being widened and narrowed", () => {
  for (const [widen, narrow, infinity] of [[widenFp16, narrowToFp16, 0x7c00], [widenBf16, narrowToBf16, 0x7f80]]) {
    for (let bits = 0; bits < 0x10000; bits += 1) {
      const isNaN = (bits & 0x7fff) > infinity;
      if (isNaN) assert.ok(Number.isNaN(widen(bits)) && (narrow(widen(bits)) & 0x7fff) > infinity);
      else assert.equal(narrow(widen(bits)), bits);
    }
  }
});

test("narrowing goes to the nearest, ties to even", () => {
  const half = (value) => widenFp16(narrowToFp16(value));
  assert.equal(half(2049), 2048);
  assert.equal(half(2051), 2052);
  assert.equal(half(65519.99), 65504);
  assert.equal(half(65520), Infinity);
  assert.equal(half(2 ** -25), 0);
  assert.equal(half(2 ** -25 * 1.01), 2 ** -24);
  assert.ok(Object.is(half(-(2 ** -26)), -0));
  assert.equal(widenBf16(narrowToBf16(1 + 2 ** -8)), 1);
  assert.equal(widenBf16(narrowToBf16(3.4e38)), Infinity);
  assert.equal(widenBf16(narrowToBf16(2 ** -134)), 0);
});
