use super::*;

const WIDTH: usize = 16;

/// Numbers that are alike in every run.
fn random(seed: &mut u64) -> f32 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*seed >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
}

/// Vectors in heaps, as those of texts are.
fn heaps(rows: u32, heaps: usize) -> Vec<Vec<f32>> {
    let mut seed = 7;
    let mut vector = |of: &[f32]| of.iter().map(|x| x + 0.5 * random(&mut seed)).collect::<Vec<f32>>();
    let centres: Vec<Vec<f32>> = (0..heaps).map(|_| vector(&[0.0; WIDTH])).collect();
    (0..rows as usize).map(|row| vector(&centres[row % heaps])).collect()
}

fn block(vectors: &[Vec<f32>]) -> Block {
    let mut block = Block::new(WIDTH);
    for (row, vector) in (0..).zip(vectors) {
        assert!(block.put(row, vector));
    }
    block
}

fn graph(block: &Block, rows: u32) -> Graph {
    let mut graph = Graph::default();
    (0..rows).for_each(|row| graph.add(block, row));
    graph
}

fn found(
    graph: &Graph,
    block: &Block,
    vector: &[f32],
    best: usize,
    passes: impl Fn(u32) -> bool,
) -> Vec<u32> {
    graph.search(block, &block.query(vector), best, passes).into_iter().map(|like| like.row).collect()
}

/// How many of the right ones a graph finds.
fn recall(
    graph: &Graph,
    block: &Block,
    queries: &[Vec<f32>],
    best: usize,
    passes: impl Fn(u32) -> bool + Copy,
) -> f64 {
    let mut of = block.present().clone();
    of.retain(passes);
    let hits: usize = queries
        .iter()
        .map(|query| {
            let found = found(graph, block, query, best, passes);
            let right = block.scan(query, &of, best);
            assert_eq!(found.len(), right.len());
            right.iter().filter(|right| found.contains(&right.row)).count()
        })
        .sum();
    hits as f64 / (queries.len() * best) as f64
}

#[test]
fn nearly_all_of_the_best_are_found() {
    let vectors = heaps(1_000, 40);
    let block = block(&vectors);
    let graph = graph(&block, 1_000);
    let queries = heaps(80, 40);
    assert!(recall(&graph, &block, &queries, 10, |_| true) > 0.97);
    // And of a part of them too, down to a share at which nobody asks a graph.
    assert!(recall(&graph, &block, &queries, 10, |row| row % 8 == 3) > 0.97);
    // A whole heap that the query is not in.
    assert!(recall(&graph, &block, &queries, 10, |row| row % 40 < 6) > 0.97);
}

#[test]
fn the_best_one_is_found_among_vectors_without_order() {
    let vectors = heaps(800, 800);
    let block = block(&vectors);
    let graph = graph(&block, 800);
    let queries: Vec<Vec<f32>> =
        heaps(80, 80).into_iter().map(|vector| vector.into_iter().rev().collect()).collect();
    assert!(recall(&graph, &block, &queries, 1, |_| true) > 0.97);
}

#[test]
fn links_lead_into_all_directions_before_they_lead_to_the_nearest() {
    // Seen from the first axis: two neighbours on one side, a third farther off on the other.
    let vectors = [[1.0, 0.0], [0.9, 0.40], [0.9, 0.45], [0.8, -0.6]].map(|[x, y]| {
        let mut vector = vec![0.0; WIDTH];
        (vector[0], vector[1]) = (x, y);
        vector
    });
    let block = block(&vectors);
    let query = block.query_of(0).unwrap();
    let near: Vec<Near> = (1..4).map(|row| Near(block.likeness(&query, row), row)).collect();
    assert!(near.is_sorted_by(|a, b| a > b), "{near:?}");
    assert_eq!(choose(&block, &near, 2), [1, 3]);
    assert_eq!(choose(&block, &near, 3), [1, 3, 2]);
    assert_eq!(choose(&block, &near, 1), [1]);
}

#[test]
fn everything_is_reached() {
    // Many alike, a few far away: those are what links that only look for the nearest would lose.
    let mut vectors = heaps(300, 1);
    vectors.extend(heaps(8, 8).into_iter().map(|vector| vector.into_iter().map(|x| -3.0 * x).collect()));
    let block = block(&vectors);
    let graph = graph(&block, 308);
    for (row, vector) in (0..).zip(&vectors) {
        assert_eq!(found(&graph, &block, vector, 1, |_| true), [row], "row {row}");
    }
}

#[test]
fn the_same_rows_make_the_same_graph_and_a_row_comes_in_once() {
    let block = block(&heaps(200, 9));
    let (one, mut other) = (graph(&block, 200), graph(&block, 200));
    assert_eq!(one.base, other.base);
    assert_eq!(one.upper, other.upper);
    (0..200).for_each(|row| other.add(&block, row));
    assert_eq!(one.base, other.base);
}

#[test]
fn links_are_few_and_lead_to_others() {
    let block = block(&heaps(800, 5));
    let graph = graph(&block, 800);
    let mut of_level = [0; 8];
    for row in 0..800 {
        let levels = graph.upper.get(&row).map_or(0, Vec::len) + 1;
        for (level, count) in of_level.iter_mut().enumerate().take(levels) {
            let links: Vec<u32> = graph.links(row, level).collect();
            assert!(links.len() <= if level == 0 { 32 } else { 16 });
            assert!(links.iter().all(|link| *link < 800 && *link != row), "{row} at {level}: {links:?}");
            let mut once = links.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), links.len(), "{row} at {level}: {links:?}");
            *count += 1;
        }
    }
    let highest = graph.upper.values().map(Vec::len).max().unwrap();
    assert_eq!(graph.top(graph.entry.unwrap()), highest, "a search begins at the top");
    // A sixteenth of 800 is 50, and of that 3.
    assert!((35..65).contains(&of_level[1]) && (1..9).contains(&of_level[2]), "{of_level:?}");
}

#[test]
fn one_row_or_none_and_rows_without_a_direction() {
    let mut block = Block::new(WIDTH);
    let mut graph = Graph::default();
    assert!(found(&graph, &block, &[1.0; WIDTH], 5, |_| true).is_empty());
    block.put(3, &[0.0; WIDTH]);
    block.put(4, &[1.0; WIDTH]);
    block.put(5, &[0.0; WIDTH]);
    (3..6).for_each(|row| graph.add(&block, row));
    assert_eq!(found(&graph, &block, &[1.0; WIDTH], 5, |_| true), [4, 3, 5]);
    assert_eq!(found(&graph, &block, &[1.0; WIDTH], 0, |_| true), [0; 0]);
    graph.add(&block, 99);
    assert_eq!(graph.inside().count(), 3, "what the block does not have is not taken in");
}
