use super::*;

#[test]
fn any_number_of_rows_is_reached_in_few_steps_of_few_shapes() {
    let mut shapes = std::collections::BTreeSet::new();
    for total in 0..2_000 {
        let (mut left, mut calls) = (total, 0);
        while left > 0 {
            let step = step(left);
            assert!((1..=left).contains(&step));
            shapes.insert(step);
            (left, calls) = (left - step, calls + 1);
        }
        assert!(calls <= total / 128 + 5, "{total} rows take {calls} calls");
    }
    assert_eq!(shapes.into_iter().collect::<Vec<_>>(), [1, 2, 3, 4, 5, 6, 7, 8, 16, 32, 64, 128]);
}

#[test]
fn one_call_carries_heads_rows_counters_and_commit() {
    let shape = Shape { begin: false, rows: 2, heads: 1, end: Some(End::CountersAndCommit) };
    assert_eq!(
        text(shape).split("; ").map(|part| part.split(' ').next().unwrap()).collect::<Vec<_>>(),
        ["INSERT", "INSERT", "UPDATE", "COMMIT"]
    );
    assert_eq!(text(shape).matches('?').count(), 5 + 2 * 6 + 3);
}

#[test]
fn a_small_transaction_is_one_call() {
    let shape = Shape { begin: true, rows: ONE_CALL, heads: ONE_CALL, end: Some(End::Commit) };
    assert_eq!(step(ONE_CALL), ONE_CALL);
    let text = text(shape);
    assert!(text.starts_with("BEGIN IMMEDIATE; ") && text.ends_with("; COMMIT"), "{text}");
}
