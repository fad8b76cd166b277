//! Counts of tests, read from the closing lines of test runners.

#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::AddAssign;

/// How many tests passed, failed and were skipped.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counts {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Counts {
    /// Adds what a line says if it is the closing line of nextest, of `cargo test` or of pytest.
    pub(crate) fn add_line(&mut self, line: &str) {
        let line = without_colour(line);
        // nextest shows what a failed test printed, indented: its own closing line counts already in nextest's.
        let own = !line.starts_with(char::is_whitespace);
        let line = line.trim();
        if let Some((_, said)) = line.split_once(" tests run: ").filter(|_| line.starts_with("Summary")) {
            self.add_said(said);
        } else if let Some((_, said)) = line.split_once(" test run: ").filter(|_| line.starts_with("Summary"))
        {
            self.add_said(said);
        } else if let Some(said) = line.strip_prefix("test result: ").filter(|_| own) {
            // "ok. 3 passed; 0 failed; ..."
            self.add_said(said.split_once(". ").map_or(said, |(_, counts)| counts));
        } else if let Some(said) = pytest(line) {
            self.add_said(said);
        }
    }

    fn add_said(&mut self, said: &str) {
        // nextest explains a count in brackets: "12 passed (1 slow, 2 flaky)".
        let mut depth = 0_u32;
        let plain: String = said
            .chars()
            .filter(|&c| {
                match c {
                    '(' => depth += 1,
                    ')' => depth = depth.saturating_sub(1),
                    _ => return depth == 0,
                }
                false
            })
            .collect();
        for item in plain.split([',', ';']) {
            let mut words = item.split_whitespace();
            let Some(count) = words.next().and_then(|word| word.parse::<u64>().ok()) else { continue };
            match words.collect::<Vec<_>>().join(" ").as_str() {
                "passed" => self.passed += count,
                "failed" | "error" | "errors" | "timed out" | "exec failed" => self.failed += count,
                "skipped" | "ignored" | "xfailed" | "deselected" => self.skipped += count,
                _ => {}
            }
        }
    }
}

/// The counts in pytest's closing line: `== 3 passed, 1 skipped in 0.12s ==`, with or without the rule around it.
fn pytest(line: &str) -> Option<&str> {
    let (said, time) = line.trim_matches('=').trim().split_once(" in ")?;
    let (count, _) = said.split_once(' ')?;
    let seconds = time.split_whitespace().next()?.strip_suffix('s')?;
    (count.parse::<u64>().is_ok() && seconds.parse::<f64>().is_ok()).then_some(said)
}

/// The line without the escape sequences that colour it.
fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            // ESC [ parameters letter
            chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(c);
        }
    }
    plain
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}
