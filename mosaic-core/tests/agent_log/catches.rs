//! The suite catches stores that break the contract: each fault is that of a store made for it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex};

use mosaic_core::agent_log::conformance::{Factory, RULES};
use mosaic_core::agent_log::{
    AgentLogError, AgentLogStore, HotDay, LogFilter, LogKey, LogQuery, LogRow, LogTable, RamAgentLog,
    Registered, TierChange,
};
use mosaic_core::memory::Scope;

/// What a store can do wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    MixesTenants,
    FoldsCase,
    ForgetsErrors,
    ReplacesRows,
    PutsOneByOne,
    IgnoresTime,
    IgnoresUsers,
    PagesFromTheStart,
    CutsPagesBeforeFiltering,
    ForgetsCosts,
    ListsNobody,
    CountsNoBytes,
    AppliesOneByOne,
    SwallowsConflicts,
    TakesNothing,
    CountsTwice,
    SumsPartOfDays,
    DropsNothing,
    ShowsAllSegments,
    ErasesNothing,
    ErasesTheTenant,
    KeepsSummaries,
    RemembersTaken,
    HasACache,
}

/// The faults, and the rules that must notice.
const CATCHES: &[(Fault, &[&str])] = &[
    (Fault::MixesTenants, &["tenants_do_not_see_each_other", "moves_of_others_are_their_own"]),
    (Fault::FoldsCase, &["any_text_is_a_name"]),
    (Fault::ForgetsErrors, &["what_was_put_comes_back"]),
    (Fault::ReplacesRows, &["a_row_is_put_once"]),
    (Fault::PutsOneByOne, &["bad_rows_are_refused_with_all_others"]),
    (Fault::IgnoresTime, &["filters_admit_what_they_say", "totals_are_those_of_the_rows"]),
    (Fault::IgnoresUsers, &["filters_admit_what_they_say", "erasing_leaves_the_others"]),
    (Fault::PagesFromTheStart, &["pages_follow_one_another"]),
    (Fault::CutsPagesBeforeFiltering, &["pages_follow_one_another"]),
    (Fault::ForgetsCosts, &["totals_are_those_of_the_rows"]),
    (Fault::ListsNobody, &["tenants_are_listed"]),
    (Fault::CountsNoBytes, &["days_are_counted"]),
    (Fault::AppliesOneByOne, &["a_move_that_does_not_fit_changes_nothing"]),
    (Fault::SwallowsConflicts, &["a_segment_goes_from_state_to_state"]),
    (Fault::TakesNothing, &["a_move_is_seen_whole"]),
    (Fault::CountsTwice, &["a_move_is_seen_whole", "summaries_add_up_and_down"]),
    (Fault::SumsPartOfDays, &["summaries_of_whole_days_are_found"]),
    (Fault::DropsNothing, &["dropped_summaries_are_gone"]),
    (Fault::ShowsAllSegments, &["segments_are_found_by_their_day"]),
    (Fault::ErasesNothing, &["erased_is_gone"]),
    (Fault::ErasesTheTenant, &["erasing_leaves_the_others"]),
    (Fault::KeepsSummaries, &["erased_is_gone"]),
    (Fault::RemembersTaken, &["what_was_taken_can_be_put_again"]),
    (Fault::HasACache, &["two_handles_see_the_same"]),
];

#[derive(Debug)]
struct Faulty {
    fault: Fault,
    inner: RamAgentLog,
    taken: Mutex<BTreeSet<mosaic_core::agent_log::LogRowId>>,
    cached: Mutex<HashMap<String, Vec<LogRow>>>,
}

impl Faulty {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn scope(&self, scope: &Scope) -> Scope {
        let mut scope = scope.clone();
        match self.fault {
            Fault::MixesTenants => scope.tenant = "all".into(),
            Fault::FoldsCase => scope.user = scope.user.map(|user| user.to_lowercase().into()),
            Fault::IgnoresUsers => scope.user = None,
            _ => {}
        }
        scope
    }

    fn filter(&self, filter: &LogFilter) -> LogFilter {
        let mut filter = filter.clone();
        filter.scope = self.scope(&filter.scope);
        if self.is(Fault::IgnoresTime) {
            (filter.from, filter.until) = (None, None);
        }
        filter
    }
}

#[async_trait::async_trait]
impl AgentLogStore for Faulty {
    async fn put(&self, mut rows: Vec<LogRow>) -> Result<u64, AgentLogError> {
        for row in &mut rows {
            match self.fault {
                Fault::IgnoresUsers => {}
                _ => row.scope = self.scope(&row.scope),
            }
            if self.is(Fault::ForgetsErrors) {
                row.error = None;
            }
        }
        match self.fault {
            Fault::ReplacesRows => {
                for row in &rows {
                    let take = TierChange::Take { ids: vec![row.id] };
                    let _ = self.inner.apply(&row.scope.tenant, vec![take]).await;
                }
            }
            Fault::PutsOneByOne => {
                let mut added = 0;
                for row in rows {
                    added += self.inner.put(vec![row]).await?;
                }
                return Ok(added);
            }
            Fault::RemembersTaken => rows.retain(|row| !self.taken.lock().unwrap().contains(&row.id)),
            _ => {}
        }
        self.inner.put(rows).await
    }

