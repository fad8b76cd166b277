//! The table that people read, in Markdown.

use std::fmt::Write as _;

use crate::measure::Measured;
use crate::target::{self, Results};
use crate::workload::{Side, Workload};

const HEAD: &str = "\
| workload | side | CPU / unit | x floor | allocations | bytes | peak MiB | wall / unit | requests, connections | targets |
|---|---|---|---|---|---|---|---|---|---|
";

/// The table, and how many targets were missed.
pub(crate) fn render(results: &Results) -> (String, usize) {
    let (mut table, mut missed) = (HEAD.to_owned(), 0);
    for ((workload, side), measured) in results {
        let limits = target::limits(*workload, *side).iter();
        let verdicts: Vec<_> = limits.filter_map(|limit| limit.verdict(*workload, *side, results)).collect();
        missed += verdicts.iter().filter(|verdict| !verdict.met).count();
        let verdicts: Vec<_> = verdicts.into_iter().map(|verdict| verdict.text).collect();
        let floor = results.get(&(workload.floor(), side.floor())).filter(|_| *side != side.floor());
        // Writing to a string cannot fail.
        let _ = writeln!(table, "{}", row(*workload, *side, measured, floor, &verdicts.join("; ")));
    }
    (table, missed)
}

fn row(
    workload: Workload,
    side: Side,
    measured: &Measured,
    floor: Option<&Measured>,
    verdicts: &str,
) -> String {
    let units = measured.units.max(1) as f64;
    let extra = |name: &str| measured.extra.get(name).copied();
    let ratio = floor.map_or(String::new(), |floor| short(measured.cpu_us / floor.cpu_us));
    let traffic = match (extra("requests"), extra("connections")) {
        (Some(requests), Some(connections)) if requests > 0.0 => format!("{requests}, {connections}"),
        _ => String::new(),
    };
    let disk = match (extra("disk_bytes"), extra("disk_open_bytes")) {
        (Some(closed), Some(open)) => {
            format!("disk {} kB ({} kB while open); ", short(closed / 1e3), short(open / 1e3))
        }
        _ => String::new(),
    };
    let bytes = match extra("kept_bytes") {
        Some(kept) => format!("{} kept", short(kept / units)),
        None => counted(measured.allocated as f64 / units),
    };
    let allocations = counted(measured.allocations as f64 / units);
    format!(
        "| {workload} ({}) | {} | {} | {ratio} | {} | {bytes} | {} | {} | {traffic} | {disk}{verdicts} |",
        workload.unit(),
        side.name(),
        time(measured.cpu_us / units),
        allocations,
        short(measured.peak_kib as f64 / 1024.0),
        time(measured.wall_us / units),
    )
}

/// Nothing where nobody counts.
fn counted(number: f64) -> String {
    if number > 0.0 { short(number) } else { String::new() }
}

/// Three digits that count.
pub(crate) fn short(number: f64) -> String {
    let text = match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    };
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn time(micros: f64) -> String {
    if micros >= 1000.0 { format!("{} ms", short(micros / 1000.0)) } else { format!("{} us", short(micros)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_three_digits() {
        assert_eq!(
            [0.25, 1.0, 12.34, 123.4, 1000.0, 0.0].map(short),
            ["0.25", "1", "12.3", "123", "1000", "0"]
        );
        assert_eq!([0.5, 1500.0].map(time), ["0.5 us", "1.5 ms"]);
    }
}
