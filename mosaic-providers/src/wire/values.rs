//! JSON objects one after the other, cut anywhere: a line each (NDJSON), or as the elements of one array.
//!
//! Nothing is parsed here. Braces are counted outside of strings, so that an object goes to its reader whole and once.

/// Finds the ends of objects in bytes that are cut anywhere.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// The beginning of an object whose end has not come yet.
    held: Vec<u8>,
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// An array was opened and not closed.
    in_array: bool,
}

/// What is no list of objects.
#[derive(Debug)]
pub(super) struct NoObject;

impl Values {
    /// The first whole object in `rest`, handed to `take`; `rest` is moved behind it. `None` when more bytes are needed.
    pub(super) fn next<T>(
        &mut self,
        rest: &mut &[u8],
        take: impl FnOnce(&[u8]) -> T,
    ) -> Result<Option<T>, NoObject> {
        let mut start = 0;
        for (at, byte) in rest.iter().copied().enumerate() {
            if self.depth == 0 {
                match byte {
                    b'{' => {
                        self.depth = 1;
                        start = at;
                    }
                    b'[' if !self.in_array => self.in_array = true,
                    b']' if self.in_array => self.in_array = false,
                    b',' | b' ' | b'\t' | b'\r' | b'\n' => {}
                    _ => return Err(NoObject),
                }
                continue;
            }
            if !self.ends(byte) {
                continue;
            }
            let (object, after) = rest.split_at_checked(at + 1).unwrap_or((rest, &[]));
            let object = object.get(start..).unwrap_or_default();
            *rest = after;
            if self.held.is_empty() {
                return Ok(Some(take(object)));
            }
            self.held.extend_from_slice(object);
            let taken = take(&self.held);
            self.held.clear();
            return Ok(Some(taken));
        }
        if self.depth > 0 {
            self.held.extend_from_slice(rest.get(start..).unwrap_or_default());
        }
        *rest = &[];
        Ok(None)
    }

    /// Whether that byte of an object is its last.
    fn ends(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        self.depth == 0
    }

    /// Whether the bytes stopped inside an object or an array.
    pub(super) fn is_open(&self) -> bool {
        self.depth > 0 || self.in_array
    }

    /// How much is held.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Values;

    fn read(pieces: &[&[u8]]) -> (Vec<String>, bool) {
        let mut values = Values::default();
        let mut all = Vec::new();
        for mut rest in pieces.iter().copied() {
            let take = |object: &[u8]| String::from_utf8(object.to_vec()).unwrap();
            while let Some(object) = values.next(&mut rest, take).unwrap() {
                all.push(object);
            }
        }
        (all, values.is_open())
    }

    #[test]
    fn objects_are_found_however_they_are_cut() {
        let text = br#"[{"a":"}]\"{"},
 {"b":[{"c":1},[]]}
]"#;
        let whole = read(&[text]);
        assert_eq!(whole, (vec![r#"{"a":"}]\"{"}"#.to_owned(), r#"{"b":[{"c":1},[]]}"#.to_owned()], false));
        for at in 0..text.len() {
            let (left, right) = text.split_at(at);
            assert_eq!(read(&[left, right]), whole, "cut at {at}");
        }
        assert_eq!(read(&text.chunks(1).collect::<Vec<_>>()), whole);
    }

    #[test]
    fn lines_are_objects_too_and_an_open_end_shows() {
        assert_eq!(read(&[b"{\"a\":1}\n{\"b\":2}\n"]).0.len(), 2);
        assert_eq!(read(&[b"[{\"a\":1}"]), (vec![r#"{"a":1}"#.to_owned()], true));
        assert!(read(&[b"{\"a\":"]).1);
    }

    #[test]
    fn other_text_is_none() {
        let mut values = Values::default();
        assert!(values.next(&mut &b"<html>"[..], |_| ()).is_err());
    }
}
