//! Reads an organization from an Organizations endpoint, call by call.

use std::collections::VecDeque;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rampart_aws::sigv4::RequestParts;
use rampart_aws::sigv4::sign::{Credentials, sign_headers};
use rampart_core::AccountId;
use rampart_core::organization::RAM_SERVICE;
use rampart_core::organization::plan::{AccountEntry, Node, OrganizationFile};
use rampart_server::Clock;
use serde_json::{Value, json};

use crate::cli::EndpointCredentials;

/// Bytes of an answer: a page has twenty items.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Calls at the most: 10,000 accounts in 500 units take some 2,000.
const CALLS_MAX: usize = 100_000;

/// Where an organization is read from.
pub(crate) struct Endpoint {
    client: Client<HttpConnector, Full<Bytes>>,
    authority: String,
    region: String,
    credentials: EndpointCredentials,
    calls: std::cell::Cell<usize>,
}

impl Endpoint {
    pub(crate) fn new(url: &str, region: &str, credentials: EndpointCredentials) -> anyhow::Result<Self> {
        let Some(authority) = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/')) else {
            bail!(
                "write the endpoint as http://HOST:PORT: TLS is not built in, so reach AWS through a proxy that speaks it"
            );
        };
        ensure!(!authority.is_empty() && !authority.contains('/'), "the endpoint {url} names no host");
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).build_http(),
            authority: authority.to_owned(),
            region: region.to_owned(),
            credentials,
            calls: std::cell::Cell::new(0),
        })
    }

    /// The organization of the credentials' account, which must be its management account.
    pub(super) async fn read(&self) -> anyhow::Result<OrganizationFile> {
        let described = self.call("DescribeOrganization", &json!({})).await?;
        let organization = &described["Organization"];
        let management: AccountId = text(&organization["MasterAccountId"])?.parse()?;
        let roots = self.list("ListRoots", json!({}), "Roots").await?;
        let root = text(&roots.first().context("the organization has no root")?["Id"])?;
        let services =
            self.list("ListAWSServiceAccessForOrganization", json!({}), "EnabledServicePrincipals").await?;
        let services: Vec<String> = services
            .iter()
            .map(|service| text(&service["ServicePrincipal"]))
            .collect::<anyhow::Result<_>>()?;
        let root = self.tree(&root).await?;
        let management_account =
            entry_of(&root, management).unwrap_or(AccountEntry { id: management, name: None, email: None });
        Ok(OrganizationFile {
            management_account,
            id: Some(text(&organization["Id"])?),
            feature_set: Some(text(&organization["FeatureSet"])?),
            sharing: Some(services.iter().any(|service| service == RAM_SERVICE)),
            trusted_services: Some(services),
            root,
        })
    }

    /// The root with all that stands in it, level by level.
    async fn tree(&self, root: &str) -> anyhow::Result<Node> {
        // Parents stand before their children, so that nodes can be put together from the end.
        let mut nodes: Vec<(Node, Option<usize>)> =
            vec![(Node { id: Some(root.to_owned()), ..Node::default() }, None)];
        let mut open = VecDeque::from([0]);
        while let Some(at) = open.pop_front() {
            let id = nodes[at].0.id.clone().unwrap_or_default();
            for account in self.list("ListAccountsForParent", json!({"ParentId": id}), "Accounts").await? {
                let (name, email) = (text(&account["Name"])?, text(&account["Email"])?);
                let id = text(&account["Id"])?.parse()?;
                nodes[at].0.accounts.push(AccountEntry { id, name: Some(name), email: Some(email) });
            }
            let units =
                self.list("ListOrganizationalUnitsForParent", json!({"ParentId": id}), "OrganizationalUnits");
            for unit in units.await? {
                let (id, name) = (Some(text(&unit["Id"])?), Some(text(&unit["Name"])?));
                nodes.push((Node { id, name, ..Node::default() }, Some(at)));
                open.push_back(nodes.len() - 1);
            }
        }
        while let Some((mut node, parent)) = nodes.pop() {
            node.units.reverse();
            match parent {
                Some(parent) => nodes[parent].0.units.push(node),
                None => return Ok(node),
            }
        }
        bail!("the organization has no root")
    }

    /// All pages of a list.
    async fn list(&self, operation: &str, mut input: Value, member: &str) -> anyhow::Result<Vec<Value>> {
        let mut found = Vec::new();
        loop {
            let mut page = self.call(operation, &input).await?;
            if let Some(items) = page[member].as_array_mut() {
                found.append(items);
            }
            match page["NextToken"].as_str() {
                Some(token) => input["NextToken"] = json!(token),
                None => return Ok(found),
            }
        }
    }

    async fn call(&self, operation: &str, input: &Value) -> anyhow::Result<Value> {
        self.calls.set(self.calls.get() + 1);
        ensure!(self.calls.get() <= CALLS_MAX, "the endpoint's lists have no end");
        let answer = self.client.request(self.request(operation, input)?).await;
        let answer = answer.with_context(|| format!("cannot reach {}", self.authority))?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        let body = body.map_err(|error| anyhow::anyhow!("{operation}: {error}"))?.to_bytes();
        let value: Value = serde_json::from_slice(&body)
            .with_context(|| format!("{operation} answered {status} and no JSON"))?;
        if status != 200 {
            let message = value["Message"].as_str().or(value["message"].as_str()).unwrap_or_default();
            bail!("{operation}: {} {message}", value["__type"].as_str().unwrap_or_default());
        }
        Ok(value)
    }

    fn request(&self, operation: &str, input: &Value) -> anyhow::Result<Request<Full<Bytes>>> {
        let target = format!("AWSOrganizationsV20161128.{operation}");
        let body = Bytes::from(input.to_string());
        let headers: [(&str, &[u8]); 3] = [
            ("content-type", b"application/x-amz-json-1.1"),
            ("host", self.authority.as_bytes()),
            ("x-amz-target", target.as_bytes()),
        ];
        let credentials = Credentials {
            access_key_id: &self.credentials.access_key_id,
            secret_access_key: &self.credentials.secret_access_key,
            session_token: self.credentials.session_token.as_deref(),
        };
        let parts = RequestParts { method: "POST", path: "/", query: "", headers: &headers, body: &body };
        let added =
            sign_headers(&credentials, &self.region, "organizations", &parts, Clock::real().epoch_s());
        let mut request = Request::post(format!("http://{}/", self.authority));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        for (name, value) in added {
            request = request.header(name, value);
        }
        Ok(request.body(Full::new(body))?)
    }
}

fn entry_of(node: &Node, account: AccountId) -> Option<AccountEntry> {
    let own = node.accounts.iter().find(|entry| entry.id == account).cloned();
    own.or_else(|| node.units.iter().find_map(|unit| entry_of(unit, account)))
}

fn text(value: &Value) -> anyhow::Result<String> {
    value.as_str().map(str::to_owned).context("the endpoint answered without a member that it always has")
}
