//! How likely a flight is to be late, by logistic regression.

const std = @import("std");
const trained = @import("trained.zig");
const understudy = @import("understudy");

pub const Inputs = struct {
    carrier: understudy.Text,
    origin: understudy.Text,
    dest: understudy.Text,
    distance: f32,
    hour: i32,
    weekday: i32,
    wind_speed: f32,
    precip: f32,
    visib: f32,
};

pub const Outputs = struct { delayed: f64 };

pub fn predict(call: *understudy.Call, flight: Inputs) understudy.Error!Outputs {
    const log_odds = trained.intercept +
        ofName(&trained.carriers, flight.carrier) +
        ofName(&trained.origins, flight.origin) +
        ofName(&trained.dests, flight.dest) +
        try ofNumber(call, &trained.hours, "hour", flight.hour) +
        try ofNumber(call, &trained.weekdays, "weekday", flight.weekday) +
        trained.per_distance * flight.distance +
        trained.per_wind_speed * knownOr(trained.usual_wind_speed, flight.wind_speed) +
        trained.per_precip * knownOr(trained.usual_precip, flight.precip) +
        trained.per_visib * knownOr(trained.usual_visib, flight.visib);
    return .{ .delayed = 1.0 / (1.0 + @exp(-log_odds)) };
}

comptime {
    understudy.exportModel(@This());
}

/// What was learnt about a name. One that was not in the training data adds nothing.
fn ofName(table: []const trained.Learnt, name: understudy.Text) f64 {
    for (table) |learnt| {
        if (std.mem.eql(u8, learnt[0], name.slice())) return learnt[1];
    }
    return 0;
}

/// What was learnt about a number from 0 on.
fn ofNumber(call: *understudy.Call, table: []const f64, name: []const u8, number: i32) understudy.Error!f64 {
    if (number < 0 or number >= table.len) {
        return call.invalidInput("input `{s}` is {d}, expected 0 to {d}", .{ name, number, table.len - 1 });
    }
    return table[@intCast(number)];
}

fn knownOr(usual: f32, number: f32) f64 {
    return if (std.math.isNan(number)) usual else number;
}

test "an hour out of range is refused" {
    var asked: understudy.TestCall = .init();
    defer asked.deinit();
    const flight: Inputs = .{
        .carrier = .of("UA"),
        .origin = .of("EWR"),
        .dest = .of("SFO"),
        .distance = 2565,
        .hour = 24,
        .weekday = 6,
        .wind_speed = 10,
        .precip = 0,
        .visib = 10,
    };
    try std.testing.expectError(error.Refused, predict(&asked.call, flight));
    try std.testing.expectEqualStrings("input `hour` is 24, expected 0 to 23", asked.call.refusal.?.why);
}
