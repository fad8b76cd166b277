//! What the library promises whatever the machine does: allocations, bytes, connections, and how they grow.
//!
//! Counts, never times. They are the hard gates of the budget; `cargo xtask bench` measures the rest.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mosaic_benches::allocator::{self, Counting, Counts};
use mosaic_benches::api::{APIS, Api};
use mosaic_benches::library::setup::{self, Models};
use mosaic_benches::played::{PlayedModel, PlayedTransport};
use mosaic_benches::{Result, mock, scenario};
use mosaic_core::{Agent, ChatModel, Event, Session, Tool};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Tests of one process share the counters.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs on one thread, so that no count depends on who was faster.
#[allow(clippy::unwrap_used)]
fn run<F: Future<Output = Result<()>>>(test: F) {
    let _alone = alone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(test).unwrap();
}

/// What some turns of a session allocate, each.
async fn per_turn(session: &Session, turns: u64, from: u64) -> Result<(f64, f64)> {
    let before = allocator::counts();
    for number in from..from + turns {
        setup::turn(session, number).await?;
    }
    Ok(each(before, turns))
}

fn each(before: Counts, units: u64) -> (f64, f64) {
    let after = allocator::counts();
    let per = |count: u64| count as f64 / units as f64;
    (per(after.allocations - before.allocations), per(after.bytes - before.bytes))
}

/// A session with so many old messages, and then with another model.
async fn with_history(api: &'static Api, messages: u64, transport: &PlayedTransport) -> Result<Session> {
    let engine = setup::engine_in_ram();
    let elder = setup::agent(PlayedModel::saying(&scenario::old_message(1)))?;
    let session = engine.session("gate", &elder).await?;
    for number in 0..messages / 2 {
        session.send(scenario::old_message(2 * number)).await?.finish().await?;
    }
    let models = Models::over(Arc::new(transport.clone()), "http://model.invalid").api(api);
    let session = engine.session("gate", &models.agent("played")?).await?;
    // Old messages are encoded once for a new model.
    setup::turn(&session, 0).await?;
    Ok(session)
}

#[test]
fn a_streamed_chunk_costs_at_most_four_allocations_over_every_api() {
    run(async {
        for api in APIS {
            let mut counts = Vec::new();
            for chunks in [2_000, 6_000] {
                let transport = PlayedTransport::streaming(api, chunks);
                let models = Models::over(Arc::new(transport), "http://model.invalid").api(api);
                let session = setup::engine_in_ram().session("gate", &models.agent("played")?).await?;
                let before = allocator::counts();
                let mut run = session.send("Go on.").await?;
                let mut bytes = 0;
                while let Some(event) = run.next().await {
                    if let Event::Text { delta, .. } = event {
                        bytes += delta.len();
                    }
                }
                assert_eq!(bytes, 8 * chunks, "{}", api.name);
                counts.push(each(before, 1).0);
            }
            let per_chunk = (counts[1] - counts[0]) / 4_000.0;
            assert!(per_chunk <= 4.0, "{}: {per_chunk} allocations a chunk", api.name);
        }
        Ok(())
    });
}

#[test]
fn a_turn_with_a_tool_call_costs_at_most_two_hundred_allocations() {
    run(async {
        let agent = setup::agent(PlayedModel::calling())?;
        let session = setup::engine_in_ram().session("gate", &agent).await?;
        per_turn(&session, 20, 0).await?;
        let (allocations, _) = per_turn(&session, 50, 20).await?;
        assert!(allocations <= 200.0, "{allocations} allocations a turn");
        Ok(())
    });
}

#[test]
fn a_turn_costs_the_same_after_ten_messages_and_after_four_thousand() {
    run(async {
        let agent = setup::agent(PlayedModel::calling())?;
        let session = setup::engine_in_ram().session("gate", &agent).await?;
        per_turn(&session, 10, 0).await?;
        let (early, early_bytes) = per_turn(&session, 50, 10).await?;
        per_turn(&session, 940, 60).await?;
        let (late, late_bytes) = per_turn(&session, 50, 1_000).await?;
        assert!(late <= early + 1.0, "{early} allocations a turn became {late}");
        // Lists grow by doubling now and then; a copy of the history would be fifty thousand bytes a turn.
        assert!(late_bytes <= early_bytes + 4_096.0, "{early_bytes} bytes a turn became {late_bytes}");
        Ok(())
    });
}

#[test]
fn a_request_over_two_thousand_messages_allocates_little_more_than_its_own_bytes() {
    run(async {
        for api in APIS {
            let transport = PlayedTransport::streaming(api, 4);
            let session = with_history(api, 2_000, &transport).await?;
            let (_, bytes) = per_turn(&session, 20, 1).await?;
            let request = transport.last_body() as f64;
            assert!(request > 400_000.0, "{}: the request holds the history: {request} bytes", api.name);
            assert!(
                bytes <= 1.3 * request,
                "{}: {bytes} bytes allocated for a request of {request}",
                api.name
            );
        }
        Ok(())
    });
}

#[test]
fn an_old_message_costs_no_allocation_only_its_bytes() {
    run(async {
        for api in APIS {
            let (few, many) = (PlayedTransport::streaming(api, 4), PlayedTransport::streaming(api, 4));
            let short = per_turn(&with_history(api, 500, &few).await?, 20, 1).await?;
            let long = per_turn(&with_history(api, 2_500, &many).await?, 20, 1).await?;
            assert!(
                long.0 <= short.0 + 2.0,
                "{}: {} allocations became {} with 2,000 more messages",
                api.name,
                short.0,
                long.0
            );
            let json = (many.last_body() - few.last_body()) as f64;
            let slope = (long.1 - short.1) / json;
            assert!(slope <= 1.3, "{}: {slope} bytes allocated a byte of old messages", api.name);
        }
        Ok(())
    });
}

#[test]
fn an_idle_session_keeps_at_most_four_kilobytes() {
    run(async {
        let engine = setup::engine_in_ram();
        let agent = setup::agent(PlayedModel::calling())?;
        let before = allocator::counts().live;
        let mut sessions = Vec::new();
        for number in 0..200 {
            sessions.push(engine.session(format!("session-{number}"), &agent).await?);
        }
        let kept = (allocator::counts().live - before) / 200;
        assert!(kept <= 4_096, "{kept} bytes a session");
        Ok(())
    });
}

#[test]
fn an_agent_with_one_tool_costs_at_most_a_kilobyte() {
    run(async {
        let tool: Arc<dyn Tool> = Arc::new(setup::Weather::new()?);
        let model: Arc<dyn ChatModel> = PlayedModel::calling();
        let mut agents = Vec::with_capacity(200);
        let before = allocator::counts();
        for _ in 0..200 {
            let agent = Agent::builder("gate").model(model.clone()).instructions(scenario::INSTRUCTIONS);
            agents.push(agent.tools([tool.clone()]).build()?);
        }
        let (_, bytes) = each(before, 200);
        assert!(bytes <= 1_024.0, "{bytes} bytes an agent");
        Ok(())
    });
}

#[test]
fn all_turns_of_a_session_go_over_one_connection() {
    run(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let counters = Arc::new(mock::Counters::default());
        let mock = tokio::spawn(mock::serve(listener, counters.clone()));
        let agent = Models::new(&url)?.agent(scenario::TOOL_MODEL)?;
        let session = setup::engine_in_ram().session("gate", &agent).await?;
        for number in 0..20 {
            setup::turn(&session, number).await?;
        }
        assert_eq!((counters.requests(), counters.connections()), (40, 1));
        mock.abort();
        Ok(())
    });
}
