//! Random values, and property tests on them. A failure prints the shrunk input; `PROPTEST_RNG_SEED` repeats the draws
//! of a run.

use std::fmt::Debug;

use proptest::strategy::{Strategy, ValueTree as _};
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

/// One draw from the strategy.
pub(crate) fn drawn<T: Debug>(strategy: impl Strategy<Value = T>) -> T {
    let tree = strategy.new_tree(&mut TestRunner::new(config(1)));
    tree.expect("a strategy with values").current()
}

/// Runs `test` on this many draws, and shrinks the one that fails.
pub(crate) fn check<T: Debug>(cases: u32, strategy: impl Strategy<Value = T>, test: impl AsyncFn(T) -> TestCaseResult) {
    let run = |value| block_in_place(|| Handle::current().block_on(test(value)));
    if let Err(failure) = TestRunner::new(config(cases)).run(&strategy, run) {
        panic!("{failure}");
    }
}

fn config(cases: u32) -> Config {
    Config { cases, max_shrink_iters: 150, failure_persistence: None, ..Config::default() }
}
