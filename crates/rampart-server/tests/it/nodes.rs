//! Several nodes on one store: clients that retry anywhere see one effect, whichever node answers.

use futures_util::future::join_all;
use rampart_testkit::dice::Dice;
use rampart_testkit::server::settings;
use rampart_testkit::{Client, Reply, TestServer, for_each_store};
use serde_json::{Value, json};

use crate::sharing::{CONSUMER, OWNER, associations, create, gateway, list, pending_invitation, texts};

const ROUNDS: usize = 12;
const SEED: u64 = 20_261_123;

/// A server and two more on its store.
async fn three(server: TestServer) -> [TestServer; 3] {
    let (second, third) = (server.another_node(&settings()).await, server.another_node(&settings()).await);
    [server, second, third]
}

/// The call at the same moment by as many clients, each with its own node.
async fn at_once(
    nodes: &[TestServer],
    account: &str,
    calls: &[(&str, Value)],
    dice: &mut Dice,
) -> Vec<Reply> {
    let clients: Vec<Client> = calls.iter().map(|_| dice.pick(nodes).account(account)).collect();
    let sent = clients.iter().zip(calls).map(|(client, (operation, input))| client.call(operation, input));
    join_all(sent).await
}

/// That all were answered alike.
#[track_caller]
fn one_answer(replies: &[Reply]) -> &Value {
    for reply in replies {
        assert_eq!((reply.status, &reply.text), (200, &replies[0].text));
    }
    &replies[0].json
}

#[tokio::test]
async fn a_call_that_is_retried_on_other_nodes_has_one_effect() {
    for_each_store(async |server| {
        let nodes = three(server).await;
        let mut dice = Dice::from_environment(SEED);
        for round in 0..ROUNDS {
            let token = format!("t-{round}");
            let principals = json!([CONSUMER]);
            let input = json!({"name": token, "principals": principals, "clientToken": token});
            let replies = at_once(&nodes, OWNER, &vec![("CreateResourceShare", input); 5], &mut dice).await;
            let share = one_answer(&replies)["resourceShare"]["resourceShareArn"].clone();
            let owner = nodes[round % 3].account(OWNER);
            let own = owner.ok("GetResourceShares", &json!({"resourceOwner": "SELF", "name": token})).await;
            assert_eq!(texts(&own["resourceShares"], "resourceShareArn"), [share.as_str().unwrap()]);

            let add = json!({"resourceShareArn": share, "resourceArns": [gateway(1)], "clientToken": token});
            one_answer(&at_once(&nodes, OWNER, &vec![("AssociateResourceShare", add); 5], &mut dice).await);
            let consumer = dice.pick(&nodes).account(CONSUMER);
            let invitation = pending_invitation(&consumer, share.as_str().unwrap()).await;
            let accept = json!({"resourceShareInvitationArn": invitation, "clientToken": token});
            let calls = vec![("AcceptResourceShareInvitation", accept); 5];
            one_answer(&at_once(&nodes, CONSUMER, &calls, &mut dice).await);
            let rows = associations(&owner, "RESOURCE", share.as_str().unwrap()).await;
            assert_eq!(list(&rows).len(), 1);
            let delete = json!({"resourceShareArn": share, "clientToken": token});
            one_answer(&at_once(&nodes, OWNER, &vec![("DeleteResourceShare", delete); 5], &mut dice).await);
        }
    })
    .await;
}

/// The invitations of different senders are written in different partitions.
#[tokio::test]
async fn one_token_answers_one_of_several_senders() {
    for_each_store(async |server| {
        let nodes = three(server).await;
        let mut dice = Dice::from_environment(SEED);
        for round in 0..ROUNDS {
            let mut calls = Vec::new();
            for sender in 0..4 {
                let sender = nodes[0].account(&format!("55555555555{sender}"));
                let share = create(&sender, &json!({"name": "n", "principals": [CONSUMER]})).await;
                let invitation = pending_invitation(&nodes[0].account(CONSUMER), &share).await;
                let token = format!("t-{round}");
                let input = json!({"resourceShareInvitationArn": invitation, "clientToken": token});
                calls.push(("AcceptResourceShareInvitation", input));
            }
            let replies = at_once(&nodes, CONSUMER, &calls, &mut dice).await;
            let won: Vec<_> = (0..calls.len()).filter(|at| replies[*at].status == 200).collect();
            assert_eq!(won.len(), 1, "round {round}: {replies:?}");
            for reply in replies.iter().filter(|reply| reply.status != 200) {
                let code = (reply.status, reply.error_code.as_str());
                assert_eq!(code, (400, "IdempotentParameterMismatchException"), "{}", reply.text);
            }
            // And on any node it stays so.
            let again = at_once(&nodes, CONSUMER, &calls, &mut dice).await;
            for (before, after) in replies.iter().zip(again) {
                assert_eq!((before.status, &before.text), (after.status, &after.text));
            }
        }
    })
    .await;
}
