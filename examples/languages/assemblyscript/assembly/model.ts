/** How likely a flight is to be late, by logistic regression. */

import {
  Answer,
  Description,
  Model,
  Prediction,
  Refusal,
  Request,
  register,
} from "../../../../sdk/assemblyscript/assembly";
import * as trained from "./trained";

export * from "../../../../sdk/assemblyscript/assembly/component";

class Logit extends Model {
  describe(): Description {
    return new Description()
      .input<string>("carrier", [1])
      .input<string>("origin", [1])
      .input<string>("dest", [1])
      .input<f32>("distance", [1])
      .input<i32>("hour", [1])
      .input<i32>("weekday", [1])
      .input<f32>("wind_speed", [1])
      .input<f32>("precip", [1])
      .input<f32>("visib", [1])
      .output<f64>("delayed", [1]);
  }

  predict(request: Request): Answer {
    const logOdds =
      trained.INTERCEPT +
      trained.CARRIERS.of(request.input("carrier").scalar<string>()) +
      trained.ORIGINS.of(request.input("origin").scalar<string>()) +
      trained.DESTS.of(request.input("dest").scalar<string>()) +
      ofNumber(request, "hour", trained.HOURS) +
      ofNumber(request, "weekday", trained.WEEKDAYS) +
      trained.DISTANCE * request.input("distance").scalar<f32>() +
      trained.WIND_SPEED * knownOr(trained.USUAL_WIND_SPEED, request, "wind_speed") +
      trained.PRECIP * knownOr(trained.USUAL_PRECIP, request, "precip") +
      trained.VISIB * knownOr(trained.USUAL_VISIB, request, "visib");
    return new Prediction().output<f64>("delayed", [1], [1 / (1 + Math.exp(-logOdds))]);
  }
}

register(new Logit());

/** What was learnt about a number from 0 on. */
function ofNumber(request: Request, name: string, learnt: StaticArray<f64>): f64 {
  const number = request.input(name).scalar<i32>();
  if (number >= 0 && number < learnt.length) return learnt[number];
  const expected = "expected 0 to " + (learnt.length - 1).toString();
  request.refuse(Refusal.invalidInput("input `" + name + "` is " + number.toString() + ", " + expected));
  return 0;
}

function knownOr(usual: f32, request: Request, name: string): f64 {
  const found = request.input(name).scalar<f32>();
  return isNaN(found) ? usual : found;
}
