use mosaic_core::memory::cosine;
use proptest::prelude::*;

use super::*;

fn all(rows: u32) -> Bits {
    let mut bits = Bits::default();
    (0..rows).for_each(|row| bits.set(row, true));
    bits
}

fn block(vectors: &[Vec<f32>]) -> Block {
    let mut block = Block::new(vectors[0].len());
    for (row, vector) in vectors.iter().enumerate() {
        assert!(block.put(row as u32, vector));
    }
    block
}

proptest! {
    /// The scan gives what comparing one by one gives, but for what small numbers cannot tell apart.
    #[test]
    fn the_best_are_found(
        vectors in prop::collection::vec(prop::collection::vec(-1.0_f32..1.0, 48), 1..200),
        query in prop::collection::vec(-1.0_f32..1.0, 48),
        best in 1_usize..20,
        skip in 1_u32..5,
    ) {
        let block = block(&vectors);
        let mut of = all(vectors.len() as u32);
        of.retain(|row| row % skip == 0);
        let found = block.scan(&query, &of, best);
        let exact = |row: u32| cosine(&vectors[row as usize], &query);
        let mut rows: Vec<u32> = of.iter().collect();
        rows.sort_by(|a, b| exact(*b).total_cmp(&exact(*a)));
        prop_assert_eq!(found.len(), best.min(rows.len()));
        for (found, right) in found.iter().zip(rows) {
            prop_assert!(of.get(found.row));
            prop_assert!((found.cosine - exact(found.row)).abs() < 0.02);
            prop_assert!((exact(found.row) - exact(right)).abs() < 0.04);
        }
        prop_assert!(found.is_sorted_by(|a, b| a.cosine >= b.cosine));
    }

    #[test]
    fn bits_are_a_set(numbers in prop::collection::btree_set(0_u32..500, 0..60), other in prop::collection::btree_set(0_u32..500, 0..60)) {
        let mut bits = Bits::default();
        numbers.iter().for_each(|number| bits.set(*number, true));
        prop_assert!(bits.iter().eq(numbers.iter().copied()));
        prop_assert_eq!(bits.count(), numbers.len() as u64);
        let mut others = Bits::default();
        other.iter().for_each(|number| others.set(*number, true));
        bits.without(&others);
        prop_assert!(bits.iter().eq(numbers.difference(&other).copied()));
    }
}

#[test]
fn removed_rows_and_rows_never_put_are_not_found() {
    let mut block = block(&[vec![1.0, 0.0], vec![0.9, 0.1]]);
    block.put(5, &[1.0, 0.0]);
    block.remove(0);
    let found: Vec<u32> = block.scan(&[1.0, 0.0], &all(10), 10).iter().map(|like| like.row).collect();
    assert_eq!(found, [5, 1]);
}

#[test]
fn a_vector_without_a_direction_is_like_none() {
    let block = block(&[vec![0.0, 0.0], vec![-1.0, 0.0]]);
    let found = block.scan(&[1.0, 0.0], &all(2), 2);
    assert_eq!(found[0], Likeness { row: 0, cosine: 0.0 });
    assert!((found[1].cosine + 1.0).abs() < 1e-6);
    assert!(block.scan(&[0.0, 0.0], &all(2), 2).iter().all(|like| like.cosine == 0.0));
}

#[test]
fn very_large_and_very_small_numbers_keep_their_direction() {
    let block = block(&[vec![3e38, 3e38], vec![1e-38, -1e-38], vec![1e-45, 0.0]]);
    let found = block.scan(&[2e38, 2e38], &all(3), 3);
    assert!((found[0].cosine - 1.0).abs() < 1e-3, "{found:?}");
    assert_eq!(found.iter().map(|like| like.row).collect::<Vec<_>>(), [0, 2, 1]);
}

#[test]
fn vectors_of_another_width_are_not_taken() {
    let mut block = Block::new(3);
    assert!(!block.put(0, &[1.0]));
    assert!(block.present().is_empty());
    assert!(block.scan(&[1.0], &all(1), 1).is_empty());
}
