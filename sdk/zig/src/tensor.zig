//! Tensors: typed views of elements, which are read where the host wrote them.

const std = @import("std");
const call = @import("call.zig");

const Call = call.Call;
const Error = call.Error;

/// The type of the elements of a tensor. The numbers are those of the contract.
pub const Datatype = enum(u8) {
    boolean,
    uint8,
    uint16,
    uint32,
    uint64,
    int8,
    int16,
    int32,
    int64,
    fp16,
    bf16,
    fp32,
    fp64,
    text,
    blob,

    /// The datatype that an element type stands for.
    pub fn of(comptime Element: type) Datatype {
        return switch (Element) {
            bool => .boolean,
            u8 => .uint8,
            u16 => .uint16,
            u32 => .uint32,
            u64 => .uint64,
            i8 => .int8,
            i16 => .int16,
            i32 => .int32,
            i64 => .int64,
            f16 => .fp16,
            BF16 => .bf16,
            f32 => .fp32,
            f64 => .fp64,
            Text => .text,
            Blob => .blob,
            else => @compileError(@typeName(Element) ++ " is no element type, expected bool, an integer of 8 to 64 " ++
                "bits, f16, BF16, f32, f64, Text or Blob"),
        };
    }

    /// The name on the wire; the two kinds of BYTES are told apart.
    pub fn name(datatype: Datatype) []const u8 {
        return switch (datatype) {
            .boolean => "BOOL",
            .uint8 => "UINT8",
            .uint16 => "UINT16",
            .uint32 => "UINT32",
            .uint64 => "UINT64",
            .int8 => "INT8",
            .int16 => "INT16",
            .int32 => "INT32",
            .int64 => "INT64",
            .fp16 => "FP16",
            .bf16 => "BF16",
            .fp32 => "FP32",
            .fp64 => "FP64",
            .text => "BYTES (text)",
            .blob => "BYTES (blob)",
        };
    }
};

/// A list as the canonical ABI lays it out. An empty one points nowhere.
pub fn List(comptime Item: type) type {
    return extern struct {
        ptr: ?[*]const Item,
        len: usize,

        const Self = @This();

        pub const empty: Self = .{ .ptr = null, .len = 0 };

        pub fn of(items: []const Item) Self {
            return if (items.len == 0) empty else .{ .ptr = items.ptr, .len = items.len };
        }

        pub fn slice(list: Self) []const Item {
            return if (list.len == 0) &.{} else list.ptr.?[0..list.len];
        }
    };
}

/// A string of UTF-8.
pub const Text = extern struct {
    bytes: List(u8),

    /// A text that points at `text`.
    pub fn of(text: []const u8) Text {
        return .{ .bytes = .of(text) };
    }

    pub fn slice(text: Text) []const u8 {
        return text.bytes.slice();
    }
};

/// A string of any bytes.
pub const Blob = extern struct {
    bytes: List(u8),

    /// A blob that points at `bytes`.
    pub fn of(bytes: []const u8) Blob {
        return .{ .bytes = .of(bytes) };
    }

    pub fn slice(blob: Blob) []const u8 {
        return blob.bytes.slice();
    }
};

/// A bfloat16 number: the upper half of an `f32`.
pub const BF16 = extern struct {
    bits: u16,

    /// Rounds to the nearest number, and to the even one of two.
    pub fn fromF32(number: f32) BF16 {
        const bits: u32 = @bitCast(number);
        const upper: u16 = @truncate(bits >> 16);
        if (std.math.isNan(number)) return .{ .bits = upper | 0x40 };
        return .{ .bits = @truncate((bits + 0x7fff + (upper & 1)) >> 16) };
    }

    pub fn toF32(number: BF16) f32 {
        return @bitCast(@as(u32, number.bits) << 16);
    }
};

