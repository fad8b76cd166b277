//! Guarantee G10: a secret never reaches a log line, an event, an error, a recording or a stored entry.
//!
//! Secrets that occur nowhere else are planted in every place where a host gives one (`secrets`, `world`). Providers and an
//! authority repeat them in every way in which servers do (`server`), while whole turns run, and calls of models, embedders
//! and counters. Then all that came out anywhere is searched (`sinks`, `log`).
//!
//! What a model *says* is content, and not searched for keys: the servers here repeat secrets in errors, headers and pages,
//! not in answers.
#![cfg(feature = "sqlite")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod log_lines;
mod secrets;
mod server;
mod sinks;
#[cfg(feature = "reqwest")]
mod socket;
mod world;

use std::sync::Arc;

use futures_util::StreamExt;
use mosaic::port::{Port, Response};
use mosaic::prelude::*;
use mosaic::providers::count::ProviderCounter;
use mosaic::testing::Gate;
use mosaic::{
    Body, ChatModel, EmbedError, EmbedRequest, EmbedderSource, Entry, Group, HttpRequest, Limits, ModelCall,
    ModelError, ModelRequest, ModelSource, ModelStream, Purpose, Seq, TokenCounter, ToolSpec,
};
use server::{Grants, Scene};
use sinks::Sinks;
use world::{PROVIDERS, World};

/// A tool that fails.
#[derive(Debug)]
struct Break(ToolSpec);

#[async_trait::async_trait]
impl Tool for Break {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, _: &ToolContext, _: serde_json::Value) -> Result<ToolOutput, ToolError> {
        Err(ToolError::new("the tool broke"))
    }
}

fn scenes() -> Vec<Scene> {
    let failures = [Scene::Unauthorized, Scene::Page, Scene::Garbage, Scene::Broken, Scene::InStream];
    [Scene::Fine, Scene::ToolCall].into_iter().chain(failures).chain([Scene::BrokenStream]).collect()
}

/// A turn, and all that a host sees of it.
async fn turn(world: &World, agent: &Agent, name: &str, scene: &Scene, sinks: &Sinks) {
    world.stage.play(scene.clone());
    let session = match world.mosaic.session(name, agent).await {
        Ok(session) => session,
        Err(error) => return sinks.error(&error, &error.report()),
    };
    let mut run = session.send("Hi").await.unwrap();
    sinks.shown("objects", &(agent, &session, &run));
    while let Some(event) = run.next().await {
        sinks.data("events", &event);
        if let Event::Route { decision, .. } = &event {
            sinks.data("decisions", &**decision);
            sinks.add("decisions", decision.to_string());
        }
        if let (Event::Text { .. }, Scene::Held(_)) = (&event, scene) {
            run.cancel("enough").await.unwrap();
        }
    }
    match run.finish().await {
        Ok(reply) => sinks.shown("entries", &reply),
        Err(error) => sinks.error(&error, &error.report()),
    }
    for entry in session.entries(Seq(1)).await.unwrap() {
        kept(&entry, sinks);
    }
}

fn kept(entry: &Entry, sinks: &Sinks) {
    sinks.data("entries", entry);
    if let Body::ModelFailed { error, .. } = &entry.body {
        sinks.error(error, error);
    }
}

fn agent(model: &str) -> mosaic::AgentBuilder {
    let limits = Limits { max_attempts: 1, ..Limits::default() };
    Agent::builder("assistant").model(model).limits(limits)
}

fn breaker() -> Break {
    Break(ToolSpec::new("break", "Breaks.", serde_json::json!({ "type": "object" })))
}

fn request() -> ModelRequest {
    ModelRequest { groups: Arc::new(vec![Group::user(vec![Part::text("Hi")])]), ..ModelRequest::default() }
}

fn failed(error: &ModelError, sinks: &Sinks) {
    sinks.error(error, &error.report());
}

async fn read(answer: Result<ModelStream, ModelError>, sinks: &Sinks) {
    let mut stream = match answer {
        Ok(stream) => stream,
        Err(error) => return failed(&error, sinks),
    };
    while let Some(event) = stream.next().await {
        match event {
            Ok(event) => sinks.shown("events", &event),
            Err(error) => failed(&error, sinks),
        }
    }
}

