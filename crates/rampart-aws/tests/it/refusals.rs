//! Claims that are refused before any key is looked up, and the words for it.

use rampart_aws::sigv4::{self, ErrorKind, RequestParts, SignatureError};

const CREDENTIAL: &str = "Credential=AKID/20150830/us-east-1/ram/aws4_request";
const AT_S: i64 = 1_440_938_160;

type Headers<'a> = &'a [(&'a str, &'a [u8])];

fn parse(query: &str, headers: Headers<'_>) -> Result<bool, SignatureError> {
    let parts = RequestParts { method: "GET", path: "/", query, headers, body: b"" };
    sigv4::parse(&parts).map(|claim| claim.is_some())
}

fn check_form(query: &str, headers: Headers<'_>, body: &[u8]) -> Result<(), SignatureError> {
    let parts = RequestParts { method: "GET", path: "/", query, headers, body };
    sigv4::parse(&parts)?.unwrap().check_form(&parts, AT_S)
}

fn parse_authorization(authorization: &str) -> Result<bool, SignatureError> {
    parse(
        "",
        &[("host", b"h"), ("x-amz-date", b"20150830T123600Z"), ("authorization", authorization.as_bytes())],
    )
}

fn sentence<T: std::fmt::Debug>(result: Result<T, SignatureError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn nothing_claimed() {
    assert_eq!(parse("", &[]), Ok(false));
    assert_eq!(parse("X-Amz-Date=20150830T123600Z&X-Amz-Expires=1", &[("x-amz-date", b"x")]), Ok(false));
    assert_eq!(parse("x-amz-signature=1&a", &[]), Ok(false));
}

#[test]
fn good_ways_to_write_the_header() {
    let good = [
        format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host, Signature=00"),
        format!("AWS4-HMAC-SHA256 {CREDENTIAL},SignedHeaders=host,Signature=00"),
        format!("AWS4-HMAC-SHA256   Signature=00 ,  SignedHeaders=host;x-amz-date ,{CREDENTIAL}"),
        format!("  AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host, Signature=00 "),
    ];
    for authorization in good {
        assert_eq!(parse_authorization(&authorization), Ok(true), "{authorization}");
    }
}

#[test]
fn missing_parts_of_the_header() {
    assert_eq!(
        sentence(parse("", &[("authorization", b"AWS4-HMAC-SHA256")])),
        "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. \
         Authorization header requires 'SignedHeaders' parameter. \
         Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
    );
    let empty = format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=, Signature=00");
    assert_eq!(
        sentence(parse_authorization(&empty)),
        "Authorization header requires 'SignedHeaders' parameter."
    );
}

#[test]
fn missing_parts_of_the_query() {
    assert_eq!(
        sentence(parse("X-Amz-Signature=00&X-Amz-Algorithm=&X-Amz-Credential=a", &[])),
        "AWS query-string parameters must include 'X-Amz-Algorithm'. \
         AWS query-string parameters must include 'X-Amz-SignedHeaders'. \
         AWS query-string parameters must include 'X-Amz-Date'."
    );
}

#[test]
fn malformed_headers() {
    let cases = [
        ("Bearer abc".to_owned(), SignatureError::UnsupportedAlgorithm),
        ("AWS AKID:signature".to_owned(), SignatureError::UnsupportedAlgorithm),
        (String::new(), SignatureError::UnsupportedAlgorithm),
        (format!("AWS4-HMAC-SHA256 {CREDENTIAL}, nonsense"), SignatureError::MalformedAuthorization),
        (format!("AWS4-HMAC-SHA256 {CREDENTIAL}, Region=a"), SignatureError::MalformedAuthorization),
        (
            format!("AWS4-HMAC-SHA256 {CREDENTIAL}, {CREDENTIAL}, SignedHeaders=host, Signature=00"),
            SignatureError::DuplicateElement("Credential"),
        ),
        (
            format!("AWS4-HMAC-SHA256 Signature=, {CREDENTIAL}, SignedHeaders=host, Signature=00"),
            SignatureError::DuplicateElement("Signature"),
        ),
    ];
    for (authorization, error) in cases {
        assert_eq!(parse_authorization(&authorization), Err(error), "{authorization}");
    }
    let not_text = parse("", &[("authorization", b"AWS4-HMAC-SHA256 \xff")]);
    assert_eq!(not_text, Err(SignatureError::MalformedHeader("authorization")));
}

#[test]
fn malformed_credentials() {
    let bad = [
        "AKID",
        "AKID/20150830/us-east-1/ram",
        "AKID/20150830/us-east-1/ram/aws4_request/",
        "/20150830/r/s/aws4_request",
        "AKID/20150830//s/aws4_request",
        "AKID/20150830/r//aws4_request",
        "AKID/20150830/r/s/aws4",
        "A/B/20150830/r/s/aws4_request",
        "AKID/20150230/r/s/aws4_request",
        "AKID/2015083/r/s/aws4_request",
        "AKID/20150830/r%20/s/aws4_request",
    ];
    for credential in bad {
        let header = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=00");
        assert_eq!(parse_authorization(&header), Err(SignatureError::MalformedCredential), "{credential}");
        let query = presigned(&[("X-Amz-Credential", &credential.replace('/', "%2f"))]);
        assert_eq!(parse(&query, &[]), Err(SignatureError::MalformedCredential), "{credential}");
    }
}

#[test]
fn malformed_lists_of_headers() {
    let too_many = (0..200).map(|n| format!("h{n:03}")).collect::<Vec<_>>().join(";");
    for list in
        ["Host", "host;host", "x-amz-date;host", "host;", ";host", "host;;x", "ho st", "h:x", &too_many]
    {
        let header = format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders={list}, Signature=00");
        assert_eq!(parse_authorization(&header), Err(SignatureError::MalformedSignedHeaders), "{list}");
    }
}

#[test]
fn doubled_headers() {
    let header = format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host, Signature=00");
    let cases = ["authorization", "x-amz-date", "date", "x-amz-security-token", "x-amz-content-sha256"]
        .map(|name| (name, b"x"));
    for (name, value) in cases {
        let headers: Headers<'_> = &[("authorization", header.as_bytes()), (name, value), (name, value)];
        let error = parse("", headers).unwrap_err();
        assert!(matches!(error, SignatureError::DuplicateElement(_)), "{name}: {error}");
        assert_eq!(error.code(), ErrorKind::IncompleteSignature);
    }
}

#[test]
fn dates() {
    let header = format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host, Signature=00");
    let with = |name: &'static str, value: &'static str| {
        parse("", &[("authorization", header.as_bytes()), (name, value.as_bytes())])
    };
    assert_eq!(with("x-amz-date", "2015-08-30T12:36:00Z"), Err(SignatureError::MalformedDate));
    assert_eq!(
        with("date", "Sun, 30 Aug 2015 12:36:00 GMT"),
        Err(SignatureError::SignedHeaderMissing("date".to_owned()))
    );
    let signed = header.replace("SignedHeaders=host", "SignedHeaders=date;host");
    let headers: Headers<'_> = &[("authorization", signed.as_bytes()), ("date", b"Sunday")];
    assert_eq!(parse("", headers), Err(SignatureError::MalformedDate));
    let headers: Headers<'_> =
        &[("host", b"h"), ("x-amz-date", b"20150831T000000Z"), ("authorization", header.as_bytes())];
    assert_eq!(
        sentence(check_form("", headers, b"")),
        "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: \
         '20150830' != '20150831'."
    );
}

#[test]
fn headers_that_must_be_signed() {
    let header = |list: &str| format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders={list}, Signature=00");
    let with = |list: &str| {
        let header = header(list);
        let headers: Headers<'_> = &[
            ("host", b"h"),
            ("x-amz-date", b"20150830T123600Z"),
            ("x-amz-security-token", b"t"),
            ("authorization", header.as_bytes()),
        ];
        check_form("", headers, b"")
    };
    let missing = |name: &str| Err(SignatureError::SignedHeaderMissing(name.to_owned()));
    assert_eq!(with("x-amz-date;x-amz-security-token"), missing("host"));
    assert_eq!(with("host;x-amz-security-token"), missing("x-amz-date"));
    assert_eq!(with("host;x-amz-date"), missing("x-amz-security-token"));
    assert_eq!(with("host;x-amz-date;x-amz-security-token"), Ok(()));
}

