//! Any text is a document or an error with a place in it; a document compiles and decides, and printing it and reading
//! it again gives the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rampart_policy::{Context, Document, Form, PolicySet, Principal, Request, same_grants};

fuzz_target!(|text: &str| {
    for form in [Form::Identity, Form::Resource] {
        let _ = Document::parse_as(text, form);
    }
    match Document::parse(text) {
        Ok(document) => {
            let again = Document::parse(&document.to_json()).expect("what is printed can be read");
            assert_eq!(again, document);
            assert!(same_grants(&again, &document));
            decide(&document);
        }
        Err(error) => {
            let lines = text.matches('\n').count() + 1;
            assert!((1..=lines).contains(&error.place.line), "{error:?}");
            assert!((1..=text.len() + 1).contains(&error.place.column), "{error:?}");
        }
    }
});

/// A document decides the same as the one that it prints as.
fn decide(document: &Document) {
    let again = Document::parse(&document.to_json()).expect("what is printed can be read");
    let sets =
        [document, &again].map(|document| PolicySet::compile([document]).expect("what is read compiles"));
    let context = Context::new()
        .with("aws:PrincipalArn", "arn:aws:iam::123456789012:user/ana")
        .with("aws:CurrentTime", "2026-11-22T12:00:00Z")
        .with("aws:SourceIp", "192.0.2.1")
        .with("aws:PrincipalOrgID", "o-1234567890")
        .with("s3:max-keys", "17");
    let request = Request {
        principal: Principal::from_arn("arn:aws:iam::123456789012:user/ana").expect("an ARN of a user"),
        action: "s3:GetObject",
        resource: "arn:aws:s3:::bucket/a/b",
        context: &context,
    };
    let [first, second] = sets.map(|set| format!("{:?}", set.decide(&request)));
    assert_eq!(first, second);
}
