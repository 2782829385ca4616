//! Bodies of restJson1 requests.

use rampart_aws::AccountId;
use rampart_aws::rest_json::{BodyError, parse_body};
use serde::Deserialize;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Input {
    name: Option<String>,
    max_results: Option<i32>,
    total: Option<i64>,
    allow: Option<bool>,
    ratio: Option<f64>,
    tags: Option<Vec<Tag>>,
    account: Option<AccountId>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Tag {
    key: String,
}

fn parse(body: &str) -> Result<Input, BodyError> {
    parse_body(body.as_bytes())
}

#[test]
fn members_are_optional_and_unknown_ones_ignored() {
    let input = parse(
        r#"{"name":"a\u00e9","maxResults":5,"total":null,"new":[{"x":1}],"tags":[{"key":"k","other":1}]}"#,
    );
    let expected = Input {
        name: Some("aé".to_owned()),
        max_results: Some(5),
        tags: Some(vec![Tag { key: "k".to_owned() }]),
        ..Input::default()
    };
    assert_eq!(input, Ok(expected));
}

#[test]
fn nothing_is_an_empty_object() {
    for body in ["", "{}", " {\r\n} \t"] {
        assert_eq!(parse(body), Ok(Input::default()), "{body:?}");
    }
}

#[test]
fn null_is_an_absent_member() {
    let body = r#"{"name":null,"maxResults":null,"total":null,"allow":null,"ratio":null,"tags":null,"account":null}"#;
    assert_eq!(parse(body), Ok(Input::default()));
}

#[test]
fn wrong_types_in_the_words_of_aws() {
    let cases = [
        (r#"{"maxResults":"5"}"#, "STRING_VALUE can not be converted to an Integer"),
        (r#"{"maxResults":1.5}"#, "DECIMAL_VALUE can not be converted to an Integer"),
        (r#"{"maxResults":true}"#, "TRUE_VALUE can not be converted to an Integer"),
        (r#"{"total":"5"}"#, "STRING_VALUE can not be converted to a Long"),
        (r#"{"ratio":false}"#, "FALSE_VALUE can not be converted to a Double"),
        (r#"{"name":5}"#, "NUMBER_VALUE can not be converted to a String"),
        (r#"{"name":{}}"#, "Start of structure or map found where not expected."),
        (r#"{"name":[]}"#, "Start of list found where not expected."),
        (r#"{"allow":"true, expected"}"#, "STRING_VALUE can not be converted to a Boolean"),
        (r#"{"tags":"a"}"#, "Expected list or null"),
        (r#"{"tags":{}}"#, "Start of structure or map found where not expected."),
        (r#"{"tags":["a"]}"#, "Expected structure or null"),
        (r#"{"tags":[{"key":null}]}"#, "NULL_VALUE can not be converted to a String"),
        (r#"{"account":"12"}"#, "an account id is twelve digits"),
        (r#"{"maxResults":99999999999}"#, "invalid value: integer `99999999999`, expected i32"),
    ];
    for (body, message) in cases {
        assert_eq!(parse(body), Err(BodyError::WrongType { message: message.to_owned() }), "{body}");
    }
}

#[test]
fn missing_and_doubled_members() {
    assert_eq!(parse(r#"{"tags":[{}]}"#), Err(BodyError::MissingMember("key".to_owned())));
    assert_eq!(parse(r#"{"name":"a","name":"b"}"#), Err(BodyError::DuplicateMember("name".to_owned())));
}

#[test]
fn what_is_not_an_object() {
    for body in ["[]", "\"a\"", "1", "null", "true", " [1] "] {
        assert_eq!(parse(body), Err(BodyError::NotAnObject), "{body:?}");
    }
}

#[test]
fn what_is_not_json() {
    let cases = [
        ("hello", 1, 1),
        (" ", 1, 1),
        ("{", 1, 1),
        ("{\n\"name\":}", 2, 8),
        ("{}x", 1, 3),
        ("{'name':1}", 1, 2),
        ("{\"name\":\"\\ud800\"}", 1, 16),
        ("\u{feff}{}", 1, 1),
        ("a=1&b=2", 1, 1),
    ];
    for (body, line, column) in cases {
        assert_eq!(parse(body), Err(BodyError::NotJson { line, column }), "{body:?}");
    }
    assert_eq!(parse_body::<Input>(b"{\"name\":\"\xff\"}"), Err(BodyError::NotUtf8));
}