#[test]
fn payload_claims() {
    let header = format!(
        "AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=00"
    );
    let with = |claim: &str| {
        let headers: Headers<'_> = &[
            ("host", b"h"),
            ("x-amz-date", b"20150830T123600Z"),
            ("x-amz-content-sha256", claim.as_bytes()),
            ("authorization", header.as_bytes()),
        ];
        check_form("", headers, b"body")
    };
    let hash = sigv4::sign::payload_hash(b"body");
    assert_eq!(with(&hash), Ok(()));
    assert_eq!(with(&format!(" {hash} ")), Ok(()));
    assert_eq!(with(&hash.to_uppercase()), Err(SignatureError::PayloadHashMismatch));
    assert_eq!(with(&sigv4::sign::payload_hash(b"")), Err(SignatureError::PayloadHashMismatch));
    assert_eq!(with(""), Err(SignatureError::PayloadHashMismatch));
    for unsigned in
        ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"]
    {
        assert_eq!(with(unsigned), Err(SignatureError::UnsignedPayloadRefused));
    }
}

/// A presigned query that can be read, with some parameters changed or added.
fn presigned(changes: &[(&str, &str)]) -> String {
    let mut pairs = vec![
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"),
        ("X-Amz-Credential", "AKID%2F20150830%2Fus-east-1%2Fram%2Faws4_request"),
        ("X-Amz-Date", "20150830T123600Z"),
        ("X-Amz-SignedHeaders", "host"),
        ("X-Amz-Signature", "00"),
    ];
    for (name, value) in changes {
        match pairs.iter_mut().find(|(known, _)| known == name) {
            Some(pair) => pair.1 = value,
            None => pairs.push((name, value)),
        }
    }
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

#[test]
fn good_ways_to_write_the_query() {
    let host: Headers<'_> = &[("host", b"h")];
    for changes in [
        &[][..],
        &[("X-Amz-Expires", "1")],
        &[("X-Amz-Expires", "604800")],
        &[("X-Amz-Credential", "AKID/20150830/us-east-1/ram/aws4_request")],
        &[("X-Amz-Credential", "AKID%2f20150830/us-east-1%2Fram/aws4_request")],
        &[("X-Amz-Content-Sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")],
    ] {
        assert_eq!(check_form(&presigned(changes), host, b""), Ok(()), "{changes:?}");
    }
    assert_eq!(check_form(&presigned(&[]).replace("X-Amz-D", "X%2DAmz%2DD"), host, b""), Ok(()));
}

#[test]
fn malformed_queries() {
    let cases: [(&str, &str, SignatureError); 9] = [
        ("X-Amz-Algorithm", "AWS4-ECDSA-P256-SHA256", SignatureError::UnsupportedAlgorithm),
        ("X-Amz-Date", "20150830", SignatureError::MalformedDate),
        ("X-Amz-Expires", "0", SignatureError::MalformedExpires),
        ("X-Amz-Expires", "604801", SignatureError::MalformedExpires),
        ("X-Amz-Expires", "%2B1", SignatureError::MalformedExpires),
        ("X-Amz-Expires", "", SignatureError::MalformedExpires),
        ("X-Amz-SignedHeaders", "host%3BHost", SignatureError::MalformedSignedHeaders),
        ("X-Amz-SignedHeaders", "%FF", SignatureError::MalformedParameter("X-Amz-SignedHeaders")),
        ("X-Amz-Security-Token", "%FF", SignatureError::MalformedParameter("X-Amz-Security-Token")),
    ];
    for (name, value, error) in cases {
        assert_eq!(parse(&presigned(&[(name, value)]), &[]), Err(error), "{name}={value}");
    }
    let unsigned = presigned(&[("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")]);
    assert_eq!(check_form(&unsigned, &[("host", b"h")], b""), Err(SignatureError::UnsignedPayloadRefused));
}

#[test]
fn doubled_parameters() {
    for name in ["X-Amz-Date", "X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Other", "X%2DAmz-Date"] {
        let query = format!("{}&{name}=1&{name}=1", presigned(&[]));
        let error = parse(&query, &[]).unwrap_err();
        assert!(matches!(error, SignatureError::DuplicateParameter(_)), "{name}: {error}");
    }
    let many: Vec<String> = (0..40).map(|n| format!("&X-Amz-{n}=1")).collect();
    assert_eq!(parse(&(presigned(&[]) + &many.concat()), &[]), Err(SignatureError::TooManyParameters));
    let token: Headers<'_> = &[("x-amz-security-token", b"t")];
    assert_eq!(
        parse(&presigned(&[("X-Amz-Security-Token", "t")]), token),
        Err(SignatureError::DuplicateElement("X-Amz-Security-Token"))
    );
}

#[test]
fn both_forms() {
    let header = format!("AWS4-HMAC-SHA256 {CREDENTIAL}, SignedHeaders=host, Signature=00");
    let both = parse(&presigned(&[]), &[("authorization", header.as_bytes())]);
    assert_eq!(both, Err(SignatureError::BothForms));
}
