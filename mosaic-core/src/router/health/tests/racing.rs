//! Interleavings by lot: several processes over one store, whose writes, answers and loads arrive at any time.

use proptest::prelude::*;
use uuid::Uuid;

use crate::error::ErrorKind;
use crate::router::health::replica::Write;
use crate::router::health::{Health, Replica, Turn, What};
use crate::runtime::Timestamp;

const PROCESSES: usize = 3;
const LEASE: u64 = 2_000;

/// What the store has said to a write: the version that it got, or what is there instead.
type Said = Result<u64, (u64, Option<Health>)>;

/// The newest version that was seen when it began, the newest of the store, and its row.
type Load = (u64, u64, Option<(u64, Health)>);

#[derive(Default)]
struct Process {
    replica: Replica,
    /// On its way to the store.
    write: Option<Write>,
    /// On its way back.
    said: Option<Said>,
    /// The newest version that it has seen; what that was when a load began, and the load, on its way back.
    newest: u64,
    load: Option<Load>,
    probes: u64,
}

struct World {
    now: u64,
    version: u64,
    row: Option<(u64, Health)>,
    all: Vec<Process>,
}

fn owner(process: usize) -> Uuid {
    Uuid::from_u128(process as u128 + 1)
}

impl World {
    fn new() -> Self {
        let process = |_| {
            let mut process = Process::default();
            process.replica.share();
            process
        };
        Self { now: 1_000, version: 0, row: None, all: (0..PROCESSES).map(process).collect() }
    }

    fn at(&self) -> Timestamp {
        Timestamp(self.now)
    }

    fn take(&mut self, process: usize, probe: bool, what: What) {
        let at = self.at();
        let process_now = &mut self.all[process];
        let by = probe.then_some((owner(process), process_now.probes));
        process_now.replica.take(Turn { at, by, what });
    }

    fn open(&mut self, process: usize, millis: u64) {
        let view = *self.all[process].replica.view();
        let until = self.at().after(std::time::Duration::from_millis(millis));
        let (opened, cause) = (view.opened + u32::from(view.until.is_none()), Some(ErrorKind::Server));
        self.take(process, false, What::Opened { until, opened, failures: 1, cause });
    }

    /// Whether a process asks as the probe, by the word of the store.
    fn probes(&self, process: usize) -> bool {
        let of = &self.all[process];
        let view = of.replica.view();
        view.until.is_some()
            && view.is_probed_by(Some((owner(process), of.probes)))
            && view.probe.is_some_and(|probe| probe.lease_until > self.at())
            && !of.replica.is_claiming(of.probes)
    }

    /// One step of a process: what it is, is by lot.
    fn step(&mut self, process: usize, kind: u8, lot: u64) {
        let now = self.at();
        let view = *self.all[process].replica.view();
        match kind {
            0 => self.now += lot % 40,
            // Most calls that fail while it is open say nothing; some providers say for how long.
            1 if view.until.is_none() || lot.is_multiple_of(8) => self.open(process, lot / 8 % 50),
            2 | 3
                if view.until.is_some_and(|until| until <= now)
                    && view.probe.is_none_or(|probe| probe.lease_until <= now) =>
            {
                self.all[process].probes += 1;
                self.take(process, true, What::Claimed { lease_until: Timestamp(self.now + LEASE) });
            }
            4 => self.take(process, true, What::Begun),
            5 => self.take(process, true, What::Well),
            6 if view.is_probed_by(Some((owner(process), self.all[process].probes))) => {
                let until = now.after(std::time::Duration::from_millis(50));
                self.take(
                    process,
                    true,
                    What::Opened { until, opened: view.opened + 1, failures: 1, cause: None },
                );
            }
            7 => self.take(process, true, What::Dropped),
            8 | 9 if self.all[process].write.is_none() => {
                self.all[process].write = self.all[process].replica.write();
            }
            10 | 11 => self.arrive(process),
            12 | 13 => self.answer(process),
            14 if self.all[process].load.is_none() => {
                self.all[process].load = Some((self.all[process].newest, self.version, self.row));
            }
            15 => self.loaded(process),
            16 => [8, 10, 12].into_iter().for_each(|kind| self.step(process, kind, 0)),
            17 => [14, 15].into_iter().for_each(|kind| self.step(process, kind, 0)),
            _ => {}
        }
    }

    /// A write arrives at the store.
    fn arrive(&mut self, process: usize) {
        let (now, of) = (self.now, &mut self.all[process]);
        let (Some(write), None) = (&of.write, &of.said) else { return };
        let there = self.row.map_or(0, |(version, _)| version);
        of.said = Some(if there == write.expected {
            let kept = self.row.and_then(|(_, health)| health.until).filter(|until| until.0 > now);
            assert!(kept.is_none() || write.health.until >= kept, "{kept:?} became {:?}", write.health);
            self.version += 1;
            self.row = Some((self.version, write.health));
            Ok(self.version)
        } else {
            Err((there, Some(self.row.map(|(_, health)| health).unwrap_or_default())))
        });
    }

