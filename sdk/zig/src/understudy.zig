//! Write a model for Understudy in Zig.
//!
//! A model is a WebAssembly component that says what tensors it takes and gives, and answers requests. It imports
//! nothing: no file, no socket, no clock, no random number. The same request therefore always gets the same prediction.
//!
//! ```
//! const understudy = @import("understudy");
//!
//! pub const Inputs = struct { carrier: understudy.Text, distance: f32 };
//! pub const Outputs = struct { delayed: f64 };
//!
//! pub fn predict(call: *understudy.Call, inputs: Inputs) understudy.Error!Outputs {
//!     const carrier = inputs.carrier.slice();
//!     if (!std.mem.eql(u8, carrier, "UA")) {
//!         return call.abstain("carrier `{s}` was not in the training data", .{carrier});
//!     }
//!     return .{ .delayed = 1.0 / (1.0 + @exp(1.4 - 1.0e-4 * @as(f64, inputs.distance))) };
//! }
//!
//! comptime {
//!     understudy.exportModel(@This());
//! }
//! ```
//!
//! The fields of the two structs are the tensors, and their types say datatype and shape:
//!
//! | field | tensor |
//! |---|---|
//! | `f32`, and every other element type | FP32 of shape `[1]` |
//! | `[3]f32`, `[2][3]f32` | `[3]`, `[2, 3]` |
//! | `[]const f32` | `[-1]`: of any length |
//! | `Matrix(f32)` | `[-1, -1]` |
//!
//! The element types are `bool`, `u8` to `u64`, `i8` to `i64`, `f16`, `BF16`, `f32`, `f64`, `Text` and `Blob`.
//!
//! What these cannot say, functions can: instead of `Inputs` and `Outputs` a model may have `describe`, and instead of
//! `predict` a `predictBatch`, which is given all requests of a call:
//!
//! ```
//! pub fn describe(description: *understudy.Description) understudy.Error!void
//! pub fn predict(call: *understudy.Call) understudy.Error!void
//! pub fn predictBatch(calls: []understudy.Call) understudy.Error!void
//! ```
//!
//! `pub const batch_limit: u32` says how many requests one call may bring at most, and `pub const stateless = false` that
//! a prediction depends on earlier requests; the host then runs one instance alone.

const call = @import("call.zig");
const component = @import("component.zig");
const description = @import("description.zig");
const tensor = @import("tensor.zig");

pub const BF16 = tensor.BF16;
pub const Blob = tensor.Blob;
pub const Call = call.Call;
pub const Datatype = tensor.Datatype;
pub const Description = description.Description;
pub const Error = call.Error;
pub const Matrix = tensor.Matrix;
pub const Refusal = call.Refusal;
pub const Request = call.Request;
pub const Tensor = tensor.Tensor;
pub const TestCall = call.TestCall;
pub const Text = tensor.Text;
pub const any_length = description.any_length;
pub const exportModel = component.exportModel;

test {
    _ = @import("call.zig");
    _ = @import("description.zig");
    _ = @import("shape.zig");
    _ = @import("tensor.zig");
}
