//! Members of a group on a real broker: what they own, what they take, and what becomes of it when one of
//! them leaves, dies, or stands still.
//!
//! This program is its own victim: with `GROUP_CHILD` set it is a member that writes transactions until it
//! is killed or refused, and says on its standard output how each of them went.

mod child;
mod member;
mod sharing;
mod transactions;

use kafka_testkit::Broker;

fn main() {
    if let Ok(place) = std::env::var("GROUP_CHILD") {
        return child::write_until_refused(&place);
    }
    let broker = Broker::shared();
    run("a_member_takes_everything_in_order_and_once", || sharing::one_member(broker));
    run("partitions_move_under_load_and_nothing_is_lost", || sharing::moving_partitions(broker));
    run("whoever_does_not_let_go_is_not_waited_for", || sharing::a_stubborn_member(broker));
    run("a_transaction_is_made_whole_or_not_at_all", || transactions::whole_or_not(broker));
    run("a_member_that_dies_leaves_whole_transactions", || transactions::a_death(broker));
    run("a_member_that_stood_still_is_refused", || transactions::a_standstill(broker));
    // What lies in a static is not dropped; whatever keeps the broker ends it with this process.
}

fn run(name: &str, test: impl FnOnce()) {
    let wanted = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    if wanted.is_none_or(|wanted| name.contains(&wanted)) {
        let started = std::time::Instant::now();
        test();
        println!("test {name} ... ok ({} ms)", started.elapsed().as_millis());
    }
}
