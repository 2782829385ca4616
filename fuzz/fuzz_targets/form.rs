//! Forms of awsQuery: what is read and encoded anew is read the same, and every member of a list is found by its number.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rampart_aws::query::{FORM_PAIRS_MAX, Form, Member, parse_form, percent_encode};

fuzz_target!(|body: &[u8]| {
    let Ok(form) = parse_form(body) else { return };
    let pairs: Vec<_> = form.iter().collect();
    assert!(pairs.len() <= FORM_PAIRS_MAX);
    let encoded: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", percent_encode(name), percent_encode(value)))
        .collect();
    assert_eq!(parse_form(encoded.join("&").as_bytes()).as_ref(), Ok(&form));
    for (name, value) in pairs {
        assert_eq!(form.get(name), Some(value));
        assert!(!value.contains('\0') && !name.contains('\0'));
    }
    for (name, value) in form.iter().take(16) {
        members(&form, name, value);
    }
});

fn members(form: &Form, name: &str, value: &str) {
    let Some((list, number)) = name.rsplit_once(".member.") else { return };
    let members = form.members(list);
    let is_number = number.parse::<u32>().is_ok_and(|n| n > 0 && n.to_string() == number);
    if is_number {
        assert!(members.iter().any(|member| member.value() == Some(value)), "{name}");
    }
    for member in members.iter().take(16) {
        let _ = (member.get("Key"), member.members("Values").iter().filter_map(Member::value).count());
    }
}
