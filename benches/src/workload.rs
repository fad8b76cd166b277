//! The workloads, and what they should cost.

use std::fmt;
use std::str::FromStr;

use crate::api::{APIS, Api};

/// A piece of work that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workload {
    /// Start the process, make a client and an agent with one tool, one turn with a tool call.
    A,
    /// Make 10,000 agents with one tool each.
    B,
    /// One session, 200 turns, each with a tool call and a short text: 800 messages at the end.
    C,
    /// One streamed answer of 20,000 chunks of 8 bytes, a write each.
    D,
    /// As D, with 64 chunks a write.
    D64,
    /// 1,000 sessions at once, 3 turns with a tool call each; the model thinks 200 ms.
    E,
    /// 20 turns without a tool on top of 2,000 messages, after 20 that are not measured.
    F,
    /// As C, kept in SQLite, safe from the death of the process.
    GProcess,
    /// As C, kept in SQLite, safe from a power cut.
    GFull,
    /// One turn with a tool call against a model in the same process: what the framework itself takes.
    Alone,
    /// 1,000 sessions that are open and do nothing: bytes of each.
    Idle,
    /// D over another API.
    DOf(OtherApi),
    /// F over another API.
    FOf(OtherApi),
}

/// Every API but the first, by its place in [`APIS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtherApi(usize);

impl OtherApi {
    fn all() -> impl Iterator<Item = Self> {
        (1..APIS.len()).map(Self)
    }

    /// The API.
    #[must_use]
    pub fn api(self) -> &'static Api {
        APIS.get(self.0).unwrap_or(Api::first())
    }
}

impl Workload {
    /// In the order of the table.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let others = OtherApi::all().flat_map(|api| [Self::DOf(api), Self::FOf(api)]);
        Self::OF_ONE_API.into_iter().chain(others).collect()
    }

    const OF_ONE_API: [Self; 11] = [
        Self::A,
        Self::B,
        Self::C,
        Self::D,
        Self::D64,
        Self::E,
        Self::F,
        Self::GProcess,
        Self::GFull,
        Self::Alone,
        Self::Idle,
    ];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::D => "D",
            Self::D64 => "D64",
            Self::E => "E",
            Self::F => "F",
            Self::GProcess => "G-process",
            Self::GFull => "G-full",
            Self::Alone => "alone",
            Self::Idle => "idle",
            Self::DOf(api) => api.api().workloads.0,
            Self::FOf(api) => api.api().workloads.1,
        }
    }

    /// The workload whose floor this one is compared with.
    #[must_use]
    pub fn floor(self) -> Self {
        match self {
            Self::DOf(_) => Self::D,
            Self::FOf(_) => Self::F,
            own => own,
        }
    }

    /// What is counted.
    #[must_use]
    pub fn unit(self) -> &'static str {
        match self {
            Self::A => "start",
            Self::B => "agent",
            Self::D | Self::D64 | Self::DOf(_) => "chunk",
            Self::E | Self::Idle => "session",
            Self::C | Self::F | Self::FOf(_) | Self::GProcess | Self::GFull | Self::Alone => "turn",
        }
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Workload {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Self::all().into_iter().find(|workload| workload.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            let names = Self::all().into_iter().map(Self::name).collect::<Vec<_>>().join(", ");
            format!("`{name}` is no workload; there are {names}")
        })
    }
}

/// Who does the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// tokio and reqwest, by hand.
    Floor,
    /// The library.
    Mosaic,
    /// aiohttp, by hand.
    Aiohttp,
    /// The library's Python binding.
    Python,
}

impl Side {
    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Mosaic => "mosaic",
            Self::Aiohttp => "aiohttp",
            Self::Python => "python",
        }
    }

    /// What this side is compared with.
    #[must_use]
    pub fn floor(self) -> Self {
        match self {
            Self::Floor | Self::Mosaic => Self::Floor,
            Self::Aiohttp | Self::Python => Self::Aiohttp,
        }
    }
}

impl FromStr for Side {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "floor" => Ok(Self::Floor),
            "mosaic" => Ok(Self::Mosaic),
            _ => Err(format!("`{name}` is no side of this program; there are floor and mosaic")),
        }
    }
}
