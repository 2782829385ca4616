//! Users, roles and their policies, on every engine alike.

use rampart_core::access_key::{AccessKey, access_key_id};
use rampart_core::iam::{
    IamName, IamPath, IamUsage, Identity, IdentityKind, IdentityPolicy, Nature, RoleTerms,
};
use rampart_core::resource_share::Tag;
use rampart_core::{Change, TimestampMs};
use rampart_store::{IdentityCursor, Store};

use crate::engines::{TestStore, on_both};
use crate::rows::{Apply, OWNER, account};

const USER: IdentityKind = IdentityKind::User;
const ROLE: IdentityKind = IdentityKind::Role;

fn name(text: &str) -> IamName {
    IamName::of_policy(text, "name").unwrap()
}

fn user(of: &str, text: &str, path: &str) -> Identity {
    Identity {
        account: account(of),
        nature: Nature::User,
        name: name(text),
        path: IamPath::parse(path).unwrap(),
        id: format!("AIDA-{text}"),
        tags: vec![Tag { key: "k".to_owned(), value: "ü'\"\\".to_owned() }],
        created: TimestampMs(7),
    }
}

fn role(of: &str, text: &str) -> Identity {
    let terms = RoleTerms {
        trust_policy: "{\"a\": 1}".to_owned(),
        description: Some("for people".to_owned()),
        max_session_s: 3_600,
    };
    Identity { nature: Nature::Role(terms), ..user(of, text, "/") }
}

fn policy(of: &Identity, text: &str, document: Option<&str>) -> IdentityPolicy {
    IdentityPolicy {
        account: of.account,
        kind: of.kind(),
        identity: of.name.clone(),
        name: name(text),
        document: document.map(str::to_owned),
    }
}

async fn write(store: &Store, changes: Vec<Change>) {
    store.write(store.partition_of(account(OWNER)), Apply(changes)).await.unwrap();
}

#[tokio::test]
async fn users_and_roles_come_back_as_they_were_written() {
    on_both(async |test: TestStore| {
        let (alice, reader_role) = (user(OWNER, "Alice", "/staff/"), role(OWNER, "Alice"));
        let rows = [&alice, &reader_role].map(|row| Change::IdentityStored(row.clone()));
        write(&test.store, rows.to_vec()).await;
        let reader = test.store.reader().await.unwrap();
        let load = async |kind, text| reader.iam_identity(account(OWNER), kind, &name(text)).await.unwrap();
        assert_eq!(load(USER, "Alice").await, Some(alice.clone()));
        assert_eq!(load(ROLE, "Alice").await, Some(reader_role.clone()));
        assert_eq!(load(USER, "alice").await, None, "names are found as they are written");
        let found = reader.iam_identity_alike(account(OWNER), USER, &name("aLICE")).await.unwrap();
        assert_eq!(found, Some(alice.clone()), "but taken whatever the case");
        assert_eq!(reader.iam_identity(account("222222222222"), USER, &name("Alice")).await.unwrap(), None);
        drop(reader);

        let retagged = Identity { tags: Vec::new(), ..alice.clone() };
        let dropped = Change::IdentityDropped { account: account(OWNER), kind: ROLE, name: name("Alice") };
        write(&test.store, vec![Change::IdentityStored(retagged.clone()), dropped]).await;
        let reader = test.store.reader().await.unwrap();
        let load = async |kind| reader.iam_identity(account(OWNER), kind, &name("Alice")).await.unwrap();
        assert_eq!((load(USER).await, load(ROLE).await), (Some(retagged), None));
    })
    .await;
}

#[tokio::test]
async fn pages_of_a_path_join_without_gap_or_overlap() {
    on_both(async |test: TestStore| {
        let mut rows = vec![user(OWNER, "outside", "/"), user(OWNER, "other", "/z/"), role(OWNER, "r")];
        for n in 0..7 {
            rows.push(user(OWNER, &format!("u{n}"), if n % 2 == 0 { "/a/" } else { "/a/~b/" }));
        }
        write(&test.store, rows.into_iter().map(Change::IdentityStored).collect()).await;
        let reader = test.store.reader().await.unwrap();
        let (mut after, mut seen) = (IdentityCursor::default(), Vec::new());
        loop {
            let page = reader.iam_identities(account(OWNER), USER, "/a", &after, 2).await.unwrap();
            let Some(last) = page.last() else { break };
            after = IdentityCursor { path: last.path.to_string(), name: last.name.to_string() };
            seen.extend(page.iter().map(|row| format!("{}{}", row.path, row.name)));
        }
        let wanted = ["/a/u0", "/a/u2", "/a/u4", "/a/u6", "/a/~b/u1", "/a/~b/u3", "/a/~b/u5"];
        assert_eq!(seen, wanted);
        let all = reader.iam_identities(account(OWNER), USER, "/", &IdentityCursor::default(), 100).await;
        assert_eq!(all.unwrap().len(), 9);
    })
    .await;
}

