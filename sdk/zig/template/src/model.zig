//! A logistic regression of three features.

const std = @import("std");
const understudy = @import("understudy");

const weights: [3]f64 = .{ 0.8, -1.2, 0.05 };
const bias: f64 = -0.3;

pub const Inputs = struct { features: [3]f32 };
pub const Outputs = struct { probability: f64 };

pub fn predict(call: *understudy.Call, inputs: Inputs) understudy.Error!Outputs {
    var logit = bias;
    for (weights, inputs.features) |weight, feature| {
        if (std.math.isNan(feature)) {
            return call.abstain("a feature is missing, and the training data had none of those", .{});
        }
        logit += weight * feature;
    }
    return .{ .probability = 1.0 / (1.0 + @exp(-logit)) };
}

comptime {
    understudy.exportModel(@This());
}

test "without features the bias decides" {
    var asked: understudy.TestCall = .init();
    defer asked.deinit();
    const outputs = try predict(&asked.call, .{ .features = .{ 0, 0, 0 } });
    try std.testing.expectApproxEqAbs(0.425557, outputs.probability, 1e-6);
}

test "a missing feature is no ground for a guess" {
    var asked: understudy.TestCall = .init();
    defer asked.deinit();
    const features = .{ 0, std.math.nan(f32), 0 };
    try std.testing.expectError(error.Refused, predict(&asked.call, .{ .features = features }));
    try std.testing.expectEqual(.abstain, asked.call.refusal.?.kind);
}
