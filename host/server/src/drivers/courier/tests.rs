//! What the courier carries, and to whom.

use std::sync::mpsc::{Receiver, channel};

use stream::MemoryStream;

use super::*;

/// A courier on a stream, and what it delivers.
fn courier(stream: &Arc<dyn Stream>) -> (Courier, Receiver<(String, Vec<Delivered>)>) {
    let (sender, delivered) = channel();
    let deliver = move |endpoint: &str, what| {
        let _gone = sender.send((endpoint.to_owned(), what));
    };
    let replies = Arc::new(Replies::default());
    let courier = Courier::start(replies, Arc::clone(stream), Box::new(deliver)).unwrap();
    while courier.replies.address().is_none() {
        std::thread::yield_now();
    }
    (courier, delivered)
}

fn send(from: &Replies, to: HostAddress<'_>, id: &str, text: &'static str) -> usize {
    let answered = Answered { document: Bytes::from(text), response: None, is_error: true };
    let to = Waiter::new(id.into(), to);
    from.send([Sent { to: &to, endpoint: "flights", said: &Ok(answered) }])
}

#[test]
fn an_answer_comes_to_the_host_where_its_caller_waits_and_to_no_other() {
    let stream: Arc<dyn Stream> = Arc::new(MemoryStream::new());
    let (one, to_one) = courier(&stream);
    let (two, to_two) = courier(&stream);
    let address = one.replies.address().unwrap();
    assert!(one.replies.is_own(address) && !two.replies.is_own(address));
    assert_eq!(send(&two.replies, address, "a", "first"), 1);
    assert_eq!(send(&one.replies, two.replies.address().unwrap(), "b", "second"), 1);
    let (endpoint, delivered) = to_one.recv().unwrap();
    assert_eq!(endpoint, "flights");
    assert_eq!(delivered[0].id.as_str(), "a");
    let first = delivered[0].said.as_ref().unwrap();
    assert_eq!(first.document, "first");
    assert!(first.is_error);
    let (_, delivered) = to_two.recv().unwrap();
    assert_eq!(delivered[0].said.as_ref().unwrap().document, "second");
    let to = Waiter::new("c".into(), one.replies.address().unwrap());
    let unfit = Unanswered::Unfit { reason: "no `x`".into() };
    let said = Err(unfit.clone());
    assert_eq!(two.replies.send([Sent { to: &to, endpoint: "flights", said: &said }]), 1);
    let (_, delivered) = to_one.recv().unwrap();
    assert_eq!(delivered[0].said.as_ref().unwrap_err(), &unfit);
    one.stop();
    two.stop();
    assert!(to_one.recv().is_err() && to_two.recv().is_err(), "nothing else came");
}

#[test]
fn what_goes_to_a_partition_that_is_not_there_or_before_the_topic_is_open_is_not_sent() {
    let address = HostAddress { partition: 7, host: "h" };
    assert_eq!(send(&Replies::default(), address, "a", "early"), 0);
    let stream: Arc<dyn Stream> = Arc::new(MemoryStream::new());
    let (courier, _delivered) = courier(&stream);
    assert_eq!(send(&courier.replies, address, "a", "nowhere"), 0);
    courier.stop();
}
