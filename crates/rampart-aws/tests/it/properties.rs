//! What holds for any input.

use proptest::collection::vec;
use proptest::prelude::*;
use rampart_aws::query::{XmlWriter, parse_form};
use rampart_aws::rest_json::{error_body, parse_body};
use rampart_aws::sigv4::sign::{Credentials, presign, sign_headers};
use rampart_aws::sigv4::{self, RequestParts, SigningKey};
use rampart_aws::{Arn, TimestampMs};

const NOW_S: i64 = 1_440_938_160;
const CREDENTIALS: Credentials<'_> =
    Credentials { access_key_id: "AKID", secret_access_key: "secret", session_token: Some("to+ken/=") };

fn is_good(parts: &RequestParts<'_>) -> bool {
    let Ok(Some(claim)) = sigv4::parse(parts) else { return false };
    let key = SigningKey::derive("secret", claim.scope.date, claim.scope.region, claim.scope.service);
    claim.verify(parts, &key, NOW_S).is_ok()
}

/// Names that the parser looks for, and others.
fn header_name() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("authorization".to_owned()),
        Just("x-amz-date".to_owned()),
        Just("date".to_owned()),
        Just("host".to_owned()),
        Just("x-amz-content-sha256".to_owned()),
        "[ -~]{0,12}",
    ]
}

/// Values near to what the parser wants.
fn header_value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..80),
        Just(b"20150830T123600Z".to_vec()),
        "AWS4-HMAC-SHA256 (Credential=AK(/[^/]{0,9}){0,5}|SignedHeaders=[a-z;-]{0,20}|Signature=[0-9a-f]{0,64}|,| |=){0,9}"
            .prop_map(String::into_bytes),
    ]
}

fn query() -> impl Strategy<Value = String> {
    let parameter = "(X-Amz-(Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token))?\
                     (=|%|%2F|%FF|/|AWS4-HMAC-SHA256|20150830T123600Z|host|\\PC){0,9}";
    prop_oneof![any::<String>(), vec(parameter, 0..9).prop_map(|parameters| parameters.join("&"))]
}

