use super::{SseError, SseParser};

type Seen = (String, String, String);

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every event of the pieces, and what `finish` leaves.
fn read(pieces: &[&[u8]]) -> (Vec<Seen>, Option<String>, Option<u64>) {
    let mut parser = SseParser::new();
    let mut seen = Vec::new();
    for piece in pieces {
        let mut feed = parser.feed(piece);
        while let Some(event) = feed.next().unwrap() {
            seen.push((text(event.name), text(event.data), text(event.id)));
        }
    }
    let retry = parser.retry();
    let rest = parser.finish().unwrap().map(|event| text(event.data));
    (seen, rest, retry)
}

fn data(stream: &str) -> Vec<String> {
    read(&[stream.as_bytes()]).0.into_iter().map(|(_, data, _)| data).collect()
}

#[test]
fn a_line_may_end_in_lf_cr_or_crlf() {
    for stream in ["data: a\n\ndata: b\n\n", "data: a\r\rdata: b\r\r", "data: a\r\n\r\ndata: b\r\n\r\n"] {
        assert_eq!(data(stream), ["a", "b"], "{stream:?}");
    }
}

#[test]
fn every_cut_gives_the_same_events() {
    let stream =
        "\u{feff}: hi\r\nevent: x\r\nid: 7\r\ndata: {\"a\":\r\ndata:1}\r\n\r\nretry: 30\rdata\r\rdata: é\n\n";
    let whole = read(&[stream.as_bytes()]);
    assert_eq!(whole.0.len(), 3);
    assert_eq!(whole.0[0], ("x".into(), "{\"a\":\n1}".into(), "7".into()));
    assert_eq!(whole.0[1], (String::new(), String::new(), "7".into()));
    assert_eq!(whole.2, Some(30));
    for cut in 0..=stream.len() {
        let (left, right) = stream.as_bytes().split_at(cut);
        assert_eq!(read(&[left, right]), whole, "cut at {cut}");
    }
    let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
    assert_eq!(read(&bytes), whole);
}

#[test]
fn only_one_space_after_the_colon_is_eaten() {
    assert_eq!(data("data:  two\n\ndata:none\n\n"), [" two", "none"]);
}

#[test]
fn comments_and_unknown_fields_are_ignored() {
    assert_eq!(data(": OPENROUTER PROCESSING\n\nfoo: bar\nbaz\ndata: a\n\n"), ["a"]);
}

#[test]
fn an_event_without_data_is_not_dispatched_and_forgets_its_name() {
    let (seen, _, _) = read(&[b"event: ping\n\ndata: a\n\n"]);
    assert_eq!(seen, [(String::new(), "a".to_owned(), String::new())]);
}

#[test]
fn an_id_with_a_nul_and_a_retry_with_letters_are_ignored() {
    let (seen, _, retry) = read(&[b"id: 1\nretry: 5\ndata: a\n\nid: 2\0\nretry: 5s\ndata: b\n\n"]);
    assert_eq!(seen[1].2, "1");
    assert_eq!(retry, Some(5));
}

#[test]
fn a_bom_counts_only_at_the_start() {
    assert_eq!(data("\u{feff}data: a\n\n\u{feff}data: b\n\n"), ["a"]);
}

#[test]
fn what_has_no_empty_line_comes_out_of_finish_only() {
    assert_eq!(read(&[b"data: a\n\ndata: b\n"]).1.as_deref(), Some("b"));
    assert_eq!(read(&[b"data: a\n\ndata: b"]).1.as_deref(), Some("b"));
    assert_eq!(read(&[b"data: a\n\n"]).1, None);
}

#[test]
fn one_data_line_inside_the_bytes_is_not_copied() {
    let stream = b"event: x\ndata: abc\n\n";
    let mut parser = SseParser::new();
    let mut feed = parser.feed(stream);
    let event = feed.next().unwrap().unwrap();
    assert!(stream.as_ptr_range().contains(&event.data.as_ptr()));
}

#[test]
fn a_line_that_is_too_long_is_refused_wherever_it_is_cut() {
    let stream = b"data: 0123456789\n\n";
    for cut in 0..stream.len() {
        let mut parser = SseParser::with_limit(8);
        let (left, right) = stream.split_at(cut);
        let refused = [left, right].iter().any(|piece| {
            let mut feed = parser.feed(piece);
            loop {
                match feed.next() {
                    Ok(Some(_)) => {}
                    Ok(None) => break false,
                    Err(error) => break error == SseError::TooLong { limit: 8 },
                }
            }
        });
        assert!(refused, "cut at {cut}");
    }
}

#[test]
fn many_short_data_lines_are_limited_together() {
    let next = |stream: &[u8]| {
        SseParser::with_limit(12).feed(stream).next().map(|event| event.map(|event| event.data.len()))
    };
    assert_eq!(next(b"data: 12\ndata: 345\ndata: 6789\n\n"), Ok(Some(11)));
    // The LF that joins them counts too.
    assert_eq!(next(b"data: 12\ndata: 3456\ndata: 67890\n\n"), Err(SseError::TooLong { limit: 12 }));
}
