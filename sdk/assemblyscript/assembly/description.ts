import { Datatype, datatypeOf } from "./datatype";

/** Stands in a shape for a dimension of any length. */
export const ANY_LENGTH: i32 = -1;

/** What a tensor has to look like. */
export class TensorType {
  constructor(
    readonly name: string,
    readonly datatype: Datatype,
    readonly shape: i32[],
  ) {}
}

/** What a model takes and gives. A new one is stateless and leaves the size of batches to the host. */
export class Description {
  readonly inputs: TensorType[] = [];
  readonly outputs: TensorType[] = [];
  private _batchLimit: u32 = 0;
  private _stateless: bool = true;

  /** Adds an input with elements of type `T`. A length of `ANY_LENGTH` fits any; `[]` is a scalar. */
  input<T>(name: string, shape: i32[], datatype: Datatype = datatypeOf<T>()): this {
    return this.inputOf(name, datatype, shape);
  }

  /** Adds an input with elements of this datatype. */
  inputOf(name: string, datatype: Datatype, shape: i32[]): this {
    this.inputs.push(new TensorType(name, datatype, shape));
    return this;
  }

  /** Adds an output that every prediction has, with elements of type `T`. */
  output<T>(name: string, shape: i32[], datatype: Datatype = datatypeOf<T>()): this {
    return this.outputOf(name, datatype, shape);
  }

  /** Adds an output with elements of this datatype. */
  outputOf(name: string, datatype: Datatype, shape: i32[]): this {
    this.outputs.push(new TensorType(name, datatype, shape));
    return this;
  }

  /** Sets how many requests one call may bring at most; 0 leaves it to the host. */
  withBatchLimit(requests: u32): this {
    this._batchLimit = requests;
    return this;
  }

  /** Says that a prediction may depend on earlier requests. The host then runs one instance alone. */
  stateful(): this {
    this._stateless = false;
    return this;
  }

  get batchLimit(): u32 {
    return this._batchLimit;
  }

  get isStateless(): bool {
    return this._stateless;
  }
}
