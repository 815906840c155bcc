//! Every output, empty until a mode fills it.

const std = @import("std");
const understudy = @import("understudy");

const BF16 = understudy.BF16;
const Blob = understudy.Blob;
const Call = understudy.Call;
const Error = understudy.Error;
const Text = understudy.Text;

/// The fifteen vectors: their names are those of the fields.
pub const Vectors = struct {
    boolean: []const bool = &.{},
    uint8: []const u8 = &.{},
    uint16: []const u16 = &.{},
    uint32: []const u32 = &.{},
    uint64: []const u64 = &.{},
    int8: []const i8 = &.{},
    int16: []const i16 = &.{},
    int32: []const i32 = &.{},
    int64: []const i64 = &.{},
    fp16: []const f16 = &.{},
    bf16: []const BF16 = &.{},
    fp32: []const f32 = &.{},
    fp64: []const f64 = &.{},
    text: []const Text = &.{},
    blob: []const Blob = &.{},

    /// The element type of the vector `name`.
    pub fn Element(comptime name: []const u8) type {
        return std.meta.Elem(@FieldType(Vectors, name));
    }
};

/// The names of the vectors, in their order.
pub const vector_names = @typeInfo(Vectors).@"struct".field_names;

pub const Outputs = struct {
    vectors: Vectors = .{},
    scalar: f64 = 0,
    matrix: []const f32 = &.{},
    matrix_shape: []const u32 = &.{ 0, 0 },
    cube: []const i32 = &.{},
    cube_shape: []const u32 = &.{ 0, 0, 0 },
    report: []const Text = &.{},

    /// Writes all of them, in the order of the description.
    pub fn write(outputs: Outputs, call: *Call) Error!void {
        try call.write(outputs.vectors);
        try call.output(f64, "scalar", &.{}, &.{outputs.scalar});
        try call.output(f32, "matrix", outputs.matrix_shape, outputs.matrix);
        try call.output(i32, "cube", outputs.cube_shape, outputs.cube);
        try call.write(.{ .report = outputs.report });
    }
};
