//! Identifiers: what is read prints as it was written, and no text is two things.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rampart_core::catalog::Catalog;
use rampart_core::organization::id::{CreationId, HandshakeId, OrganizationId, ParentId, PolicyId};
use rampart_core::permission::PermissionArn;
use rampart_core::resource::Resource;
use rampart_core::source::SourceType;
use rampart_core::{AccountId, Arn, InvitationArn, Partition, Principal, Region, ShareArn, TimestampMs};

fuzz_target!(|text: &str| {
    if let Ok(arn) = Arn::parse(text) {
        of_arn(text, &arn);
    } else {
        assert!(ShareArn::parse(text).is_none() && InvitationArn::parse(text).is_none());
    }
    if let Ok(region) = text.parse::<Region>() {
        assert_eq!(region.to_string(), text);
    }
    if let Ok(account) = text.parse::<AccountId>() {
        assert_eq!(account.to_string(), text);
    }
    if let Ok(partition) = text.parse::<Partition>() {
        assert_eq!(partition.as_str(), text);
    }
    if let Some(time) = TimestampMs::parse_rfc3339(text) {
        assert_eq!(TimestampMs::parse_rfc3339(&time.to_string()), Some(time), "{time}");
        let json = serde_json::to_string(&time).expect("a time prints");
        assert_eq!(serde_json::from_str::<TimestampMs>(&json).ok(), Some(time), "{json}");
    }
    for partition in Partition::ALL {
        of_partition(text, partition);
    }
    let _ = SourceType::of(text);
    let ids = [
        OrganizationId::parse(text).map(|id| id.as_str().to_owned()),
        ParentId::parse(text).map(|id| id.as_str().to_owned()),
        PolicyId::parse(text).map(|id| id.as_str().to_owned()),
        CreationId::parse(text).map(|id| id.as_str().to_owned()),
        HandshakeId::parse(text).map(|id| id.as_str().to_owned()),
    ];
    let mut ids = ids.into_iter().flatten();
    assert!(ids.next().is_none_or(|id| id == text), "an id prints as it was written");
    assert_eq!(ids.next(), None, "an id is of one kind");
});

fn of_arn(text: &str, arn: &Arn) {
    assert_eq!(arn.as_str(), text);
    let fields = [arn.partition(), arn.service(), arn.region(), arn.account(), arn.resource()];
    let [partition, service, region, account, resource] = fields;
    assert_eq!(Arn::from_fields(partition, service, region, account, resource).as_ref(), Ok(arn));
    assert_eq!(format!("arn:{}", fields.join(":")), text);
    let json = serde_json::to_string(arn).expect("an ARN prints");
    assert_eq!(serde_json::from_str::<Arn>(&json).ok().as_ref(), Some(arn));
    let (share, invitation) = (ShareArn::parse(text), InvitationArn::parse(text));
    assert!(share.is_none() || invitation.is_none());
    assert!(share.is_none_or(|share| share.to_string() == text));
    assert!(invitation.is_none_or(|invitation| invitation.to_string() == text));
    let (Ok(account), Ok(region)) = (account.parse(), region.parse::<Region>()) else { return };
    if let Ok(found) = Resource::parse(Catalog::embedded(), text, account, region) {
        assert_eq!(found.arn, text);
        let found = Catalog::embedded().type_named(&found.resource_type.name);
        assert!(found.is_some(), "the type of a resource is in the catalog");
    }
}

fn of_partition(text: &str, partition: Partition) {
    if let Ok(principal) = Principal::parse(text, partition) {
        assert_eq!(principal.as_str(), text);
    }
    if let Ok(PermissionArn::Customer { account, region, name }) = PermissionArn::parse(text, partition) {
        let partition = partition.as_str();
        assert_eq!(format!("arn:{partition}:ram:{region}:{account}:permission/{name}"), text);
    }
}
