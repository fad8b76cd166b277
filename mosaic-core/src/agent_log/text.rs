//! A table as text, for people and for prompts: the same table gives the same text, and no model is asked.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};

use super::{LogGroup, LogKind, LogStatus, LogTable, LogTotals};

/// So many lines has the text of a table if nobody says how many.
const LINES: usize = 40;

/// So many characters of a name are shown.
const SHOWN: usize = 60;

/// [`to_text`](LogTable::to_text) with forty lines at most.
impl fmt::Display for LogTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text(LINES))
    }
}

impl LogTable {
    /// The table as text: under each day a line for each group, with counts, failures, tokens, costs and what one took on average. Ends are
    /// no lines of their own: they are what failures are told apart by.
    ///
    /// A text has at most so many lines of groups: those with the most failures, then the dearest, then the largest; what was left out
    /// is added up by kind on a last line. Tell fewer things apart with [`only`](Self::only) when there are too many. Names
    /// are cut, and what they hold is on one line, so a name makes no line of its own in a prompt.
    ///
    /// ```
    /// use mosaic_core::agent_log::{LogGroup, LogKind, LogTable, LogTotals};
    /// use mosaic_core::{Cost, Usage};
    ///
    /// let mut table = LogTable::default();
    /// let mut weather = LogGroup::of(LogKind::Tool);
    /// weather.name = Some("weather".into());
    /// table.add(weather, LogTotals { rows: 12, errors: 2, duration_ms: 5_040, ..LogTotals::default() });
    /// let usage = Usage { input: 8_100, output: 450, ..Usage::default() };
    /// let spent = LogTotals { rows: 9, usage, cost: Cost::cents(3), priced: 9, duration_ms: 18_900, ..LogTotals::default() };
    /// table.add(LogGroup::of(LogKind::Model), spent);
    /// assert_eq!(
    ///     table.to_string(),
    ///     "- model: 9; 8100 tokens in, 450 out; $0.03; 2.1 s each\n\
    ///      - tool weather: 12, 2 failed; 420 ms each\n"
    /// );
    /// ```
    #[must_use]
    pub fn to_text(&self, lines: usize) -> String {
        let all = merged(self);
        let mut kept: Vec<(&LogGroup, &Line)> = all.iter().collect();
        // Stable: what is alike stays in the order of the groups.
        kept.sort_by_key(|(_, line)| Reverse((line.totals.errors, line.totals.cost.0, line.totals.rows)));
        kept.truncate(lines);
        let kept: BTreeSet<&LogGroup> = kept.into_iter().map(|(group, _)| group).collect();

        let (mut text, mut day, mut left) = (String::new(), None, LogTable::default());
        for (group, line) in &all {
            if !kept.contains(group) {
                left.add(LogGroup::of(group.kind), line.totals);
                continue;
            }
            if group.day != day {
                day = group.day;
                // What has no day stands first, so there is one.
                let _ = group.day.map(|day| writeln!(text, "{day}"));
            }
            let _ = writeln!(text, "- {}: {}", label(group), figures(&line.totals, &line.ends));
        }
        if !left.0.is_empty() {
            let kinds = left.0.iter().map(|(group, totals)| {
                let figures = figures(totals, &BTreeMap::new());
                format!("{}: {figures}", group.kind)
            });
            let kinds: Vec<String> = kinds.collect();
            let _ = writeln!(text, "... and {} lines more: {}", all.len() - kept.len(), kinds.join(" | "));
        }
        text
    }
}

/// A group whatever its ends.
#[derive(Default)]
struct Line {
    totals: LogTotals,
    /// Those that are failures.
    ends: BTreeMap<LogStatus, u64>,
}

fn merged(table: &LogTable) -> BTreeMap<LogGroup, Line> {
    let mut lines: BTreeMap<LogGroup, Line> = BTreeMap::new();
    for (group, totals) in &table.0 {
        let line = lines.entry(LogGroup { status: None, ..group.clone() }).or_default();
        line.totals += *totals;
        if let Some(end) = group.status.filter(|end| end.is_error()) {
            *line.ends.entry(end).or_default() += totals.rows;
        }
    }
    lines
}

/// What a group is.
fn label(group: &LogGroup) -> String {
    let mut label = group.kind.to_string();
    match (&group.provider, &group.name) {
        (Some(provider), Some(name)) if group.kind == LogKind::Model => {
            let _ = write!(label, " {}:{}", shown(provider), shown(name));
        }
        (Some(name), None) | (_, Some(name)) => {
            let _ = write!(label, " {}", shown(name));
        }
        (None, None) => {}
    }
    for (word, name) in [("by", &group.agent), ("for", &group.user), ("in", &group.session)] {
        if let Some(name) = name {
            let _ = write!(label, " {word} {}", shown(name));
        }
    }
    label
}

/// A name on one line, cut.
fn shown(name: &str) -> String {
    let line = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
    let mut shown: String = name.chars().take(SHOWN).map(line).collect();
    if name.chars().nth(SHOWN).is_some() {
        shown.push('\u{2026}');
    }
    shown
}

fn figures(totals: &LogTotals, ends: &BTreeMap<LogStatus, u64>) -> String {
    let mut text = totals.rows.to_string();
    if totals.errors > 0 {
        let _ = write!(text, ", {} failed", totals.errors);
        if !ends.is_empty() {
            let ends: Vec<String> = ends.iter().map(|(end, rows)| format!("{rows} {end}")).collect();
            let _ = write!(text, " ({})", ends.join(", "));
        }
    }
    if totals.usage.input > 0 || totals.usage.output > 0 {
        let _ = write!(text, "; {} tokens in, {} out", totals.usage.input, totals.usage.output);
    }
    if totals.priced > 0 {
        let _ = write!(text, "; {}", totals.cost);
        if totals.priced < totals.rows {
            let _ = write!(text, " for {} of them", totals.priced);
        }
    }
    let _ = write!(text, "; {} each", took(totals.mean_duration_ms()));
    text
}

fn took(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..120_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min", ms / 60_000),
    }
}

#[cfg(test)]
mod tests;
