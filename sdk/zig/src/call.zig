//! Calls: a request, and the answer to it as it comes about.

const std = @import("std");
const shape_of = @import("shape.zig");
const tensors = @import("tensor.zig");

const Allocator = std.mem.Allocator;
const Blob = tensors.Blob;
const List = tensors.List;
const Matrix = tensors.Matrix;
const Tensor = tensors.Tensor;
const Text = tensors.Text;

/// Why a model gives no prediction. What was refused, and why, is in `Call.refusal`; to be out of memory is a fault.
pub const Error = error{Refused} || Allocator.Error;

/// A model's polite no. It costs the model nothing: it is not a fault, as a panic or an endless loop is.
pub const Refusal = struct {
    kind: Kind,
    why: []const u8,

    pub const Kind = enum(u8) {
        /// A no because the request makes no sense to the model.
        invalid_input,
        /// A no because the model would rather not answer.
        abstain,
        /// A no because the model tried and could not.
        failed,
    };
};

/// One question.
pub const Request = extern struct {
    /// Unique on its endpoint.
    id: Text,
    /// When it was made, in microseconds since 1970-01-01T00:00:00Z: the only clock of a model.
    time_us: u64 align(8),
    /// Those that the model described, in the order of the description.
    inputs: List(Tensor),

    /// A request made at the beginning of 1970. For tests.
    pub fn of(id: []const u8, inputs: []const Tensor) Request {
        return .{ .id = .of(id), .time_us = 0, .inputs = .of(inputs) };
    }
};

/// A remark for people.
pub const Note = extern struct { name: Text, text: Text };

/// One request on its way to an answer.
pub const Call = struct {
    request: *const Request,
    /// Gives memory until the call ends. Nothing has to be freed.
    allocator: Allocator,
    /// What was refused first.
    refusal: ?Refusal = null,
    outputs: std.ArrayList(Tensor) = .empty,
    notes: std.ArrayList(Note) = .empty,

    /// The input with this name.
    ///
    /// Refuses the request where there is none. The host hands over every input that the model describes, so this one is
    /// missing from the description.
    pub fn input(call: *Call, name: []const u8) Error!*const Tensor {
        const inputs = call.request.inputs.slice();
        for (inputs) |*tensor| {
            if (std.mem.eql(u8, tensor.name.slice(), name)) return tensor;
        }
        var found: std.Io.Writer.Allocating = .init(call.allocator);
        for (inputs, 0..) |tensor, i| {
            const separator = if (i == 0) "" else ", ";
            found.writer.print("{s}`{s}`", .{ separator, tensor.name.slice() }) catch return error.OutOfMemory;
        }
        const names = if (inputs.len == 0) "none" else found.written();
        return call.invalidInput("input `{s}` is missing; the inputs are: {s}", .{ name, names });
    }

    /// The elements of the input `name`, whatever its shape, as in `Tensor.elements`.
    pub fn elements(call: *Call, comptime Element: type, name: []const u8) Error![]const Element {
        return (try call.input(name)).elements(Element, call);
    }

    /// The one element of the input `name`, as in `Tensor.scalar`.
    pub fn scalar(call: *Call, comptime Element: type, name: []const u8) Error!Element {
        return (try call.input(name)).scalar(Element, call);
    }

    /// The one text of the input `name`, as in `Tensor.scalar`.
    pub fn text(call: *Call, name: []const u8) Error![]const u8 {
        return (try call.scalar(Text, name)).slice();
    }

    /// The elements of the input `name`, which has one dimension, as in `Tensor.vector`.
    pub fn vector(call: *Call, comptime Element: type, name: []const u8) Error![]const Element {
        return (try call.input(name)).vector(Element, call);
    }

    /// The elements of the input `name`, which has two dimensions, as in `Tensor.matrix`.
    pub fn matrix(call: *Call, comptime Element: type, name: []const u8) Error!Matrix(Element) {
        return (try call.input(name)).matrix(Element, call);
    }

    /// Reads an input for each field of a struct.
    pub fn read(call: *Call, comptime Inputs: type) Error!Inputs {
        var inputs: Inputs = undefined;
        const fields = @typeInfo(Inputs).@"struct";
        inline for (fields.field_names, fields.field_types) |name, Field| {
            @field(inputs, name) = try shape_of.read(Field, try call.input(name), call);
        }
        return inputs;
    }

    /// Adds an output with a copy of each field of a struct.
    pub fn write(call: *Call, outputs: anytype) Error!void {
        const fields = @typeInfo(@TypeOf(outputs)).@"struct";
        inline for (fields.field_names, fields.field_types) |name, Field| {
            try shape_of.write(Field, name, @field(outputs, name), call);
        }
    }

    /// Adds an output with a copy of its elements.
    ///
    /// The host takes a shape that does not fit the number of elements, or the description, for a fault.
    pub fn output(
        call: *Call,
        comptime Element: type,
        name: []const u8,
        shape: []const u32,
        values: []const Element,
    ) Error!void {
        const copies = try call.allocator.dupe(Element, values);
        if (Element == Text or Element == Blob) {
            for (copies) |*copy| copy.* = .of(try call.allocator.dupe(u8, copy.slice()));
        }
        try call.outputs.append(call.allocator, .of(
            Element,
            try call.allocator.dupe(u8, name),
            try call.allocator.dupe(u32, shape),
            copies,
        ));
    }

    /// Adds a remark for people, which is recorded with the score.
    pub fn note(call: *Call, name: []const u8, comptime format: []const u8, arguments: anytype) Error!void {
        try call.notes.append(call.allocator, .{
            .name = .of(try call.allocator.dupe(u8, name)),
            .text = .of(try std.fmt.allocPrint(call.allocator, format, arguments)),
        });
    }

    /// Answers no because the request makes no sense. Say which input, what was found, and what was expected:
    /// `return call.invalidInput("hour is {d}, expected 0 to 23", .{hour});`
    pub fn invalidInput(call: *Call, comptime format: []const u8, arguments: anytype) Error {
        return call.refuse(.invalid_input, format, arguments);
    }

    /// Answers no because the model would rather not answer: the request is outside of what it was trained on, say.
    pub fn abstain(call: *Call, comptime format: []const u8, arguments: anytype) Error {
        return call.refuse(.abstain, format, arguments);
    }

    /// Answers no because the model tried and could not.
    pub fn fail(call: *Call, comptime format: []const u8, arguments: anytype) Error {
        return call.refuse(.failed, format, arguments);
    }

    fn refuse(call: *Call, kind: Refusal.Kind, comptime format: []const u8, arguments: anytype) Error {
        if (call.refusal == null) {
            const why = std.fmt.allocPrint(call.allocator, format, arguments) catch return error.OutOfMemory;
            call.refusal = .{ .kind = kind, .why = why };
        }
        return error.Refused;
    }
};

