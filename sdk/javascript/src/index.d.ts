/**
 * Write a model for Understudy in JavaScript or TypeScript.
 *
 * ```ts
 * import { defineModel, Refusal, tensor } from "understudy-model";
 *
 * export default defineModel({
 *   inputs: { features: tensor("fp32", [3]) },
 *   outputs: { probability: tensor("fp64", [1]) },
 *   predict(request) {
 *     const features = request.input("features").vector(); // Float32Array
 *     if (features.some(Number.isNaN)) throw Refusal.abstain("a feature is missing");
 *     return { probability: 0.5 };
 *   },
 * });
 * ```
 */

/** The names of the datatypes, in the order of the contract. */
export const DATATYPES: readonly Datatype[];

/** A datatype of the contract. `text` and `blob` are the two kinds of `BYTES`. */
export type Datatype = keyof ElementOf;

/** What one element of a datatype is. */
export interface ElementOf {
  boolean: boolean;
  uint8: number;
  uint16: number;
  uint32: number;
  uint64: bigint;
  int8: number;
  int16: number;
  int32: number;
  int64: bigint;
  /** Widened to binary32, which has a place for each of these numbers. */
  fp16: number;
  /** Widened to binary32, which has a place for each of these numbers. */
  bf16: number;
  fp32: number;
  fp64: number;
  text: string;
  blob: Uint8Array;
}

/** What many elements of a datatype are. */
export interface ElementsOf {
  boolean: boolean[];
  uint8: Uint8Array;
  uint16: Uint16Array;
  uint32: Uint32Array;
  uint64: BigUint64Array;
  int8: Int8Array;
  int16: Int16Array;
  int32: Int32Array;
  int64: BigInt64Array;
  fp16: Float32Array;
  bf16: Float32Array;
  fp32: Float32Array;
  fp64: Float64Array;
  text: string[];
  blob: Uint8Array[];
}

/** Elements to make a tensor of; those of 64 bits may be numbers as far as these are whole and safe. */
export type Elements<D extends Datatype> =
  | ElementsOf[D]
  | Iterable<ElementOf[D]>
  | (D extends "uint64" | "int64" ? Iterable<number | bigint> : never);

/** Stands in a shape for a dimension of any length. */
export const ANY_LENGTH: -1;

/** What a tensor has to look like. */
export interface TensorType<D extends Datatype = Datatype> {
  readonly datatype: D;
  readonly shape: readonly number[];
}

/** The type of an input or output: a length of {@link ANY_LENGTH} fits any; `[]` is a scalar. */
export function tensor<D extends Datatype>(datatype: D, shape: readonly number[]): TensorType<D>;

/** Inputs or outputs by their names, in their order. */
export type TensorTypes = Readonly<Record<string, TensorType>>;

/** A named array of any rank. */
export class Tensor<D extends Datatype = Datatype> {
  /** @throws {TypeError} where an element cannot be one of the datatype. */
  constructor(name: string, datatype: D, shape: Iterable<number>, elements: Elements<D>);
  readonly name: string;
  readonly datatype: D;
  readonly shape: readonly number[];
  /**
   * All elements in row-major order, whatever the shape.
   *
   * @throws {Refusal} where they are of another datatype, or not as many as the shape asks for.
   */
  elements(): ElementsOf[D];
  elements<E extends Datatype>(datatype: E): ElementsOf[E];
  /** The one element, of a tensor of shape `[]`, `[1]`, `[1, 1]` and so on. */
  scalar(): ElementOf[D];
  scalar<E extends Datatype>(datatype: E): ElementOf[E];
  /** The elements of a tensor with one dimension. */
  vector(): ElementsOf[D];
  vector<E extends Datatype>(datatype: E): ElementsOf[E];
  /** The elements of a tensor with two dimensions, as rows. */
  matrix(): Matrix<D>;
  matrix<E extends Datatype>(datatype: E): Matrix<E>;
  /** What the tensor is, and none of its elements. */
  toString(): string;
}

/** The elements of a tensor with two dimensions. Iterating gives the rows. */
export class Matrix<D extends Datatype = Datatype> implements Iterable<ElementsOf[D]> {
  constructor(rowCount: number, columnCount: number, elements: ElementsOf[D]);
  readonly rowCount: number;
  readonly columnCount: number;
  /** The row at `index`, or `undefined` past the last. A row of numbers is a view, and no copy. */
  row(index: number): ElementsOf[D] | undefined;
  [Symbol.iterator](): Iterator<ElementsOf[D]>;
}

/** What a model is asked. */
export class Request<I extends TensorTypes = TensorTypes> {
  /** A request without inputs. For tests; those of a model come from the host. */
  constructor(id: string, timeUs?: bigint, inputs?: readonly Tensor[]);
  /** Unique on the endpoint of the model. */
  readonly id: string;
  /** When the request was made, in microseconds since the beginning of 1970. The only clock that a model has. */
  readonly timeUs: bigint;
  readonly inputs: readonly Tensor[];
  /** The same request with one more input. For tests. */
  withInput<D extends Datatype>(name: string, datatype: D, shape: Iterable<number>, elements: Elements<D>): this;
  /** The same request with a text as an input of shape `[1]`. For tests. */
  withText(name: string, text: string): this;
  /**
   * The input with this name.
   *
   * @throws {Refusal} where there is none; the host hands over every input that the model describes.
   */
  input<K extends keyof I & string>(name: K): Tensor<I[K]["datatype"]>;
}

