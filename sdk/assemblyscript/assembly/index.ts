/**
 * Write a model for Understudy in AssemblyScript: extend `Model`, hand an instance to `register`, and export what the host
 * calls with `export * from ".../component"`.
 */

export { Answer, Prediction } from "./prediction";
export { Datatype } from "./datatype";
export { ANY_LENGTH, Description } from "./description";
export { narrowToBf16, narrowToFp16, widenBf16, widenFp16 } from "./half";
export { BatchModel, Model, register } from "./model";
export { Refusal, RefusalKind } from "./refusal";
export { Request } from "./request";
export { Matrix, Tensor } from "./tensor";
