//! Erasing, export and import.

use super::Factory;
use super::help::{
    Check, DAY, acme, all, ann, announce, ensure, ensure_fails, moved, numbers, register, row, rows,
    summaries, table,
};
use crate::agent_log::{
    AgentLogError, AgentLogStore, AgentLogStoreExt, LogFilter, LogTable, SUMMARY, TierChange,
};
use crate::memory::Scope;

/// Rows, and summaries of others that were moved.
async fn fill(store: &dyn AgentLogStore) -> Check {
    store.put(rows(1, 60)).await?;
    store.apply("acme", vec![announce("x", DAY)]).await?;
    Ok(store.apply("acme", moved("x", &rows(1, 22))).await?)
}

/// Of a scope nothing is left, in rows or summaries; how many rows there were is told.
pub async fn erased_is_gone(factory: &dyn Factory) -> Check {
    let narrow = Scope { session: Some("s1".into()), ..ann() };
    let scopes = [ann(), acme().agent("cook"), ann().agent("clerk"), narrow, acme().session("s2"), acme()];
    for (n, scope) in scopes.into_iter().enumerate() {
        let store = factory.open(&format!("erase_{n}")).await?;
        fill(&*store).await?;
        let filter = LogFilter::of(scope.clone());
        let due = rows(23, 60).iter().filter(|row| filter.fits(row)).count() as u64;
        let erased = store.erase(&scope).await?;
        ensure!(erased == due, "erasing {scope} tells {erased} rows, not {due}");
        ensure!(store.all_rows(&filter).await?.is_empty(), "erased rows of {scope} are shown");
        ensure!(store.totals(&filter, &[]).await?.0.is_empty(), "erased rows of {scope} are added up");
        ensure!(store.summaries(&filter, &[]).await?.0.is_empty(), "summaries of {scope} are there");
        ensure!(store.erase(&scope).await? == 0, "what is erased is erased again");
    }
    Ok(())
}

/// Of others nothing is gone; a session is not told apart by summaries, and the register is not touched.
pub async fn erasing_leaves_the_others(factory: &dyn Factory) -> Check {
    let session = Scope { session: Some("s1".into()), ..acme() };
    for (n, scope) in [ann(), acme().agent("cook"), session.clone(), acme().user("")].into_iter().enumerate()
    {
        let store = factory.open(&format!("erase_others_{n}")).await?;
        fill(&*store).await?;
        let before = register(&*store).await?;
        store.erase(&scope).await?;
        let due: Vec<_> = rows(23, 60).into_iter().filter(|row| !scope.contains(&row.scope)).collect();
        let left = store.all_rows(&all()).await?;
        ensure!(left == due, "erasing {scope} leaves {:?}", numbers(&left));
        let moved = rows(1, 22);
        let stay = moved.iter().filter(|row| scope == session || !scope.contains(&row.scope));
        let found = summaries(&*store).await?;
        ensure!(found == LogTable::of(stay, SUMMARY), "erasing {scope} leaves the summaries {found:?}");
        ensure!(register(&*store).await? == before, "erasing {scope} changes the register");
    }
    let store = factory.open("erase_nothing").await?;
    store.apply("acme", vec![TierChange::Count { table: table(&[row(5)]) }]).await?;
    store.erase(&ann()).await?;
    ensure!(summaries(&*store).await? == table(&[row(5)]), "erasing a user erased what is nobody's");
    Ok(())
}

/// What is exported can be imported, elsewhere or here, as often as one likes, and is the same.
pub async fn exports_can_be_imported(factory: &dyn Factory) -> Check {
    let store = factory.open("exporting").await?;
    store.put(rows(1, 60)).await?;
    let lines = store.export_lines(&ann()).await?;
    let due = rows(1, 60).iter().filter(|row| ann().contains(&row.scope)).count();
    ensure!(lines.lines().count() == due, "{} lines are exported, not {due}", lines.lines().count());
    let again = store.import_lines(&ann(), &lines).await?;
    ensure!(again == 0, "importing what is there adds {again}");
    let other = factory.open("importing").await?;
    let added = other.import_lines(&acme(), &lines).await?;
    ensure!(added == due as u64, "importing elsewhere adds {added}");
    let back = other.export_lines(&ann()).await?;
    ensure!(back == lines, "what comes back is not what was exported:\n{back}\n{lines}");
    Ok(())
}

/// Nothing is imported into a scope where it does not belong, and a line that is none is told by its number.
pub async fn imports_are_checked(factory: &dyn Factory) -> Check {
    let store = factory.open("import_checks").await?;
    let good = crate::agent_log::to_lines(&[row(2)])?;
    let carl = acme().user("carl");
    let import = store.import_lines(&carl, &good).await;
    ensure_fails!(
        import,
        AgentLogError::OutOfScope { .. },
        "importing as another's what is {}",
        row(2).scope
    );
    for (broken, line) in
        [(format!("{good}{{}}"), 2), ("\n\n{".into(), 3), (format!("{good}\n{good}[]\n"), 4)]
    {
        match store.import_lines(&acme(), &broken).await {
            Err(AgentLogError::Line { line: found, .. }) if found == line => {}
            other => return Err(super::Broken(format!("{broken:?} is imported: {other:?}"))),
        }
    }
    ensure!(store.all_rows(&all()).await?.is_empty(), "a refused import leaves rows");
    Ok(())
}
