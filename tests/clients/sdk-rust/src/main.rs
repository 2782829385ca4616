//! The story of two accounts and of an organization, through the AWS SDK for Rust:
//! `sdk-rust ENDPOINT OWNER RECEIVER RESOURCE MANAGEMENT`. Prints what it saw as JSON.

use std::error::Error;

use aws_sdk_organizations::types::OrganizationFeatureSet;
use aws_sdk_ram::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ram::types::ResourceOwner;
use aws_smithy_http_client::Builder;
use aws_types::SdkConfig;
use aws_types::sdk_config::SharedCredentialsProvider;
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

struct World {
    endpoint: String,
}

impl World {
    /// How an account calls any service.
    fn config(&self, account: &str, region: &'static str) -> SdkConfig {
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.endpoint)
            .region(Region::new(region))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(account, "x", None, None, "story")))
            .http_client(Builder::new().build_http())
            .build()
    }

    fn ram(&self, account: &str) -> aws_sdk_ram::Client {
        aws_sdk_ram::Client::new(&self.config(account, "eu-west-1"))
    }

    fn sts(&self, account: &str) -> aws_sdk_sts::Client {
        aws_sdk_sts::Client::new(&self.config(account, "eu-west-1"))
    }

    fn organizations(&self, account: &str) -> aws_sdk_organizations::Client {
        aws_sdk_organizations::Client::new(&self.config(account, "us-east-1"))
    }

    /// The names of the shares that an account sees, page by page.
    async fn seen(&self, account: &str, owner: ResourceOwner) -> Result<Vec<String>> {
        let pages =
            self.ram(account).get_resource_shares().resource_owner(owner).into_paginator().page_size(1);
        let pages: std::result::Result<Vec<_>, _> = pages.send().collect().await;
        let shares = pages?.into_iter().flat_map(|page| page.resource_shares.unwrap_or_default());
        Ok(shares.filter_map(|share| share.name).collect())
    }

    async fn two_accounts(&self, owner: &str, receiver: &str, resource: &str) -> Result<Value> {
        let caller = self.sts(owner).get_caller_identity().send().await?;
        let made = self.ram(owner).create_resource_share().name("from-rust").resource_arns(resource);
        let made = made.principals(receiver).send().await?.resource_share.ok_or("no share")?;
        let invited = self.ram(receiver).get_resource_share_invitations().send().await?;
        let invited = invited.resource_share_invitations();
        let arn =
            invited.first().and_then(|one| one.resource_share_invitation_arn()).ok_or("no invitation")?;
        let before = self.seen(receiver, ResourceOwner::OtherAccounts).await?;
        let accept =
            || self.ram(receiver).accept_resource_share_invitation().resource_share_invitation_arn(arn);
        let accepted = accept().send().await?.resource_share_invitation.ok_or("no answer")?;
        let again = accept().send().await.expect_err("it is answered").into_service_error();
        let after = self.seen(receiver, ResourceOwner::OtherAccounts).await?;
        let listed =
            self.ram(receiver).list_resources().resource_owner(ResourceOwner::OtherAccounts).send().await?;
        let share = made.resource_share_arn.ok_or("no ARN")?;
        let deleted = self.ram(owner).delete_resource_share().resource_share_arn(share).send().await?;
        Ok(json!({
            "caller": caller.account,
            "created": made.creation_time.is_some(),
            "before": before.len(),
            "accepted": accepted.status.map(|status| status.as_str().to_owned()),
            "again": again.is_resource_share_invitation_already_accepted_exception(),
            "after": after,
            "resources": listed.resources().iter().map(|row| row.arn()).collect::<Vec<_>>(),
            "deleted": deleted.return_value,
        }))
    }

    async fn organization(&self, management: &str) -> Result<Vec<String>> {
        let organizations = self.organizations(management);
        organizations.create_organization().feature_set(OrganizationFeatureSet::All).send().await?;
        let made = organizations
            .create_account()
            .account_name("rust")
            .email(format!("rust-{management}@example.com"));
        let made = made.send().await?.create_account_status.ok_or("no status")?;
        let id = made.id.ok_or("no id")?;
        // As on AWS, the account is made while its caller waits.
        let status =
            organizations.describe_create_account_status().create_account_request_id(id).send().await?;
        let account =
            status.create_account_status.and_then(|status| status.account_id).ok_or("no account")?;
        self.ram(management).enable_sharing_with_aws_organization().send().await?;
        self.ram(management).create_resource_share().name("inside").principals(&account).send().await?;
        self.seen(&account, ResourceOwner::OtherAccounts).await
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [endpoint, owner, receiver, resource, management] = arguments.as_slice() else {
        return Err("ENDPOINT OWNER RECEIVER RESOURCE MANAGEMENT".into());
    };
    let world = World { endpoint: endpoint.clone() };
    let mut told = world.two_accounts(owner, receiver, resource).await?;
    told["inside"] = json!(world.organization(management).await?);
    println!("{told}");
    Ok(())
}
