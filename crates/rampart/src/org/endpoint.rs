//! Reads an organization from an Organizations endpoint, call by call.

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rampart_aws::sigv4::RequestParts;
use rampart_aws::sigv4::sign::{Credentials, sign_headers};
use rampart_core::AccountId;
use rampart_core::organization::plan::{AccountEntry, Node, OrganizationFile, PolicyEntry, Tags};
use rampart_core::organization::policy::SERVICE_CONTROL_POLICY as SCP;
use rampart_core::organization::{PolicyId, RAM_SERVICE};
use rampart_server::Clock;
use rustls::RootCertStore;
use serde_json::{Value, json};

use crate::cli::EndpointCredentials;
use crate::tls;

/// Bytes of an answer: a page has twenty items.
const ANSWER_BYTES_MAX: usize = 1 << 20;
/// Calls at the most: 10,000 accounts in 500 units take some 2,000, and 10,000 more for their tags.
const CALLS_MAX: usize = 100_000;
/// How long it waits for an endpoint that has too much to do, at first; twice as long each time.
const DELAY_MIN: Duration = Duration::from_millis(200);
/// And at last.
const DELAY_MAX: Duration = Duration::from_secs(15);

/// Where an organization is read from.
pub(crate) struct Endpoint {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    /// `https://HOST`
    base: String,
    region: String,
    credentials: EndpointCredentials,
    calls: std::cell::Cell<usize>,
    with_tags: bool,
}

