use proptest::prelude::*;

use super::*;

fn all(space: &Space) -> Bits {
    space.present().clone()
}

/// In the order of their numbers: two neighbours are as near as each other.
fn rows(found: &[Likeness]) -> Vec<u32> {
    let mut rows: Vec<u32> = found.iter().map(|like| like.row).collect();
    rows.sort_unstable();
    rows
}

/// Vectors along a line: those of near numbers are near.
fn on_line(row: u32) -> Vec<f32> {
    let at = row as f32 / 25.0;
    (1..=8).flat_map(|wave| [(at * wave as f32).cos(), (at * wave as f32).sin()]).collect()
}

fn space(count: u32) -> Space {
    let mut space = Space::new(16);
    (0..count).for_each(|row| assert!(space.put(row, &on_line(row))));
    space
}

#[test]
fn it_grows_step_by_step_and_only_from_so_many_on() {
    let space = space(100);
    assert!(!space.grows(101) && !space.grow(101, 50));
    assert!(space.grows(100));
    assert!(space.grow(100, 60), "40 are left");
    assert!(!space.grow(100, 60), "none is left");
    assert!(!space.grows(100));
    assert_eq!(space.graph.read().unwrap().inside().count(), 100);
}

#[test]
fn the_graph_is_asked_for_many_and_the_scan_for_few() {
    let mut space = space(80);
    let asked = |space: &Space, of: &Bits| space.by_graph(&on_line(7), of, 3).map(|found| rows(&found));
    assert_eq!(asked(&space, &all(&space)), None, "there is no graph");
    space.grow(1, 100);
    assert_eq!(asked(&space, &all(&space)), Some(vec![6, 7, 8]));
    let mut of = all(&space);
    of.retain(|row| row < 10);
    assert_eq!(asked(&space, &of), Some(vec![6, 7, 8]));
    of.set(9, false);
    assert_eq!(asked(&space, &of), None, "nine of eighty");
    assert_eq!(rows(&space.nearest(&on_line(7), &of, 3)), [6, 7, 8]);
    // New ones are found beside the graph, until they are too many.
    (80..91).for_each(|row| assert!(space.put(row, &on_line(row))));
    let near = |space: &Space| rows(&space.nearest(&on_line(90), &all(space), 2));
    assert!(space.by_graph(&on_line(90), &all(&space), 2).is_some());
    assert_eq!(near(&space), [89, 90]);
    (91..99).for_each(|row| assert!(space.put(row, &on_line(row))));
    assert!(space.by_graph(&on_line(90), &all(&space), 2).is_none());
    assert_eq!(near(&space), [89, 90]);
}

#[test]
fn what_changes_or_goes_is_found_where_it_is_now() {
    let mut space = space(100);
    space.grow(1, 100);
    space.put(3, &on_line(70));
    space.remove(71);
    let near = |space: &Space, at: u32| rows(&space.by_graph(&on_line(at), &all(space), 2).unwrap());
    assert_eq!(near(&space, 70), [3, 70]);
    assert_eq!(near(&space, 71).len(), 2);
    assert!(!near(&space, 71).contains(&71));
    assert!(!near(&space, 3).contains(&3));
    assert!(!space.grows(1), "two of a hundred");
    // Where too much has changed the graph is made anew.
    (0..14).for_each(|row| assert!(space.put(row, &on_line(row + 40))));
    assert!(space.grows(1));
    space.grow(1, 1_000);
    assert_eq!(space.graph.read().unwrap().inside().count(), 99);
    assert_eq!(near(&space, 44), [4, 44]);
}

#[test]
fn while_the_graph_is_worked_on_the_scan_answers() {
    let space = space(100);
    space.grow(1, 100);
    let held = space.graph.write().unwrap();
    assert!(space.by_graph(&on_line(7), &all(&space), 3).is_none());
    assert_eq!(rows(&space.nearest(&on_line(7), &all(&space), 1)), [7]);
    assert!(!space.grows(1));
    drop(held);
    assert!(space.by_graph(&on_line(7), &all(&space), 3).is_some());
}

proptest! {
    /// So few that the graph sees them all: both ways find the same.
    #[test]
    fn both_ways_agree(
        vectors in prop::collection::vec(prop::collection::vec(-1.0_f32..1.0, 8), 1..120),
        changes in prop::collection::vec((0_u32..120, prop::option::of(prop::collection::vec(-1.0_f32..1.0, 8))), 0..12),
        query in prop::collection::vec(-1.0_f32..1.0, 8),
        best in 1_usize..20,
        step in 1_usize..50,
        skip in 1_u32..6,
    ) {
        let mut space = Space::new(8);
        for (row, vector) in (0..).zip(&vectors) {
            space.put(row, vector);
        }
        while space.grow(1, step) {}
        for (row, vector) in changes {
            match vector {
                Some(vector) => drop(space.put(row, &vector)),
                None => space.remove(row),
            }
        }
        let mut of = all(&space);
        of.retain(|row| row % skip == 0);
        let exact = space.rows.scan(&query, &of, best);
        prop_assert_eq!(&space.nearest(&query, &of, best), &exact);
        while space.grow(1, step) {}
        prop_assert_eq!(space.nearest(&query, &of, best), exact);
    }
}
