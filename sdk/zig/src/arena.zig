//! The memory of a component: an arena, which begins again with each call.
//!
//! Pages come straight from the memory and are never given back, since a memory cannot shrink. So calls of any sizes take
//! no more, but for some slack, than the largest of them needs.

const std = @import("std");

const Alignment = std.mem.Alignment;

const page_size = 64 * 1024;
/// What a region is aligned to, and how large its head is.
const head_size = 16;

/// A stretch of memory; what can be given away comes after it. Regions are filled in their order.
const Region = struct { next: ?*Region, end: usize };

var first: ?*Region = null;
var current: ?*Region = null;
var free_at: usize = 0;
/// The sum of the sizes of all regions.
var total: usize = 0;

pub const allocator: std.mem.Allocator = .{
    .ptr = undefined,
    .vtable = &.{ .alloc = alloc, .resize = resize, .remap = remap, .free = free },
};

/// Begins again. Whatever was taken is gone.
pub fn reset() void {
    if (first) |region| enter(region);
}

fn alloc(_: *anyopaque, size: usize, alignment: Alignment, _: usize) ?[*]u8 {
    while (true) {
        if (current) |region| {
            const start = alignment.forward(free_at);
            if (start <= region.end and size <= region.end - start) {
                free_at = start + size;
                return @ptrFromInt(start);
            }
            if (region.next) |next| {
                enter(next);
                continue;
            }
        }
        const with_gaps = std.math.add(usize, size, alignment.toByteUnits() + head_size) catch return null;
        if (!extend(with_gaps) and !addRegion(with_gaps)) return null;
    }
}

/// Makes room in place where nothing was taken since.
fn resize(_: *anyopaque, memory: []u8, _: Alignment, size: usize, _: usize) bool {
    const start = @intFromPtr(memory.ptr);
    if (start + memory.len != free_at) return size <= memory.len;
    if (size > current.?.end - start) return false;
    free_at = start + size;
    return true;
}

fn remap(context: *anyopaque, memory: []u8, alignment: Alignment, size: usize, address: usize) ?[*]u8 {
    return if (resize(context, memory, alignment, size, address)) memory.ptr else null;
}

fn free(_: *anyopaque, memory: []u8, _: Alignment, _: usize) void {
    const start = @intFromPtr(memory.ptr);
    if (start + memory.len == free_at) free_at = start;
}

fn enter(region: *Region) void {
    current = region;
    free_at = @intFromPtr(region) + head_size;
}

/// Gives the address of new pages.
fn newPages(count: usize) ?usize {
    const before = @wasmMemoryGrow(0, count);
    return if (before < 0) null else @as(usize, @intCast(before)) * page_size;
}

/// Makes the last region longer where nobody has taken the pages after it. So there is only one, as a rule.
fn extend(size: usize) bool {
    const pages = size / page_size + 1;
    const last = current orelse return false;
    if (last.end != @wasmMemorySize(0) * page_size) return false;
    _ = newPages(pages) orelse return false;
    last.end += pages * page_size;
    total += pages * page_size;
    return true;
}

/// Adds a region. Each is as large as all before it, so that there are few.
fn addRegion(size: usize) bool {
    var pages = @max(size, total) / page_size + 1;
    const start = newPages(pages) orelse fallback: {
        pages = size / page_size + 1;
        break :fallback newPages(pages) orelse return false;
    };
    const added: *Region = @ptrFromInt(start);
    added.* = .{ .next = null, .end = start + pages * page_size };
    total += pages * page_size;
    if (current) |last| last.next = added else first = added;
    enter(added);
    return true;
}
