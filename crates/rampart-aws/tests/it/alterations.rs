//! Whatever is changed in a signed request, it is refused.

use crate::case::{self, Case, OTHER_KEY_ID, Refusal, Request};

#[test]
fn every_alteration_is_refused() {
    let mut count = 0;
    for case in case::good() {
        for (what, altered) in alterations(&case) {
            let verdict = case.serve(&altered, case.now_s);
            assert!(verdict.is_err(), "{}: {what} went through", case.name);
            assert_ne!(verdict, Err(Refusal::Unsigned), "{}: {what} took the claim away", case.name);
            count += 1;
        }
    }
    assert!(count > 2_000, "only {count} alterations");
}

#[test]
fn what_is_not_signed_may_change() {
    for case in case::good() {
        let mut request = case.request.clone();
        request.headers.push(("user-agent".to_owned(), "any".to_owned()));
        request.headers.push(("x-amzn-trace-id".to_owned(), "Root=1".to_owned()));
        request.headers.retain(|(name, _)| !name.starts_with("amz-sdk-") && name != "content-length");
        request.headers.reverse();
        if case.name.starts_with("get-header-") {
            continue; // their point is the order of values
        }
        assert_eq!(case.serve(&request, case.now_s), Ok(()), "{}", case.name);
    }
}

type Alteration = (String, Request);

fn alterations(case: &Case) -> Vec<Alteration> {
    let mut all = Vec::new();
    all.extend(of_target(case));
    all.extend(of_parameters(case));
    all.extend(of_headers(case));
    all.extend(of_body(case));
    all.extend(of_signature(case));
    all.extend(of_claim(case));
    all.extend(of_forms(case));
    all
}

fn altered(case: &Case, what: impl Into<String>, change: impl FnOnce(&mut Request)) -> Alteration {
    let mut request = case.request.clone();
    change(&mut request);
    (what.into(), request)
}

fn of_target(case: &Case) -> Vec<Alteration> {
    vec![
        altered(case, "another method", |request| request.method = "PUT".into()),
        altered(case, "a method in lower case", |request| request.method.make_ascii_lowercase()),
        altered(case, "a longer path", |request| request.path.push('x')),
        altered(case, "another path", |request| request.path = "/other".into()),
        altered(case, "one more parameter", |request| append(&mut request.query, "extra=1")),
    ]
}

fn append(query: &mut String, parameter: &str) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(parameter);
}

