//! Shapes from types: which tensor a field of `Inputs` or `Outputs` is.

const std = @import("std");
const calls = @import("call.zig");
const description = @import("description.zig");
const tensors = @import("tensor.zig");

const Call = calls.Call;
const Error = calls.Error;
const Matrix = tensors.Matrix;
const Tensor = tensors.Tensor;
const any_length = description.any_length;

/// The type of the elements of a tensor that is a field of type `Field`.
pub fn ElementOf(comptime Field: type) type {
    if (isMatrix(Field)) return Field.Element;
    return switch (@typeInfo(Field)) {
        .array => |array| ElementOf(array.child),
        .pointer => |pointer| if (pointer.size == .slice and pointer.attrs.@"const") pointer.child else @compileError(
            @typeName(Field) ++ " is no tensor, expected an element type, an array, a slice of constants or a Matrix",
        ),
        else => Field,
    };
}

/// The shape of a tensor that is a field of type `Field`.
pub fn shapeOf(comptime Field: type) []const i32 {
    if (isMatrix(Field)) return &.{ any_length, any_length };
    return switch (@typeInfo(Field)) {
        .array => |array| comptime &([_]i32{array.len} ++ inner: {
            const lengths = arrayShapeOf(array.child);
            break :inner lengths[0..lengths.len].*;
        }),
        .pointer => &.{any_length},
        else => &.{1},
    };
}

/// Reads a field.
pub fn read(comptime Field: type, tensor: *const Tensor, call: *Call) Error!Field {
    const Element = ElementOf(Field);
    if (comptime isMatrix(Field)) return tensor.matrix(Element, call);
    return switch (@typeInfo(Field)) {
        .array => {
            const elements = try tensor.elements(Element, call);
            if (elements.len != @sizeOf(Field) / @sizeOf(Element)) {
                const expected = .{ tensor, @sizeOf(Field) / @sizeOf(Element) };
                return call.invalidInput("{f}, expected {d} elements", expected);
            }
            var field: Field = undefined;
            const flat: [*]Element = @ptrCast(&field);
            @memcpy(flat, elements);
            return field;
        },
        .pointer => tensor.vector(Element, call),
        else => tensor.scalar(Element, call),
    };
}

/// Adds a field as an output.
pub fn write(comptime Field: type, name: []const u8, field: Field, call: *Call) Error!void {
    const Element = ElementOf(Field);
    if (comptime isMatrix(Field)) {
        return call.output(Element, name, &.{ @intCast(field.row_count), @intCast(field.column_count) }, field.elements);
    }
    switch (@typeInfo(Field)) {
        .array => {
            const flat: [*]const Element = @ptrCast(&field);
            const shape = comptime lengthsOf(Field);
            try call.output(Element, name, &shape, flat[0 .. @sizeOf(Field) / @sizeOf(Element)]);
        },
        .pointer => try call.output(Element, name, &.{@intCast(field.len)}, field),
        else => try call.output(Element, name, &.{1}, &.{field}),
    }
}

fn isMatrix(comptime Field: type) bool {
    return @typeInfo(Field) == .@"struct" and @hasDecl(Field, "Element") and Field == Matrix(Field.Element);
}

fn arrayShapeOf(comptime Field: type) []const i32 {
    return switch (@typeInfo(Field)) {
        .array => shapeOf(Field),
        else => &.{},
    };
}

fn lengthsOf(comptime Array: type) [shapeOf(Array).len]u32 {
    var lengths: [shapeOf(Array).len]u32 = undefined;
    for (&lengths, shapeOf(Array)) |*length, found| length.* = @intCast(found);
    return lengths;
}

const testing = std.testing;

test "a type says datatype and shape" {
    try testing.expectEqualSlices(i32, &.{1}, shapeOf(tensors.Text));
    try testing.expectEqualSlices(i32, &.{ 2, 3 }, shapeOf([2][3]f32));
    try testing.expectEqualSlices(i32, &.{any_length}, shapeOf([]const bool));
    try testing.expectEqualSlices(i32, &.{ any_length, any_length }, shapeOf(Matrix(u8)));
    try testing.expectEqual(f32, ElementOf([2][3]f32));
    try testing.expectEqual(u8, ElementOf(Matrix(u8)));
    try testing.expectEqual(tensors.Text, ElementOf([]const tensors.Text));
}

test "a struct is written and read back" {
    const Fields = struct { one: f64, some: [2]i32, square: [2][2]u8, many: []const f32, table: Matrix(i64) };
    var test_call: calls.TestCall = .init();
    defer test_call.deinit();
    const call = &test_call.call;
    const fields: Fields = .{
        .one = 0.5,
        .some = .{ 1, 2 },
        .square = .{ .{ 1, 2 }, .{ 3, 4 } },
        .many = &.{ 1, 2, 3 },
        .table = .{ .row_count = 1, .column_count = 2, .elements = &.{ 7, 8 } },
    };
    try call.write(fields);
    const request: calls.Request = .of("1", call.outputs.items);
    call.request = &request;
    const back = try call.read(Fields);
    try testing.expectEqualDeep(fields, back);
}

test "an array of another length is refused" {
    var test_call: calls.TestCall = .init();
    defer test_call.deinit();
    const tensor: Tensor = .of(f32, "x", &.{2}, &.{ 1, 2 });
    try testing.expectError(error.Refused, read([3]f32, &tensor, &test_call.call));
    try testing.expectEqualStrings("tensor `x` is FP32[2], expected 3 elements", test_call.call.refusal.?.why);
}
