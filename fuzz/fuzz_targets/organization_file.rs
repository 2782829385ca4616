//! Organizations in files: what is read prints as a file that says the same; what can be planned is made from nothing in
//! as many steps as the file has words for, and every step can be shown.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rampart_core::TimestampMs;
use rampart_core::organization::plan::{OrganizationFile, Snapshot, Step, accounts_of, plan};

fuzz_target!(|bytes: &[u8]| {
    let Ok(file) = serde_json::from_slice::<OrganizationFile>(bytes) else { return };
    let printed = serde_json::to_string(&file).expect("a file prints");
    let again: OrganizationFile = serde_json::from_str(&printed).expect("what is printed can be read");
    assert_eq!(serde_json::to_string(&again).ok(), Some(printed));
    let mut count = 0_u64;
    let mut ids = || {
        count += 1;
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&count.to_le_bytes());
        bytes
    };
    for prune in [false, true] {
        let planned = plan(&file, &Snapshot::default(), prune, TimestampMs(1_795_348_800_000), &mut ids);
        let steps = match planned {
            Ok(steps) => steps,
            Err(fault) => return drop(fault.to_string()),
        };
        assert!(matches!(steps.first(), Some(Step::CreateOrganization { .. })));
        let joins = steps.iter().filter(|step| matches!(step, Step::Join { .. })).count();
        assert!(joins <= accounts_of(&file).len());
        assert!(steps.len() <= bytes.len(), "{} steps", steps.len());
        assert!(steps.iter().all(|step| !step.to_string().is_empty()));
    }
});