    async fn rows(&self, query: &LogQuery) -> Result<Vec<LogRow>, AgentLogError> {
        let mut query = query.clone();
        query.filter = self.filter(&query.filter);
        let key = format!("{query:?}");
        match self.fault {
            Fault::PagesFromTheStart => query.after = None,
            Fault::CutsPagesBeforeFiltering => {
                let all = LogFilter::of(Scope::of(query.filter.scope.tenant.clone()));
                let filter = std::mem::replace(&mut query.filter, all);
                let mut rows = self.inner.rows(&query).await?;
                rows.retain(|row| filter.fits(row));
                return Ok(rows);
            }
            Fault::HasACache => {
                if let Some(cached) = self.cached.lock().unwrap().get(&key) {
                    return Ok(cached.clone());
                }
            }
            _ => {}
        }
        let rows = self.inner.rows(&query).await?;
        self.cached.lock().unwrap().insert(key, rows.clone());
        Ok(rows)
    }

    async fn totals(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        let mut table = self.inner.totals(&self.filter(filter), by).await?;
        if self.is(Fault::ForgetsCosts) {
            table.0.values_mut().for_each(|totals| totals.cost.0 = 0);
        }
        Ok(table)
    }

    async fn erase(&self, scope: &Scope) -> Result<u64, AgentLogError> {
        match self.fault {
            Fault::ErasesNothing => Ok(0),
            Fault::ErasesTheTenant => self.inner.erase(&Scope::of(scope.tenant.clone())).await,
            Fault::KeepsSummaries => {
                let all = LogFilter::of(Scope::of(scope.tenant.clone()));
                let table = self.inner.summaries(&all, mosaic_core::agent_log::SUMMARY).await?;
                let erased = self.inner.erase(scope).await;
                let left = self.inner.summaries(&all, mosaic_core::agent_log::SUMMARY).await?;
                let back = vec![TierChange::Uncount { table: left }, TierChange::Count { table }];
                self.inner.apply(&scope.tenant, back).await?;
                erased
            }
            _ => self.inner.erase(&self.scope(scope)).await,
        }
    }

    async fn tenants(&self) -> Result<Vec<Arc<str>>, AgentLogError> {
        if self.is(Fault::ListsNobody) { Ok(Vec::new()) } else { self.inner.tenants().await }
    }

    async fn hot(&self, tenant: &str) -> Result<Vec<HotDay>, AgentLogError> {
        let tenant = self.scope(&Scope::of(tenant)).tenant;
        let mut days = self.inner.hot(&tenant).await?;
        if self.is(Fault::CountsNoBytes) {
            days.iter_mut().for_each(|day| day.bytes = 0);
        }
        Ok(days)
    }

    async fn summaries(&self, filter: &LogFilter, by: &[LogKey]) -> Result<LogTable, AgentLogError> {
        let mut filter = self.filter(filter);
        if self.is(Fault::SumsPartOfDays) {
            (filter.from, filter.until) = (None, None);
        }
        self.inner.summaries(&filter, by).await
    }

    async fn segments(&self, filter: &LogFilter) -> Result<Vec<Registered>, AgentLogError> {
        let mut filter = self.filter(filter);
        if self.is(Fault::ShowsAllSegments) {
            (filter.from, filter.until) = (None, None);
        }
        self.inner.segments(&filter).await
    }

    async fn apply(&self, tenant: &str, mut changes: Vec<TierChange>) -> Result<(), AgentLogError> {
        let tenant = self.scope(&Scope::of(tenant)).tenant;
        for change in &changes {
            if let TierChange::Take { ids } = change {
                self.taken.lock().unwrap().extend(ids);
            }
        }
        match self.fault {
            Fault::AppliesOneByOne => {
                for change in changes {
                    self.inner.apply(&tenant, vec![change]).await?;
                }
                return Ok(());
            }
            Fault::TakesNothing => changes.retain(|change| !matches!(change, TierChange::Take { .. })),
            Fault::DropsNothing => {
                changes.retain(|change| !matches!(change, TierChange::DropSummaries { .. }))
            }
            Fault::CountsTwice => {
                let again: Vec<_> =
                    changes.iter().filter(|one| matches!(one, TierChange::Count { .. })).cloned().collect();
                changes.extend(again);
            }
            _ => {}
        }
        let applied = self.inner.apply(&tenant, changes).await;
        if self.is(Fault::SwallowsConflicts) { Ok(()) } else { applied }
    }
}

struct Places {
    fault: Fault,
    places: Mutex<HashMap<String, RamAgentLog>>,
}

#[async_trait::async_trait]
impl Factory for Places {
    async fn open(&self, place: &str) -> Result<Arc<dyn AgentLogStore>, AgentLogError> {
        let inner = self.places.lock().unwrap().entry(place.to_owned()).or_default().sibling();
        let (taken, cached) = (Mutex::default(), Mutex::default());
        Ok(Arc::new(Faulty { fault: self.fault, inner, taken, cached }))
    }
}

async fn broken(fault: Fault) -> BTreeSet<&'static str> {
    let places = Places { fault, places: Mutex::default() };
    let mut broken = BTreeSet::new();
    for rule in RULES {
        if rule.check(&places).await.is_err() {
            broken.insert(rule.name);
        }
    }
    broken
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_breaks_the_contract_is_caught() {
    assert_eq!(broken(Fault::None).await, BTreeSet::new());
    for (fault, rules) in CATCHES {
        let broken = broken(*fault).await;
        for rule in *rules {
            assert!(broken.contains(rule), "`{rule}` does not notice {fault:?}; these do: {broken:?}");
        }
    }
}

/// A rule that no fault breaks proves nothing. (What is imported the extension trait checks, which is the same for all stores.)
#[tokio::test(flavor = "multi_thread")]
async fn every_rule_catches_somebody() {
    let mut caught = BTreeSet::new();
    for (fault, _) in CATCHES {
        caught.extend(broken(*fault).await);
    }
    let idle: Vec<&str> = RULES.iter().map(|rule| rule.name).filter(|name| !caught.contains(name)).collect();
    assert_eq!(idle, ["imports_are_checked"]);
}
