//! Builds the library, and the models that depend on it.

const std = @import("std");

/// What a model is built from.
pub const ModelOptions = struct {
    /// The name of the core module in `zig-out/bin`.
    name: []const u8,
    /// The file that is exported with `exportModel`.
    root_source_file: std.Build.LazyPath,
    /// How to compile it. Safe code faults where an index is out of bounds; fast code gives a wrong prediction.
    optimize: std.lang.Optimize = .safe,
};

/// The stack of a component, in bytes. It lies below all data, so that its overflow is a fault.
const stack_size = 256 * 1024;

/// Adds a model to a build: `zig build` gives a core module, and `zig build test` runs the tests natively.
pub fn addModel(b: *std.Build, options: ModelOptions) void {
    const library = b.dependencyFromBuildZig(@This(), .{});
    const source = library.path("src/understudy.zig");
    const target = b.resolveTargetQuery(.{
        .cpu_arch = .wasm32,
        .os_tag = .freestanding,
        .cpu_features_add = std.Target.wasm.featureSet(&.{.simd128}),
    });
    const model = b.addExecutable(.{
        .name = options.name,
        .root_module = moduleOf(b, options, source, target, options.optimize),
    });
    model.entry = .disabled;
    model.rdynamic = true;
    model.stack_size = stack_size;
    b.installArtifact(model);

    const tests = b.addTest(.{
        .root_module = moduleOf(b, options, source, b.graph.host, .debug),
    });
    b.step("test", "Run the tests of the model natively").dependOn(&b.addRunArtifact(tests).step);
}

fn moduleOf(
    b: *std.Build,
    options: ModelOptions,
    library: std.Build.LazyPath,
    target: std.Build.ResolvedTarget,
    optimize: std.lang.Optimize,
) *std.Build.Module {
    const module = b.createModule(.{
        .root_source_file = options.root_source_file,
        .target = target,
        .optimize = optimize,
        // Without what a debugger wants, which names folders of this machine.
        .strip = if (target.result.cpu.arch.isWasm()) true else null,
    });
    module.addAnonymousImport("understudy", .{ .root_source_file = library, .target = target, .optimize = optimize });
    return module;
}

pub fn build(b: *std.Build) void {
    const target = b.standardTargetOptions(.{});
    const optimize = b.standardOptimizeOption(.{});
    const library = b.addModule("understudy", .{
        .root_source_file = b.path("src/understudy.zig"),
        .target = target,
        .optimize = optimize,
    });
    const tests = b.addTest(.{ .root_module = library });
    b.step("test", "Run the tests of the library").dependOn(&b.addRunArtifact(tests).step);
}
