//! Components: a model behind the canonical ABI of the world `model`.

const std = @import("std");
const builtin = @import("builtin");
const arena = @import("arena.zig");
const calls = @import("call.zig");
const descriptions = @import("description.zig");
const tensors = @import("tensor.zig");

const Call = calls.Call;
const Description = descriptions.Description;
const Error = calls.Error;
const List = tensors.List;
const Request = calls.Request;
const Text = tensors.Text;

/// A `result<prediction, refusal>`.
const Result = extern struct {
    is_refusal: bool,
    of: extern union {
        prediction: extern struct { outputs: List(tensors.Tensor), notes: List(calls.Note) },
        refusal: extern struct { kind: calls.Refusal.Kind, why: Text },
    },
};

/// A `description`.
const Described = extern struct {
    inputs: List(descriptions.TensorType),
    outputs: List(descriptions.TensorType),
    batch_limit: u32,
    stateless: bool,
};

/// Exports a file, or a type, as the model of this program. To be called once, in a `comptime` block.
///
/// Outside of WebAssembly it exports nothing and only looks at the model, so that its tests run natively.
pub fn exportModel(comptime Model: type) void {
    const answerCalls = struct {
        fn answerCalls(asked: []Call) Error!void {
            return answerAll(Model, asked);
        }
    }.answerCalls;
    if (comptime !builtin.cpu.arch.isWasm()) {
        _ = &answerCalls;
        return;
    }
    checkLayout();
    const exports = struct {
        fn describe() callconv(.c) *const Described {
            return described(Model) catch @panic("out of memory");
        }

        fn predict(requests: ?[*]const Request, count: usize) callconv(.c) *const List(Result) {
            const list: List(Request) = .{ .ptr = requests, .len = count };
            return results(list.slice(), answerCalls) catch @panic("out of memory");
        }

        fn end(_: *const anyopaque) callconv(.c) void {
            arena.reset();
        }

        fn realloc(old: ?[*]u8, old_size: usize, alignment: usize, size: usize) callconv(.c) usize {
            if (size == 0) return alignment;
            const fit: std.mem.Alignment = .fromByteUnits(alignment);
            if (old_size != 0 and arena.allocator.rawResize(old.?[0..old_size], fit, size, 0)) return @intFromPtr(old.?);
            const taken = arena.allocator.rawAlloc(size, fit, 0) orelse @panic("out of memory");
            const kept = @min(old_size, size);
            if (kept != 0) @memcpy(taken[0..kept], old.?[0..kept]);
            return @intFromPtr(taken);
        }
    };
    const predictor = "understudy:model/predictor@0.1.0#";
    @export(&exports.describe, .{ .name = predictor ++ "describe" });
    @export(&exports.predict, .{ .name = predictor ++ "predict" });
    @export(&exports.end, .{ .name = "cabi_post_" ++ predictor ++ "describe" });
    @export(&exports.end, .{ .name = "cabi_post_" ++ predictor ++ "predict" });
    @export(&exports.realloc, .{ .name = "cabi_realloc" });
}

fn described(comptime Model: type) Error!*const Described {
    var description: Description = .{ .allocator = arena.allocator };
    if (@hasDecl(Model, "batch_limit")) description.batch_limit = Model.batch_limit;
    if (@hasDecl(Model, "stateless")) description.stateless = Model.stateless;
    if (@hasDecl(Model, "describe")) {
        try Model.describe(&description);
    } else {
        try description.fields(Model.Inputs, Model.Outputs);
    }
    const told = try arena.allocator.create(Described);
    told.* = .{
        .inputs = .of(description.inputs.items),
        .outputs = .of(description.outputs.items),
        .batch_limit = description.batch_limit,
        .stateless = description.stateless,
    };
    return told;
}

/// Has a model answer calls, each of which then holds outputs or a refusal.
fn answerAll(comptime Model: type, asked: []Call) Error!void {
    if (@hasDecl(Model, "predictBatch")) return Model.predictBatch(asked);
    for (asked) |*call| {
        answer(Model, call) catch |why| switch (why) {
            error.Refused => {},
            error.OutOfMemory => return error.OutOfMemory,
        };
    }
}

fn answer(comptime Model: type, call: *Call) Error!void {
    if (@hasDecl(Model, "Inputs")) {
        try call.write(try Model.predict(call, try call.read(Model.Inputs)));
    } else {
        try Model.predict(call);
    }
}

fn results(requests: []const Request, answerCalls: *const fn ([]Call) Error!void) Error!*const List(Result) {
    const asked = try arena.allocator.alloc(Call, requests.len);
    for (asked, requests) |*call, *request| call.* = .{ .request = request, .allocator = arena.allocator };
    answerCalls(asked) catch |why| switch (why) {
        // Whoever was refused says so itself.
        error.Refused => {},
        error.OutOfMemory => return error.OutOfMemory,
    };
    const answers = try arena.allocator.alloc(Result, requests.len);
    for (answers, asked) |*result, call| result.* = lower(call);
    const list = try arena.allocator.create(List(Result));
    list.* = .of(answers);
    return list;
}

fn lower(call: Call) Result {
    if (call.refusal) |refusal| return .{
        .is_refusal = true,
        .of = .{ .refusal = .{ .kind = refusal.kind, .why = .of(refusal.why) } },
    };
    return .{ .is_refusal = false, .of = .{ .prediction = .{
        .outputs = .of(call.outputs.items),
        .notes = .of(call.notes.items),
    } } };
}

fn checkLayout() void {
    const what = " is not laid out as the canonical ABI asks for";
    if (@sizeOf(tensors.Tensor) != 28 or @offsetOf(tensors.Tensor, "contents") != 20) @compileError("Tensor" ++ what);
    if (@sizeOf(Request) != 24 or @offsetOf(Request, "time_us") != 8) @compileError("Request" ++ what);
    if (@sizeOf(descriptions.TensorType) != 20) @compileError("TensorType" ++ what);
    if (@sizeOf(Described) != 24 or @offsetOf(Described, "stateless") != 20) @compileError("Description" ++ what);
    if (@sizeOf(Result) != 20 or @offsetOf(Result, "of") != 4) @compileError("Result" ++ what);
}