    /// The store's answer arrives.
    fn answer(&mut self, process: usize) {
        let (now, of) = (self.at(), &mut self.all[process]);
        let Some(said) = of.said.take() else { return };
        let Some(write) = of.write.take() else { return };
        let (Ok(version) | Err((version, _))) = said;
        of.newest = of.newest.max(version);
        keeping(now, &mut of.replica, |replica| match said {
            Ok(version) => replica.written(&write, version),
            Err((version, health)) => replica.conflicted(&write, version, health, now),
        });
    }

    /// A load arrives: older than what is known, perhaps.
    fn loaded(&mut self, process: usize) {
        let (now, of) = (self.at(), &mut self.all[process]);
        let Some((newest, version, row)) = of.load.take() else { return };
        keeping(now, &mut of.replica, |replica| {
            if version < newest {
                of.newest = 0;
                replica.forgotten(now);
            }
            of.newest = of.newest.max(version);
            if let Some((version, health)) = row {
                replica.loaded(version, Some(health), now);
            }
        });
    }

    /// The store answers nobody: what was on its way is lost, here or on the way back.
    fn lose(&mut self, process: usize) {
        let (now, of) = (self.at(), &mut self.all[process]);
        if of.write.take().is_some() {
            of.said = None;
            keeping(now, &mut of.replica, Replica::failed);
        }
    }

    /// The store is made anew, and all look before anybody writes: its versions begin at 0 again, so that it could not be
    /// told from the old one later.
    fn forget(&mut self) {
        (self.version, self.row) = (0, None);
        for process in 0..PROCESSES {
            self.lose(process);
            self.all[process].load = Some((self.all[process].newest, 0, None));
            self.loaded(process);
        }
    }

    /// Everything arrives, and everybody looks.
    fn settle(&mut self) {
        for _ in 0..PROCESSES * 3 {
            for process in 0..PROCESSES {
                for kind in [10, 12, 15, 14, 15, 8, 10, 12, 8] {
                    self.step(process, kind, 0);
                }
            }
        }
    }

    fn agree(&self) {
        for of in &self.all {
            assert!(!of.replica.is_ahead());
            let stored = self.row.map(|(_, health)| health).unwrap_or_default();
            assert!(of.replica.view().is_same(&stored), "{:?} is not {stored:?}", of.replica.view());
        }
    }
}

/// Nothing that comes from the store shortens a cooldown.
fn keeping(now: Timestamp, replica: &mut Replica, change: impl FnOnce(&mut Replica)) {
    let before = replica.view().until.filter(|until| *until > now);
    change(replica);
    let after = replica.view().until;
    assert!(before.is_none() || after >= before, "a cooldown until {before:?} became {after:?}");
}

#[test]
fn turns_that_pile_up_while_the_store_says_nothing_are_not_lost_when_it_does() {
    let mut world = World::new();
    world.open(0, 50);
    world.step(0, 8, 0);
    world.step(0, 10, 0);
    // Its answer is on its way; meanwhile it opens again and again, once more than there is room for.
    for longer in 51..67 {
        world.open(0, longer);
    }
    let until = world.all[0].replica.view().until;
    assert_eq!(until, Some(Timestamp(world.now + 66)));
    world.step(0, 12, 0);
    assert_eq!(world.all[0].replica.view().until, until);
    world.settle();
    world.agree();
    assert_eq!(world.all[1].replica.view().until, until);
}

fn steps() -> impl Strategy<Value = Vec<(usize, u8, u64)>> {
    prop::collection::vec((0..PROCESSES, 0..18_u8, any::<u64>()), 1..300)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn there_is_one_probe_and_no_cooldown_is_shortened_and_all_agree_in_the_end(steps in steps()) {
        let mut world = World::new();
        for (process, kind, lot) in steps {
            world.step(process, kind, lot);
            let probes = (0..PROCESSES).filter(|process| world.probes(*process)).count();
            prop_assert!(probes <= 1, "{} probes at once", probes);
        }
        world.settle();
        world.agree();
    }

    #[test]
    fn a_store_that_loses_answers_or_all_it_holds_shortens_no_cooldown_and_all_agree_in_the_end(
        steps in prop::collection::vec((0..PROCESSES, 0..21_u8, any::<u64>()), 1..300),
    ) {
        let mut world = World::new();
        for (process, kind, lot) in steps {
            match kind {
                18 | 19 => world.lose(process),
                20 if lot % 4 == 0 => world.forget(),
                _ => world.step(process, kind, lot),
            }
        }
        world.settle();
        world.agree();
    }
}
