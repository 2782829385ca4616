//! What operations cost in a store that holds much else: `cargo xtask bench scale [--store sqlite|postgres] [--shares N]
//! [--only PART_OF_A_NAME]`.
//!
//! Fills a small store (102 shares, so that every first page of 100 is full) and a large one (25,000 shares of one owner
//! with 40 associations each, and 10,000 other owners), and in both one resource that is in 100 shares with 50 principals
//! each; of another owner one principal in 10 and in 5,000 shares that hold nothing else but one and the same resource in
//! the last; calls every list and every change on both through the real edge, and prints the medians side by side with their
//! ratio. One run, one machine: the ratio is what counts.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark says what went wrong by stopping")]

use std::sync::Arc;
use std::time::Instant;

use rampart_core::AttachedPermission;
use rampart_core::association::{Member, PrincipalKind, Standing};
use rampart_core::catalog::Catalog;
use rampart_core::contents::Contents;
use rampart_core::resource_share::Origin;
use rampart_core::{
    AccountId, Association, AssociationId, Change, InvitationId, OwnerUsage, Quotas, ResourceShare, ShareId,
    TimestampMs,
};
use rampart_server::{App, AuthMode, Clock, Entropy, Server, Settings};
use rampart_store::{Abort, Location, Options, Store, Transaction, Work};
use rampart_testkit::Client;
use rampart_testkit::client::Key;
use rampart_testkit::postgres::{PostgresCluster, TestDatabase};
use serde_json::{Value, json};
use uuid::Uuid;

const OWNER: &str = "111111111111";
const REGION: &str = "eu-west-1";
const PER_SHARE: u32 = 20;
const CALLS: usize = 200;
/// The resource whose policy is asked for is in so many shares, with so many principals each.
const POLICY_SHARES: u32 = 100;
const POLICY_PRINCIPALS: u32 = 50;
/// The numbers of these shares begin here: after all others, so that the others' first pages stay what they are.
const POLICY_FIRST: u32 = 1_000_000;
/// Shares this one with many of its own, which hold hardly anything.
const SPARSE_OWNER: &str = "222222222222";
const SPARSE_CONSUMER: &str = "222222222223";
/// So many in the large store.
const SPARSE_SHARES: u32 = 5_000;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let value =
        |name: &str| arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)).cloned();
    let shares: u32 = value("--shares").map_or(25_000, |text| text.parse().unwrap());
    let engines =
        value("--store").map_or_else(|| vec!["sqlite".to_owned(), "postgres".to_owned()], |one| vec![one]);
    let only = value("--only").unwrap_or_default();
    for engine in engines {
        println!(
            "{engine}: {} associations over {shares} shares of one owner, 10,000 owners",
            shares * 2 * PER_SHARE
        );
        let small = Site::new(&engine, 102, 0, 10).await;
        let large = Site::new(&engine, shares, 10_000, SPARSE_SHARES).await;
        println!("{:<56} {:>10} {:>10} {:>7}", "operation (first page of 100)", "small", "large", "ratio");
        let calls = calls().into_iter().chain(sparse_calls());
        for (name, call) in calls.filter(|(name, _)| name.contains(&only)) {
            let (a, b) = measure(&small, &large, &call).await;
            println!("{name:<56} {a:>7.0} us {b:>7.0} us {:>7.2}", b / a);
        }
        small.store.close().await;
        large.store.close().await;
    }
}

/// A server on a filled store.
struct Site {
    store: Store,
    owner: Client,
    consumer: Client,
    sparse_owner: Client,
    sparse_consumer: Client,
    some_share: String,
    sparse_share: String,
    database: Option<TestDatabase>,
    _folder: tempfile::TempDir,
}

