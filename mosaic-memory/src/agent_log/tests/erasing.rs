//! Erasing in all tiers, also when it is cut short, and beside passes.

use super::dying::mortal;
use super::*;

#[tokio::test]
async fn erasing_reaches_all_tiers_and_leaves_the_others_as_they_were() {
    let narrow = ann().session("s1");
    for scope in [ann(), acme().agent("cook"), narrow, acme().session("s1"), ann().agent("clerk"), acme()] {
        let world = World::new().policy(|policy| policy.hot_rows = 45).filled().await;
        world.log.tier("acme").await.unwrap();
        let before: BTreeMap<String, Bytes> = files(&world.archive).await;
        let erased = world.log.erase(&scope).await.unwrap();
        let (out, stay): (Vec<_>, Vec<_>) = rows().into_iter().partition(|row| scope.contains(&row.scope));
        assert_eq!(erased.rows, out.len() as u64, "{scope}");
        world.check(&stay).await;
        assert_eq!(world.log.all_rows(&all()).await.unwrap(), stay, "{scope}");
        assert_eq!(world.log.totals(&all(), SUMMARY).await.unwrap(), LogTable::of(&stay, SUMMARY), "{scope}");
        let register = world.store.segments(&all()).await.unwrap();
        assert!(register.iter().all(|one| matches!(one, Registered::Sealed { .. })), "{register:?}");
        assert_eq!(register.len(), world.archive.list("").await.unwrap().len());
        assert_eq!(world.log.erase(&scope).await.unwrap(), LogErased::default(), "again");
        let after = files(&world.archive).await;
        let replaced = before.keys().filter(|name| !after.contains_key(*name)).count() as u64;
        assert_eq!((replaced, erased.segments > 0), (erased.segments, true), "{scope}");
        if scope == acme() {
            assert!(world.store.tenants().await.unwrap().is_empty() && after.is_empty());
        }
    }
}

#[tokio::test]
async fn an_erasure_that_dies_at_any_deed_loses_nothing_of_others_and_the_next_one_ends_it() {
    for scope in [ann(), ann().session("s1"), acme()] {
        for deeds in 0.. {
            let mut ended = 0;
            for after in [None, Some(())] {
                let world = World::new().policy(|policy| policy.hot_rows = 70).filled().await;
                world.log.tier("acme").await.unwrap();
                let died = mortal(&world, deeds, after).erase(&scope).await;
                ended += usize::from(died.is_ok());
                let (hot, cold) = world.places().await;
                let others: BTreeSet<_> = hot
                    .iter()
                    .chain(&cold)
                    .filter(|row| !scope.contains(&row.scope))
                    .map(|row| row.id)
                    .collect();
                let stay: Vec<_> = rows().into_iter().filter(|row| !scope.contains(&row.scope)).collect();
                assert_eq!(others.len(), stay.len(), "after {deeds} deeds of erasing {scope}");
                world.log.erase(&scope).await.unwrap();
                world.check(&stay).await;
                let register = world.store.segments(&all()).await.unwrap();
                assert_eq!(register.len(), world.archive.list("").await.unwrap().len(), "{register:?}");
            }
            if ended == 2 {
                break;
            }
        }
    }
}

#[tokio::test]
async fn passes_and_erasures_at_once_lose_nothing() {
    let world = World::new().policy(|policy| (policy.hot_rows, policy.segment_rows) = (0, 5)).filled().await;
    let log = Arc::new(world.log.clone());
    let passes = (0..4).map(|_| {
        let log = log.clone();
        tokio::spawn(async move {
            // A conflict is told, and another pass goes on.
            while matches!(log.tier("acme").await, Err(AgentLogError::Conflict { .. })) {
                tokio::task::yield_now().await;
            }
        })
    });
    let passes: Vec<_> = passes.collect();
    for scope in [ann(), acme().session("s3")] {
        while let Err(error) = log.erase(&scope).await {
            assert!(matches!(error, AgentLogError::Conflict { .. }), "{error}");
            tokio::task::yield_now().await;
        }
    }
    for pass in passes {
        pass.await.unwrap();
    }
    let gone = |row: &LogRow| ann().contains(&row.scope) || acme().session("s3").contains(&row.scope);
    let stay: Vec<_> = rows().into_iter().filter(|row| !gone(row)).collect();
    world.check(&stay).await;
}
