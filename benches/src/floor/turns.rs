//! The workloads that keep nothing.

use serde::Deserialize;

use super::client::Client;
use super::wire::Message;
use crate::measure::{Measured, Meter};
use crate::scenario::{self, check};
use crate::{Error, Result};

pub(super) async fn cold_start(url: &str) -> Result<Measured> {
    let meter = Meter::of_the_process();
    let client = Client::new(url)?;
    turn(&client, scenario::TOOL_MODEL, &mut conversation(), 0).await?;
    Ok(meter.stop(1))
}

pub(super) async fn tool_turns(url: &str) -> Result<Measured> {
    let client = Client::new(url)?;
    // The connection is there before the measured part.
    turn(&client, scenario::TOOL_MODEL, &mut conversation(), 0).await?;
    let mut messages = conversation();
    let meter = Meter::start();
    for number in 0..scenario::TURNS {
        turn(&client, scenario::TOOL_MODEL, &mut messages, number).await?;
    }
    let measured = meter.stop(scenario::TURNS);
    check("messages", messages.len() as u64, 1 + 4 * scenario::TURNS)?;
    Ok(measured)
}

pub(super) async fn stream(url: &str, model: &str) -> Result<Measured> {
    let client = Client::new(url)?;
    let messages = [Message::text("user", scenario::question(0))];
    client.ask(scenario::TEXT_MODEL, &messages, false).await?;
    let meter = Meter::start();
    let answer = client.ask(model, &messages, false).await?;
    let measured = meter.stop(scenario::CHUNKS);
    check("chunks", answer.chunks, scenario::CHUNKS)?;
    check("bytes", answer.text.len() as u64, 8 * scenario::CHUNKS)?;
    check("tokens", answer.usage.map(|usage| usage.completion_tokens), Some(scenario::CHUNKS))?;
    Ok(measured)
}

pub(super) async fn many_sessions(url: &str) -> Result<Measured> {
    let client = Client::new(url)?;
    turn(&client, scenario::TOOL_MODEL, &mut conversation(), 0).await?;
    let meter = Meter::start();
    let sessions: Vec<_> = (0..scenario::SESSIONS)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move {
                let mut messages = conversation();
                for number in 0..scenario::SESSION_TURNS {
                    turn(&client, scenario::THINKING_MODEL, &mut messages, number).await?;
                }
                Ok::<_, Error>(messages.len() as u64)
            })
        })
        .collect();
    for session in sessions {
        check("messages", session.await??, 1 + 4 * scenario::SESSION_TURNS)?;
    }
    Ok(meter.stop(scenario::SESSIONS))
}

pub(super) async fn long_history(url: &str) -> Result<Measured> {
    let client = Client::new(url)?;
    let mut messages = conversation();
    for number in 0..scenario::HISTORY {
        let role = if number % 2 == 0 { "user" } else { "assistant" };
        messages.push(Message::text(role, scenario::old_message(number)));
    }
    text_turns(&client, &mut messages).await?;
    let meter = Meter::start();
    text_turns(&client, &mut messages).await?;
    Ok(meter.stop(scenario::HISTORY_TURNS))
}

async fn text_turns(client: &Client, messages: &mut Vec<Message>) -> Result<()> {
    for number in 0..scenario::HISTORY_TURNS {
        messages.push(Message::text("user", scenario::question(number)));
        let answer = client.ask(scenario::TEXT_MODEL, messages, true).await?;
        check("text", answer.text.as_str(), scenario::SHORT_TEXT)?;
        messages.push(Message::text("assistant", answer.text));
    }
    Ok(())
}

/// A conversation in which nobody spoke yet.
pub(super) fn conversation() -> Vec<Message> {
    vec![Message::text("system", scenario::INSTRUCTIONS.to_owned())]
}

/// A question, a tool call, its result, a text.
pub(super) async fn turn(
    client: &Client,
    model: &str,
    messages: &mut Vec<Message>,
    number: u64,
) -> Result<()> {
    messages.push(Message::text("user", scenario::question(number)));
    let answer = client.ask(model, messages, true).await?;
    let results: Vec<_> =
        answer.calls.iter().map(|call| weather(&call.id, &call.function.arguments)).collect();
    check("calls", results.len(), 1)?;
    messages.push(Message::calls(answer.calls));
    for result in results {
        messages.push(result?);
    }
    let answer = client.ask(model, messages, true).await?;
    check("text", answer.text.as_str(), scenario::SHORT_TEXT)?;
    messages.push(Message::text("assistant", answer.text));
    Ok(())
}

/// The tool.
fn weather(id: &str, arguments: &str) -> Result<Message> {
    #[derive(Deserialize)]
    struct Arguments {
        city: String,
    }
    let arguments: Arguments = serde_json::from_str(arguments)?;
    check("city", arguments.city.as_str(), "Oslo")?;
    Ok(Message::result(id.to_owned(), scenario::TOOL_OUTPUT.to_owned()))
}
