//! Any text is a document, a template, or an error with a place; a document compiles, and printing it and reading it
//! again gives the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rampart_policy::{Document, PolicySet, Template, same_grants};

fuzz_target!(|text: &str| {
    let _ = Template::parse(text);
    match Document::parse(text) {
        Ok(document) => {
            let again = Document::parse(&document.to_json()).expect("what is printed can be read");
            assert_eq!(again, document);
            assert!(same_grants(&again, &document));
            PolicySet::compile([&document]).expect("what is read compiles");
        }
        Err(error) => assert!(error.place.line >= 1 && error.place.column >= 1),
    }
});
