//! The embedded backend passes the conformance suite, on a real file system and on the faulty one.

use std::path::Path;
use std::sync::Arc;

use super::EmbeddedStream;
use super::storage::faulty::FaultyDisk;
use crate::conformance::{self, Backend, Bounded, Breakable, Durable};
use crate::{Partition, Stream};

mod real {
    use super::*;

    struct Real {
        directory: tempfile::TempDir,
        stream: Option<EmbeddedStream>,
    }

    fn real() -> Real {
        let directory = tempfile::tempdir().unwrap();
        let stream = Some(EmbeddedStream::open(directory.path()).unwrap());
        Real { directory, stream }
    }

    impl Backend for Real {
        fn stream(&self) -> &dyn Stream {
            self.stream.as_ref().unwrap()
        }

        fn close(&mut self) {
            self.stream = None;
        }
    }

    impl Durable for Real {
        fn reopen(&mut self) {
            self.close();
            self.stream = Some(EmbeddedStream::open(self.directory.path()).unwrap());
        }
    }

    conformance::conformance_tests!(real);
    conformance::tests! { real, crate::conformance::faults, {
        everything_is_there_after_reopening,
    }}
}

mod faulty {
    use super::*;

    struct Faulty {
        disk: FaultyDisk,
        stream: Option<EmbeddedStream>,
    }

    fn open(disk: &FaultyDisk) -> EmbeddedStream {
        EmbeddedStream::open_with(Arc::new(disk.clone()), Path::new("/data"), None).unwrap()
    }

    fn faulty() -> Faulty {
        let disk = FaultyDisk::new(0);
        let stream = Some(open(&disk));
        Faulty { disk, stream }
    }

    impl Backend for Faulty {
        fn stream(&self) -> &dyn Stream {
            self.stream.as_ref().unwrap()
        }

        fn close(&mut self) {
            self.stream = None;
        }
    }

    impl Durable for Faulty {
        fn reopen(&mut self) {
            self.close();
            self.stream = Some(open(&self.disk));
        }
    }

    impl Bounded for Faulty {
        fn fill(&self, partition: &dyn Partition) {
            self.disk.leave_space(Some(0));
            conformance::append_until_full(partition);
        }

        fn make_space(&self, _: &dyn Partition) {
            self.disk.leave_space(None);
        }
    }

    impl Breakable for Faulty {
        fn stall_syncs(&self, stall: bool) {
            self.disk.stall_syncs(stall);
        }

        fn fail_next_sync(&self) {
            self.disk.fail_syncs(1);
        }
    }

    conformance::conformance_tests!(faulty);
    conformance::tests! { faulty, crate::conformance::faults, {
        a_full_disk_refuses_the_whole_batch_until_there_is_space,
        everything_is_there_after_reopening,
        under_each_nobody_sees_what_is_not_synced,
        a_disk_that_does_not_keep_up_holds_producers_back,
        a_failed_sync_poisons_the_writer,
    }}
}
