//! The next page in a `Link` header field (RFC 8288), read as its appendix B reads it: forgiving, and each byte once.

/// The target of the first link whose `rel` holds `next`, as it was written: it may be relative.
///
/// `header` is the field's value; several fields may be joined with commas, as `Headers.get` does. Only the first `rel`
/// of a link counts (section 3.3). A link with an `anchor` tells what follows another resource than the one that was
/// asked for (section 3.2), so it is passed over. What is malformed is skipped up to the next comma.
#[must_use]
pub fn next(header: &str) -> Option<&str> {
    let mut reader = Reader { text: header.as_bytes(), at: 0 };
    loop {
        let start = reader.link_start()?;
        let len = reader.text.get(start..)?.iter().position(|&c| c == b'>')?;
        reader.at = start + len + 1;
        if reader.parameters_say_next() {
            return header.get(start..start + len);
        }
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    /// Moves past `wanted` where that is what comes next.
    fn take(&mut self, wanted: u8) -> bool {
        let there = self.peek() == Some(wanted);
        self.at += usize::from(there);
        there
    }

    fn skip_blanks(&mut self) {
        while self.take(b' ') || self.take(b'\t') {}
    }

    /// Where the next link's target starts. A quoted string in what is skipped may hold commas of its own.
    fn link_start(&mut self) -> Option<usize> {
        loop {
            self.skip_blanks();
            if self.take(b'<') {
                return Some(self.at);
            }
            while !self.take(b',') {
                if self.peek()? == b'"' {
                    self.value_holds_next();
                } else {
                    self.at += 1;
                }
            }
        }
    }

    fn parameters_say_next(&mut self) -> bool {
        let mut rel = None;
        let mut anchored = false;
        loop {
            self.skip_blanks();
            if !self.take(b';') {
                return rel == Some(true) && !anchored;
            }
            self.skip_blanks();
            let start = self.at;
            while !matches!(self.peek(), None | Some(b' ' | b'\t' | b'=' | b';' | b',')) {
                self.at += 1;
            }
            let name = &self.text[start..self.at];
            self.skip_blanks();
            let holds_next = self.take(b'=') && {
                self.skip_blanks();
                self.value_holds_next()
            };
            if name.eq_ignore_ascii_case(b"rel") {
                rel = rel.or(Some(holds_next));
            }
            anchored |= name.eq_ignore_ascii_case(b"anchor");
        }
    }

    /// Reads one value, quoted or bare, and tells whether `next` is one of its words. An unclosed quote ends with the
    /// field (appendix B.4).
    fn value_holds_next(&mut self) -> bool {
        const NEXT: &[u8] = b"next";
        /// More letters than `next` has: this word is another one.
        const OTHER: usize = NEXT.len() + 1;
        let quoted = self.take(b'"');
        let mut found = false;
        let mut matched = 0;
        while let Some(mut c) = self.peek() {
            if if quoted { c == b'"' } else { matches!(c, b';' | b',') } {
                break;
            }
            self.at += 1;
            if quoted && c == b'\\' {
                let Some(escaped) = self.peek() else { break };
                self.at += 1;
                c = escaped;
            }
            if c == b' ' || c == b'\t' {
                found |= matched == NEXT.len();
                matched = 0;
            } else if NEXT.get(matched) == Some(&c.to_ascii_lowercase()) {
                matched += 1;
            } else {
                matched = OTHER;
            }
        }
        if quoted {
            self.take(b'"');
        }
        found || matched == NEXT.len()
    }
}
