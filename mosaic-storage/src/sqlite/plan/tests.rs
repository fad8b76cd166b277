use super::*;
use mosaic_core::Timestamp;

fn rows(from: u64, to: u64) -> Vec<Row> {
    let row = |seq| Row { seq: Seq(seq), v: 1, kind: "x".into(), at: Timestamp(seq), bytes: "{}".into() };
    (from..=to).map(row).collect()
}

fn me() -> Arc<str> {
    "1-me".into()
}

/// Everybody whose name ends with `alive` lives.
fn alive(id: &str, _: u64) -> Option<String> {
    id.ends_with("alive").then(|| "process 7".to_owned())
}

fn apply(plan: &mut Plan, change: Change) -> Result<Done, StoreError> {
    plan.apply(change, &Planner { store: "sqlite:t.db", me: &me(), alive: &alive })
}

fn held_by(owner: Option<&str>) -> Plan {
    let head = Head { id: 7, last: Seq(3), epoch: 5, owner: owner.map(Into::into) };
    let counters = Counters { epoch: 5, session: 7 };
    Plan { heads: [(SessionKey::new("s"), head)].into(), counters, ..Plan::default() }
}

fn append(epoch: u64, expected: u64, rows: Vec<Row>, flush: Flush) -> Change {
    Change::Append {
        lease: Lease { key: "s".into(), epoch, last: Seq::ZERO },
        expected: Seq(expected),
        rows,
        flush,
    }
}

#[test]
fn appends_of_one_group_build_on_one_another() {
    let mut plan = held_by(Some("1-me"));
    apply(&mut plan, append(5, 3, rows(4, 5), Flush::Ordered)).unwrap();
    let error = apply(&mut plan, append(5, 3, rows(4, 4), Flush::Ordered)).unwrap_err();
    assert!(matches!(error, StoreError::Conflict { last: Seq(5), .. }));
    apply(&mut plan, append(5, 5, rows(6, 6), Flush::Ordered)).unwrap();
    let places: Vec<(i64, Seq)> = plan.rows.iter().map(|(session, row)| (*session, row.seq)).collect();
    assert_eq!(places, [(7, Seq(4)), (7, Seq(5)), (7, Seq(6))]);
    assert!(plan.changed.is_empty(), "an append writes rows only");
}

#[test]
fn a_durable_append_of_nothing_leaves_something_to_sync_and_an_ordered_one_nothing() {
    let mut plan = held_by(Some("1-me"));
    apply(&mut plan, append(5, 3, vec![], Flush::Ordered)).unwrap();
    assert!(plan.is_empty());
    apply(&mut plan, append(5, 3, vec![], Flush::Durable)).unwrap();
    assert!(plan.touch && plan.counters.epoch == 6);
}

#[test]
fn the_lease_of_a_dead_owner_is_taken_over_and_its_epoch_with_it() {
    for (owner, taken) in [(None, true), (Some("9-dead"), true), (Some("9-alive"), false)] {
        let mut plan = held_by(owner);
        match apply(&mut plan, Change::Lease { key: "s".into() }) {
            Ok(Done::Leased(lease)) if taken => {
                assert_eq!(lease.epoch, 6);
                assert!(apply(&mut plan, append(5, 3, rows(4, 4), Flush::Durable)).is_err());
                apply(&mut plan, append(6, 3, rows(4, 4), Flush::Durable)).unwrap();
            }
            Err(StoreError::Leased { holder, .. }) if !taken => assert_eq!(holder, "process 7"),
            other => panic!("{owner:?}: {other:?}"),
        }
    }
}

#[test]
fn a_refused_change_changes_nothing() {
    let mut plan = held_by(Some("9-alive"));
    let before = format!("{plan:?}");
    let changes = [
        append(4, 3, rows(4, 4), Flush::Durable),
        append(5, 2, rows(3, 4), Flush::Durable),
        append(5, 3, rows(5, 6), Flush::Durable),
        Change::Create { key: "s".into(), rows: rows(1, 1) },
        Change::Create { key: "new".into(), rows: vec![] },
        Change::Lease { key: "s".into() },
        Change::Lease { key: "nobody".into() },
    ];
    for change in changes {
        let what = format!("{change:?}");
        assert!(apply(&mut plan, change).is_err(), "{what}");
        assert_eq!(format!("{plan:?}"), before, "{what}");
    }
}

#[test]
fn a_new_session_is_numbered_and_can_be_written_in_the_same_group() {
    let mut plan = held_by(None);
    apply(&mut plan, Change::Create { key: "new".into(), rows: rows(1, 2) }).unwrap();
    let Ok(Done::Leased(lease)) = apply(&mut plan, Change::Lease { key: "new".into() }) else { panic!() };
    let change = Change::Append { lease, expected: Seq(2), rows: rows(3, 3), flush: Flush::Durable };
    apply(&mut plan, change).unwrap();
    assert_eq!(plan.counters, Counters { epoch: 6, session: 8 });
    assert_eq!(plan.rows.last().map(|(session, row)| (*session, row.seq)), Some((8, Seq(3))));
}
