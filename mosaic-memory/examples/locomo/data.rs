//! Conversations as they lie in the folder.

use std::collections::{BTreeSet, HashMap};
use std::error::Error;
use std::path::Path;

use mosaic_core::memory::{Memory, MemoryBody, MemoryId, Place, Scope, Vector};
use mosaic_core::{EmbedRequest, Embedder, EmbedderExt, Purpose, Timestamp};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
pub(crate) struct Conversation {
    pub(crate) id: String,
    pub(crate) turns: Vec<Turn>,
    pub(crate) questions: Vec<Question>,
    #[serde(skip)]
    number: u128,
}

#[derive(Deserialize)]
pub(crate) struct Turn {
    id: String,
    session: u32,
    speaker: String,
    text: String,
    caption: String,
    date: String,
}

#[derive(Deserialize)]
pub(crate) struct Question {
    #[serde(rename = "question")]
    pub(crate) text: String,
    category: String,
    evidence: Vec<String>,
    #[serde(skip)]
    pub(crate) answers: BTreeSet<MemoryId>,
}

impl Question {
    /// Only the report asks this.
    pub(crate) fn is_adversarial(&self) -> bool {
        self.category == "adversarial"
    }
}

/// All conversations of a folder, by name.
pub(crate) fn read(folder: &Path) -> Result<Vec<Conversation>, Box<dyn Error>> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut all = Vec::new();
    for path in paths {
        let mut conversation: Conversation = serde_json::from_slice(&std::fs::read(&path)?)?;
        conversation.number = all.len() as u128;
        let ids: HashMap<&str, MemoryId> = (0..)
            .zip(&conversation.turns)
            .map(|(n, turn)| (turn.id.as_str(), conversation.memory(n)))
            .collect();
        let answers = |question: &Question| {
            question.evidence.iter().filter_map(|id| ids.get(id.as_str()).copied()).collect()
        };
        let answers: Vec<_> = conversation.questions.iter().map(answers).collect();
        for (question, answers) in conversation.questions.iter_mut().zip(answers) {
            question.answers = answers;
        }
        // A few name evidence that is not there.
        conversation.questions.retain(|question| !question.answers.is_empty());
        all.push(conversation);
    }
    if all.is_empty() { Err(format!("no conversations in {}", folder.display()).into()) } else { Ok(all) }
}

impl Conversation {
    pub(crate) fn scope(&self) -> Scope {
        Scope::of("locomo").user(self.id.as_str())
    }

    fn memory(&self, turn: u128) -> MemoryId {
        MemoryId(uuid::Uuid::from_u128((self.number << 32) + turn))
    }

    /// Turns and questions with their vectors, a line of JSON each.
    pub(crate) async fn lines(
        &self,
        memories: &[Memory],
        vectors: &[Vector],
        embedder: &dyn Embedder,
    ) -> Result<Vec<String>, Box<dyn Error>> {
        let number = u64::try_from(self.number)?;
        let mut lines = Vec::new();
        for (memory, vector) in memories.iter().zip(vectors) {
            lines.push(format!(
                "{}\n",
                json!({"conversation": number, "id": memory.id, "text": memory.embedding_text(), "vector": vector.values})
            ));
        }
        let texts = self.questions.iter().map(|question| question.text.as_str());
        let embedded = embedder.embed_all(EmbedRequest::new(texts, Purpose::Query), 4).await?;
        for (question, vector) in self.questions.iter().zip(embedded.vectors) {
            lines.push(format!(
                "{}\n",
                json!({
                    "conversation": number,
                    "question": question.text,
                    "vector": vector,
                    "answers": question.answers,
                    "adversarial": question.is_adversarial(),
                })
            ));
        }
        Ok(lines)
    }

    /// A memory a turn.
    pub(crate) fn memories(&self) -> Vec<Memory> {
        let memory = |(number, turn): (u64, &Turn)| {
            let at = said_at(&turn.date);
            let body = MemoryBody::Episode { text: turn.text.as_str().into(), span: None };
            let mut memory = Memory::new(self.memory(number.into()), self.scope(), body, at);
            memory.place = Some(Place {
                speaker: Some(turn.speaker.as_str().into()),
                said_at: Some(at),
                caption: (!turn.caption.is_empty()).then(|| turn.caption.as_str().into()),
                ..Place::new(format!("session {}", turn.session), number)
            });
            memory
        };
        (0..).zip(&self.turns).map(memory).collect()
    }
}

/// "1:56 pm on 8 May, 2023", to the day.
fn said_at(date: &str) -> Timestamp {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let words: Vec<&str> = date.rsplit(' ').take(3).collect();
    let number = |at: usize| words.get(at).and_then(|word| word.trim_end_matches(',').parse::<u64>().ok());
    let month = words.get(1).and_then(|word| MONTHS.iter().position(|month| word.starts_with(month)));
    let (Some(year), Some(month), Some(day)) = (number(0), month, number(2)) else { return Timestamp(0) };
    // Years that begin in March, so that the leap day is the last of a year.
    let (year, month) = if month < 2 { (year - 1, month as u64 + 10) } else { (year, month as u64 - 2) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1 - 719_468;
    Timestamp(days * 86_400_000)
}
