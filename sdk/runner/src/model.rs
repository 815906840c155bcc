//! The model, and where it lies.

use std::sync::OnceLock;

use trained::Pipeline;
use trained::ops::Shape;

use crate::arena::keep;

/// A model that was checked.
pub(crate) struct Model {
    /// What it does.
    pub(crate) pipeline: Pipeline,
    /// What is known of each slot.
    pub(crate) shapes: Vec<Shape>,
}

/// A mark that `understudy pack` looks for in the data of the module, then the place and the length of the model.
#[repr(C, align(8))]
struct Place {
    mark: [u8; 16],
    pointer: u32,
    length: u32,
}

#[used]
static PLACE: Place = Place { mark: *b"<packed model at", pointer: 0, length: 0 };

/// The model. A runner that none was packed into traps.
pub(crate) fn packed() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| {
        keep(|| {
            let pipeline =
                Pipeline::from_bytes(bytes()).expect("a model was packed into the runner");
            let shapes =
                pipeline.check().expect("invariant: a pipeline is checked when it is read");
            Model { pipeline, shapes }
        })
    })
}

fn bytes() -> &'static [u8] {
    // SAFETY: the place is a valid static. Read as volatile, because the compiler takes it for zeros, and `pack` wrote into the
    // module after it.
    let place = unsafe { std::ptr::read_volatile(&raw const PLACE) };
    if place.length == 0 {
        return &[];
    }
    // SAFETY: `pack` made the memory larger by these bytes, and put the model there. No allocator knows of them, and nothing
    // writes to them.
    unsafe {
        std::slice::from_raw_parts(place.pointer as usize as *const u8, place.length as usize)
    }
}
