//! Starts the mock and the measured processes, takes medians, prints the table.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::measure::Measured;
use crate::python;
use crate::table;
use crate::target::Results;
use crate::workload::{Side, Workload};
use crate::{Error, Result};

/// What to measure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How often; the median counts.
    pub runs: usize,
    /// Which workloads.
    pub only: Vec<Workload>,
    /// Where the figures go as JSON, besides.
    pub json: Option<PathBuf>,
}

impl Options {
    /// Of the words on the command line.
    ///
    /// # Errors
    /// An unknown word, named.
    pub fn parse(words: &[&str]) -> Result<Self> {
        let mut options = Self { runs: 5, only: Workload::all(), json: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("`{word}` wants a value"));
            match *word {
                "--runs" => options.runs = value()?.parse::<usize>()?.max(1),
                "--only" => options.only = value()?.split(',').map(str::parse).collect::<Result<_, _>>()?,
                "--json" => options.json = Some(value()?.into()),
                _ => {
                    return Err(Error::from(format!(
                        "`{word}` is unknown; there are --runs, --only, --json"
                    )));
                }
            }
        }
        Ok(options)
    }
}

/// Measures and prints.
///
/// # Errors
/// When a process fails. A missed target is printed, not an error: CPU time is a soft gate.
pub fn drive(options: &Options) -> Result<()> {
    let mock = Mock::start()?;
    let mut results = Results::new();
    let mut failed = 0;
    for &workload in &options.only {
        let mut runs: Vec<(Side, Vec<Measured>)> =
            sides(workload).into_iter().map(|side| (side, Vec::new())).collect();
        // Side by side, so that a busy moment of the machine hits both.
        for _ in 0..options.runs {
            for (side, measured) in &mut runs {
                match measure(workload, *side, &mock) {
                    Ok(run) => measured.push(run),
                    Err(error) => {
                        eprintln!("bench: {error}");
                        failed += 1;
                    }
                }
            }
        }
        for (side, measured) in runs {
            eprintln!("{workload} {}: {} runs", side.name(), measured.len());
            if let Some(median) = median(&measured) {
                results.insert((workload, side), median);
            }
        }
    }
    let (table, missed) = table::render(&results);
    println!("{}\n\n{table}\n{missed} targets missed.", machine());
    if let Some(path) = &options.json {
        let rows: Vec<_> = results
            .iter()
            .map(|((workload, side), measured)| {
                serde_json::json!({"workload": workload.name(), "side": side.name(), "measured": measured})
            })
            .collect();
        std::fs::write(path, serde_json::to_string_pretty(&rows)?)?;
    }
    if failed == 0 { Ok(()) } else { Err(Error::from(format!("{failed} measurements failed"))) }
}

fn sides(workload: Workload) -> Vec<Side> {
    let mut sides = match workload {
        Workload::B | Workload::Alone | Workload::Idle | Workload::DOf(_) | Workload::FOf(_) => {
            vec![Side::Mosaic]
        }
        _ => vec![Side::Floor, Side::Mosaic],
    };
    if matches!(workload, Workload::C | Workload::D) {
        sides.extend([Side::Aiohttp, Side::Python].into_iter().filter(|side| python::has(*side)));
    }
    sides
}

fn measure(workload: Workload, side: Side, mock: &Mock) -> Result<Measured> {
    let before = mock.stats()?;
    let mut command = match side {
        Side::Floor | Side::Mosaic => {
            let mut command = Command::new(std::env::current_exe()?);
            command.args(["run", workload.name(), side.name()]);
            command
        }
        Side::Aiohttp | Side::Python => python::command(workload, side),
    };
    let output = command.args(["--url", &mock.url]).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(Error::from(format!("{workload} {} failed", side.name())));
    }
    let measured: Measured = serde_json::from_slice(&output.stdout)?;
    let after = mock.stats()?;
    let since = |name: &str| {
        let count = |stats: &Value| stats.get(name).and_then(Value::as_f64).unwrap_or_default();
        count(&after) - count(&before)
    };
    Ok(measured.with("requests", since("requests")).with("connections", since("connections")))
}

/// The median of every figure by itself.
fn median(runs: &[Measured]) -> Option<Measured> {
    let middle = |figure: &dyn Fn(&Measured) -> f64| {
        let mut figures: Vec<f64> = runs.iter().map(figure).collect();
        figures.sort_by(f64::total_cmp);
        figures.get(figures.len() / 2).copied().unwrap_or_default()
    };
    let first = runs.first()?;
    let extra = first.extra.keys().map(|name| {
        let value = middle(&|measured| measured.extra.get(name).copied().unwrap_or_default());
        (name.clone(), value)
    });
    Some(Measured {
        units: first.units,
        cpu_us: middle(&|measured| measured.cpu_us),
        wall_us: middle(&|measured| measured.wall_us),
        allocations: middle(&|measured| measured.allocations as f64) as u64,
        allocated: middle(&|measured| measured.allocated as f64) as u64,
        peak_kib: middle(&|measured| measured.peak_kib as f64) as u64,
        extra: extra.collect(),
    })
}

/// What the figures belong to.
fn machine() -> String {
    let said = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned()).filter(|text| !text.is_empty())
    };
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cpu = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{}; mosaic {} ({}); {}; {cores} cores, {}; load {}",
        said("date", &["-u", "+%Y-%m-%d %H:%M UTC"]).unwrap_or_default(),
        env!("CARGO_PKG_VERSION"),
        said("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "no git".to_owned()),
        said("rustc", &["--version"]).unwrap_or_else(|| "rustc unknown".to_owned()),
        cpu.trim_start_matches([' ', '\t', ':']),
        load.split(' ').take(3).collect::<Vec<_>>().join(" "),
    )
}

/// The mock in a process of its own; it ends with the driver.
struct Mock {
    child: Child,
    url: String,
    address: String,
}

impl Mock {
    fn start() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?).arg("mock").stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("the mock has no output")?).read_line(&mut line)?;
        let address = line.trim().strip_prefix("listening on ").ok_or("the mock did not start")?.to_owned();
        Ok(Self { child, url: format!("http://{address}"), address })
    }

    fn stats(&self) -> Result<Value> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.write_all(b"GET /stats HTTP/1.1\r\nhost: mock\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        let (_, body) = answer.split_once("\r\n\r\n").ok_or("the mock's answer has no body")?;
        Ok(serde_json::from_str(body)?)
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        // It may be gone already; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_option_is_named() {
        assert!(Options::parse(&["--fast"]).unwrap_err().to_string().contains("--fast"));
        assert!(Options::parse(&["--only", "Z"]).unwrap_err().to_string().contains('Z'));
        assert_eq!(Options::parse(&["--only", "C,d64"]).unwrap().only, [Workload::C, Workload::D64]);
        let only = Options::parse(&["--only", "d-anthropic,F-anthropic"]).unwrap().only;
        assert_eq!(
            only.iter().map(|workload| workload.name()).collect::<Vec<_>>(),
            ["D-anthropic", "F-anthropic"]
        );
        assert_eq!(
            only.iter().map(|workload| workload.floor()).collect::<Vec<_>>(),
            [Workload::D, Workload::F]
        );
    }
}
