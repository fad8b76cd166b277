use super::Counts;

fn counted(lines: &[&str]) -> (u64, u64, u64) {
    let mut counts = Counts::default();
    for line in lines {
        counts.add_line(line);
    }
    (counts.passed, counts.failed, counts.skipped)
}

#[test]
fn nextest_closes_with_a_summary() {
    assert_eq!(counted(&["     Summary [   3.337s] 4 tests run: 4 passed, 1 skipped"]), (4, 0, 1));
    assert_eq!(counted(&["     Summary [   0.1s] 1 test run: 1 passed, 0 skipped"]), (1, 0, 0));
}

#[test]
fn nextest_counts_timeouts_as_failures_and_explains_in_brackets() {
    let line = "Summary [  9.0s] 9 tests run: 6 passed (2 slow, 1 flaky), 2 failed, 1 timed out, 3 skipped";
    assert_eq!(counted(&[line]), (6, 3, 3));
}

#[test]
fn a_cancelled_nextest_run_counts_what_ran() {
    let line = "Summary [  9.0s] 2/30 tests run: 1 passed, 1 failed, 0 skipped";
    assert_eq!(counted(&[line]), (1, 1, 0));
}

#[test]
fn cargo_test_closes_each_binary_and_they_add_up() {
    let lines = [
        "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
        "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 7 filtered out; finished in 0.00s",
    ];
    assert_eq!(counted(&lines), (5, 1, 1));
}

#[test]
fn pytest_closes_with_or_without_a_rule() {
    assert_eq!(counted(&["===== 3 passed, 1 skipped in 0.12s ====="]), (3, 0, 1));
    assert_eq!(counted(&["1 failed, 2 passed, 1 error in 1.5s"]), (2, 2, 0));
    assert_eq!(counted(&["==== 2 passed, 1 warning in 61.02s (0:01:01) ===="]), (2, 0, 0));
}

#[test]
fn colour_does_not_hide_a_closing_line() {
    let line = "\u{1b}[32;1m     Summary\u{1b}[0m [ 3.3s] \u{1b}[1m4\u{1b}[0m tests run: \u{1b}[1m4\u{1b}[0m \u{1b}[32;1mpassed\u{1b}[0m, \u{1b}[1m1\u{1b}[0m \u{1b}[33;1mskipped\u{1b}[0m";
    assert_eq!(counted(&[line]), (4, 0, 1));
}

#[test]
fn other_lines_count_nothing() {
    assert_eq!(
        counted(&["running 3 tests", "test a ... ok", "4 passed the door in haste", "", "12"]),
        (0, 0, 0)
    );
}

#[test]
fn what_a_failed_test_printed_is_not_counted_again() {
    let lines = [
        "    test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 20 filtered out",
        "     Summary [ 223.792s] 320 tests run: 319 passed (1 slow), 1 failed, 0 skipped",
    ];
    assert_eq!(counted(&lines), (319, 1, 0));
}
