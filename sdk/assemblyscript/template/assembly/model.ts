/** A logistic regression of three features. */

import { Answer, Description, Model, Prediction, Refusal, Request, register } from "../../assembly";

export * from "../../assembly/component";

const WEIGHTS: StaticArray<f64> = [0.8, -1.2, 0.05];
const BIAS = -0.3;

class MyModel extends Model {
  describe(): Description {
    return new Description().input<f32>("features", [3]).output<f64>("probability", [1]);
  }

  predict(request: Request): Answer {
    const features = request.input("features").vector<f32>();
    let logit = BIAS;
    for (let index = 0; index < features.length; index++) {
      if (isNaN(features[index])) {
        return Refusal.abstain("a feature is missing, and the training data had none of those");
      }
      logit += WEIGHTS[index] * features[index];
    }
    return new Prediction().output<f64>("probability", [1], [1 / (1 + Math.exp(-logit))]);
  }
}

register(new MyModel());