impl Site {
    async fn new(engine: &str, shares: u32, others: u32, sparse: u32) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (location, database) = if engine == "sqlite" {
            (Location::Sqlite(folder.path().join("scale.db")), None)
        } else {
            let database =
                PostgresCluster::shared().unwrap_or_else(|e| panic!("{e}")).create_database().unwrap();
            (database.url().parse().unwrap(), Some(database))
        };
        let (store, _) = Store::open(&location, Options::default()).await.unwrap();
        let started = Instant::now();
        fill(&store, OWNER, shares, PER_SHARE, 300_000_000_000).await;
        fill_policy(&store).await;
        fill_sparse(&store, sparse).await;
        for n in 0..others {
            let (owner, consumers) =
                (400_000_000_000_u64 + u64::from(n), 600_000_000_000 + u64::from(n) * 20);
            fill(&store, &owner.to_string(), 1, 1, consumers).await;
        }
        println!("  filled {shares} shares and {others} owners in {:.0} s", started.elapsed().as_secs_f64());
        if let Some(database) = &database {
            // What autovacuum does in a store that lives.
            database.sql("ANALYZE").unwrap();
        }
        let account: AccountId = OWNER.parse().unwrap();
        let quotas = Quotas {
            resource_shares: 10_000_000,
            resource_associations: 100_000_000,
            principal_associations: 100_000_000,
            pending_invitations: 10_000_000,
            ..Quotas::default()
        };
        let settings = Settings { quotas, ..Settings::new(AuthMode::Open, account) };
        let app = App::new(store.clone(), settings, None, Entropy::system());
        let server = Server::bind(([127, 0, 0, 1], 0).into(), app).await.unwrap();
        let address = server.address().unwrap();
        tokio::spawn(server.run(std::future::pending()));
        let client =
            |id: &str| Client::of(address, Key { id: id.to_owned(), secret: "x".to_owned() }, REGION);
        let some_share = share(account, shares / 2).arn().to_string();
        let (owner, consumer) = (client(OWNER), client(&consumer_of(0, 0, shares, 300_000_000_000)));
        let (sparse_owner, sparse_consumer) = (client(SPARSE_OWNER), client(SPARSE_CONSUMER));
        let sparse_share = share(SPARSE_OWNER.parse().unwrap(), sparse - 1).arn().to_string();
        Self {
            store,
            owner,
            consumer,
            sparse_owner,
            sparse_consumer,
            some_share,
            sparse_share,
            database,
            _folder: folder,
        }
    }
}

/// Rows as the operations would have left them, a thousand in a transaction.
async fn fill(store: &Store, owner: &str, shares: u32, per_share: u32, consumers: u64) {
    let owner: AccountId = owner.parse().unwrap();
    let part = store.partition_of(owner);
    let shares_at_once = 1000 / (2 * per_share + 1);
    let mut changes = Vec::new();
    for number in 0..shares {
        let contents = Contents { resources: per_share, principals: per_share, ..Contents::default() };
        let row = ResourceShare { contents, ..share(owner, number) };
        for n in 0..per_share {
            changes.push(Change::AssociationStored(resource(&row, number, n)));
            changes.push(Change::AssociationStored(principal(
                &row,
                &consumer_of(number, n, shares, consumers),
                n,
            )));
        }
        changes.push(Change::ShareStored(row));
        if (number + 1) % shares_at_once == 0 || number + 1 == shares {
            let counted = (number + 1) * per_share;
            let usage = OwnerUsage::none(owner, REGION.parse().unwrap());
            let usage =
                OwnerUsage { resource_shares: number + 1, resources: counted, principals: counted, ..usage };
            changes.push(Change::UsageStored(usage));
            store.write(part, Fill(Arc::new(std::mem::take(&mut changes)))).await.unwrap();
        }
    }
}

/// One resource in many shares.
async fn fill_policy(store: &Store) {
    let owner: AccountId = OWNER.parse().unwrap();
    let permission = Catalog::embedded().default_permission("ec2:TransitGateway").unwrap();
    for number in POLICY_FIRST..POLICY_FIRST + POLICY_SHARES {
        let contents = Contents { resources: 1, principals: POLICY_PRINCIPALS, ..Contents::default() };
        let row = ResourceShare { contents, ..share(owner, number) };
        let mut changes = vec![Change::AssociationStored(resource(&row, POLICY_FIRST, 0))];
        changes.extend((0..POLICY_PRINCIPALS).map(|n| {
            let account = 500_000_000_000 + u64::from(number * POLICY_PRINCIPALS + n);
            Change::AssociationStored(principal(&row, &account.to_string(), n))
        }));
        let attached = AttachedPermission::managed(row.arn(), permission, row.created);
        changes.push(Change::PermissionAttached(attached));
        changes.push(Change::ShareStored(row));
        store.write(store.partition_of(owner), Fill(Arc::new(changes))).await.unwrap();
    }
}