#[tokio::test]
async fn policies_are_an_identitys_own() {
    on_both(async |test: TestStore| {
        let (alice, other) = (user(OWNER, "a", "/"), role(OWNER, "a"));
        let rows = [
            policy(&alice, "two", Some("{2}")),
            policy(&alice, "one", Some("{1}")),
            policy(&alice, "one", None),
            policy(&other, "one", Some("{role}")),
        ];
        write(&test.store, rows.iter().cloned().map(Change::IdentityPolicyStored).collect()).await;
        let reader = test.store.reader().await.unwrap();
        let all = reader.iam_policies(account(OWNER), USER, &alice.name).await.unwrap();
        assert_eq!(all, [rows[2].clone(), rows[1].clone(), rows[0].clone()]);
        let page =
            |inline, after| reader.iam_policies_after(account(OWNER), USER, &alice.name, inline, after, 1);
        assert_eq!(page(true, "").await.unwrap(), [rows[1].clone()]);
        assert_eq!(page(true, "one").await.unwrap(), [rows[0].clone()]);
        assert_eq!(page(false, "one").await.unwrap(), []);
        let one = reader.iam_policy(account(OWNER), ROLE, &name("a"), true, &name("one")).await.unwrap();
        assert_eq!(one, Some(rows[3].clone()));
        drop(reader);

        let dropped = Change::IdentityPolicyDropped {
            account: account(OWNER),
            kind: USER,
            identity: alice.name.clone(),
            inline: true,
            policy: name("one"),
        };
        let replaced = policy(&alice, "two", Some("{3}"));
        write(&test.store, vec![dropped, Change::IdentityPolicyStored(replaced.clone())]).await;
        let reader = test.store.reader().await.unwrap();
        let all = reader.iam_policies(account(OWNER), USER, &alice.name).await.unwrap();
        assert_eq!(all, [rows[2].clone(), replaced]);
    })
    .await;
}

#[tokio::test]
async fn keys_are_found_by_their_user_and_can_be_dropped() {
    on_both(async |test: TestStore| {
        let key = |user: &str, n: u8| AccessKey {
            id: access_key_id(account(OWNER), [0, 0, 0, 0, n]),
            account: account(OWNER),
            user: user.to_owned(),
            sealed_secret: vec![n],
            active: true,
            created: TimestampMs(1),
        };
        let keys = [key("a", 1), key("b", 2), key("a", 3), key("", 4)];
        write(&test.store, keys.iter().cloned().map(Change::AccessKeyStored).collect()).await;
        let reader = test.store.reader().await.unwrap();
        let of = |user, after, limit| reader.access_keys_of_user(account(OWNER), user, after, limit);
        assert_eq!(of("a", "", 10).await.unwrap(), [keys[0].clone(), keys[2].clone()]);
        assert_eq!(of("a", "", 1).await.unwrap(), [keys[0].clone()]);
        assert_eq!(of("a", &keys[0].id, 1).await.unwrap(), [keys[2].clone()]);
        assert_eq!(of("", "", 10).await.unwrap(), [keys[3].clone()]);
        drop(reader);
        let dropped = Change::AccessKeyDropped { account: account(OWNER), id: keys[0].id.clone() };
        write(&test.store, vec![dropped]).await;
        let reader = test.store.reader().await.unwrap();
        assert_eq!(reader.access_key(&keys[0].id).await.unwrap(), None);
        assert_eq!(reader.access_key(&keys[2].id).await.unwrap(), Some(keys[2].clone()));
    })
    .await;
}

#[tokio::test]
async fn the_use_of_quotas_is_kept_by_account() {
    on_both(async |test: TestStore| {
        let usage = IamUsage { account: account(OWNER), users: 3, roles: 4 };
        write(&test.store, vec![Change::IamUsageStored(usage)]).await;
        let reader = test.store.reader().await.unwrap();
        assert_eq!(reader.iam_usage(account(OWNER)).await.unwrap(), usage);
        let other = account("222222222222");
        assert_eq!(reader.iam_usage(other).await.unwrap(), IamUsage::none(other));
    })
    .await;
}
