//! The conformance model in Zig: does what `sdk/conformance/README.md` says.

const std = @import("std");
const understudy = @import("understudy");
const outputs = @import("outputs.zig");
const read = @import("read.zig").read;

const BF16 = understudy.BF16;
const Blob = understudy.Blob;
const Call = understudy.Call;
const Error = understudy.Error;
const Outputs = outputs.Outputs;
const Text = understudy.Text;
const Vectors = outputs.Vectors;
const any = understudy.any_length;

const Mode = enum { echo, reverse, sum, halves, unicode, read, notes, refuse, request, @"break" };

pub const batch_limit = 100;

pub fn describe(description: *understudy.Description) Error!void {
    try description.fields(struct { mode: Text, argument: Text }, struct {});
    try description.fields(Vectors, Vectors);
    try description.input(f64, "scalar", &.{});
    try description.input(f32, "matrix", &.{ any, any });
    try description.input(i32, "cube", &.{ 2, any, 2 });
    try description.output(f64, "scalar", &.{});
    try description.output(f32, "matrix", &.{ any, any });
    try description.output(i32, "cube", &.{ any, any, any });
    try description.output(Text, "report", &.{any});
}

pub fn predictBatch(calls: []Call) Error!void {
    for (calls) |*call| {
        predict(call) catch |why| switch (why) {
            error.Refused => {},
            error.OutOfMemory => return why,
        };
    }
}

comptime {
    understudy.exportModel(@This());
}

fn predict(call: *Call) Error!void {
    const mode = try call.text("mode");
    const known = std.meta.stringToEnum(Mode, mode) orelse return call.invalidInput(
        "mode is `{s}`, expected `echo`, `reverse`, `sum`, `halves`, `unicode`, `read`, `notes`, `refuse`, `request` or `break`",
        .{mode},
    );
    switch (known) {
        .echo => try (try all(call)).write(call),
        .reverse => try reverse(call),
        .sum => try sum(call),
        .halves => try halves(call),
        .unicode => try unicode(call),
        .read => try read(call),
        .notes => try notes(call),
        .refuse => try refuse(call),
        .request => try report(call),
        .@"break" => try breaks(call),
    }
}

/// Everything as it came.
fn all(call: *Call) Error!Outputs {
    const matrix = try call.input("matrix");
    const cube = try call.input("cube");
    return .{
        .vectors = try call.read(Vectors),
        .scalar = try call.scalar(f64, "scalar"),
        .matrix = try matrix.elements(f32, call),
        .matrix_shape = matrix.shape.slice(),
        .cube = try cube.elements(i32, call),
        .cube_shape = cube.shape.slice(),
    };
}

fn reversed(comptime Element: type, elements: []const Element, call: *Call) Error![]const Element {
    const last_first = try call.allocator.dupe(Element, elements);
    std.mem.reverse(Element, last_first);
    return last_first;
}

fn reverse(call: *Call) Error!void {
    var given = try all(call);
    inline for (outputs.vector_names) |name| {
        const vector = &@field(given.vectors, name);
        vector.* = try reversed(Vectors.Element(name), vector.*, call);
    }
    given.scalar = -given.scalar;
    const matrix = try call.matrix(f32, "matrix");
    const transposed = try call.allocator.alloc(f32, matrix.elements.len);
    for (0..matrix.row_count) |row| {
        for (matrix.row(row), 0..) |element, column| transposed[column * matrix.row_count + row] = element;
    }
    given.matrix = transposed;
    given.matrix_shape = try reversed(u32, given.matrix_shape, call);
    given.cube = try reversed(i32, given.cube, call);
    given.cube_shape = try reversed(u32, given.cube_shape, call);
    try given.write(call);
}

fn sum(call: *Call) Error!void {
    var given: Outputs = .{};
    for (try call.vector(f64, "fp64")) |element| given.scalar += element;
    const matrix = try call.matrix(f32, "matrix");
    const row_sums = try call.allocator.alloc(f64, matrix.row_count);
    for (row_sums, 0..) |*row_sum, row| {
        row_sum.* = 0;
        for (matrix.row(row)) |element| row_sum.* += element;
    }
    var integers: i64 = 0;
    for (try call.vector(i32, "int32")) |element| integers += element;
    var bytes: u64 = 0;
    for (try call.vector(Blob, "blob")) |blob| bytes += blob.slice().len;
    given.vectors.fp64 = row_sums;
    given.vectors.int64 = &.{integers};
    given.vectors.uint64 = &.{bytes};
    try given.write(call);
}