proptest! {
    #[test]
    fn nothing_makes_verification_panic(
        method in any::<String>(),
        path in any::<String>(),
        query in query(),
        headers in vec((header_name(), header_value()), 0..8),
        body in vec(any::<u8>(), 0..64),
        now_s in prop_oneof![Just(NOW_S), any::<i64>()],
    ) {
        let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let parts = RequestParts { method: &method, path: &path, query: &query, headers: &headers, body: &body };
        match sigv4::parse(&parts) {
            Ok(Some(claim)) => {
                let key = SigningKey::derive("secret", claim.scope.date, claim.scope.region, claim.scope.service);
                let refusal = claim.verify(&parts, &key, now_s).expect_err("nobody signed this");
                prop_assert!(!refusal.to_string().is_empty());
            }
            Ok(None) => {}
            Err(refusal) => prop_assert!(!refusal.to_string().is_empty()),
        }
    }

    #[test]
    fn what_we_sign_we_accept(
        method in "[A-Z]{1,8}",
        path in any::<String>(),
        query in "[^\u{0}]{0,40}",
        value in vec(any::<u8>(), 0..40),
        body in vec(any::<u8>(), 0..64),
    ) {
        let headers: &[(&str, &[u8])] = &[("host", b"h"), ("x-custom", &value), ("x-custom", b"2"), ("user-agent", b"a")];
        let parts = RequestParts { method: &method, path: &path, query: &query, headers, body: &body };
        let added = sign_headers(&CREDENTIALS, "us-east-1", "ram", &parts, NOW_S);
        let mut all = headers.to_vec();
        all.extend(added.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        let with_header = RequestParts { headers: &all, ..parts };
        prop_assert!(is_good(&with_header));
        let presigned = presign(&CREDENTIALS, "us-east-1", "ram", &parts, 60, NOW_S);
        let with_query = RequestParts { query: &presigned, ..parts };
        prop_assert!(is_good(&with_query));
    }

    #[test]
    fn a_query_may_be_written_in_many_ways(pairs in vec((vec(any::<u8>(), 1..9), vec(any::<u8>(), 0..9)), 1..6), seed in any::<u64>()) {
        let strict = render(&pairs, |byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        });
        let lower = render(&pairs, |byte| format!("%{byte:02x}"));
        let mut pieces: Vec<&str> = lower.split('&').collect();
        let turn = usize::try_from(seed % 6).unwrap() % pieces.len();
        pieces.rotate_left(turn);
        let other = pieces.join("&");
        let parts = RequestParts { method: "GET", path: "/", query: &strict, headers: &[("host", b"h")], body: b"" };
        let added = sign_headers(&CREDENTIALS, "us-east-1", "ram", &parts, NOW_S);
        let mut all: Vec<(&str, &[u8])> = vec![("host", b"h")];
        all.extend(added.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        let rewritten = RequestParts { query: &other, headers: &all, ..parts };
        prop_assert!(is_good(&rewritten));
    }

    #[test]
    fn arns_print_as_they_were_read(text in "arn:aws(-[a-z]{1,5})?:[a-z0-9-]{1,9}:[a-z0-9-]{0,9}:[0-9a-z]{0,12}:[!-~]{1,40}") {
        let arn = Arn::parse(&text).unwrap();
        prop_assert_eq!(arn.to_string(), text.as_str());
        let fields = format!("arn:{}:{}:{}:{}:{}", arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource());
        prop_assert_eq!(fields, text);
    }

    #[test]
    fn any_text_is_an_arn_or_refused(text in prop_oneof![any::<String>(), "arn:[ -~]{0,60}"]) {
        if let Ok(arn) = Arn::parse(&text) {
            prop_assert_eq!(arn.as_str(), text);
        }
    }

    #[test]
    fn timestamps_are_exact(ms in prop_oneof![any::<i64>(), 0..=4_102_444_800_000_i64]) {
        let text = serde_json::to_string(&TimestampMs(ms)).unwrap();
        let (seconds, fraction) = text.split_once('.').unwrap();
        let digits = seconds.trim_start_matches('-').parse::<u64>().unwrap() * 1_000
            + format!("{fraction:0<3}").parse::<u64>().unwrap();
        prop_assert_eq!(fraction.len().max(3), 3);
        prop_assert_eq!(digits, ms.unsigned_abs());
        prop_assert_eq!(text.starts_with('-'), ms < 0);
        if ms.unsigned_abs() < 1_000_000_000_000_000 {
            prop_assert_eq!(serde_json::from_str::<TimestampMs>(&text).unwrap(), TimestampMs(ms));
        }
    }

    #[test]
    fn forms_come_back(pairs in proptest::collection::btree_map("\\PC{1,9}", "\\PC{0,9}", 0..9)) {
        let bytes: Vec<(Vec<u8>, Vec<u8>)> =
            pairs.iter().map(|(name, value)| (name.clone().into_bytes(), value.clone().into_bytes())).collect();
        let body = render(&bytes, |byte| if byte == b' ' { "+".to_owned() } else { format!("%{byte:02x}") });
        let form = parse_form(body.as_bytes()).unwrap();
        prop_assert_eq!(form.iter().count(), pairs.len());
        for (name, value) in &pairs {
            prop_assert_eq!(form.get(name), Some(value.as_str()));
        }
    }

    #[test]
    fn any_bytes_are_a_body_or_refused(bytes in prop_oneof![vec(any::<u8>(), 0..80), "[{}\\[\\]\",:0-9a\\\\ ]{0,40}".prop_map(String::into_bytes)]) {
        let _ = parse_body::<std::collections::BTreeMap<String, serde_json::Value>>(&bytes);
        let _ = parse_form(&bytes).map(|form| form.members("a").len());
    }

    #[test]
    fn messages_survive_json(message in any::<String>()) {
        let body: serde_json::Value = serde_json::from_str(&error_body(&message)).unwrap();
        prop_assert_eq!(&body, &serde_json::json!({ "message": message }));
    }

    #[test]
    fn xml_holds_only_what_xml_can(text in any::<String>()) {
        let mut xml = XmlWriter::new();
        xml.text_element("a", &text);
        let xml = xml.finish();
        let inside = xml.strip_prefix("<a>").unwrap().strip_suffix("</a>").unwrap();
        let is_plain = |c: char| c >= ' ' && !"<>\"'\u{fffe}\u{ffff}".contains(c);
        prop_assert!(inside.chars().all(is_plain));
    }
}

/// Writes pairs as a query, each byte as `encode` has it.
fn render(pairs: &[(Vec<u8>, Vec<u8>)], encode: impl Fn(u8) -> String) -> String {
    let encode_all = |bytes: &[u8]| bytes.iter().map(|byte| encode(*byte)).collect::<String>();
    let pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encode_all(name), encode_all(value))).collect();
    pairs.join("&")
}
