//! Which changes tell that callers are others now, and which callers they are of.

use rampart_core::access_key::{AccessKey, Account, access_key_id};
use rampart_core::change::Bearing;
use rampart_core::iam::{IamName, IamPath, IamUsage, Identity, IdentityKind, IdentityPolicy, Nature};
use rampart_core::organization::change::Tidying;
use rampart_core::organization::member::{JoinedMethod, Joining};
use rampart_core::organization::policy::{Attachment, Policy};
use rampart_core::organization::unit::Parent;
use rampart_core::organization::{
    Claim, FeatureSet, Member, Organization, OrganizationId, OrganizationalUnit, ParentId, PolicyId, TargetId,
};
use rampart_core::{Change, OrganizationChange, Refusal, TimestampMs};
use rampart_store::{Abort, CallerVersion, Store, Transaction, Work};

use crate::engines::{TestStore, on_both};
use crate::rows::{Apply, OWNER, account, share};

const OTHER: &str = "222222222222";

async fn write(store: &Store, owner: &str, changes: Vec<Change>) {
    store.write(store.partition_of(account(owner)), Apply(changes)).await.unwrap();
}

/// The version of the other account's callers, in an organization of the owner's or in none.
async fn of_other(store: &Store) -> [CallerVersion; 2] {
    let versions = store.reader().await.unwrap().caller_versions().await.unwrap();
    [Some(account(OWNER)), None].map(|management| versions.of(account(OTHER), management))
}

fn name(text: &str) -> IamName {
    IamName::of_policy(text, "name").unwrap()
}

fn of_iam() -> [Change; 6] {
    let (owner, kind) = (account(OWNER), IdentityKind::User);
    let user = Identity {
        account: owner,
        nature: Nature::User,
        name: name("u"),
        path: IamPath::root(),
        id: "AIDA".to_owned(),
        tags: Vec::new(),
        created: TimestampMs(1),
    };
    let document = Some("{}".to_owned());
    let policy = IdentityPolicy { account: owner, kind, identity: name("u"), name: name("p"), document };
    let id = access_key_id(owner, [7; 5]);
    let key = AccessKey {
        id: id.clone(),
        account: owner,
        user: "u".to_owned(),
        sealed_secret: vec![1],
        active: true,
        created: TimestampMs(1),
    };
    let (identity, policy_name) = (name("u"), name("p"));
    [
        Change::IdentityStored(user),
        Change::IdentityPolicyStored(policy),
        Change::AccessKeyStored(key),
        Change::AccessKeyDropped { account: owner, id },
        Change::IdentityPolicyDropped { account: owner, kind, identity, inline: true, policy: policy_name },
        Change::IdentityDropped { account: owner, kind, name: name("u") },
    ]
}

fn organization() -> Organization {
    let id = OrganizationId::parse("o-a1b2c3d4e5").unwrap();
    Organization::new(account(OWNER), id, ParentId::parse("r-ab12").unwrap(), FeatureSet::All, TimestampMs(0))
}

fn member() -> OrganizationChange {
    let joining = Joining::existing(account(OTHER), "", 1);
    let parent = Parent::root(&organization());
    let member = Member::new(joining, account(OWNER), &parent, JoinedMethod::Created, TimestampMs(0));
    OrganizationChange::MemberStored(member)
}

fn attachment() -> Attachment {
    Attachment {
        management: account(OWNER),
        generation: 1,
        target: TargetId::parse("r-ab12").unwrap(),
        policy: PolicyId::parse("p-a1b2c3d4").unwrap(),
        attached: true,
    }
}

/// All that bears on the callers of an organization, but who is in it.
fn of_organization() -> [OrganizationChange; 9] {
    let (management, policy) = (account(OWNER), attachment().policy);
    let stored = Policy { id: policy.clone(), ..Policy::full_access(management) };
    [
        OrganizationChange::Stored(organization()),
        OrganizationChange::PolicyStored(stored),
        OrganizationChange::AttachmentStored(attachment()),
        OrganizationChange::AttachmentDeleted(attachment()),
        OrganizationChange::TargetDropped { management, generation: 1, target: "r-ab12".to_owned() },
        OrganizationChange::AttachmentsDropped { management, generation: 1 },
        OrganizationChange::PolicyDeleted { management, policy },
        OrganizationChange::MemberDeleted { management, account: account(OTHER) },
        OrganizationChange::Deleted { management },
    ]
}

