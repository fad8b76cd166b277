//! Dot products of rows of small numbers: one plain loop, compiled twice.
//!
//! A build for any x86-64 may use no instruction newer than 2003, and there the loop takes 8 ms for 100,000 rows of 384. Compiled for
//! AVX2 (2013) the same loop takes 2 ms, so it is compiled for both and the processor is asked. Elsewhere (NEON is part of every
//! aarch64) the plain one is the fast one.
//!
//! The query's numbers are as small as those of the rows, but two bytes wide: the processor multiplies no single bytes with signs, and
//! would widen the query anew for each row. That is a quarter of the time.

/// Writes the dot product of each row with the query. `rows` holds a row of the query's length for each place in `out`; what
/// is too much on either side is left alone.
pub(super) fn dots(rows: &[i8], query: &[i16], out: &mut [i32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the function is safe but for the instructions that it is compiled to, and this processor has them.
        return unsafe { dots_avx2(rows, query, out) };
    }
    dots_plain(rows, query, out);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn dots_avx2(rows: &[i8], query: &[i16], out: &mut [i32]) {
    dots_plain(rows, query, out);
}

/// The loop. Inlined, so that it is compiled with what its caller may use.
#[inline(always)]
fn dots_plain(rows: &[i8], query: &[i16], out: &mut [i32]) {
    // A width of 0 has no rows.
    for (row, out) in rows.chunks_exact(query.len().max(1)).zip(out) {
        *out = row.iter().zip(query).map(|(a, b)| i32::from(i16::from(*a)) * i32::from(*b)).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever the processor can, the numbers are those of the plain loop, and of arithmetic.
        #[test]
        fn every_kernel_gives_the_same(
            width in 1_usize..200,
            bytes in prop::collection::vec(any::<i8>(), 0..4_000),
            query in prop::collection::vec(-128_i16..128, 200),
            spare in 0_usize..3,
        ) {
            let query = &query[..width];
            let rows = bytes.len() / width;
            let mut fast = vec![7; rows + spare];
            let mut plain = fast.clone();
            dots(&bytes, query, &mut fast);
            dots_plain(&bytes, query, &mut plain);
            prop_assert_eq!(&fast, &plain);
            for (row, dot) in bytes.chunks_exact(width).zip(&fast) {
                let exact: i64 = row.iter().zip(query).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum();
                prop_assert_eq!(i64::from(*dot), exact);
            }
            prop_assert!(fast[rows..].iter().all(|untouched| *untouched == 7));
        }
    }

    #[test]
    fn the_largest_numbers_do_not_overflow() {
        let mut out = [0];
        dots(&[-128; 16_384], &[-128; 16_384], &mut out);
        assert_eq!(out, [128 * 128 * 16_384]);
    }
}
