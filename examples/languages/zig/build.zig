const std = @import("std");
const understudy = @import("understudy");

pub fn build(b: *std.Build) void {
    understudy.addModel(b, .{
        .name = "logit-zig",
        .root_source_file = b.path("src/model.zig"),
    });
}
