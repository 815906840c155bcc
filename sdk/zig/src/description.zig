//! Descriptions: what a model takes and gives.

const std = @import("std");
const shape_of = @import("shape.zig");
const tensors = @import("tensor.zig");

const Datatype = tensors.Datatype;
const List = tensors.List;
const Text = tensors.Text;

/// Stands in a shape for a dimension of any length.
pub const any_length = -1;

/// What a tensor has to look like.
pub const TensorType = extern struct { name: Text, datatype: Datatype, shape: List(i32) };

/// What a model takes, gives, and allows the host to do with it. It begins without tensors, and stateless.
pub const Description = struct {
    allocator: std.mem.Allocator,
    inputs: std.ArrayList(TensorType) = .empty,
    outputs: std.ArrayList(TensorType) = .empty,
    /// How many requests one call may bring at most; 0 leaves it to the host.
    batch_limit: u32 = 0,
    /// False where a prediction depends on earlier requests. The host then runs one instance alone.
    stateless: bool = true,

    /// Adds an input. `&.{}` is the shape of a scalar.
    pub fn input(
        description: *Description,
        comptime Element: type,
        name: []const u8,
        shape: []const i32,
    ) std.mem.Allocator.Error!void {
        try description.inputs.append(description.allocator, try description.tensorType(Element, name, shape));
    }

    /// Adds an output that every prediction has.
    pub fn output(
        description: *Description,
        comptime Element: type,
        name: []const u8,
        shape: []const i32,
    ) std.mem.Allocator.Error!void {
        try description.outputs.append(description.allocator, try description.tensorType(Element, name, shape));
    }

    /// Adds what the fields of two structs say.
    pub fn fields(
        description: *Description,
        comptime Inputs: type,
        comptime Outputs: type,
    ) std.mem.Allocator.Error!void {
        const inputs = @typeInfo(Inputs).@"struct";
        inline for (inputs.field_names, inputs.field_types) |name, Field| {
            try description.input(shape_of.ElementOf(Field), name, shape_of.shapeOf(Field));
        }
        const outputs = @typeInfo(Outputs).@"struct";
        inline for (outputs.field_names, outputs.field_types) |name, Field| {
            try description.output(shape_of.ElementOf(Field), name, shape_of.shapeOf(Field));
        }
    }

    fn tensorType(
        description: *Description,
        comptime Element: type,
        name: []const u8,
        shape: []const i32,
    ) std.mem.Allocator.Error!TensorType {
        return .{
            .name = .of(try description.allocator.dupe(u8, name)),
            .datatype = .of(Element),
            .shape = .of(try description.allocator.dupe(i32, shape)),
        };
    }
};

test "a description holds what was added in order" {
    var arena: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer arena.deinit();
    var description: Description = .{ .allocator = arena.allocator() };
    try description.fields(struct { carrier: Text, weather: [2][4]f32 }, struct { delayed: f64 });
    try description.input(bool, "holiday", &.{});
    const inputs = description.inputs.items;
    try std.testing.expectEqualStrings("weather", inputs[1].name.slice());
    try std.testing.expectEqual(Datatype.fp32, inputs[1].datatype);
    try std.testing.expectEqualSlices(i32, &.{ 2, 4 }, inputs[1].shape.slice());
    try std.testing.expectEqual(0, inputs[2].shape.slice().len);
    try std.testing.expectEqualStrings("delayed", description.outputs.items[0].name.slice());
    try std.testing.expect(description.stateless);
}