/// A named array of any rank.
pub const Tensor = extern struct {
    name: Text,
    shape: List(u32),
    datatype: Datatype,
    contents: extern struct { ptr: ?*const anyopaque, len: usize },

    /// A tensor that points at its name, its shape and its elements.
    pub fn of(comptime Element: type, name: []const u8, shape: []const u32, values: []const Element) Tensor {
        return .{
            .name = .of(name),
            .shape = .of(shape),
            .datatype = .of(Element),
            .contents = .{ .ptr = if (values.len == 0) null else values.ptr, .len = values.len },
        };
    }

    /// All elements in row-major order, whatever the shape.
    ///
    /// Refuses the input where they are of another type, or not as many as the shape asks for.
    pub fn elements(tensor: *const Tensor, comptime Element: type, asking: *Call) Error![]const Element {
        if (tensor.datatype != Datatype.of(Element)) return tensor.refuse(Element, "", asking);
        if (!tensor.isWhole()) {
            return asking.invalidInput("{f} but holds {d} elements", .{ tensor, tensor.contents.len });
        }
        if (tensor.contents.len == 0) return &.{};
        const items: [*]const Element = @ptrCast(@alignCast(tensor.contents.ptr.?));
        return items[0..tensor.contents.len];
    }

    /// The one element, of a tensor of shape `[]`, `[1]`, `[1, 1]` and so on.
    ///
    /// Refuses the input as `elements` does, and where there is not exactly one.
    pub fn scalar(tensor: *const Tensor, comptime Element: type, asking: *Call) Error!Element {
        const items = try tensor.elements(Element, asking);
        return if (items.len == 1) items[0] else tensor.refuse(Element, " with one element", asking);
    }

    /// The elements of a tensor with one dimension.
    ///
    /// Refuses the input as `elements` does, and where there are more or fewer dimensions.
    pub fn vector(tensor: *const Tensor, comptime Element: type, asking: *Call) Error![]const Element {
        const items = try tensor.elements(Element, asking);
        return if (tensor.shape.len == 1) items else tensor.refuse(Element, " with one dimension", asking);
    }

    /// The elements of a tensor with two dimensions.
    ///
    /// Refuses the input as `elements` does, and where there are more or fewer dimensions.
    pub fn matrix(tensor: *const Tensor, comptime Element: type, asking: *Call) Error!Matrix(Element) {
        const items = try tensor.elements(Element, asking);
        const lengths = tensor.shape.slice();
        if (lengths.len != 2) return tensor.refuse(Element, " with two dimensions", asking);
        return .{ .row_count = lengths[0], .column_count = lengths[1], .elements = items };
    }

    /// Writes what the tensor is, and none of its elements. For `{f}`.
    pub fn format(tensor: Tensor, writer: *std.Io.Writer) std.Io.Writer.Error!void {
        try writer.print("tensor `{s}` is {s}[", .{ tensor.name.slice(), tensor.datatype.name() });
        for (tensor.shape.slice(), 0..) |length, i| {
            try writer.print("{s}{d}", .{ if (i == 0) "" else ", ", length });
        }
        try writer.writeByte(']');
    }

    fn isWhole(tensor: *const Tensor) bool {
        var expected: u64 = 1;
        for (tensor.shape.slice()) |length| {
            expected = std.math.mul(u64, expected, length) catch return false;
        }
        return expected == tensor.contents.len;
    }

    fn refuse(tensor: *const Tensor, comptime Element: type, expected: []const u8, asking: *Call) Error {
        return asking.invalidInput("{f}, expected {s}{s}", .{ tensor, Datatype.of(Element).name(), expected });
    }
};

/// The elements of a tensor with two dimensions.
pub fn Matrix(comptime element: type) type {
    return struct {
        row_count: usize,
        column_count: usize,
        /// Row by row.
        elements: []const Element,

        pub const Element = element;

        /// The row at `index`, which has to be below `row_count`.
        pub fn row(matrix: @This(), index: usize) []const Element {
            return matrix.elements[index * matrix.column_count ..][0..matrix.column_count];
        }
    };
}

const testing = std.testing;

