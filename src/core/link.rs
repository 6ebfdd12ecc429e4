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

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_next_page_of_a_list_is_found_among_its_neighbours() {
        let github = "<https://api.example.com/items?page=1>; rel=\"prev\", \
                      <https://api.example.com/items?page=3>; rel=\"next\", \
                      <https://api.example.com/items?page=9>; rel=\"last\"";

        assert_eq!(next(github), Some("https://api.example.com/items?page=3"));
        assert_eq!(next("</items?after=7>; rel=next"), Some("/items?after=7"));
        assert_eq!(next("</a>; rel=prev, </b>; rel=last"), None);
        assert_eq!(next(""), None);
    }

    #[test]
    fn the_relation_is_a_list_of_words_in_any_case() {
        for header in [
            "<b>; rel=\"prev next\"",
            "<b>; REL=NEXT",
            "<b> ;\trel = \"\t Next last\"",
            "<b>;rel=next;title=x",
            "<b>; title=\"x\"; rel=next",
            "<b>; rel=\"ne\\xt\"",
            "<b>; rel=\"next",
            "<b>; rel=next prev",
            "<b>;;rel=next",
            "<b>; rel*=prev; rel=next",
        ] {
            assert_eq!(next(header), Some("b"), "{header}");
        }
        for header in [
            "<b>; rel=nextpage",
            "<b>; rel=\"next-page annext nex\"",
            "<b>; rel='next'",
            "<b>; rel",
            "<b>; rel=",
            "<b>; rev=next",
            "<b>; title=next",
            "<b>; title=\"; rel=next\"",
            "<b> rel=next",
            "<b>",
        ] {
            assert_eq!(next(header), None, "{header}");
        }
    }

    #[test]
    fn only_the_first_rel_of_a_link_counts() {
        assert_eq!(next("<a>; rel=prev; rel=next, <b>; rel=next; rel=prev"), Some("b"));
        assert_eq!(next("<a>; rel; rel=next"), None);
    }

    #[test]
    fn a_link_about_another_resource_is_passed_over() {
        assert_eq!(next("<a>; rel=next; anchor=\"/other\", <b>; rel=next"), Some("b"));
        assert_eq!(next("<a>; Anchor=\"#chapter\"; rel=next"), None);
    }

    #[test]
    fn commas_and_semicolons_belong_to_what_they_stand_in() {
        assert_eq!(next("<a,b;rel=next>; rel=prev, <c,d;e>; rel=next"), Some("c,d;e"));
        assert_eq!(next("<a>; title=\"x, <b>; rel=next\"; rel=prev, <c>; rel=next"), Some("c"));
        assert_eq!(next("<a>; title=\"say \\\"<b>; rel=next\\\", then\", <c>; rel=next"), Some("c"));
        assert_eq!(next("<a>; title=\"\\\\\"; rel=next"), Some("a"));
    }

    #[test]
    fn what_is_malformed_costs_no_more_than_its_own_link() {
        assert_eq!(next(", ,, <b>; rel=next"), Some("b"));
        assert_eq!(next("a; rel=next, <b>; rel=next"), Some("b"));
        assert_eq!(next("x=\"<a>; rel=next, \" y, <b>; rel=next"), Some("b"));
        assert_eq!(next("<a>; rel=\"prev\"junk, <b>; rel=next"), Some("b"));
        assert_eq!(next("<a; rel=next"), None);
        assert_eq!(next("<"), None);
        assert_eq!(next("<a>; rel=\"next\\"), Some("a"));
        assert_eq!(next("<>; rel=next"), Some(""));
        assert_eq!(next("<ä/ö>; rel=next"), Some("ä/ö"));
    }

    #[test]
    fn a_megabyte_of_malice_is_read_in_one_pass() {
        // Anything quadratic would be at it for hours.
        for piece in [
            "<",
            ">",
            "\"",
            ",",
            ";",
            "\\",
            " ",
            "<a>",
            "<a>;",
            "<a>,",
            "<a>;rel=\"",
            "=\"",
            "x",
            "\"<",
            "<a>;rel=prev,",
        ] {
            let header = piece.repeat(1_000_000 / piece.len());
            assert_eq!(next(&header), None, "{piece}");
        }
    }

    /// A link as a server would write it, and whether it leads to the next page.
    fn link() -> impl Strategy<Value = (String, String, bool)> {
        let target = "[a-z0-9/?&=,;\" <]{0,12}";
        let before = "(; ?title=\"([a-z ,;<>=]|\\\\\"){0,12}\"|; ?type=[a-z/]{1,8}| ?;){0,3}";
        let rel = prop_oneof![
            Just((String::new(), false)),
            "( ?; ?[rR]el ?= ?(next|NEXT|\"next\"|\"prev  next\"|\"Next last\"|\"n\\\\ext\"))"
                .prop_map(|rel| (rel, true)),
            "( ?; ?rel=(prev|\"first prev\"|nexts|\"next-\"|\"\"))".prop_map(|rel| (rel, false)),
        ];
        let after = "(; ?rel=next|; ?title=\"[a-z ,;<>=]{0,12}\"){0,2}";
        (target, before, rel, after).prop_map(|(target, before, (rel, leads), after)| {
            // Without a rel of its own, the first one that follows counts.
            let leads = leads
                || (rel.is_empty()
                    && after.replace("title=\"", "\"").split('"').step_by(2).any(|bare| bare.contains("rel=next")));
            (format!("<{target}>{before}{rel}{after}"), target, leads)
        })
    }

    proptest! {
        #[test]
        fn the_first_link_that_leads_on_is_the_answer(links in prop::collection::vec(link(), 0..6), comma in " ?, ?(, )?") {
            let header = links.iter().map(|(text, _, _)| text.as_str()).collect::<Vec<_>>().join(&comma);
            let first = links.iter().find(|(_, _, leads)| *leads).map(|(_, target, _)| target.as_str());

            prop_assert_eq!(next(&header), first, "{}", header);
        }

        #[test]
        fn no_header_is_too_strange_to_be_read(header in prop_oneof![any::<String>(), "[<>;,=\"\\\\ a-exrnlt\\*é\t]{0,60}"]) {
            if let Some(target) = next(&header) {
                let inside = format!("<{target}>");
                prop_assert!(header.contains(&inside), "{}", header);
            }
        }
    }
}
