//! The store as lines of JSON: whole on the other engine, or refused.

use rampart_core::association::Standing;
use rampart_core::resource_share::Tag;
use rampart_core::{Change, ResourceShare, TimestampMs};
use rampart_store::{
    Abort, BACKGROUND, Location, Options, Partitions, Progress, RememberedAnswer, Store, TokenScope,
    Transaction, TransferError, Work,
};
use rampart_testkit::mirror::Mirror;
use uuid::Uuid;

use crate::engines::{TestStore, postgres, sqlite};
use crate::rows::{Apply, OWNER, account, principal, share};

const OTHER: &str = "222222222222";
const TIME: TimestampMs = TimestampMs(7);

fn scope() -> TokenScope {
    TokenScope {
        account: account(OTHER),
        region: "eu-west-1".parse().unwrap(),
        operation: "CreateResourceShare",
        token: "t".to_owned(),
    }
}

struct Remember;

impl Work for Remember {
    type Reply = ();

    async fn run(&self, tx: &Transaction) -> Result<(), Abort> {
        let answer = RememberedAnswer { request_hash: vec![0, 255], answer: "{}".to_owned() };
        Ok(tx.remember_answer(&scope(), &answer, TIME, TimestampMs(4_000_000_000_000)).await?)
    }
}

async fn fill(store: &Store) {
    for owner in [OWNER, OTHER] {
        let mut changes = Vec::new();
        for number in 1..=700 {
            let tags = vec![Tag { key: "k".to_owned(), value: format!("ü'\"\\ {number}") }];
            let row = ResourceShare { tags, ..share(owner, number) };
            let standing = Standing::Granted { at: TIME, invitation: None };
            changes.push(Change::AssociationStored(principal(&row, "333333333333", standing)));
            changes.push(Change::ShareStored(row));
        }
        store.write(store.partition_of(account(owner)), Apply(changes)).await.unwrap();
    }
    store.write(store.partition_of(account(OWNER)), Remember).await.unwrap();
}

async fn export(store: &Store) -> String {
    let mut out = Vec::new();
    let mut last = Progress::default();
    let snapshot = store.snapshot().await.unwrap();
    let rows = snapshot.export(TIME, &mut out, |progress| {
        assert!(progress.rows >= last.rows && progress.done >= last.done && progress.done <= progress.of);
        last = progress;
    });
    assert_eq!(rows.await.unwrap(), last.rows);
    String::from_utf8(out).unwrap()
}

async fn import(store: &Store, text: &str) -> Result<u64, TransferError> {
    store.import(&mut text.as_bytes(), TIME, |_| {}).await
}

/// Rows in the order of the text: partitions differ.
fn sorted(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines
}

async fn open(test: &TestStore) -> Store {
    Store::open(&test.location, Options::default()).await.unwrap().0
}

#[tokio::test]
async fn a_store_goes_from_engine_to_engine_and_back() {
    let (first, second, third) = (sqlite().await, postgres().await, sqlite().await);
    fill(&first.store).await;
    let text = export(&first.store).await;
    // 1,400 shares, their associations, their tags' index, and a token.
    assert_eq!(import(&second.store, &text).await.unwrap(), 4_201);
    assert!(!second.store.is_half_imported().await.unwrap());
    let there = export(&second.store).await;
    assert_eq!(sorted(&there), sorted(&text));
    assert_eq!(import(&third.store, &there).await.unwrap(), 4_201);
    assert_eq!(sorted(&export(&third.store).await), sorted(&text));
    // Found where they are looked for, by keys of the new partitions and by indexes.
    let again = open(&second).await;
    assert_eq!(again.page_token_key(), first.store.page_token_key());
    let reader = again.reader().await.unwrap();
    let arn = share(OTHER, 700).arn();
    assert_eq!(reader.resource_share(arn).await.unwrap().unwrap().tags[0].value, "ü'\"\\ 700");
    assert_eq!(reader.remembered_answers(&scope(), TIME).await.unwrap().len(), 1);
    assert_eq!(Mirror::of(&again.snapshot().await.unwrap()).await.len(), 2_800);
}