/// One principal in many shares, of which the last alone holds a resource, and somebody who has not answered.
async fn fill_sparse(store: &Store, shares: u32) {
    let owner: AccountId = SPARSE_OWNER.parse().unwrap();
    let mut changes = Vec::new();
    for number in 0..shares {
        let last = number + 1 == shares;
        let contents = Contents { resources: u32::from(last), principals: 1, ..Contents::default() };
        let row = ResourceShare { contents, ..share(owner, number) };
        changes.push(Change::AssociationStored(principal(&row, SPARSE_CONSUMER, 0)));
        if last {
            changes.push(Change::AssociationStored(resource(&row, 0, 0)));
            let (invitation, deadline) = (InvitationId(Uuid::from_u128(1)), TimestampMs(i64::MAX));
            let invited = principal(&row, OWNER, 1);
            let standing = Standing::Invited { invitation, deadline };
            changes.push(Change::AssociationStored(Association { standing, ..invited }));
        }
        changes.push(Change::ShareStored(row));
        if changes.len() >= 1000 || last {
            let some = Fill(Arc::new(std::mem::take(&mut changes)));
            store.write(store.partition_of(owner), some).await.unwrap();
        }
    }
}

fn sparse_resource() -> String {
    format!("arn:aws:ec2:{REGION}:{SPARSE_OWNER}:transit-gateway/tgw-{:017x}", 0)
}

struct Fill(Arc<Vec<Change>>);

impl Work for Fill {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        tx.apply(&self.0, Clock::real()).await?;
        Ok(())
    }
}

/// Each consumer is in a good hundred shares, whatever their number.
fn consumer_of(share: u32, n: u32, shares: u32, first: u64) -> String {
    let consumers = (shares * PER_SHARE / 101).max(PER_SHARE);
    format!("{:012}", first + u64::from((share * PER_SHARE + n) % consumers))
}

fn share(owner: AccountId, number: u32) -> ResourceShare {
    let created = TimestampMs(1_700_000_000_000 + i64::from(number));
    ResourceShare {
        owner,
        region: REGION.parse().unwrap(),
        id: ShareId(id(&owner, number, 0, 0)),
        name: format!("share-{number}"),
        allow_external_principals: true,
        retain_sharing_on_account_leave_organization: false,
        tags: Vec::new(),
        created,
        updated: created,
        deleted: None,
        contents: Contents::default(),
        origin: Origin::Made,
    }
}

fn id(owner: &AccountId, share: u32, kind: u32, n: u32) -> Uuid {
    let owner = u128::from(owner.as_str().parse::<u64>().unwrap());
    Uuid::from_u128(owner << 80 | u128::from(share) << 40 | u128::from(kind) << 32 | u128::from(n))
}

fn association(share: &ResourceShare, id: Uuid, entity: String, member: Member) -> Association {
    Association {
        owner: share.owner,
        region: share.region,
        share: share.id,
        share_created: share.created,
        id: AssociationId(id),
        entity,
        member,
        created: share.created,
        standing: Standing::Granted { at: share.created, invitation: None },
    }
}

fn resource(share: &ResourceShare, number: u32, n: u32) -> Association {
    let arn =
        format!("arn:aws:ec2:{REGION}:{}:transit-gateway/tgw-{:017x}", share.owner, number * PER_SHARE + n);
    let member = Member::Resource {
        resource_type: "ec2:TransitGateway".to_owned(),
        short_invitation: false,
        for_identities: false,
        for_services: false,
        for_outsiders: true,
    };
    association(share, id(&share.owner, number, 1, n), arn, member)
}

fn policy_resource() -> String {
    format!("arn:aws:ec2:{REGION}:{OWNER}:transit-gateway/tgw-{:017x}", POLICY_FIRST * PER_SHARE)
}