/** What a model gives back, where the plain object of its outputs does not do: with notes, say. */
export class Prediction {
  readonly outputs: Tensor[];
  readonly notes: [name: string, text: string][];
  /** Adds an output. The host takes a shape that does not fit the elements, or the description, for a fault. */
  output<D extends Datatype>(name: string, datatype: D, shape: Iterable<number>, elements: Elements<D>): this;
  /** Adds a text as an output of shape `[1]`. */
  text(name: string, text: string): this;
  /** Adds a remark for people, which is recorded with the score. */
  note(name: string, text: string): this;
  /** The output with this name, or `undefined`. For tests. */
  tensor(name: string): Tensor | undefined;
}

declare const SHAPED: unique symbol;

/** Elements with a shape of their own. */
export interface Shaped<D extends Datatype = Datatype> {
  readonly [SHAPED]: D;
}

/** Elements with a shape of their own, for an output with several dimensions of any length. */
export function shaped<D extends Datatype>(shape: Iterable<number>, elements: Elements<D>): Shaped<D>;

/** Why a model gives no prediction. */
export type RefusalKind = "invalid-input" | "abstain" | "failed";

/** A model's polite no, to be thrown (or returned, in a batch). It costs the model nothing. */
export class Refusal extends Error {
  constructor(kind: RefusalKind, message: string);
  readonly kind: RefusalKind;
  /** A no because the request makes no sense. Say which input, what was found, and what was expected. */
  static invalidInput(why: string): Refusal;
  /** A no because the model would rather not answer: the request is outside of what it was trained on, say. */
  static abstain(why: string): Refusal;
  /** A no because the model tried and could not. */
  static failed(why: string): Refusal;
}

/** The outputs as a plain object: for each one element, or a list of them, or what {@link shaped} makes. */
export type Outputs<O extends TensorTypes> = {
  readonly [K in keyof O]:
    | ElementOf[O[K]["datatype"]]
    | readonly ElementOf[O[K]["datatype"]][]
    | ElementsOf[O[K]["datatype"]]
    | Shaped;
};

/** What a model may answer with. */
export type Answer<O extends TensorTypes> = Outputs<O> | Prediction;

/** What a model takes, gives, and allows the host to do with it. */
export interface Definition<I extends TensorTypes, O extends TensorTypes> {
  /** The inputs that the model reads. */
  readonly inputs: I;
  /** The outputs that every prediction has. */
  readonly outputs: O;
  /** How many requests one call may bring at most; 0, which is the default, leaves it to the host. */
  readonly batchLimit?: number;
  /** Whether a prediction depends on its request alone, as it does by default. Otherwise one instance runs alone. */
  readonly stateless?: boolean;
}

/** A model that answers one request at a time. */
export interface PerRequest<I extends TensorTypes, O extends TensorTypes> extends Definition<I, O> {
  /** Answers one request, or throws a {@link Refusal}. */
  predict(request: Request<I>): Answer<O> | Refusal;
  predictBatch?: undefined;
}

/** A model that gains from seeing many requests at once. */
export interface PerBatch<I extends TensorTypes, O extends TensorTypes> extends Definition<I, O> {
  /**
   * Answers requests: exactly one answer for each, in their order. The host chooses how many it hands over, so an answer
   * must not depend on its neighbours.
   */
  predictBatch(requests: readonly Request<I>[]): readonly (Answer<O> | Refusal)[];
  predict?: undefined;
}

/** A defined model, which a test calls as the host would. */
export interface Model<I extends TensorTypes = TensorTypes> {
  readonly description: {
    readonly inputs: readonly (TensorType & { readonly name: string })[];
    readonly outputs: readonly (TensorType & { readonly name: string })[];
    readonly batchLimit: number;
    readonly stateless: boolean;
  };
  /** Answers one request, or throws what the model throws. */
  predict(request: Request<I> | Request): Prediction;
  /** Answers requests, each with a prediction or a refusal. */
  predictBatch(requests: readonly (Request<I> | Request)[]): (Prediction | Refusal)[];
  /** What the builder makes the component of. */
  readonly predictor: object;
}

/**
 * Defines a model by what it takes, what it gives, and either `predict` or `predictBatch`. To be the default export of the
 * main module of a project.
 *
 * What either throws is a refusal: a {@link Refusal} is meant; anything else becomes one of the kind `failed` that says what
 * was thrown, and in which function.
 */
export function defineModel<const I extends TensorTypes, const O extends TensorTypes>(
  definition: PerRequest<I, O> | PerBatch<I, O>,
): Model<I>;

/** The value of an IEEE 754 binary16 number, given as its bits. */
export function widenFp16(bits: number): number;
/** The value of a bfloat16 number, given as its bits. */
export function widenBf16(bits: number): number;
/** The bits of the binary16 number that is nearest, ties to even; too large ones are infinite. */
export function narrowToFp16(value: number): number;
/** The bits of the bfloat16 number that is nearest, ties to even; too large ones are infinite. */
export function narrowToBf16(value: number): number;
