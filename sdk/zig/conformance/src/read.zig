//! The mode `read`: one accessor of the library, for one datatype, on one input.

const std = @import("std");
const understudy = @import("understudy");
const outputs = @import("outputs.zig");

const Call = understudy.Call;
const Error = understudy.Error;
const Outputs = outputs.Outputs;
const Text = understudy.Text;

/// How an input is to be read.
const Accessor = enum { elements, scalar, vector, matrix };

pub fn read(call: *Call) Error!void {
    const argument = try call.text("argument");
    var words = std.mem.splitScalar(u8, argument, ' ');
    const accessor = std.meta.stringToEnum(Accessor, words.first()) orelse return refuse(call, argument);
    const datatype = words.next() orelse return refuse(call, argument);
    if (words.peek() == null) return refuse(call, argument);
    inline for (outputs.vector_names) |name| {
        if (std.mem.eql(u8, datatype, name)) return readVector(name, accessor, words.rest(), call);
    }
    return refuse(call, argument);
}

fn refuse(call: *Call, argument: []const u8) Error {
    return call.invalidInput("argument is `{s}`, expected ACCESSOR DATATYPE INPUT", .{argument});
}

fn readVector(comptime name: []const u8, accessor: Accessor, input: []const u8, call: *Call) Error!void {
    const Element = outputs.Vectors.Element(name);
    var given: Outputs = .{};
    const place = &@field(given.vectors, name);
    switch (accessor) {
        .elements => place.* = try call.elements(Element, input),
        .vector => place.* = try call.vector(Element, input),
        .scalar => place.* = try call.allocator.dupe(Element, &.{try call.scalar(Element, input)}),
        .matrix => {
            const matrix = try call.matrix(Element, input);
            var last_first: std.ArrayList(Element) = try .initCapacity(call.allocator, matrix.elements.len);
            for (0..matrix.row_count) |i| {
                last_first.appendSliceAssumeCapacity(matrix.row(matrix.row_count - 1 - i));
            }
            place.* = last_first.items;
            given.report = try call.allocator.dupe(Text, &.{
                .of(try std.fmt.allocPrint(call.allocator, "{d} rows", .{matrix.row_count})),
                .of(try std.fmt.allocPrint(call.allocator, "{d} columns", .{matrix.column_count})),
            });
        },
    }
    try given.write(call);
}
