use super::*;

struct Made {
    lexical: Lexical,
    links: Vec<(u32, u32)>,
    admitted: Bits,
}

/// One conversation of these turns.
fn made(turns: &[&str]) -> Made {
    let mut made = Made { lexical: Lexical::default(), links: Vec::new(), admitted: Bits::default() };
    for (doc, text) in (0_u32..).zip(turns) {
        made.lexical.add(doc, text);
        made.admitted.set(doc, true);
        let after = if doc as usize + 1 < turns.len() { doc + 1 } else { NONE };
        made.links.push((doc.checked_sub(1).unwrap_or(NONE), after));
    }
    made
}

fn view(made: &Made) -> View<'_> {
    View { lexical: &made.lexical, links: &made.links, admitted: &made.admitted }
}

fn ask(made: &Made, question: &str) -> Scores {
    score(&[view(made)], &Lexical::question(question)).remove(0)
}

fn all(scores: &Scores, arm: Arm) -> Vec<f32> {
    scores.all(arm).map(|(_, score)| score).collect()
}

#[test]
fn a_rare_word_counts_more_than_a_common_one() {
    let made = made(&["dog and cat", "dog", "dog", "parrot", "dog"]);
    let scores = all(&ask(&made, "dog parrot"), Arm::Lexical);
    assert_eq!((0..5).max_by(|a, b| scores[*a].total_cmp(&scores[*b])), Some(3));
}

#[test]
fn a_turn_is_found_by_the_words_of_its_neighbours() {
    let made = made(&[
        "hello",
        "where did you paint the lake?",
        "last summer in Norway",
        "ok",
        "goodbye",
        "see you",
    ]);
    let scores = ask(&made, "Where was the lake painted?");
    assert_eq!(scores.of(Arm::Lexical, 2), None);
    let window = |doc| scores.of(Arm::Window, doc);
    assert!(window(2).is_some() && window(1).is_some() && window(4).is_none());
}

#[test]
fn who_is_not_admitted_gives_nothing_to_its_neighbours() {
    let mut made = made(&["secret", "ok"]);
    made.admitted.set(0, false);
    let scores = ask(&made, "secret");
    assert_eq!((all(&scores, Arm::Lexical), all(&scores, Arm::Window)), (vec![0.0; 2], vec![0.0; 2]));
}

#[test]
fn parts_are_scored_as_if_they_were_one() {
    let turns = ["red apple", "green apple", "red pear", "a plum", "apple apple"];
    let whole = made(&turns);
    let alone = |made: &mut Made| made.links.iter_mut().for_each(|links| *links = (NONE, NONE));
    let (mut whole, mut left, mut right) = (whole, made(&turns[..2]), made(&turns[2..]));
    for made in [&mut whole, &mut left, &mut right] {
        alone(made);
    }
    let question = Lexical::question("a red apple");
    let one = score(&[view(&whole)], &question).remove(0);
    let two = score(&[view(&left), view(&right)], &question);
    for arm in [Arm::Lexical, Arm::Window] {
        assert_eq!(all(&one, arm), [all(&two[0], arm), all(&two[1], arm)].concat());
    }
}

#[test]
fn a_short_text_is_better_than_a_long_one_with_the_same_word() {
    let made = made(&["apple", &format!("apple {}", "and some more words about it ".repeat(9))]);
    let scores = all(&ask(&made, "apple"), Arm::Lexical);
    assert!(scores[0] > scores[1] && scores[1] > 0.0);
}