fn principal(share: &ResourceShare, account: &str, n: u32) -> Association {
    let receiver = Some(account.to_owned());
    let member =
        Member::Principal { principal: PrincipalKind::Account, receiver, external: true, basis: None };
    let number = u32::try_from(share.created.0 - 1_700_000_000_000).unwrap();
    association(share, id(&share.owner, number, 2, n), account.to_owned(), member)
}

/// Who calls what.
enum Call {
    Owner(&'static str, fn(&Site) -> Value),
    Consumer(&'static str, fn(&Site) -> Value),
    SparseOwner(&'static str, fn(&Site) -> Value),
    SparseConsumer(&'static str, fn(&Site) -> Value),
    /// A call of the owner with another number each time.
    Change(&'static str, fn(&Site, usize) -> Value),
    /// The receiver's acceptance of an invitation that was made before the clock runs.
    Accept,
}

fn calls() -> Vec<(&'static str, Call)> {
    vec![
        ("GetResourceShares SELF", Call::Owner("GetResourceShares", |_| json!({"resourceOwner": "SELF"}))),
        (
            "GetResourceShares SELF by name",
            Call::Owner("GetResourceShares", |_| json!({"resourceOwner": "SELF", "name": "share-7"})),
        ),
        (
            "GetResourceShares OTHER-ACCOUNTS",
            Call::Consumer("GetResourceShares", |_| json!({"resourceOwner": "OTHER-ACCOUNTS"})),
        ),
        (
            "GetResourceShareAssociations PRINCIPAL",
            Call::Owner("GetResourceShareAssociations", |_| json!({"associationType": "PRINCIPAL"})),
        ),
        (
            "GetResourceShareAssociations RESOURCE of a share",
            Call::Owner(
                "GetResourceShareAssociations",
                |site| json!({"associationType": "RESOURCE", "resourceShareArns": [site.some_share]}),
            ),
        ),
        (
            "GetResourceShareAssociations PRINCIPAL by principal",
            Call::Owner(
                "GetResourceShareAssociations",
                |_| json!({"associationType": "PRINCIPAL", "principal": "300000000000"}),
            ),
        ),
        ("ListPrincipals SELF", Call::Owner("ListPrincipals", |_| json!({"resourceOwner": "SELF"}))),
        (
            "ListPrincipals OTHER-ACCOUNTS",
            Call::Consumer("ListPrincipals", |_| json!({"resourceOwner": "OTHER-ACCOUNTS"})),
        ),
        ("ListResources SELF", Call::Owner("ListResources", |_| json!({"resourceOwner": "SELF"}))),
        (
            "ListResources SELF by type",
            Call::Owner(
                "ListResources",
                |_| json!({"resourceOwner": "SELF", "resourceType": "ec2:TransitGateway"}),
            ),
        ),
        (
            "ListResources SELF by principal",
            Call::Owner("ListResources", |_| json!({"resourceOwner": "SELF", "principal": "300000000000"})),
        ),
        (
            "ListResources OTHER-ACCOUNTS",
            Call::Consumer("ListResources", |_| json!({"resourceOwner": "OTHER-ACCOUNTS"})),
        ),
        (
            "GetResourcePolicies of 1 resource, 5,000 principals",
            Call::Owner("GetResourcePolicies", |_| json!({"resourceArns": [policy_resource()]})),
        ),
        (
            "GetResourcePolicies of 1 resource, by principal",
            Call::Owner(
                "GetResourcePolicies",
                |_| json!({"resourceArns": [policy_resource()], "principal": "500050000000"}),
            ),
        ),
        ("ListSourceAssociations", Call::Owner("ListSourceAssociations", |_| json!({}))),
        ("GetResourceShareInvitations", Call::Consumer("GetResourceShareInvitations", |_| json!({}))),
        (
            "CreateResourceShare",
            Call::Change(
                "CreateResourceShare",
                |_, n| json!({"name": format!("new-{n}"), "resourceArns": [gateway(n)]}),
            ),
        ),
        (
            "AssociateResourceShare",
            Call::Change(
                "AssociateResourceShare",
                |site, n| json!({"resourceShareArn": site.some_share, "resourceArns": [gateway(n)]}),
            ),
        ),
        ("AcceptResourceShareInvitation", Call::Accept),
    ]
}

/// Lists that find little among much.
fn sparse_calls() -> Vec<(&'static str, Call)> {
    vec![
        (
            "GetResourceShareAssociations by principal and share",
            Call::SparseOwner("GetResourceShareAssociations", |site| {
                json!({
                    "associationType": "PRINCIPAL", "principal": SPARSE_CONSUMER,
                    "resourceShareArns": [site.sparse_share],
                })
            }),
        ),
        (
            "GetResourceShareAssociations ASSOCIATING",
            Call::SparseOwner(
                "GetResourceShareAssociations",
                |_| json!({"associationType": "PRINCIPAL", "associationStatus": "ASSOCIATING"}),
            ),
        ),
        (
            "ListPrincipals SELF by type of a share",
            Call::Owner("ListPrincipals", |site| {
                json!({
                    "resourceOwner": "SELF", "resourceType": "ec2:TransitGateway",
                    "resourceShareArns": [site.some_share],
                })
            }),
        ),
        (
            "ListResources SELF by principal and share",
            Call::SparseOwner("ListResources", |site| {
                json!({
                    "resourceOwner": "SELF", "principal": SPARSE_CONSUMER,
                    "resourceShareArns": [site.sparse_share],
                })
            }),
        ),
        (
            "ListPrincipals OTHER-ACCOUNTS by resource",
            Call::SparseConsumer(
                "ListPrincipals",
                |_| json!({"resourceOwner": "OTHER-ACCOUNTS", "resourceArn": sparse_resource()}),
            ),
        ),
        (
            "ListResources OTHER-ACCOUNTS, 2,000 shares looked at",
            Call::SparseConsumer("ListResources", |_| json!({"resourceOwner": "OTHER-ACCOUNTS"})),
        ),
    ]
}

fn gateway(n: usize) -> String {
    format!("arn:aws:ec2:{REGION}:{OWNER}:transit-gateway/tgw-f{n:016x}")
}

/// The medians of the calls on both, in microseconds. They take turns, so that what else the machine does slows both.
async fn measure(small: &Site, large: &Site, call: &Call) -> (f64, f64) {
    let (mut of_small, mut of_large) = (Vec::new(), Vec::new());
    for n in 0..CALLS {
        of_small.push(time(small, call, n).await);
        of_large.push(time(large, call, n).await);
    }
    (median(of_small), median(of_large))
}

fn median(mut micros: Vec<f64>) -> f64 {
    micros.sort_by(f64::total_cmp);
    micros[micros.len() / 2]
}

/// How long the `n`th call takes, in microseconds.
async fn time(site: &Site, call: &Call, n: usize) -> f64 {
    let (client, operation, mut input) = match call {
        Call::Owner(operation, input) => (&site.owner, *operation, input(site)),
        Call::Consumer(operation, input) => (&site.consumer, *operation, input(site)),
        Call::SparseOwner(operation, input) => (&site.sparse_owner, *operation, input(site)),
        Call::SparseConsumer(operation, input) => (&site.sparse_consumer, *operation, input(site)),
        Call::Change(operation, input) => (&site.owner, *operation, input(site, n)),
        Call::Accept => (&site.consumer, "AcceptResourceShareInvitation", invite(site).await),
    };
    if !matches!(call, Call::Change(..) | Call::Accept) {
        input["maxResults"] = json!(100);
    }
    let started = Instant::now();
    client.ok(operation, &input).await;
    started.elapsed().as_secs_f64() * 1e6
}

/// A pending invitation of the consumer, in a share made for it.
async fn invite(site: &Site) -> Value {
    let input = json!({"name": "offer", "principals": [site.consumer.id()]});
    let made = site.owner.ok("CreateResourceShare", &input).await;
    let share = &made["resourceShare"]["resourceShareArn"];
    let found = site.consumer.ok("GetResourceShareInvitations", &json!({"resourceShareArns": [share]})).await;
    assert!(site.database.is_none() || site.store.reader().await.is_ok());
    json!({"resourceShareInvitationArn": found["resourceShareInvitations"][0]["resourceShareInvitationArn"]})
}
