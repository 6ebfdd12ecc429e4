//! Whatever a `Link` header says, what comes out was a target in it, and other links around it change nothing.
#![no_main]

use evenkeel::core::link;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &str| {
    let target = link::next(header);

    if let Some(target) = target {
        // A slice of the header, between its angle brackets.
        let start = target.as_ptr() as usize - header.as_ptr() as usize;
        let end = start + target.len();
        assert_eq!(header.get(start..end), Some(target));
        assert_eq!(header.as_bytes()[start - 1], b'<');
        assert_eq!(header.as_bytes()[end], b'>');
        assert!(!target.contains('>'));
        assert!(header.to_ascii_lowercase().contains("rel"));

        // What follows the first is not asked, unless an unclosed quote makes it part of the first.
        let longer = format!("{header}, <later>; rel=next");
        let followed = link::next(&longer);
        assert!(followed == Some(target) || (followed.is_none() && header.contains('"')));
    }

    // A link to elsewhere in front is passed over.
    let preceded = format!("<earlier>; rel=prev; title=\"a, <b>; rel=next\", {header}");
    assert_eq!(link::next(&preceded), target);
    // A link that leads on in front is the answer.
    let answered = format!("<earlier>; rel=\"first next\", {header}");
    assert_eq!(link::next(&answered), Some("earlier"));
});
