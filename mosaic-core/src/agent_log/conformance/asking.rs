//! Filters, pages, totals, tenants.

use super::Factory;
use super::help::{
    Check, DAY, acme, all, ann, announce, condemn, ensure, forget, found, hour, numbers, register, row, rows,
    segment, summaries, table,
};
use crate::agent_log::{
    AgentLogStoreExt, Day, HotDay, LogFilter, LogKey, LogKind, LogQuery, LogRow, LogRowId, LogStatus,
    LogTable, Registered, TierChange,
};
use crate::memory::Scope;

/// Filters of every part, alone and together.
fn filters() -> Vec<LogFilter> {
    let run = row(13).run;
    let session = Scope { session: Some("s1".into()), ..acme() };
    vec![
        all(),
        LogFilter::of(ann()),
        LogFilter::of(acme().agent("cook")),
        LogFilter::of(ann().agent("clerk")),
        LogFilter::of(session.clone()),
        LogFilter::of(acme().user("nobody")),
        all().run(run),
        LogFilter::of(session).run(run),
        all().kind(LogKind::Tool),
        all().kind(LogKind::Tool).kind(LogKind::Run),
        all().status(LogStatus::Denied),
        all().failed(),
        all().name("two"),
        all().from(hour(20)),
        all().until(hour(20)),
        all().from(row(7).at).until(row(9).at),
        all().day(Day(DAY.0 + 1)),
        all().from(hour(9)).until(hour(3)),
        LogFilter::of(ann()).kind(LogKind::Model).failed().name("one").from(hour(3)).until(hour(300)),
        all().status(LogStatus::Ok).kind(LogKind::Model).name("one"),
    ]
}

/// Every filter gives exactly the rows that it fits.
pub async fn filters_admit_what_they_say(factory: &dyn Factory) -> Check {
    let store = factory.open("filters").await?;
    let there = rows(0, 120);
    store.put(there.clone()).await?;
    for filter in filters() {
        let due = numbers(there.iter().filter(|row| filter.fits(row)));
        let found = found(&*store, &filter).await?;
        ensure!(found == due, "{filter:?} gives {found:?}, not {due:?}");
    }
    // The least id of its time, which is the end of one filter and the beginning of another.
    let mut first = row(200);
    first.id = LogRowId::first_at(first.at);
    store.put(vec![first.clone()]).await?;
    for (filter, due) in [(all().until(first.at), false), (all().from(first.at), true)] {
        let found = found(&*store, &filter).await?.contains(&200);
        ensure!(found == due, "a row at the very time of {filter:?} is shown: {found}");
    }
    Ok(())
}

/// In both orders, with any filter, pages put together are the whole, and none is larger than was asked for.
pub async fn pages_follow_one_another(factory: &dyn Factory) -> Check {
    let store = factory.open("pages").await?;
    let there = rows(0, 50);
    store.put(there.clone()).await?;
    for filter in filters() {
        for first in [LogQuery::new(filter.clone()), LogQuery::new(filter).oldest()] {
            let due = first.clone().limit(1_000).page(there.clone());
            for limit in [1, 7, 1_000] {
                let mut query = first.clone().limit(limit);
                let mut all: Vec<LogRow> = Vec::new();
                loop {
                    let page = store.rows(&query).await?;
                    ensure!(page.len() <= limit as usize, "a page of {limit} has {} rows", page.len());
                    let Some(last) = page.last() else { break };
                    query = query.after(last.id);
                    all.extend(page);
                    ensure!(
                        all.len() <= due.len(),
                        "pages of {limit} do not end, or tell rows twice: {query:?}"
                    );
                }
                ensure!(all == due, "pages of {limit} give {:?}, not {:?}", numbers(&all), numbers(&due));
            }
        }
    }
    ensure!(store.rows(&LogQuery::new(all()).limit(0)).await?.is_empty(), "a page of none has rows");
    Ok(())
}

