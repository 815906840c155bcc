//! A wire between clients and a broker that can be cut, and made slow or silent.

mod wire;

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A wire between clients and a broker. What is done to it holds for the connections that there are and for new ones.
///
/// When dropped it closes every connection.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
    port: u16,
}

/// What goes over the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Everything.
    Open,
    /// Nothing; what was sent waits. New connections are taken.
    Silent,
    /// Nothing, and whoever connects is hung up on.
    Cut,
    /// Nothing ever again.
    Ended,
}

#[derive(Debug)]
struct State {
    mode: Mode,
    delay: Duration,
    bytes_per_second: Option<u64>,
    connections: HashMap<u64, [TcpStream; 2]>,
    next: u64,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

impl State {
    fn hang_up(&mut self) {
        for (_, ends) in self.connections.drain() {
            for end in ends {
                end.shutdown(Shutdown::Both).ok();
            }
        }
    }
}

impl Proxy {
    /// Stands in front of this port of this machine, at a port of its own.
    ///
    /// # Panics
    ///
    /// Where there is no port.
    pub fn start(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("the address of a port").port();
        let state = State {
            mode: Mode::Open,
            delay: Duration::ZERO,
            bytes_per_second: None,
            connections: HashMap::new(),
            next: 0,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
        let acceptor = {
            let shared = shared.clone();
            thread::spawn(move || accept(&listener, target, &shared))
        };
        Self { shared, acceptor: Some(acceptor), port }
    }

    /// Where it listens.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Closes every connection, and each new one at once.
    pub fn cut(&self) {
        self.shared.change(|state| {
            state.mode = Mode::Cut;
            state.hang_up();
        });
    }

    /// Lets nothing through any more, and nobody know: connections stay, new ones are taken, and what was sent waits.
    pub fn silence(&self) {
        self.shared.change(|state| state.mode = Mode::Silent);
    }

    /// Lets everything through again, as slowly as it was told to be.
    pub fn mend(&self) {
        self.shared.change(|state| state.mode = Mode::Open);
    }

    /// Has everything arrive so much later, in both directions.
    pub fn delay(&self, delay: Duration) {
        self.shared.change(|state| state.delay = delay);
    }

    /// Lets so much through in each direction of each connection; none lifts that.
    pub fn throttle(&self, bytes_per_second: Option<u64>) {
        self.shared.change(|state| state.bytes_per_second = bytes_per_second);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.change(|state| {
            state.mode = Mode::Ended;
            state.hang_up();
        });
        // Wakes the thread that accepts.
        TcpStream::connect(("127.0.0.1", self.port)).ok();
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.join().ok();
        }
    }
}

fn accept(listener: &TcpListener, target: u16, shared: &Arc<Shared>) {
    let mut threads: Vec<JoinHandle<()>> = Vec::new();
    for client in listener.incoming() {
        let mode = shared.lock().mode;
        if mode == Mode::Ended {
            break;
        }
        threads.retain(|thread| !thread.is_finished());
        if let (Ok(client), Mode::Open | Mode::Silent) = (client, mode)
            && let Ok(started) = connect(client, target, shared)
        {
            threads.extend(started);
        }
    }
    for thread in threads {
        thread.join().ok();
    }
}

fn connect(
    client: TcpStream,
    target: u16,
    shared: &Arc<Shared>,
) -> io::Result<Vec<JoinHandle<()>>> {
    let broker = TcpStream::connect(("127.0.0.1", target))?;
    client.set_nodelay(true)?;
    broker.set_nodelay(true)?;
    let ends = [client.try_clone()?, broker.try_clone()?];
    let number = {
        let mut state = shared.lock();
        if !matches!(state.mode, Mode::Open | Mode::Silent) {
            return Ok(Vec::new());
        }
        state.next += 1;
        let number = state.next;
        state.connections.insert(number, ends);
        number
    };
    let there = wire::carry(client.try_clone()?, broker.try_clone()?, number, shared);
    let back = wire::carry(broker, client, number, shared);
    Ok(there.into_iter().chain(back).collect())
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::time::Instant;

    use super::*;

    /// A server that says everything again, for one caller after the other.
    fn echo() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || io::copy(&mut &stream, &mut &stream));
            }
        });
        port
    }

    fn call(proxy: &Proxy) -> TcpStream {
        TcpStream::connect(("127.0.0.1", proxy.port())).unwrap()
    }

    fn hears(stream: &mut TcpStream) -> io::Result<[u8; 5]> {
        let mut said = [0; 5];
        stream.read_exact(&mut said)?;
        Ok(said)
    }

    #[test]
    fn carries_both_ways() {
        let proxy = Proxy::start(echo());
        let mut caller = call(&proxy);
        caller.write_all(b"hello").unwrap();
        assert_eq!(&hears(&mut caller).unwrap(), b"hello");
    }

    #[test]
    fn what_was_sent_into_silence_arrives_when_it_is_mended() {
        let proxy = Proxy::start(echo());
        let mut caller = call(&proxy);
        proxy.silence();
        caller.write_all(b"hello").unwrap();
        caller.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        assert!(hears(&mut caller).is_err());
        caller.set_read_timeout(None).unwrap();
        proxy.mend();
        assert_eq!(&hears(&mut caller).unwrap(), b"hello");
    }

    #[test]
    fn a_cut_closes_what_there_is_and_whoever_comes() {
        let proxy = Proxy::start(echo());
        let mut caller = call(&proxy);
        caller.write_all(b"hello").unwrap();
        hears(&mut caller).unwrap();
        proxy.cut();
        assert!(hears(&mut caller).is_err());
        assert!(hears(&mut call(&proxy)).is_err());
        proxy.mend();
        let mut caller = call(&proxy);
        caller.write_all(b"hello").unwrap();
        assert_eq!(&hears(&mut caller).unwrap(), b"hello");
    }

    #[test]
    fn a_delay_holds_for_each_direction() {
        let proxy = Proxy::start(echo());
        proxy.delay(Duration::from_millis(30));
        let mut caller = call(&proxy);
        let start = Instant::now();
        caller.write_all(b"hello").unwrap();
        hears(&mut caller).unwrap();
        assert!(start.elapsed() >= Duration::from_millis(60));
    }
}
