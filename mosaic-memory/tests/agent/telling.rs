//! What the model is told before a run.

use std::sync::Arc;

use mosaic_core::memory::{MemoryStore, Reach, Scope};
use mosaic_core::testing::Answer;
use mosaic_core::{Seq, SessionKey};
use mosaic_memory::agent::BlockTemplate;
use mosaic_memory::write::RulesExtractor;
use serde_json::json;

use crate::house::{House, ann, of_ann};

#[tokio::test]
async fn a_second_session_is_told_what_the_first_one_taught() {
    let house = House::new();
    house.ann_says("monday", "My boat is called Miso. I prefer tea for breakfast.").await;
    house.work().await;

    house.ann_says("tuesday", "What is my boat called?").await;

    let told = house.told();
    assert!(told.iter().any(|line| line.contains("ann: My boat is called Miso")), "{told:?}");
    // A preference is told whatever the input is about.
    assert!(told.contains(&"- breakfast: tea".to_owned()), "{told:?}");
}

#[tokio::test]
async fn a_preference_is_told_though_it_is_like_nothing_that_was_said() {
    let house = House::with(Arc::new(RulesExtractor), |options| options.recalled = 0);
    house.ann_says("monday", "I prefer Norwegian for answers.").await;
    house.work().await;
    house.ann_says("tuesday", "Hello").await;
    assert!(house.told().contains(&"- answers: Norwegian".to_owned()), "{:?}", house.told());
}

#[tokio::test]
async fn what_the_conversation_shows_is_not_told_again() {
    let house = House::new();
    house.ann_says("monday", "My boat is called Miso. I prefer tea for breakfast.").await;
    house.work().await;

    house.ann_says("tuesday", "What is my boat called?").await;
    assert!(!house.told().is_empty());
    house.work().await;
    house.ann_says("tuesday", "And what is my boat called, again?").await;
    assert_eq!(house.told(), [""; 0], "an earlier run of this session was told, and the rest was said in it");
    house.ann_says("monday", "What is my boat called?").await;
    let told = house.told();
    assert!(!told.iter().any(|line| line.contains("called Miso")), "it was said in this session: {told:?}");
}

#[tokio::test]
async fn nobody_is_told_what_another_said() {
    let house = House::new();
    house.ann_says("monday", "I prefer tea for breakfast.").await;
    let nobody_s = house.session(SessionKey::of("acme", "kiosk")).await;
    house.say(&nobody_s, "I prefer coffee for breakfast.").await;
    house.work().await;

    for spec in [
        SessionKey::of("acme", "b").user("bob"),
        SessionKey::of("acme", "c").into(),
        SessionKey::new("d").user("ann"),
    ] {
        let session = house.session(spec.clone()).await;
        house.say(&session, "What do I prefer for breakfast?").await;
        assert_eq!(house.told(), [""; 0], "{spec:?}");
    }
    assert_eq!(house.all(&Scope::of("acme").session("kiosk")).await.len(), 3, "two turns and a preference");
}

#[tokio::test]
async fn what_is_told_keeps_to_its_budget() {
    let house = House::with(Arc::new(RulesExtractor), |options| options.budget = 40);
    for n in 0..20 {
        house.ann_says("monday", &format!("My boat number {n} is called Miso the {n}.")).await;
    }
    house.work().await;
    house.ann_says("tuesday", "What are my boats called?").await;
    let told = house.told();
    let lines = told.iter().filter(|line| line.starts_with("- ")).count();
    assert!((1..=3).contains(&lines), "{told:?}");
}

#[tokio::test]
async fn a_block_is_in_the_prompt_and_again_when_it_was_edited() {
    let human = BlockTemplate { limit: 50, ..BlockTemplate::new("human", "Who the user is.") };
    let house = House::with(Arc::new(RulesExtractor), |options| options.blocks = vec![human]);
    house.ann_says("monday", "Hello").await;
    assert_eq!(house.told()[2..4], ["Block `human` (Who the user is.):", "empty"]);

    house.model.push(Answer::call("block_edit", json!({"block": "human", "new": "Ann, a sailor."})));
    house.ann_says("monday", "I am Ann, a sailor.").await;
    house.ann_says("monday", "Who am I?").await;
    assert_eq!(house.told()[2..4], ["Block `human` (Who the user is.):", "Ann, a sailor."]);
    house.ann_says("monday", "Sure?").await;
    assert_eq!(house.told(), [""; 0]);

    house.session(SessionKey::of("acme", "b").user("bob")).await.send("Hello").await.unwrap();
    let blocks = house.memories.blocks(&of_ann(), Reach::Within).await.unwrap();
    assert_eq!((blocks.len(), &*blocks[0].text), (1, "Ann, a sailor."));
}

#[tokio::test]
async fn what_a_tool_saves_names_the_input_that_it_came_from() {
    let house = House::new();
    house.model.push(Answer::call("memory_save", json!({"text": "Ann's boat is called Miso."})));
    house.ann_says("monday", "Remember the name of my boat: Miso.").await;
    let saved = house.all(&of_ann()).await;
    assert_eq!(saved.len(), 1);
    assert_eq!((&*saved[0].source[0].session, saved[0].source[0].seq), ("monday", Seq(3)));
    drop(house.session(ann("monday")).await);
}
