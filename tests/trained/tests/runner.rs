//! The runner is what its sources make.

#[test]
fn the_runner_is_built_again_byte_for_byte() {
    trained_tests::check_runner("runner");
}
