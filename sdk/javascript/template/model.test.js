import assert from "node:assert/strict";
import { test } from "node:test";

import { Request } from "../src/index.js";
import model from "./model.js";

const asked = (features) => new Request("1").withInput("features", "fp32", [3], features);

test("without features the bias decides", () => {
  const probability = model.predict(asked([0, 0, 0])).tensor("probability").scalar();
  assert.ok(Math.abs(probability - 0.425557) < 1e-6, `${probability}`);
});

test("a missing feature is no ground for a guess", () => {
  assert.throws(() => model.predict(asked([0, NaN, 0])), { kind: "abstain" });
});
