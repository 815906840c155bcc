//! The thread that tells subscribers what is new.
//!
//! Those who are told may use the topic themselves, and wait for it. So it must not be the thread that
//! brings the news, and many pieces of news are told at once.

use std::sync::Arc;
use std::thread;

use parking_lot::{Condvar, Mutex};

use super::partition::KafkaPartition;

/// Where it is left what is to be told.
#[derive(Default)]
pub(crate) struct Teller {
    news: Mutex<News>,
    arrived: Condvar,
}

#[derive(Default)]
struct News {
    of: Vec<Arc<KafkaPartition>>,
    is_over: bool,
}

impl Teller {
    pub(crate) fn start() -> std::io::Result<Arc<Self>> {
        let teller = Arc::new(Self::default());
        let mine = Arc::clone(&teller);
        thread::Builder::new().name("kafka teller".to_owned()).spawn(move || mine.run())?;
        Ok(teller)
    }

    /// Has the subscribers of a partition told, if that is not due already.
    pub(crate) fn tell(&self, partition: &Arc<KafkaPartition>) {
        if partition.is_due() {
            return;
        }
        let mut news = self.news.lock();
        news.of.push(Arc::clone(partition));
        drop(news);
        self.arrived.notify_one();
    }

    pub(crate) fn end(&self) {
        self.news.lock().is_over = true;
        self.arrived.notify_one();
    }

    fn run(&self) {
        let mut due = Vec::new();
        loop {
            {
                let mut news = self.news.lock();
                while news.of.is_empty() && !news.is_over {
                    self.arrived.wait(&mut news);
                }
                if news.is_over {
                    news.of.clear();
                    return;
                }
                std::mem::swap(&mut due, &mut news.of);
            }
            for partition in due.drain(..) {
                partition.tell_now();
            }
        }
    }
}
