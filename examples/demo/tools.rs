//! What the agent can do: sums, notes and the time.

mod calculator;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use mosaic::prelude::*;

/// Where the notes lie, and whether the tool waits to be killed. Set once, before a session opens.
static PLACE: OnceLock<(PathBuf, bool)> = OnceLock::new();

/// Says where notes are kept. With `hold`, `add_note` writes its note and then never returns.
pub(crate) fn place(folder: &Path, hold: bool) {
    // A second call would be a mistake of this example; the first one counts.
    let _ = PLACE.set((notes(folder), hold));
}

/// The file of the notes.
pub(crate) fn notes(folder: &Path) -> PathBuf {
    folder.join("notes.txt")
}

/// Whether the call with that key has written its note: each line begins with the key of its call.
pub(crate) fn is_noted(key: &str) -> bool {
    let path = PLACE.get().map(|(path, _)| path);
    let notes = path.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    notes.lines().any(|line| line.split('\t').next() == Some(key))
}

/// What `add_note` says on standard error when its note is written and it waits to be killed.
pub(crate) const HOLDING: &str = "demo: holding";

/// Works out an arithmetic expression, such as 12 * (3 + 4).
#[tool(effect = ReadOnly)]
pub(crate) fn calculate(
    /// Numbers, + - * / ^ and brackets.
    expression: String,
) -> Result<f64, String> {
    calculator::value(&expression)
}

/// Writes a note down, so that the user finds it later.
// It writes, and writing the same note twice is not what the user asked for: `Once`, the default, said aloud.
#[tool(effect = Once)]
pub(crate) async fn add_note(
    /// The note.
    text: String,
    ctx: &ToolContext,
) -> Result<String, ToolError> {
    let (path, hold) = PLACE.get().ok_or("the notes have no place")?;
    let failed = |error: std::io::Error| ToolError::new(format!("{}: {error}", path.display()));
    let mut file = OpenOptions::new().append(true).create(true).open(path).map_err(failed)?;
    file.write_all(format!("{}\t{}\n", ctx.idempotency_key, text.replace('\n', " ")).as_bytes())
        .map_err(failed)?;
    if *hold {
        eprintln!("{HOLDING}");
        std::future::pending::<()>().await;
    }
    let count = fs::read_to_string(path).map_err(failed)?.lines().count();
    Ok(format!("The note is saved. There are {count} notes now."))
}

/// Tells the date and the time of day.
#[tool(effect = ReadOnly)]
pub(crate) fn clock() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let (year, month, day) = date(now / 86_400);
    let (hour, minute) = (now / 3600 % 24, now / 60 % 60);
    format!("{year}-{month:02}-{day:02}, {hour:02}:{minute:02} UTC")
}

/// The date of a number of days after 1970-01-01.
fn date(mut days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}