fn expectRefused(expected: []const u8, asking: *Call, result: anytype) !void {
    try testing.expectError(error.Refused, result);
    try testing.expectEqualStrings(expected, asking.refusal.?.why);
    asking.refusal = null;
}

test "every datatype is read as it was written" {
    var test_call: call.TestCall = .init();
    defer test_call.deinit();
    inline for (.{ bool, u8, u16, u32, u64, i8, i16, i32, i64, f16, BF16, f32, f64, Text, Blob }, 0..) |Element, i| {
        const values = std.mem.zeroes([2]Element);
        const tensor: Tensor = .of(Element, "x", &.{2}, &values);
        try testing.expectEqual(@as(Datatype, @enumFromInt(i)), tensor.datatype);
        try testing.expectEqual(&values, (try tensor.vector(Element, &test_call.call)).ptr);
    }
}

test "a scalar is one element of any rank" {
    var test_call: call.TestCall = .init();
    defer test_call.deinit();
    for ([_][]const u32{ &.{}, &.{1}, &.{ 1, 1 } }) |shape| {
        const tensor: Tensor = .of(i32, "x", shape, &.{3});
        try testing.expectEqual(3, try tensor.scalar(i32, &test_call.call));
    }
}

test "a matrix is read by rows, of which each may be empty" {
    var test_call: call.TestCall = .init();
    defer test_call.deinit();
    const full: Tensor = .of(i32, "x", &.{ 2, 3 }, &.{ 1, 2, 3, 4, 5, 6 });
    const matrix = try full.matrix(i32, &test_call.call);
    try testing.expectEqualSlices(i32, &.{ 4, 5, 6 }, matrix.row(1));
    const empty: Tensor = .of(f32, "x", &.{ 2, 0 }, &.{});
    try testing.expectEqual(0, (try empty.matrix(f32, &test_call.call)).row(1).len);
}

test "what does not fit is refused with what was found and expected" {
    var test_call: call.TestCall = .init();
    defer test_call.deinit();
    const asking = &test_call.call;
    const distance: Tensor = .of(f64, "distance", &.{1}, &.{1});
    try expectRefused("tensor `distance` is FP64[1], expected FP32", asking, distance.scalar(f32, asking));
    try expectRefused("tensor `distance` is FP64[1], expected BYTES (text)", asking, distance.scalar(Text, asking));
    const square: Tensor = .of(f64, "x", &.{ 2, 2 }, &.{ 1, 2, 3, 4 });
    try expectRefused("tensor `x` is FP64[2, 2], expected FP64 with one element", asking, square.scalar(f64, asking));
    try expectRefused("tensor `x` is FP64[2, 2], expected FP64 with one dimension", asking, square.vector(f64, asking));
    const flag: Tensor = .of(bool, "x", &.{1}, &.{true});
    try expectRefused("tensor `x` is BOOL[1], expected BOOL with two dimensions", asking, flag.matrix(bool, asking));
    const short: Tensor = .of(f64, "x", &.{3}, &.{ 1, 2 });
    try expectRefused("tensor `x` is FP64[3] but holds 2 elements", asking, short.vector(f64, asking));
    const many = std.math.maxInt(u32);
    const huge: Tensor = .of(f64, "x", &.{ many, many, many }, &.{1});
    try testing.expectError(error.Refused, huge.elements(f64, asking));
}

test "half floats are rounded to the nearest, ties to even" {
    try testing.expectEqual(0x3fc0, BF16.fromF32(1.5).bits);
    try testing.expectEqual(0x3f80, BF16.fromF32(@bitCast(@as(u32, 0x3f808000))).bits);
    try testing.expectEqual(0x3f82, BF16.fromF32(@bitCast(@as(u32, 0x3f818000))).bits);
    try testing.expectEqual(0x7f80, BF16.fromF32(std.math.floatMax(f32)).bits);
    try testing.expect(std.math.isNan(BF16.fromF32(@bitCast(@as(u32, 0x7f800001))).toF32()));
    try testing.expectEqual(1.5, (BF16{ .bits = 0x3fc0 }).toF32());
}
