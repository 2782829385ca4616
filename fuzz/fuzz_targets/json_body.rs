//! Bodies of restJson1 and awsJson1.1: one is read exactly if it is a JSON object within bounds, and an error says a
//! place that is in it.

#![no_main]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use rampart_aws::rest_json::{BODY_DEPTH_MAX, BodyError, parse_body};
use rampart_core::{Arn, TimestampMs};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Members of all kinds that requests have.
#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
struct Input {
    name: Option<String>,
    resource_arns: Option<Vec<String>>,
    allow_external_principals: Option<bool>,
    permission_version: Option<i64>,
    max_results: Option<i32>,
    tags: Option<Vec<Tag>>,
    values: Option<BTreeMap<String, Vec<String>>>,
    arn: Option<Arn>,
    from: Option<TimestampMs>,
}

#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
struct Tag {
    key: String,
    value: Option<String>,
}

fuzz_target!(|body: &[u8]| {
    let members = parse_body::<BTreeMap<String, Box<RawValue>>>(body);
    let plain = serde_json::from_slice::<BTreeMap<String, Box<RawValue>>>(body);
    match &members {
        Ok(members) => {
            assert!(body.is_empty() || plain.is_ok());
            assert!(!members.keys().any(|name| name.contains('\0')));
            assert!(members.values().all(|value| depth(value.get()) < BODY_DEPTH_MAX));
        }
        Err(BodyError::NotJson { line, column }) => {
            assert!(plain.is_err());
            let text = str::from_utf8(body).expect("text that is not JSON is text");
            let count = text.matches('\n').count() + 1;
            assert!((1..=count).contains(line), "line {line} of {count}");
            assert!((1..=body.len() + 1).contains(column), "column {column}");
        }
        Err(BodyError::TooDeep | BodyError::NulCharacter) => {}
        Err(_) => assert!(plain.is_err()),
    }
    if let Ok(input) = parse_body::<Input>(body) {
        assert!(members.is_ok() || has_repeated_unknown(&members));
        let texts = [&input.name].into_iter().flatten().chain(input.resource_arns.iter().flatten());
        assert!(
            texts.chain(input.tags.iter().flatten().map(|tag| &tag.key)).all(|text| !text.contains('\0'))
        );
        let printed = serde_json::to_vec(&input).expect("an input prints");
        assert_eq!(parse_body::<Input>(&printed).as_ref(), Ok(&input));
    }
});

/// Maps take the last of repeated members, and so never refuse what a struct takes.
fn has_repeated_unknown(members: &Result<BTreeMap<String, Box<RawValue>>, BodyError>) -> bool {
    matches!(members, Err(BodyError::DuplicateMember(_)))
}

/// How deep brackets stand in a JSON text.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_string => depth -= 1,
            _ => {}
        }
    }
    deepest
}
