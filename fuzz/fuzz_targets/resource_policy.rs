//! Any text is a resource's policy that shares can say, or is refused; what is read is within bounds and is about
//! somebody and something.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rampart_core::Partition;
use rampart_core::policy_share::read::{POLICY_GRANTS_MAX, POLICY_PRINCIPALS_MAX, Subject, read};

fuzz_target!(|text: &str| {
    let resource = "arn:aws:ec2:eu-west-1:111111111111:transit-gateway/tgw-0123456789abcdef0";
    let subject = Subject { resource, partition: Partition::Aws, home: None };
    let Ok(policy) = read(text, subject, &[]) else { return };
    assert!((1..=POLICY_GRANTS_MAX).contains(&policy.grants.len()));
    let principals: usize = policy.grants.iter().map(|grant| grant.principals.len()).sum();
    assert!((1..=POLICY_PRINCIPALS_MAX).contains(&principals), "{principals}");
    for grant in &policy.grants {
        assert!(!grant.allowed.is_empty() && !grant.principals.is_empty(), "{grant:?}");
        for principal in &grant.principals {
            let read = rampart_core::Principal::parse(principal.as_str(), Partition::Aws);
            assert_eq!(read.as_ref(), Ok(principal), "a principal can be given to a share");
        }
    }
    assert_eq!(read(text, subject, &[]), Ok(policy), "the same text is read the same");
});