fn halves(call: *Call) Error!void {
    const narrow = try call.vector(f16, "fp16");
    const brains = try call.vector(BF16, "bf16");
    const singles = try call.vector(f32, "fp32");
    const widened = try call.allocator.alloc(f32, narrow.len + brains.len);
    for (widened[0..narrow.len], narrow) |*wide, half| wide.* = half;
    for (widened[narrow.len..], brains) |*wide, brain| wide.* = brain.toF32();
    const to_halves = try call.allocator.alloc(f16, singles.len);
    const to_brains = try call.allocator.alloc(BF16, singles.len);
    for (to_halves, to_brains, singles) |*half, *brain, single| {
        half.* = @floatCast(single);
        brain.* = .fromF32(single);
    }
    try (Outputs{ .vectors = .{ .fp32 = widened, .fp16 = to_halves, .bf16 = to_brains } }).write(call);
}

fn unicode(call: *Call) Error!void {
    const texts = try call.vector(Text, "text");
    const parts = try call.allocator.alloc([]const u8, texts.len);
    const bytes = try call.allocator.alloc(Blob, texts.len);
    const lengths = try call.allocator.alloc(u32, texts.len);
    const code_points = try call.allocator.alloc(u64, texts.len);
    const like_the_first = try call.allocator.alloc(bool, texts.len);
    for (texts, 0..) |text, i| {
        parts[i] = text.slice();
        bytes[i] = .of(parts[i]);
        lengths[i] = @intCast(parts[i].len);
        code_points[i] = std.unicode.utf8CountCodepoints(parts[i]) catch return call.fail("a text is no UTF-8", .{});
        like_the_first[i] = std.mem.eql(u8, parts[i], parts[0]);
    }
    const joined: Text = .of(try std.mem.join(call.allocator, "|", parts));
    try (Outputs{ .vectors = .{
        .text = &.{joined},
        .blob = bytes,
        .uint32 = lengths,
        .uint64 = code_points,
        .boolean = like_the_first,
    } }).write(call);
}

fn notes(call: *Call) Error!void {
    try (Outputs{}).write(call);
    var pairs = std.mem.window(Text, try call.vector(Text, "text"), 2, 2);
    while (pairs.next()) |pair| {
        if (pair.len == 0) break;
        try call.note(pair[0].slice(), "{s}", .{if (pair.len == 2) pair[1].slice() else ""});
    }
}

fn refuse(call: *Call) Error!void {
    const texts = try call.vector(Text, "text");
    const why = .{if (texts.len == 0) "" else texts[0].slice()};
    const kind = try call.text("argument");
    if (std.mem.eql(u8, kind, "invalid-input")) return call.invalidInput("{s}", why);
    if (std.mem.eql(u8, kind, "abstain")) return call.abstain("{s}", why);
    if (std.mem.eql(u8, kind, "failed")) return call.fail("{s}", why);
    return call.invalidInput("argument is `{s}`, expected `invalid-input`, `abstain` or `failed`", .{kind});
}

fn breaks(call: *Call) Error!void {
    const texts = try call.vector(Text, "text");
    const kind = try call.text("argument");
    if (std.mem.eql(u8, kind, "throw")) @panic(if (texts.len == 0) "" else texts[0].slice());
    if (std.mem.eql(u8, kind, "loop")) while (true) std.atomic.spinLoopHint();
    return call.invalidInput("argument is `{s}`, expected `throw` or `loop`", .{kind});
}

fn report(call: *Call) Error!void {
    const inputs = call.request.inputs.slice();
    var lines: std.ArrayList(Text) = try .initCapacity(call.allocator, inputs.len + 2);
    lines.appendAssumeCapacity(call.request.id);
    const time = try std.fmt.allocPrint(call.allocator, "{d}", .{call.request.time_us});
    lines.appendAssumeCapacity(.of(time));
    for (inputs) |tensor| {
        lines.appendAssumeCapacity(.of(try std.fmt.allocPrint(call.allocator, "{f}", .{tensor})));
    }
    try (Outputs{ .report = lines.items }).write(call);
}
