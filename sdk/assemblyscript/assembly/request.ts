import { Datatype } from "./datatype";
import { Refusal } from "./refusal";
import { Tensor } from "./tensor";

/**
 * What a model is asked.
 *
 * AssemblyScript has no exceptions. So a reader that does not fit gives nothing, an empty list or a zero, and the request
 * remembers why: whatever the model answers then, the host gets the first of these refusals.
 */
export class Request {
  /** Why the model misread the request, if it did. */
  refusal: Refusal | null = null;

  constructor(
    /** Unique on the endpoint of the model. */
    readonly id: string,
    /** When the request was made, in microseconds since the beginning of 1970. The only clock that a model has. */
    readonly timeUs: u64,
    readonly inputs: Tensor[],
  ) {
    for (let index = 0; index < inputs.length; index++) inputs[index].request = this;
  }

  /** The input with this name. The host hands over every input that the model describes. */
  input(name: string): Tensor {
    for (let index = 0; index < this.inputs.length; index++) {
      if (this.inputs[index].name == name) return this.inputs[index];
    }
    let names = "";
    for (let index = 0; index < this.inputs.length; index++) {
      names += (index ? ", `" : "`") + this.inputs[index].name + "`";
    }
    if (names == "") names = "none";
    this.refuse(Refusal.invalidInput("input `" + name + "` is missing; the inputs are: " + names));
    const nothing = new Tensor(name, Datatype.Fp64, [0], new ArrayBuffer(0), [], []);
    nothing.request = this;
    return nothing;
  }

  /** Has the host get this refusal, unless there is an earlier one. */
  refuse(refusal: Refusal): void {
    if (!this.refusal) this.refusal = refusal;
  }
}