fn of_parameters(case: &Case) -> Vec<Alteration> {
    let pairs: Vec<&str> = case.request.query.split('&').collect();
    if case.request.query.is_empty() {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (index, pair) in pairs.iter().enumerate() {
        let replaced = |with: Vec<&str>| {
            let mut query = pairs.clone();
            query.splice(index..=index, with);
            query.join("&")
        };
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let other_value = format!("{name}={value}x");
        let other_name = format!("{name}x={value}");
        let other_first = format!("{name}=x{value}");
        let changes = [
            ("value", vec![other_value.as_str()]),
            ("front of the value", vec![other_first.as_str()]),
            ("name", vec![other_name.as_str()]),
            ("presence", vec![]),
            ("count", vec![pair, pair]),
        ];
        for (what, with) in changes {
            let query = replaced(with);
            all.push(altered(case, format!("{what} of parameter {name}"), |request| request.query = query));
        }
    }
    all
}

fn of_headers(case: &Case) -> Vec<Alteration> {
    let signed = case.read_claim(|claim| claim.signed_headers.clone().into_owned());
    let mut all = Vec::new();
    for (index, (name, value)) in case.request.headers.iter().enumerate() {
        if !signed.split(';').any(|header| header == name) && name != "authorization" {
            continue;
        }
        let what = |change: &str| format!("{change} of header {name}");
        all.push(altered(case, what("end"), |request| request.headers[index].1.push('x')));
        all.push(altered(case, what("front"), |request| request.headers[index].1.insert(0, 'x')));
        all.push(altered(case, what("count"), |request| {
            request.headers.push((name.clone(), value.clone()));
        }));
        if name != "authorization" {
            all.push(altered(case, what("presence"), |request| {
                request.headers.remove(index);
            }));
        }
    }
    all.push(altered(case, "an x-amz- header more", |request| {
        request.headers.push(("x-amz-target".to_owned(), "Service.Other".to_owned()));
    }));
    all
}

fn of_body(case: &Case) -> Vec<Alteration> {
    let mut all = vec![altered(case, "a longer body", |request| request.body.push(' '))];
    for (index, _) in case.request.body.char_indices() {
        all.push(altered(case, format!("byte {index} of the body"), |request| {
            request.body.remove(index);
        }));
    }
    if case.request.body.is_ascii() {
        for index in 0..case.request.body.len() {
            all.push(altered(case, format!("bit of byte {index} of the body"), |request| {
                let other = char::from(request.body.as_bytes()[index] ^ 1);
                request.body.replace_range(index..=index, &other.to_string());
            }));
        }
    }
    all
}

fn of_signature(case: &Case) -> Vec<Alteration> {
    let signature = case.read_claim(|claim| claim.signature.to_owned());
    let mut all = Vec::new();
    for index in 0..signature.len() {
        let mut other = signature.clone();
        let digit = if &signature[index..=index] == "0" { "1" } else { "0" };
        other.replace_range(index..=index, digit);
        all.push(replaced(case, &signature, &other));
    }
    all.push(replaced(case, &signature, &signature.to_ascii_uppercase()));
    all.push(replaced(case, &signature, &signature[..63]));
    all.push(replaced(case, &signature, &format!("{signature}0")));
    all.push(replaced(case, &signature, &"0".repeat(64)));
    all
}

/// Replaces a text in the `Authorization` header, or in the query of a presigned URL.
fn replaced(case: &Case, from: &str, to: &str) -> Alteration {
    altered(case, format!("{from} for {to}"), |request| {
        let before = request.clone();
        if case.is_presigned() {
            request.query = request.query.replacen(from, to, 1);
        } else {
            let claim = request.headers.iter_mut().find(|(name, _)| name == "authorization").unwrap();
            claim.1 = claim.1.replacen(from, to, 1);
        }
        let is_same = before.query == request.query && before.headers == request.headers;
        assert!(!is_same, "{}: nothing to replace: {from}", case.name);
    })
}

fn of_claim(case: &Case) -> Vec<Alteration> {
    let (slash, semicolon) = if case.is_presigned() { ("%2F", "%3B") } else { ("/", ";") };
    let (date, headers) =
        case.read_claim(|claim| (claim.scope.date.to_owned(), claim.signed_headers.to_string()));
    let names = headers.replace(';', semicolon);
    let element = |text: &str| format!("{slash}{text}{slash}");
    let mut all = vec![
        replaced(case, &element(&date), &element("20000101")),
        replaced(case, &element(&case.region), &element("us-west-7")),
        replaced(case, &element(&case.service), &element("other")),
        replaced(case, "aws4_request", "aws4_other"),
        replaced(case, &case.access_key_id, OTHER_KEY_ID),
        replaced(case, &case.access_key_id, "AKIAUNKNOWN"),
        replaced(case, "AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        replaced(case, &format!("SignedHeaders={names}"), &format!("SignedHeaders={names}{semicolon}zz")),
        replaced(case, &format!("SignedHeaders={names}"), &format!("SignedHeaders={}", names.to_uppercase())),
    ];
    let list: Vec<&str> = headers.split(';').collect();
    for index in 0..list.len() {
        let mut fewer = list.clone();
        fewer.remove(index);
        let fewer = format!("SignedHeaders={}", fewer.join(semicolon));
        all.push(replaced(case, &format!("SignedHeaders={names}"), &fewer));
    }
    if list.len() > 1 {
        let reversed: Vec<&str> = list.iter().rev().copied().collect();
        let reversed = format!("SignedHeaders={}", reversed.join(semicolon));
        all.push(replaced(case, &format!("SignedHeaders={names}"), &reversed));
    }
    all
}

fn of_forms(case: &Case) -> Vec<Alteration> {
    let mut all = vec![altered(case, "a second signature in the query", |request| {
        append(&mut request.query, "X-Amz-Signature=00");
    })];
    all.push(altered(case, "a second signature in the header", |request| {
        let claim =
            "AWS4-HMAC-SHA256 Credential=a/20260101/b/c/aws4_request, SignedHeaders=host, Signature=00";
        request.headers.push(("authorization".to_owned(), claim.to_owned()));
    }));
    if let Some(expires_s) = case.expires_s {
        for other in ["0", "-1", "604801", "", "1e3", "99999999999", "2"] {
            let (from, to) = (format!("X-Amz-Expires={expires_s}"), format!("X-Amz-Expires={other}"));
            all.push(replaced(case, &format!("{from}&"), &format!("{to}&")));
        }
    }
    all
}
