//! A large organization: what an account is in it stays one short read.

use rampart_core::organization::member::{JoinedMethod, Joining};
use rampart_core::organization::unit::Parent;
use rampart_core::organization::{
    FeatureSet, Member, Organization, OrganizationId, OrganizationalUnit, ParentId,
};
use rampart_core::{AccountId, Change, OrganizationChange, TimestampMs};
use rampart_store::Store;

use crate::engines;
use crate::rows::{Apply, account};

const MANAGEMENT: &str = "100000000000";
const UNITS: usize = 500;
const ACCOUNTS: usize = 10_000;
const ROWS_PER_TRANSACTION: usize = 1_000;

fn member_id(number: usize) -> AccountId {
    account(&format!("{:012}", 100_000_000_000 + number))
}

fn organization() -> Organization {
    let id = OrganizationId::parse("o-a1b2c3d4e5").unwrap();
    let root = ParentId::parse("r-ab12").unwrap();
    Organization::new(account(MANAGEMENT), id, root, FeatureSet::All, TimestampMs(0))
}

/// A hundred branches, each five units deep.
fn units(organization: &Organization) -> Vec<OrganizationalUnit> {
    let mut units: Vec<OrganizationalUnit> = Vec::new();
    for number in 0..UNITS {
        let above =
            if number % 5 == 0 { Parent::root(organization) } else { Parent::unit(&units[number - 1]) };
        let id = ParentId::parse(&format!("ou-ab12-{number:08}")).unwrap();
        units.push(OrganizationalUnit {
            management: organization.management,
            path: format!("{}{id}/", above.path),
            id,
            parent: above.id,
            name: format!("unit {number}"),
            created: TimestampMs(0),
        });
    }
    units
}

async fn build(store: &Store) -> Vec<OrganizationalUnit> {
    let organization = organization();
    let units = units(&organization);
    let mut changes = vec![OrganizationChange::Stored(organization.clone())];
    changes.extend(units.iter().cloned().map(OrganizationChange::UnitStored));
    changes.extend((0..ACCOUNTS).map(|number| {
        let joining = Joining::existing(member_id(number), "", 1);
        let parent = Parent::unit(&units[number % UNITS]);
        let (management, joined_by) = (organization.management, JoinedMethod::Created);
        OrganizationChange::MemberStored(Member::new(joining, management, &parent, joined_by, TimestampMs(0)))
    }));
    let part = store.partition_of(organization.management);
    for rows in changes.chunks(ROWS_PER_TRANSACTION) {
        let rows = rows.iter().cloned().map(Change::Organization).collect();
        store.write(part, Apply(rows)).await.unwrap();
    }
    units
}

#[tokio::test]
async fn ten_thousand_accounts_in_five_hundred_units() {
    engines::on_both(async |test| {
        let units = build(&test.store).await;
        let reader = test.store.reader().await.unwrap();
        assert_eq!(reader.membership(account("999999999999")).await.unwrap(), None);
        for number in (0..ACCOUNTS).step_by(10) {
            let membership = reader.membership(member_id(number)).await.unwrap().unwrap();
            assert_eq!(membership.member.path, units[number % UNITS].path);
        }
        let last = reader.membership(member_id(ACCOUNTS - 1)).await.unwrap().unwrap();
        assert_eq!(last.path_ids().count(), 2 + 5);
        let page = reader.members(account(MANAGEMENT), member_id(4_999).as_str(), 20).await.unwrap();
        let numbers: Vec<_> = page.iter().map(|member| member.account).collect();
        assert_eq!(numbers, (5_000..5_020).map(member_id).collect::<Vec<_>>());
    })
    .await;
}
