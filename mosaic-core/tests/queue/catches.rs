//! The suite catches stores that break the contract: each lie is told by a store made for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use mosaic_core::queue::conformance::{Factory, Failures, check_all};
use mosaic_core::queue::{JobStore, QueueError, RamQueue};

use crate::faulty::{Faulty, Lie};

struct Liars(Mutex<HashMap<String, RamQueue>>, Lie);

#[async_trait::async_trait]
impl Factory for Liars {
    async fn open(&self, place: &str) -> Result<Arc<dyn JobStore>, QueueError> {
        let store = self.0.lock().unwrap().entry(place.into()).or_default().sibling();
        Ok(Arc::new(Faulty::lying(store, self.1)))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_lie_is_caught_by_its_rule() {
    let lies = [
        (Lie::AnyKind, "kinds_nobody_asked_for_are_left_alone"),
        (Lie::Early, "a_job_is_claimed_when_it_is_due"),
        (Lie::NoLimit, "no_more_than_asked_for_are_claimed"),
        (Lie::Backwards, "higher_priority_goes_first_then_the_older_time"),
        (Lie::FreesTheSilent, "silence_does_not_free_a_job"),
        (Lie::TakesLateEnds, "an_old_attempt_is_lost_for_ever"),
        (Lie::CountsReleases, "a_released_attempt_does_not_count"),
        (Lie::FiresAgain, "a_time_is_fired_once"),
        (Lie::ShowsOthers, "a_filter_fits_all_that_it_says"),
        (Lie::NoPause, "a_paused_kind_does_not_start"),
        (Lie::NoClose, "a_closed_store_refuses_everything"),
        (Lie::NoBell, "adding_rings_the_bell"),
        (Lie::ForgetsKeys, "a_key_is_held_until_the_job_ends"),
        (Lie::ForgetsWhy, "a_retry_waits_and_remembers_why"),
        (Lie::ForgetsHeartbeats, "a_heartbeat_is_never_taken_back"),
        (Lie::RetriesAll, "dead_letters_start_anew"),
        (Lie::ScrubsTooMuch, "scrubbing_leaves_what_is_there"),
    ];
    for (lie, rule) in lies {
        let Err(Failures(broken)) = check_all(&Liars(Mutex::default(), lie)).await else {
            panic!("nobody caught {lie:?}");
        };
        let broken: Vec<_> = broken.iter().map(|(name, _)| *name).collect();
        assert!(broken.contains(&rule), "{lie:?} was caught by {broken:?}, not by {rule}");
    }
}
