/** A logistic regression of three features. */

import { defineModel, Refusal, tensor } from "../../src/index.js";

const WEIGHTS = [0.8, -1.2, 0.05];
const BIAS = -0.3;

export default defineModel({
  inputs: { features: tensor("fp32", [3]) },
  outputs: { probability: tensor("fp64", [1]) },

  predict(request) {
    const features = request.input("features").vector();
    if (features.some(Number.isNaN)) {
      throw Refusal.abstain("a feature is missing, and the training data had none of those");
    }
    const logit = WEIGHTS.reduce((sum, weight, index) => sum + weight * features[index]!, BIAS);
    return { probability: 1 / (1 + Math.exp(-logit)) };
  },
});
