/** How likely a flight is to be late, by logistic regression. */

import { defineModel, Refusal, tensor } from "../../../sdk/javascript/src/index.js";
import weights from "./weights.json" with { type: "json" };

export default defineModel({
  inputs: {
    carrier: tensor("text", [1]),
    origin: tensor("text", [1]),
    dest: tensor("text", [1]),
    distance: tensor("fp32", [1]),
    hour: tensor("int32", [1]),
    weekday: tensor("int32", [1]),
    wind_speed: tensor("fp32", [1]),
    precip: tensor("fp32", [1]),
    visib: tensor("fp32", [1]),
  },
  outputs: { delayed: tensor("fp64", [1]) },

  predict(request) {
    let logOdds = weights.intercept;
    for (const name of ["carrier", "origin", "dest"]) logOdds += ofName(name, request.input(name).scalar());
    for (const name of ["hour", "weekday"]) logOdds += ofNumber(name, request.input(name).scalar());
    logOdds += weights.distance * request.input("distance").scalar();
    for (const name of ["wind_speed", "precip", "visib"]) {
      const found = request.input(name).scalar();
      logOdds += weights[name] * (Number.isNaN(found) ? Math.fround(weights.usual[name]) : found);
    }
    return { delayed: 1 / (1 + Math.exp(-logOdds)) };
  },
});

/** What was learnt about a name. One that was not in the training data adds nothing. */
function ofName(table, name) {
  return Object.hasOwn(weights[table], name) ? weights[table][name] : 0;
}

/** What was learnt about a number from 0 on. */
function ofNumber(table, number) {
  const learnt = weights[table];
  if (number in learnt) return learnt[number];
  throw Refusal.invalidInput(`input \`${table}\` is ${number}, expected 0 to ${learnt.length - 1}`);
}
