//! The place that `understudy pack` fills in: where in memory the net lies. It is the same as in `sdk/runner`.

/// A mark that `understudy pack` looks for in the data of the module, then the place and the length of the net.
#[repr(C, align(8))]
struct Place {
    mark: [u8; 16],
    pointer: u32,
    length: u32,
}

#[used]
static PLACE: Place = Place { mark: *b"<packed model at", pointer: 0, length: 0 };

/// The bytes of the net; none where nothing was packed.
pub(crate) fn bytes() -> &'static [u8] {
    // SAFETY: the place is a valid static. Read as volatile, because the compiler takes it for zeros, and `pack` wrote into the
    // module after it.
    let place = unsafe { std::ptr::read_volatile(&raw const PLACE) };
    if place.length == 0 {
        return &[];
    }
    // SAFETY: `pack` made the memory larger by these bytes, and put the net there. No allocator knows of them, and nothing writes
    // to them.
    unsafe {
        std::slice::from_raw_parts(place.pointer as usize as *const u8, place.length as usize)
    }
}