/// A call without inputs, for tests of models with `Inputs`: their `predict` is a function like any other.
///
/// ```
/// var test_call: understudy.TestCall = .init();
/// defer test_call.deinit();
/// const outputs = try predict(&test_call.call, .{ .features = .{ 0, 0, 0 } });
/// ```
pub const TestCall = struct {
    arena: *std.heap.ArenaAllocator,
    call: Call,

    const no_request: Request = .of("1", &.{});

    pub fn init() TestCall {
        const arena = std.testing.allocator.create(std.heap.ArenaAllocator) catch @panic("out of memory");
        arena.* = .init(std.testing.allocator);
        return .{ .arena = arena, .call = .{ .request = &no_request, .allocator = arena.allocator() } };
    }

    pub fn deinit(test_call: *TestCall) void {
        test_call.arena.deinit();
        std.testing.allocator.destroy(test_call.arena);
    }

    /// The output with this name, if the model gave it.
    pub fn output(test_call: *const TestCall, name: []const u8) ?*const Tensor {
        for (test_call.call.outputs.items) |*tensor| {
            if (std.mem.eql(u8, tensor.name.slice(), name)) return tensor;
        }
        return null;
    }
};

const testing = std.testing;

test "an input is found by its name" {
    var test_call: TestCall = .init();
    defer test_call.deinit();
    const inputs = [_]Tensor{ .of(Text, "carrier", &.{1}, &.{.of("HA")}), .of(f32, "distance", &.{1}, &.{2}) };
    const request: Request = .of("7", &inputs);
    test_call.call.request = &request;
    try testing.expectEqual(2, try test_call.call.scalar(f32, "distance"));
    try testing.expectEqualStrings("HA", try test_call.call.text("carrier"));
}

test "a missing input is refused with the names that there are" {
    var test_call: TestCall = .init();
    defer test_call.deinit();
    const call = &test_call.call;
    try testing.expectError(error.Refused, call.input("distance"));
    try testing.expectEqualStrings("input `distance` is missing; the inputs are: none", call.refusal.?.why);
    call.refusal = null;
    const request: Request = .of("7", &.{ .of(Text, "carrier", &.{1}, &.{.of("HA")}), .of(i32, "hour", &.{1}, &.{9}) });
    call.request = &request;
    try testing.expectError(error.Refused, call.input("distance"));
    const expected = "input `distance` is missing; the inputs are: `carrier`, `hour`";
    try testing.expectEqualStrings(expected, call.refusal.?.why);
}

test "outputs and notes are kept in order, and the first refusal stays" {
    var test_call: TestCall = .init();
    defer test_call.deinit();
    const call = &test_call.call;
    try call.output(f64, "delayed", &.{2}, &.{ 0.25, 0.75 });
    try call.output(Text, "label", &.{1}, &.{.of("late")});
    try call.note("branch", "{s} {d}", .{ "winter", 1 });
    try testing.expectEqualStrings("delayed", call.outputs.items[0].name.slice());
    try testing.expectEqual(0.75, (try test_call.output("delayed").?.vector(f64, call))[1]);
    try testing.expectEqualStrings("winter 1", call.notes.items[0].text.slice());
    try testing.expectEqual(error.Refused, call.abstain("no", .{}));
    try testing.expectEqual(error.Refused, call.fail("not this one", .{}));
    try testing.expectEqual(Refusal.Kind.abstain, call.refusal.?.kind);
    try testing.expectEqualStrings("no", call.refusal.?.why);
}
