//! The list of all rules.

use std::sync::Arc;

use super::{Broken, Failures, asking, keeping, leaving, moving, sharing};
use crate::agent_log::{AgentLogError, AgentLogStore};
use crate::conformance::suite;

/// Opens stores for the rules. Make a new one for every run: a rule finds its places empty.
#[async_trait::async_trait]
pub trait Factory: Send + Sync {
    /// Opens the store at a place. Every rule uses places of its own (letters, digits and `_`), so a place never named before must be
    /// empty. The same place named again is another handle on the same data, as another process would have it.
    async fn open(&self, place: &str) -> Result<Arc<dyn AgentLogStore>, AgentLogError>;
}

impl From<AgentLogError> for Broken {
    fn from(error: AgentLogError) -> Self {
        Self(format!("a call that should succeed failed: {error}"))
    }
}

suite! {
    keeping:
        what_was_put_comes_back,
        a_row_is_put_once,
        any_text_is_a_name,
        many_rows_are_put_at_once,
        bad_rows_are_refused_with_all_others;
    asking:
        filters_admit_what_they_say,
        pages_follow_one_another,
        totals_are_those_of_the_rows,
        tenants_do_not_see_each_other,
        tenants_are_listed,
        days_are_counted;
    moving:
        a_segment_goes_from_state_to_state,
        a_move_is_seen_whole,
        a_move_that_does_not_fit_changes_nothing,
        what_was_taken_can_be_put_again,
        summaries_add_up_and_down,
        summaries_of_whole_days_are_found,
        dropped_summaries_are_gone,
        segments_are_found_by_their_day,
        moves_of_others_are_their_own;
    leaving:
        erased_is_gone,
        erasing_leaves_the_others,
        exports_can_be_imported,
        imports_are_checked;
    sharing:
        two_handles_see_the_same,
        rows_are_moved_by_one_of_many,
        counts_of_many_add_up,
        a_row_is_added_by_one_of_many,
        what_was_put_is_there_after_opening_again;
}
