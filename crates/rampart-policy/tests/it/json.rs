//! The reader takes what serde_json takes, but for keys that are there twice and depth.
//!
//! The reader is private: a text is seen through `Document::parse`, which refuses it for its JSON or for something else.

use proptest::prelude::*;
use rampart_policy::document::Fault;
use rampart_policy::{Document, JsonFault};
use serde_json::Value;

/// Texts that are JSON, or nearly.
fn near_json() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(":"),
        Just("\""),
        Just("\\"),
        Just("\\u00e4"),
        Just("\\uD83D\\uDE00"),
        Just("\\uD83D"),
        Just("\\n"),
        Just("\\x"),
        Just("true"),
        Just("null"),
        Just("fals"),
        Just("-"),
        Just("0"),
        Just("01"),
        Just("1.5"),
        Just("1."),
        Just("2E-1"),
        Just("e"),
        Just("\"a\""),
        Just("\"b\""),
        Just(" "),
        Just("\n"),
        Just("\u{1}"),
        Just("ä"),
        Just("\"k\":1"),
        Just("[1,2]"),
        Just("{\"k\":[]}"),
    ];
    proptest::collection::vec(token, 0..8).prop_map(|tokens| tokens.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_reader_agrees_with_serde_json(text in near_json()) {
        let is_json = serde_json::from_str::<Value>(&text).is_ok();
        match Document::parse(&text) {
            Err(error) => match error.fault {
                Fault::Json(JsonFault::DuplicateKey(_)) => {}
                // serde_json refuses numbers too large for an f64; none can be put together from these.
                Fault::Json(fault) => prop_assert!(!is_json, "{fault}"),
                _ => prop_assert!(is_json),
            },
            Ok(_) => prop_assert!(is_json),
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,60}") {
        let _ = Document::parse(&text);
        let _ = rampart_policy::Template::parse(&text);
    }

    #[test]
    fn no_change_of_a_document_makes_the_parser_panic(at in 0_usize..400, with in ".{0,3}", drop in 0_usize..4) {
        let text = include_str!("../data/evaluate/principals.json");
        let mut chars: Vec<char> = text.chars().collect();
        let end = (at + drop).min(chars.len());
        chars.splice(at..end, with.chars());
        let text: String = chars.into_iter().collect();
        if let Err(error) = Document::parse(&text) {
            prop_assert!(error.place.line >= 1 && error.place.column >= 1);
        }
    }
}
