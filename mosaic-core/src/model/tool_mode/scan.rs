//! Finds the end of a JSON value without parsing it, piece by piece.

/// Follows a JSON object or list to its end.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Scan {
    /// Takes the next byte. True when it closes the value.
    pub(crate) fn closes(&mut self, byte: u8) -> bool {
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
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }

    /// Whether the next byte lies directly in no object and no list.
    pub(crate) fn outside(&self) -> bool {
        self.depth == 0 && !self.in_string
    }
}