impl Endpoint {
    pub(crate) fn new(
        url: &str,
        region: &str,
        credentials: EndpointCredentials,
        with_tags: bool,
    ) -> anyhow::Result<Self> {
        let base = url.trim_end_matches('/');
        let is_secure = base.starts_with("https://");
        ensure!(
            is_secure || base.starts_with("http://"),
            "write the endpoint as https://HOST or http://HOST:PORT, not as {url}"
        );
        // Only a secure endpoint needs anybody to be trusted.
        let authorities = if is_secure { tls::system_authorities()? } else { RootCertStore::empty() };
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls::client(authorities)?);
        let endpoint = Self {
            client: Client::builder(TokioExecutor::new())
                .build(connector.https_or_http().enable_http1().build()),
            base: base.to_owned(),
            region: region.to_owned(),
            credentials,
            calls: std::cell::Cell::new(0),
            with_tags,
        };
        let authority = endpoint.authority();
        ensure!(!authority.is_empty() && !authority.contains('/'), "the endpoint {url} names no host");
        Ok(endpoint)
    }

    fn authority(&self) -> &str {
        self.base.split_once("://").map_or("", |(_, authority)| authority)
    }

    /// The organization of the credentials' account, which must be its management account.
    pub(super) async fn read(&self) -> anyhow::Result<OrganizationFile> {
        let described = self.call("DescribeOrganization", &json!({})).await?;
        let organization = &described["Organization"];
        let management: AccountId = text(&organization["MasterAccountId"])?.parse()?;
        let roots = self.list("ListRoots", json!({}), "Roots").await?;
        let top = roots.first().context("the organization has no root")?;
        let has_all_features = organization["FeatureSet"] == "ALL";
        // AWS: others have neither trusted services nor policies.
        let services = if has_all_features { Some(self.services().await?) } else { None };
        let mut root = self.tree(&text(&top["Id"])?).await?;
        let (mut policies_enabled, mut policies) = (None, None);
        if has_all_features {
            let is_enabled = policies_are_enabled(top);
            let (found, attached) = self.policies(is_enabled).await?;
            if is_enabled {
                attached.describe(&mut root);
            }
            (policies_enabled, policies) = (Some(is_enabled), Some(found));
        }
        let management_account = entry_of(&root, management).unwrap_or(AccountEntry::new(management));
        Ok(OrganizationFile {
            management_account,
            id: Some(text(&organization["Id"])?),
            feature_set: Some(text(&organization["FeatureSet"])?),
            sharing: services.as_ref().map(|services| services.iter().any(|service| service == RAM_SERVICE)),
            trusted_services: services,
            policies_enabled,
            policies,
            root,
        })
    }

    async fn services(&self) -> anyhow::Result<Vec<String>> {
        let operation = "ListAWSServiceAccessForOrganization";
        let listed = self.list(operation, json!({}), "EnabledServicePrincipals").await?;
        listed.iter().map(|service| text(&service["ServicePrincipal"])).collect()
    }

    /// The service control policies, and what they are attached to while they are enabled.
    async fn policies(&self, is_enabled: bool) -> anyhow::Result<(Vec<PolicyEntry>, Attached)> {
        let listed = self.list("ListPolicies", json!({"Filter": SCP}), "Policies").await?;
        let (mut policies, mut attached) = (Vec::new(), Attached::default());
        for summary in listed {
            let (id, name) = (text(&summary["Id"])?, text(&summary["Name"])?);
            if is_enabled {
                let targets = self.list("ListTargetsForPolicy", json!({"PolicyId": id}), "Targets").await?;
                for target in targets {
                    attached.add(text(&target["TargetId"])?, &id, &name);
                }
            }
            // AWS's own are everywhere.
            if summary["AwsManaged"] == true {
                continue;
            }
            let described = self.call("DescribePolicy", &json!({"PolicyId": id})).await?;
            let content = Value::String(text(&described["Policy"]["Content"])?);
            let description = Some(summary["Description"].as_str().unwrap_or_default().to_owned());
            let tags = self.tags(&id).await?;
            policies.push(PolicyEntry { id: Some(id), name, description, content, tags });
        }
        Ok((policies, attached))
    }

    /// The tags of a root, a unit, an account or a policy.
    async fn tags(&self, resource: &str) -> anyhow::Result<Option<Tags>> {
        if !self.with_tags {
            return Ok(None);
        }
        let listed = self.list("ListTagsForResource", json!({"ResourceId": resource}), "Tags").await?;
        let tag = |tag: &Value| Ok((text(&tag["Key"])?, text(&tag["Value"])?));
        listed.iter().map(tag).collect::<anyhow::Result<Tags>>().map(Some)
    }

    /// The root with all that stands in it, level by level.
    async fn tree(&self, root: &str) -> anyhow::Result<Node> {
        // Parents stand before their children, so that nodes can be put together from the end.
        let mut nodes: Vec<(Node, Option<usize>)> =
            vec![(Node { id: Some(root.to_owned()), ..Node::default() }, None)];
        let mut open = VecDeque::from([0]);
        while let Some(at) = open.pop_front() {
            let id = nodes[at].0.id.clone().unwrap_or_default();
            nodes[at].0.tags = self.tags(&id).await?;
            for account in self.list("ListAccountsForParent", json!({"ParentId": id}), "Accounts").await? {
                let (name, email) = (text(&account["Name"])?, text(&account["Email"])?);
                let id: AccountId = text(&account["Id"])?.parse()?;
                let tags = self.tags(id.as_str()).await?;
                let entry =
                    AccountEntry { name: Some(name), email: Some(email), tags, ..AccountEntry::new(id) };
                nodes[at].0.accounts.push(entry);
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

    /// Calls an operation; once more, and later, when the endpoint asks for patience.
    #[expect(clippy::disallowed_methods, reason = "the endpoint asks to be left alone for a while")]
    async fn call(&self, operation: &str, input: &Value) -> anyhow::Result<Value> {
        let mut delay = DELAY_MIN;
        loop {
            self.calls.set(self.calls.get() + 1);
            ensure!(self.calls.get() <= CALLS_MAX, "the endpoint's lists have no end");
            let answer = self.client.request(self.request(operation, input)?).await;
            let answer = answer.with_context(|| format!("cannot reach {}", self.base))?;
            let status = answer.status();
            let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
            let body = body.map_err(|error| anyhow::anyhow!("{operation}: {error}"))?.to_bytes();
            let value: Result<Value, _> = serde_json::from_slice(&body);
            if delay <= DELAY_MAX && wants_patience(status, value.as_ref().unwrap_or(&Value::Null)) {
                tokio::time::sleep(delay).await;
                delay *= 2;
                continue;
            }
            let value = value.with_context(|| format!("{operation} answered {status} and no JSON"))?;
            if status != StatusCode::OK {
                let message = value["Message"].as_str().or(value["message"].as_str()).unwrap_or_default();
                bail!("{operation}: {} {message}", value["__type"].as_str().unwrap_or_default());
            }
            return Ok(value);
        }
    }

    fn request(&self, operation: &str, input: &Value) -> anyhow::Result<Request<Full<Bytes>>> {
        let target = format!("AWSOrganizationsV20161128.{operation}");
        let body = Bytes::from(input.to_string());
        let headers: [(&str, &[u8]); 3] = [
            ("content-type", b"application/x-amz-json-1.1"),
            ("host", self.authority().as_bytes()),
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
        let mut request = Request::post(format!("{}/", self.base));
        for (name, value) in headers {
            request = request.header(name, value);
        }
        for (name, value) in added {
            request = request.header(name, value);
        }
        Ok(request.body(Full::new(body))?)
    }
}

/// Which policies are attached to what.
#[derive(Default)]
struct Attached {
    full_access: HashSet<String>,
    others: HashMap<String, Vec<String>>,
}

impl Attached {
    fn add(&mut self, target: String, id: &str, name: &str) {
        if PolicyId::parse(id).is_some_and(|id| id.is_full_access()) {
            self.full_access.insert(target);
        } else {
            self.others.entry(target).or_default().push(name.to_owned());
        }
    }

    /// Writes down what is attached to a node and to all that stands in it.
    fn describe(&self, node: &mut Node) {
        let of = |id: &str| {
            let others = self.others.get(id).cloned().unwrap_or_default();
            (Some(others), Some(self.full_access.contains(id)))
        };
        (node.policies, node.full_access) = of(node.id.as_deref().unwrap_or_default());
        for account in &mut node.accounts {
            (account.policies, account.full_access) = of(account.id.as_str());
        }
        node.units.iter_mut().for_each(|unit| self.describe(unit));
    }
}

fn policies_are_enabled(root: &Value) -> bool {
    let types = root["PolicyTypes"].as_array();
    types.is_some_and(|types| types.iter().any(|one| one["Type"] == SCP && one["Status"] == "ENABLED"))
}

/// Whether the endpoint says that it has too much to do.
fn wants_patience(status: StatusCode, answer: &Value) -> bool {
    let code = answer["__type"].as_str().unwrap_or_default();
    matches!(status.as_u16(), 429 | 502..=504)
        || ["TooManyRequests", "Throttling", "ServiceUnavailable"].iter().any(|word| code.contains(word))
}

fn entry_of(node: &Node, account: AccountId) -> Option<AccountEntry> {
    let own = node.accounts.iter().find(|entry| entry.id == account).cloned();
    own.or_else(|| node.units.iter().find_map(|unit| entry_of(unit, account)))
}

fn text(value: &Value) -> anyhow::Result<String> {
    value.as_str().map(str::to_owned).context("the endpoint answered without a member that it always has")
}