/// What callers are not read from.
fn of_no_caller() -> Vec<Change> {
    let (management, owner) = (account(OWNER), account(OWNER));
    let parent = Parent::root(&organization());
    let id = ParentId::parse("ou-ab12-abcdefgh").unwrap();
    let unit = OrganizationalUnit {
        management,
        path: format!("{}{id}/", parent.path),
        id: id.clone(),
        parent: parent.id,
        name: "u".to_owned(),
        created: TimestampMs(0),
    };
    let (service, resource) = ("ram.amazonaws.com".to_owned(), "r-ab12".to_owned());
    let claim = Claim { account: owner, management, epoch: 1, until: TimestampMs(1) };
    let tidying = Tidying { management, account: None, at: TimestampMs(1) };
    let of_organization = [
        OrganizationChange::UnitStored(unit),
        OrganizationChange::UnitDeleted { management, unit: id },
        OrganizationChange::Claimed(claim),
        OrganizationChange::ServiceAccessStored {
            management,
            service: service.clone(),
            enabled: TimestampMs(1),
        },
        OrganizationChange::ServiceAccessDeleted { management, service },
        OrganizationChange::Tagged {
            management,
            resource: resource.clone(),
            added: Vec::new(),
            removed: Vec::new(),
        },
        OrganizationChange::TagsDropped { management, resource },
        OrganizationChange::TidyingStored(tidying),
        OrganizationChange::TidyingDone(tidying),
    ];
    let known = Account { id: owner, name: "n".to_owned(), created: TimestampMs(1) };
    let mut changes = vec![
        Change::ShareStored(share(OWNER, 1)),
        Change::AccountStored(known),
        Change::IamUsageStored(IamUsage { account: owner, users: 1, roles: 1 }),
    ];
    changes.extend(of_organization.map(Change::Organization));
    changes
}

#[tokio::test]
async fn what_bears_on_callers_is_told_and_nothing_else() {
    on_both(async |test: TestStore| {
        let store = &test.store;
        let on_callers = of_iam().into_iter().chain(of_organization().map(Change::Organization));
        for change in on_callers.chain([Change::PartitionEmptied]) {
            let before = of_other(store).await;
            write(store, OWNER, vec![Change::ShareStored(share(OWNER, 9)), change.clone()]).await;
            let after = of_other(store).await;
            assert_ne!(before[0], after[0], "{change:?}");
            let one_partition = store.partition_of(account(OWNER)) == store.partition_of(account(OTHER));
            assert_eq!(before[1] == after[1], !one_partition, "{change:?}");
        }
        let before = of_other(store).await;
        write(store, OWNER, vec![Change::Organization(member())]).await;
        let after = of_other(store).await;
        assert!(before[0] != after[0] && before[1] != after[1], "whoever is in none may be in one now");

        for change in of_no_caller() {
            assert_eq!(change.bearing(), Bearing::Nothing);
            write(store, OWNER, vec![change.clone()]).await;
            assert_eq!(of_other(store).await, after, "{change:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_store_of_the_build_before_has_versions_and_its_writes_raise_them() {
    on_both(async |test: TestStore| {
        // SQLite's readers are told by a write that the file is another.
        let write_share = async |number| {
            write(&test.store, OWNER, vec![Change::ShareStored(share(OWNER, number))]).await;
            of_other(&test.store).await
        };
        write_share(1).await;
        test.sql("UPDATE log_head SET told = NULL, callers_seq = NULL, members_seq = NULL");
        let before = write_share(2).await;
        assert_eq!(write_share(3).await, before);
        test.sql("UPDATE log_head SET seq = seq + 1");
        let after = write_share(4).await;
        assert!(before[0] != after[0] && before[1] != after[1]);
        assert_eq!(write_share(5).await, after);
    })
    .await;
}

/// Writes, then gives up.
struct GiveUp(Vec<Change>);

impl Work for GiveUp {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        tx.apply(&self.0, TimestampMs(1)).await?;
        Err(Refusal::EntitiesMissing.into())
    }
}

#[tokio::test]
async fn what_is_given_up_tells_nothing() {
    on_both(async |test: TestStore| {
        let before = of_other(&test.store).await;
        let part = test.store.partition_of(account(OWNER));
        test.store.write(part, GiveUp(of_iam()[..1].to_vec())).await.unwrap_err();
        assert_eq!(of_other(&test.store).await, before);
    })
    .await;
}
