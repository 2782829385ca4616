//! Every case file: verified as sent, and signed again by our own signer to the same text.

use rampart_aws::sigv4::sign::{self, Credentials};
use rampart_aws::sigv4::{Form, RequestParts};

use crate::case::{self, Case, Refusal};

#[test]
fn published_suite() {
    let cases = case::suite();
    assert!(cases.len() >= 34, "cases are missing: {}", cases.len());
    cases.iter().for_each(check);
}

#[test]
fn signed_by_botocore() {
    let cases = case::botocore();
    assert!(cases.len() >= 28, "cases are missing: {}", cases.len());
    cases.iter().for_each(check);
}

fn check(case: &Case) {
    check_claim(case);
    let verdict = case.serve(&case.request, case.now_s);
    if let Some(sentence) = &case.refused {
        let Err(Refusal::Signature(error)) = verdict else { panic!("{}: {verdict:?}", case.name) };
        assert_eq!(error.to_string(), *sentence, "{}", case.name);
        return;
    }
    assert_eq!(verdict, Ok(()), "{}", case.name);
    if !case.verify_only {
        check_signing(case);
    }
}

fn check_claim(case: &Case) {
    case.read_claim(|claim| {
        let form = if case.is_presigned() { Form::Query } else { Form::Header };
        assert_eq!(claim.form, form, "{}", case.name);
        assert_eq!(claim.access_key_id, case.access_key_id, "{}", case.name);
        assert_eq!(claim.scope.region, case.region, "{}", case.name);
        assert_eq!(claim.scope.service, case.service, "{}", case.name);
        assert_eq!(claim.signed_at_s, case.now_s, "{}", case.name);
        assert_eq!(claim.expires_s, case.expires_s, "{}", case.name);
        assert_eq!(claim.session_token.as_deref(), case.session_token.as_deref(), "{}", case.name);
        let shown = format!("{claim:?}");
        assert!(!shown.contains(claim.signature), "{}", case.name);
        assert!(case.session_token.as_ref().is_none_or(|token| !shown.contains(token)), "{}", case.name);
    });
}

/// Takes the signature off, signs again and compares.
fn check_signing(case: &Case) {
    let credentials = Credentials {
        access_key_id: &case.access_key_id,
        secret_access_key: &case.secret_access_key,
        session_token: case.session_token.as_deref(),
    };
    let signed_names = case.read_claim(|claim| claim.signed_headers.clone().into_owned());
    let mut bare = case.request.clone();
    bare.headers.retain(|(name, _)| signed_names.split(';').any(|signed| signed == name));
    let own: Vec<&str> = bare.query.split('&').filter(|pair| !pair.starts_with("X-Amz-")).collect();
    bare.query = own.join("&");
    bare.with_parts(|parts: &RequestParts<'_>| {
        if case.is_presigned() {
            let expires_s = case.expires_s.unwrap();
            let query =
                sign::presign(&credentials, &case.region, &case.service, parts, expires_s, case.now_s);
            assert_eq!(query, case.request.query, "{}", case.name);
        } else {
            for (name, value) in
                sign::sign_headers(&credentials, &case.region, &case.service, parts, case.now_s)
            {
                assert_eq!(Some(value.as_str()), case.request.header(&name), "{}: {name}", case.name);
            }
        }
    });
}
