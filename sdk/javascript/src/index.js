/**
 * Write a model for Understudy in JavaScript or TypeScript: `export default defineModel({…})`.
 *
 * @module
 */

export { DATATYPES } from "./datatype.js";
export { narrowToBf16, narrowToFp16, widenBf16, widenFp16 } from "./half.js";
export { ANY_LENGTH, defineModel, tensor } from "./model.js";
export { Prediction, shaped } from "./prediction.js";
export { Refusal } from "./refusal.js";
export { Request } from "./request.js";
export { Matrix, Tensor } from "./tensor.js";