/// Models, embedders and counters without a session.
async fn beside(world: &World, scene: &Scene, sinks: &Sinks) {
    world.stage.play(scene.clone());
    for provider in PROVIDERS {
        let name = format!("{provider}:m").parse().unwrap();
        let model = world.providers.resolve(&name).unwrap();
        sinks.shown("objects", &model);
        read(model.stream(ModelCall::new(request())).await, sinks).await;
    }
    for name in ["mistral:mistral-embed", "openai:text-embedding-3-small", "lab:m"] {
        let embedder = world.providers.embedder(&name.parse().unwrap()).unwrap();
        sinks.shown("objects", &embedder);
        let asked = embedder.embed(EmbedRequest::new(["rain"], Purpose::Query)).await;
        if let Err(error) = asked {
            let error: EmbedError = error;
            sinks.error(&error, &error.report());
        }
    }
    let endpoint = world.providers.endpoint("anthropic").unwrap();
    let model = endpoint
        .model("m", world.transport.clone(), world.runtime.clone())
        .secret_header("x-tenant", secrets::HEADER_KEY);
    let counter = ProviderCounter::new(Arc::new(model), "anthropic-messages").unwrap();
    sinks.shown("objects", &counter);
    if let Err(error) = counter.count(&request()).await {
        failed(&error, sinks);
    }
}

/// Providers fail, each in its way, until one answers; and then none does.
async fn routed(world: &World, sinks: &Sinks) {
    let some = agent("openai:m").fallback("anthropic:m").fallback("lab:m").fallback("xai:m").build().unwrap();
    turn(world, &some, "router", &Scene::LastIsFine("api.x.ai"), sinks).await;
    // Others, because those that failed are left alone for a while.
    let none = agent("groq:m").fallback("mistral:m").build().unwrap();
    turn(world, &none, "router of none", &Scene::Unauthorized, sinks).await;
}

/// What a host in another language is asked, as it may show it.
async fn ported(world: &World, sinks: &Sinks) {
    let port = Port::new(world.runtime.clone());
    for provider in PROVIDERS {
        let endpoint = world.providers.endpoint(provider).unwrap();
        let model = endpoint.model("m", Arc::new(port.transport()), world.runtime.clone());
        let asked = tokio::spawn(async move { model.stream(ModelCall::new(request())).await.map(drop) });
        let batch = tokio::select! {
            batch = port.poll(8) => batch,
            // One whose key cannot be had asks nothing.
            error = asked => {
                failed(&error.unwrap().unwrap_err(), sinks);
                continue;
            }
        };
        sinks.shown("port", &batch);
        for request in &batch.requests {
            sinks.shown("port", request);
            port.respond(request.id, Response::error("Boom", format!("could not carry {:?}", request.kind)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_comes_out_anywhere() {
    let sinks: &'static Sinks = Box::leak(Box::default());
    log_lines::listen(sinks);
    let folder = tempfile::tempdir().unwrap();
    let mut sent: Vec<HttpRequest> = Vec::new();
    for grants in [Grants::Fine, Grants::Refused, Grants::Page, Grants::Broken, Grants::Malformed] {
        let world = World::new(folder.path(), grants, sinks).await;
        // A token is asked for before anything else: where none is had, one way to ask the provider is enough.
        let scenes = if grants == Grants::Fine { scenes() } else { vec![Scene::Fine] };
        for scene in scenes {
            for provider in PROVIDERS {
                let agent = agent(&format!("{provider}:m")).tool(breaker()).build().unwrap();
                turn(&world, &agent, &format!("{provider} {scene:?}"), &scene, sinks).await;
            }
            beside(&world, &scene, sinks).await;
        }
        let (held, agent) = (Scene::Held(Gate::new()), agent("openai:m").build().unwrap());
        turn(&world, &agent, "cancelled", &held, sinks).await;
        // A router waits where an authority is in trouble.
        if matches!(grants, Grants::Fine | Grants::Refused) {
            routed(&world, sinks).await;
        }
        ported(&world, sinks).await;
        sent.extend(world.scripted.requests());
        world.close(sinks).await;
    }
    #[cfg(feature = "reqwest")]
    socket::run(folder.path(), sinks).await;
    sinks.files("recordings", &folder.path().join("recordings"));
    for request in &sent {
        sinks.shown("objects", request);
    }
    sinks.check();
    // Else this would show nothing.
    for canary in secrets::ALL {
        let was_sent = sent.iter().any(|request| canary.is_in(&server::echo(request)));
        assert_eq!(was_sent, !secrets::NEVER_SENT.contains(&canary.name), "{}", canary.name);
    }
}