/// By every key, alone and together, totals are what the rows come to.
pub async fn totals_are_those_of_the_rows(factory: &dyn Factory) -> Check {
    let store = factory.open("totals").await?;
    let there = rows(0, 120);
    store.put(there.clone()).await?;
    let keys = [LogKey::Day, LogKey::User, LogKey::Agent, LogKey::Session, LogKey::Name, LogKey::Status];
    for mask in 0..1_u32 << keys.len() {
        let by: Vec<LogKey> =
            (0..).zip(keys).filter(|(bit, _)| mask & (1 << bit) != 0).map(|(_, key)| key).collect();
        let (found, due) = (store.totals(&all(), &by).await?, LogTable::of(&there, &by));
        ensure!(found == due, "by {by:?} there is {found:?}, not {due:?}");
    }
    for filter in filters() {
        let by = [LogKey::Status, LogKey::Name];
        let due = LogTable::of(there.iter().filter(|row| filter.fits(row)), &by);
        let found = store.totals(&filter, &by).await?;
        ensure!(found == due, "{filter:?} comes to {found:?}, not {due:?}");
    }
    Ok(())
}

/// Whatever is asked for one tenant tells nothing of another, also where ids are the same.
pub async fn tenants_do_not_see_each_other(factory: &dyn Factory) -> Check {
    let store = factory.open("tenants").await?;
    let mut other = rows(1, 9);
    other.iter_mut().for_each(|row| row.scope.tenant = "globex".into());
    store.put(other.clone()).await?;
    ensure!(store.all_rows(&all()).await?.is_empty(), "another tenant's rows are shown");
    ensure!(store.totals(&all(), &[]).await?.0.is_empty(), "another tenant's rows are added up");
    ensure!(store.hot("acme").await?.is_empty(), "another tenant's days are shown");
    ensure!(store.put(rows(1, 9)).await? == 9, "another tenant's rows are in the way");
    ensure!(store.erase(&acme()).await? == 9, "erasing tells of another tenant's rows");
    let left = store.all_rows(&LogFilter::of(Scope::of("globex"))).await?;
    ensure!(left == other, "erasing a tenant left {left:?} of the other");
    // Sums of the same groups and segments of the same name are each tenant's own.
    let sums = table(&rows(1, 9));
    for tenant in ["globex", "acme"] {
        let count = TierChange::Count { table: sums.clone() };
        store.apply(tenant, vec![announce("x", DAY), count]).await?;
    }
    ensure!(summaries(&*store).await? == sums, "another tenant's summaries are counted");
    let drop = TierChange::DropSummaries { before: Day(u32::MAX) };
    store.apply("globex", vec![condemn("x"), forget("x"), drop]).await?;
    ensure!(summaries(&*store).await? == sums, "another tenant's summaries are dropped");
    let register = register(&*store).await?;
    ensure!(
        matches!(&*register, [Registered::Announced { .. }]),
        "what another tenant does to its segment gives {register:?}"
    );
    Ok(())
}

/// Everybody of whom there is something, be it rows, a summary or a name in the register.
pub async fn tenants_are_listed(factory: &dyn Factory) -> Check {
    let store = factory.open("tenant_list").await?;
    ensure!(store.tenants().await?.is_empty(), "an empty store knows tenants");
    let mut one = row(1);
    one.scope.tenant = "rows".into();
    store.put(vec![one]).await?;
    let count = TierChange::Count { table: super::help::table(&rows(1, 3)) };
    store.apply("counts", vec![count]).await?;
    let announce = super::help::announce("x", segment("x", &rows(1, 1)).day);
    store.apply("a register", vec![announce]).await?;
    let tenants = store.tenants().await?;
    ensure!(
        tenants.iter().map(|name| &**name).eq(["a register", "counts", "rows"]),
        "the tenants are {tenants:?}"
    );
    Ok(())
}

/// How much there is of each day.
pub async fn days_are_counted(factory: &dyn Factory) -> Check {
    let store = factory.open("days").await?;
    let there = rows(0, 60);
    store.put(there.clone()).await?;
    let mut due: Vec<HotDay> = Vec::new();
    for row in &there {
        let day = Day::of(row.at);
        match due.last_mut().filter(|hot| hot.day == day) {
            Some(hot) => (hot.rows, hot.bytes) = (hot.rows + 1, hot.bytes + row.weight()),
            None => due.push(HotDay { day, rows: 1, bytes: row.weight() }),
        }
    }
    let found = store.hot("acme").await?;
    ensure!(found == due, "the days are {found:?}, not {due:?}");
    Ok(())
}
