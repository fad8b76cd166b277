//! The list of all rules.

use std::sync::Arc;

use super::{Broken, Failures, adding, caring, claiming, ending, owning, pausing, scheduling};
use crate::conformance::suite;
use crate::queue::{JobStore, QueueError};

/// Opens stores for the rules. Make a new one for every run: a rule finds its places empty.
#[async_trait::async_trait]
pub trait Factory: Send + Sync {
    /// Opens the store at a place. Every rule uses a place of its own (letters, digits and `_`), so a place never named before must
    /// be empty. The same place named again is another handle on the same jobs, as another process would have it.
    async fn open(&self, place: &str) -> Result<Arc<dyn JobStore>, QueueError>;
}

impl From<QueueError> for Broken {
    fn from(error: QueueError) -> Self {
        Self(format!("a call that should succeed failed: {error}"))
    }
}

suite! {
    adding:
        what_was_added_is_there,
        any_payload_and_any_name_are_kept,
        many_jobs_are_added_at_once,
        an_id_is_added_once,
        a_key_is_held_until_the_job_ends,
        a_key_that_is_held_until_the_start_is_free_after_it,
        keys_are_those_of_a_tenant_and_a_kind,
        a_dead_or_removed_job_gives_its_key_back,
        a_key_is_not_taken_again;
    claiming:
        a_job_is_claimed_when_it_is_due,
        higher_priority_goes_first_then_the_older_time,
        kinds_nobody_asked_for_are_left_alone,
        no_more_than_asked_for_are_claimed,
        a_claim_counts_the_attempt,
        the_next_due_time_is_told;
    ending:
        what_is_done_is_gone,
        a_retry_waits_and_remembers_why,
        a_dead_letter_stays,
        a_released_attempt_does_not_count,
        an_old_attempt_is_lost_for_ever,
        what_does_not_exist_is_lost,
        a_heartbeat_is_never_taken_back;
    caring:
        lists_are_sorted_and_paged,
        a_filter_fits_all_that_it_says,
        jobs_are_counted,
        dead_letters_start_anew,
        a_removed_job_is_lost_to_its_worker,
        scrubbing_leaves_what_is_there,
        a_revoked_job_goes_to_another,
        tenants_do_not_see_each_other;
    pausing:
        a_paused_kind_does_not_start,
        everything_can_be_paused,
        what_runs_goes_on_in_a_pause;
    scheduling:
        a_schedule_is_kept,
        the_same_times_keep_their_next,
        a_time_is_fired_once,
        a_skipped_time_moves_on,
        a_removed_schedule_does_not_fire,
        what_is_due_is_found;
    owning:
        silence_does_not_free_a_job,
        another_handle_ends_nothing,
        a_job_goes_to_one_of_many,
        a_time_is_fired_by_one_of_many,
        a_key_is_held_by_one_of_many,
        closing_gives_jobs_back,
        a_closed_store_refuses_everything,
        what_was_added_is_there_after_opening_again,
        adding_rings_the_bell;
}
