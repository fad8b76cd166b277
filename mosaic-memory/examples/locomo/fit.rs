//! The default weights, fitted anew: a listwise logistic regression with ridge, by Newton's method.
//!
//! For each question the candidates' scores become probabilities (softmax), and the evidence shall be probable. The ridge keeps
//! weights small, so that a signal that helps little weighs little. With some ten weights on hundreds of questions there is
//! little to overfit with; leaving a conversation out shows how little.

#![allow(clippy::indexing_slicing)] // of matrices whose width is one number

use std::error::Error;
use std::sync::Arc;

use mosaic_core::Embedder;
use mosaic_core::memory::MemoryStore;
use mosaic_memory::recall::{Ranking, Recall, RecallOptions, RecallRequest, Signal, Signals, Strategy};

use crate::ask;
use crate::data::Conversation;
use crate::score;

const RIDGE: f64 = 5.0;
const STEPS: usize = 25;

/// Candidates and which of them are evidence.
struct Asked {
    conversation: usize,
    rows: Vec<Vec<f64>>,
    right: Vec<bool>,
}

pub(crate) async fn run(
    store: &Arc<dyn MemoryStore>,
    embedder: &Arc<dyn Embedder>,
    conversations: &[Conversation],
) -> Result<(), Box<dyn Error>> {
    let signals: Vec<Signal> =
        Strategy::WEIGHTS.iter().filter(|(_, weight)| *weight != 0.0).map(|(signal, _)| signal).collect();
    let recall = |strategy: Strategy| {
        let ranking = Ranking { strategy, ..Ranking::default() };
        let options = RecallOptions { ranking, ..RecallOptions::default() };
        Recall::new(Arc::clone(store), Arc::clone(embedder), options)
    };
    // With weights of 1 an explanation tells what was measured.
    let ones = signals.iter().fold(Signals::NONE, |all, signal| all.with(*signal, 1.0));
    let measuring = recall(Strategy::Weighted(ones));
    let mut asked = Vec::new();
    for (number, conversation) in conversations.iter().enumerate() {
        for question in &conversation.questions {
            let request = RecallRequest::new(conversation.scope(), question.text.as_str()).limit(usize::MAX);
            let hits = measuring.recall(&request).await?.hits;
            let row = |shares: &[mosaic_memory::recall::Share]| {
                let value = |signal: &Signal| shares.iter().find(|share| share.signal == *signal);
                signals.iter().map(|signal| value(signal).map_or(0.0, |share| share.value)).collect()
            };
            let right: Vec<bool> = hits.iter().map(|hit| question.answers.contains(&hit.memory.id)).collect();
            if right.contains(&true) {
                let rows = hits.iter().map(|hit| row(&hit.shares)).collect();
                asked.push(Asked { conversation: number, rows, right });
            }
        }
    }

    let all = fit(&asked.iter().collect::<Vec<_>>(), signals.len());
    println!("fitted on all (halved, as the defaults are):");
    signals.iter().zip(&all).for_each(|(signal, weight)| println!("    {signal:<16} {:.2}", weight / 2.0));
    println!();
    score::head(conversations);
    let mut left_out = Vec::new();
    let mut times = Vec::new();
    for out in 0..conversations.len() {
        let others: Vec<&Asked> = asked.iter().filter(|asked| asked.conversation != out).collect();
        let weights = fit(&others, signals.len());
        let weights =
            signals.iter().zip(weights).fold(Signals::NONE, |all, (signal, w)| all.with(*signal, w));
        let (scores, took) = ask(&recall(Strategy::Weighted(weights)), conversations).await?;
        left_out.extend(scores.into_iter().filter(|score| score.conversation() == out));
        times.extend(took);
    }
    score::row("each fitted on the others", &left_out, conversations.len(), &times);
    Ok(())
}

fn fit(asked: &[&Asked], width: usize) -> Vec<f64> {
    let mut weights = vec![0.0; width];
    let mut loss = loss_of(asked, &weights);
    for _ in 0..STEPS {
        let step = step(asked, &weights);
        // Halved until it helps: far from the best a full step goes too far.
        let mut size = 1.0;
        let better = loop {
            let next: Vec<f64> =
                weights.iter().zip(&step).map(|(weight, step)| weight - size * step).collect();
            let less = loss_of(asked, &next);
            if less < loss {
                break Some((next, less));
            }
            size /= 2.0;
            if size < 1e-4 {
                break None;
            }
        };
        let Some((next, less)) = better else { break };
        let gained = loss - less;
        (weights, loss) = (next, less);
        if gained < 1e-3 {
            break;
        }
    }
    weights
}

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// Each candidate's probability, and the logarithm of the sum.
fn probabilities(rows: &[Vec<f64>], weights: &[f64]) -> (Vec<f64>, f64) {
    let scores: Vec<f64> = rows.iter().map(|row| dot(row, weights)).collect();
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = scores.iter().map(|score| (score - most).exp()).sum();
    (scores.iter().map(|score| (score - most).exp() / sum).collect(), most + sum.ln())
}

fn loss_of(asked: &[&Asked], weights: &[f64]) -> f64 {
    let of = |asked: &&Asked| {
        let right = asked.right.iter().filter(|right| **right).count() as f64;
        let told = asked.rows.iter().zip(&asked.right).filter(|(_, right)| **right);
        probabilities(&asked.rows, weights).1 - told.map(|(row, _)| dot(row, weights)).sum::<f64>() / right
    };
    RIDGE / 2.0 * dot(weights, weights) + asked.iter().map(of).sum::<f64>()
}

/// Newton's step: the gradient through the inverse of the curvature.
fn step(asked: &[&Asked], weights: &[f64]) -> Vec<f64> {
    let width = weights.len();
    let mut gradient: Vec<f64> = weights.iter().map(|weight| RIDGE * weight).collect();
    let mut curvature = vec![vec![0.0; width]; width];
    (0..width).for_each(|at| curvature[at][at] = RIDGE);
    for asked in asked {
        let (probable, _) = probabilities(&asked.rows, weights);
        let right = asked.right.iter().filter(|right| **right).count() as f64;
        let mut mean = vec![0.0; width];
        for ((row, probable), is_right) in asked.rows.iter().zip(&probable).zip(&asked.right) {
            for (i, x) in row.iter().enumerate() {
                mean[i] += probable * x;
                gradient[i] -= f64::from(u8::from(*is_right)) * x / right;
                row.iter().enumerate().for_each(|(j, y)| curvature[i][j] += probable * x * y);
            }
        }
        for i in 0..width {
            gradient[i] += mean[i];
            (0..width).for_each(|j| curvature[i][j] -= mean[i] * mean[j]);
        }
    }
    solve(curvature, gradient)
}

/// Gauss's elimination; the matrix is positive definite because of the ridge.
fn solve(mut matrix: Vec<Vec<f64>>, mut right: Vec<f64>) -> Vec<f64> {
    let width = right.len();
    for pivot in 0..width {
        for row in pivot + 1..width {
            let share = matrix[row][pivot] / matrix[pivot][pivot];
            (pivot..width).for_each(|column| matrix[row][column] -= share * matrix[pivot][column]);
            right[row] -= share * right[pivot];
        }
    }
    for row in (0..width).rev() {
        let known: f64 = (row + 1..width).map(|column| matrix[row][column] * right[column]).sum();
        right[row] = (right[row] - known) / matrix[row][row];
    }
    right
}
