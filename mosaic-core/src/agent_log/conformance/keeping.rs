//! What comes back, once, all or nothing.

use super::Factory;
use super::help::{Check, acme, all, ensure, ensure_fails, found, hour, row, rows};
use crate::agent_log::check::MAX_FIGURE;
use crate::agent_log::{AgentLogError, AgentLogStoreExt, LogFilter, LogQuery, LogRowId, LogTable};
use crate::message::Cost;
use crate::runtime::Timestamp;

/// All that a row has, of every kind and end, comes back as it was.
pub async fn what_was_put_comes_back(factory: &dyn Factory) -> Check {
    let store = factory.open("put").await?;
    let mut put = rows(0, 60);
    ensure!(store.put(put.clone()).await? == 61, "61 new rows are not told as added");
    ensure!(store.put(Vec::new()).await? == 0, "no rows are told as added");
    put.sort_by_key(|row| row.id);
    for (due, found) in put.iter().zip(store.all_rows(&all()).await?) {
        ensure!(*due == found, "a row came back as {found:?}, put was {due:?}");
    }
    let newest = store.rows(&LogQuery::new(all()).limit(1)).await?;
    ensure!(newest == [row(60)], "the newest row is {newest:?}");
    Ok(())
}

/// A row that is there stays as it is, whatever is put under its id; what is new beside it is added.
pub async fn a_row_is_put_once(factory: &dyn Factory) -> Check {
    let store = factory.open("once").await?;
    store.put(rows(1, 3)).await?;
    let mut other = row(2);
    other.duration_ms = 999;
    let added = store.put(vec![row(1), other, row(4), row(4)]).await?;
    ensure!(added == 1, "one new row among four: {added} are told as added");
    let all = store.all_rows(&all()).await?;
    ensure!(all == rows(1, 4), "after putting again there are {all:?}");
    Ok(())
}

/// Names are any Unicode text, the empty one too, and are compared byte by byte.
pub async fn any_text_is_a_name(factory: &dyn Factory) -> Check {
    let store = factory.open("names").await?;
    let texts = [
        "",
        " ",
        "a",
        "A",
        "ä",
        "a\u{308}",
        "'; DROP TABLE agent_log; --",
        "%_\\",
        "\u{1F40C}",
        "\u{10FFFF}",
        "null",
    ];
    for (n, text) in (1_u64..).zip(texts) {
        let mut row = row(n);
        row.scope = acme().user(text).agent(text).session(text);
        row.name = Some(text.into());
        row.provider = Some(text.into());
        row.id = LogRowId::derive(row.at, &row.scope, row.run, row.seq, 0);
        store.put(vec![row.clone()]).await?;
    }
    for (n, text) in (1_u64..).zip(texts) {
        for filter in [
            LogFilter::of(acme().user(text)),
            LogFilter::of(acme().agent(text)),
            LogFilter::of(acme().session(text)),
            all().name(text),
        ] {
            let numbers = found(&*store, &filter).await?;
            ensure!(numbers == [n], "under {text:?} there are {numbers:?}, not {n}");
        }
    }
    for text in texts {
        let mut row = row(50);
        row.scope.tenant = text.into();
        store.put(vec![row.clone()]).await?;
        let found = store.all_rows(&LogFilter::of(crate::memory::Scope::of(text))).await?;
        ensure!(found == [row], "the tenant {text:?} has {found:?}");
    }
    Ok(())
}

/// One call puts many, in whatever order.
pub async fn many_rows_are_put_at_once(factory: &dyn Factory) -> Check {
    let store = factory.open("many").await?;
    let mut many = rows(1, 2_000);
    many.reverse();
    ensure!(store.put(many.clone()).await? == 2_000, "2,000 rows are not told as added");
    let found = store.all_rows(&all()).await?;
    ensure!(found == rows(1, 2_000), "{} of 2,000 rows came back, or in another order", found.len());
    Ok(())
}

/// A row that cannot be kept is told of, and nothing that was put with it is there.
pub async fn bad_rows_are_refused_with_all_others(factory: &dyn Factory) -> Check {
    let store = factory.open("bad").await?;
    let mut bad = vec![row(1), row(1), row(1), row(1), row(1)];
    if let [late, dear, long, many, moved] = &mut *bad {
        moved.at = hour(3);
        late.at = Timestamp(u64::MAX);
        dear.cost = Some(Cost(MAX_FIGURE + 1));
        long.duration_ms = MAX_FIGURE + 1;
        many.usage.cache_write_1h = u64::MAX;
    }
    for bad in bad {
        let put = store.put(vec![row(2), bad, row(3)]).await;
        ensure_fails!(put, AgentLogError::Invalid { .. }, "putting a row that cannot be kept");
    }
    ensure!(store.all_rows(&all()).await?.is_empty(), "a refused put leaves rows");
    // The greatest that is allowed is kept, and added up.
    let mut great = rows(1, 3);
    for row in &mut great {
        row.usage.input = MAX_FIGURE;
        row.cost = Some(Cost(MAX_FIGURE));
        row.duration_ms = MAX_FIGURE;
    }
    store.put(great.clone()).await?;
    let totals = store.totals(&all().from(hour(0)), &[]).await?;
    ensure!(totals == LogTable::of(&great, &[]), "great figures come to {totals:?}");
    Ok(())
}
