//! The list of all rules.

use super::{
    Broken, Factory, Failures, blocks, keeping, leaving, refusing, scoping, searching, sharing, times,
    vectors,
};
use crate::conformance::suite;

suite! {
    keeping:
        what_was_added_is_got,
        lists_are_sorted_and_paged,
        a_filtered_page_is_full,
        filters_admit_what_they_say,
        changes_are_made_all_or_none,
        later_changes_see_earlier_ones,
        touching_never_goes_back,
        counts_add_up,
        ten_thousand_memories_are_kept;
    times:
        what_is_closed_was_believed_then,
        two_times_are_told_apart,
        a_memory_is_closed_once,
        what_yields_leaves_another_behind,
        a_clock_may_go_back,
        what_is_kept_was_so;
    scoping:
        a_scope_sees_what_is_in_it,
        wider_memories_can_be_inherited,
        any_text_is_a_name,
        nothing_outside_is_reached,
        ids_are_unique_in_a_tenant,
        scores_tell_nothing_of_others;
    searching:
        words_are_found_by_their_kin,
        all_of_a_memory_is_indexed,
        better_matches_score_higher,
        vectors_are_found_by_direction,
        arms_are_joined,
        limits_are_of_each_arm,
        neighbours_stand_beside_hits,
        windows_reach_one_turn_far,
        closed_neighbours_are_passed_over;
    vectors:
        a_model_has_one_width,
        vectors_are_replaced,
        two_models_serve_while_one_replaces_the_other,
        no_model_crowds_out_another,
        vectors_of_what_is_gone_are_dropped;
    blocks:
        a_block_is_what_was_written_last,
        no_edit_is_lost,
        a_block_keeps_its_limit,
        blocks_come_in_order;
    leaving:
        removed_is_gone,
        erased_is_gone,
        exports_can_be_imported,
        imports_are_checked;
    refusing:
        bad_memories_are_refused,
        bad_questions_are_refused,
        an_unknown_scope_is_empty;
    sharing:
        two_handles_see_one_store,
        many_write_at_once,
        one_racing_writer_wins,
        a_dropped_change_leaves_all_or_nothing,
        what_was_written_is_there_after_opening_again;
}
