//! Arithmetic, by recursive descent.

/// The value of an expression of numbers, `+ - * / %`, powers (`^`) and brackets.
///
/// The model sees the error, so it says what is wrong in words that help to write it better.
pub(crate) fn value(expression: &str) -> Result<f64, String> {
    // What models like to write for the operators.
    let plain = expression.replace(['×', '·'], "*").replace('÷', "/").replace("**", "^").replace('−', "-");
    let mut rest =
        Reader { text: plain.chars().filter(|c| !c.is_whitespace() && *c != '_').collect(), at: 0 };
    let value = rest.sum()?;
    match rest.peek() {
        None if value.is_finite() => Ok(value),
        None => Err(format!("`{expression}` has no finite value")),
        Some(c) => Err(format!(
            "`{c}` was not expected in `{expression}`; write only numbers, + - * / ^ and brackets"
        )),
    }
}

struct Reader {
    text: Vec<char>,
    at: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn sum(&mut self) -> Result<f64, String> {
        let mut value = self.product()?;
        loop {
            if self.take('+') {
                value += self.product()?;
            } else if self.take('-') {
                value -= self.product()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn product(&mut self) -> Result<f64, String> {
        let mut value = self.signed()?;
        loop {
            if self.take('*') {
                value *= self.signed()?;
            } else if self.take('/') {
                value /= self.signed()?;
            } else if self.take('%') {
                value %= self.signed()?;
            } else {
                return Ok(value);
            }
        }
    }

    fn signed(&mut self) -> Result<f64, String> {
        // A loop, not recursion: a thousand signs from a model must not use up the stack.
        let mut negative = false;
        loop {
            if self.take('-') {
                negative = !negative;
            } else if !self.take('+') {
                break;
            }
        }
        let value = self.power()?;
        Ok(if negative { -value } else { value })
    }

    fn power(&mut self) -> Result<f64, String> {
        let base = self.atom()?;
        if self.take('^') { Ok(base.powf(self.signed()?)) } else { Ok(base) }
    }

    fn atom(&mut self) -> Result<f64, String> {
        if self.take('(') {
            let value = self.sum()?;
            return if self.take(')') { Ok(value) } else { Err("a bracket is not closed".to_owned()) };
        }
        let digits: String =
            self.text.iter().skip(self.at).take_while(|c| c.is_ascii_digit() || **c == '.').collect();
        self.at += digits.len();
        digits.parse().map_err(|_| match self.peek() {
            Some(c) => {
                format!("a number was expected, not `{c}`; write only numbers, + - * / ^ and brackets")
            }
            None => "the expression ends where a number was expected".to_owned(),
        })
    }
}