#[tokio::test]
async fn another_number_of_partitions_is_no_obstacle() {
    let first = sqlite().await;
    fill(&first.store).await;
    let text = export(&first.store).await;
    let cluster = rampart_testkit::postgres::PostgresCluster::shared().unwrap();
    let database = cluster.create_database().unwrap();
    let location: Location = database.url().parse().unwrap();
    let options = Options { partitions: Partitions::new(3).unwrap(), ..Options::default() };
    let (store, _) = Store::open(&location, options).await.unwrap();
    import(&store, &text).await.unwrap();
    assert_eq!(sorted(&export(&store).await), sorted(&text));
}

#[tokio::test]
async fn what_is_not_whole_or_has_no_room_is_refused() {
    let first = sqlite().await;
    fill(&first.store).await;
    let text = export(&first.store).await;
    let whole = text.clone();
    assert!(matches!(import(&first.store, &text).await, Err(TransferError::NotEmpty)));
    let lines: Vec<&str> = text.lines().collect();
    let but = |from: usize, to: usize| lines[from..to].join("\n");
    let all = lines.len();
    for (text, wrong) in [
        (String::new(), "cut off"),
        (text[..text.len() / 2].to_owned(), "cut off"),
        ("{\"a\":1}\n".to_owned(), "no export"),
        ("so far\n".to_owned(), "no export"),
        (text.replacen('\n', "\n{,}\n", 1), "line 2: column 2: key must be a string"),
        (but(0, all - 1), "cut off"),
        (but(0, all / 2), "cut off"),
        (but(0, 1) + "\n" + &but(4, all), "cut off"),
        (but(1, all), "no export"),
        (but(0, 40) + "\n" + &text, "line 41: another export begins here"),
        (text.clone() + "{}\n", "line"),
        (text.clone() + lines[all - 1], "something follows"),
        (text.replacen("\"export_format\":1", "\"export_format\":2", 1), "line 1: a newer rampart"),
        (text.replacen("\"change_format\":1", "\"change_format\":2", 1), "line 1: a newer rampart"),
        (text.replacen("share_stored", "share_invented", 1), "unknown variant `share_invented`"),
    ] {
        let into = sqlite().await;
        let store = &into.store;
        let error = import(store, &text).await.unwrap_err().to_string();
        assert!(error.contains(wrong), "{error}");
        // Nobody takes for the whole what has been taken in; where nothing was, nothing is in the way.
        let is_half_imported = store.is_half_imported().await.unwrap();
        let again = import(store, &whole).await;
        match again {
            Ok(_) => assert!(!is_half_imported),
            Err(error) => assert!(is_half_imported && matches!(error, TransferError::Begun), "{error}"),
        }
    }
}

#[tokio::test]
async fn of_two_imports_at_once_one_is_refused() {
    let first = sqlite().await;
    fill(&first.store).await;
    let text = export(&first.store).await;
    for into in [sqlite().await, postgres().await] {
        let (one, other) = tokio::join!(import(&into.store, &text), import(&into.store, &text));
        let refused = one.and(other).unwrap_err();
        // The first may be done when the second looks.
        assert!(matches!(refused, TransferError::Begun | TransferError::NotEmpty), "{refused}");
        assert_eq!(sorted(&export(&into.store).await), sorted(&text));
    }
}

#[tokio::test]
async fn a_store_that_a_node_serves_takes_no_import() {
    let first = sqlite().await;
    fill(&first.store).await;
    let text = export(&first.store).await;
    for into in [sqlite().await, postgres().await] {
        let store = &into.store;
        let fence = store.take_lease(BACKGROUND, Uuid::from_u128(1), None).await.unwrap().unwrap();
        let (refused, ()) = tokio::join!(import(store, &text), async {
            store.renew_lease(fence).await.unwrap();
            while !store.is_half_imported().await.unwrap() {
                tokio::task::yield_now().await;
            }
            store.renew_lease(fence).await.unwrap();
        });
        assert!(matches!(refused, Err(TransferError::Served)), "{refused:?}");
        // Nothing was done, and once the node is gone nothing is in the way.
        assert!(!store.is_half_imported().await.unwrap());
        store.release_lease(fence).await.unwrap();
        import(store, &text).await.unwrap();
    }
}
