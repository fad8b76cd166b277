//! Two sessions of one user, a change of mind, and what was believed when. Offline: the model follows a script, the embedder counts
//! words.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use mosaic::memory::embed::HashingEmbedder;
use mosaic::memory::{AsOf, Filter, MemoryKind, MemoryPage, Scope};
use mosaic::prelude::*;
use mosaic::testing::{Answer, ScriptedModel};
use mosaic::{Runtime, RuntimeExt, SessionLogs, TokioRuntime};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let setup = MemorySetup::new(Arc::new(HashingEmbedder::new(256)));
    let mosaic = Mosaic::builder().memory(setup).open("memory:").await?; // or sqlite://app.db
    let model = ScriptedModel::from_fn(|_| Answer::text("I see."));
    let agent = Agent::builder("butler").model(model.clone()).memory(mosaic.memory()?).build()?;

    say(&mosaic, &agent, "monday", "I prefer green tea for breakfast.").await?;
    let then = TokioRuntime::current()?.now();
    say(&mosaic, &agent, "tuesday", "I prefer coffee for breakfast.").await?;
    say(&mosaic, &agent, "wednesday", "What shall there be for breakfast?").await?;

    let told = format!("{:?}", model.requests().last().map(|request| request.groups.clone()));
    println!("on Wednesday the model was told of coffee: {}", told.contains("- breakfast: coffee"));

    let now = TokioRuntime::current()?.now();
    println!("what we believe now:     {}", believed(&mosaic, AsOf::valid(now)).await?);
    println!("what we believed then:   {}", believed(&mosaic, AsOf::then(then)).await?);
    println!("what was so on Monday:   {}", believed(&mosaic, AsOf::valid(then)).await?);

    let erased = mosaic.erase_user("default", "ann", SessionLogs::Erased).await?;
    println!("erased: {} memories, {} sessions", erased.memories.memories, erased.sessions);
    mosaic.close().await?;
    Ok(())
}

async fn say(mosaic: &Mosaic, agent: &Agent, session: &str, text: &str) -> Result<(), Box<dyn Error>> {
    // Times are told apart by the millisecond.
    TokioRuntime::current()?.sleep(Duration::from_millis(2)).await;
    let session = mosaic.session(SessionKey::new(session).user("ann"), agent).await?;
    session.send(text).await?.finish().await?;
    mosaic.idle().await?; // what follows a run happens in the background
    Ok(())
}

async fn believed(mosaic: &Mosaic, as_of: AsOf) -> Result<String, Error_> {
    let filter = Filter { kinds: vec![MemoryKind::Preference], as_of, ..Filter::default() };
    let page = MemoryPage { filter, ..MemoryPage::default() };
    let found = mosaic.stores()?.memories.list(&Scope::default().user("ann"), page).await?;
    Ok(found.iter().map(|memory| memory.text().into_owned()).collect::<Vec<_>>().join(", "))
}

type Error_ = Box<dyn Error>;
