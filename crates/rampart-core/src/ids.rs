//! Ids and the ARNs made of them. An ARN names the owner, the Region and a random id, so it says by itself in which
//! partition of the store its row lives.

use std::fmt;

use rampart_aws::{AccountId, Arn, Region};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// 128 random bits that name a resource share.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct ShareId(pub Uuid);

/// 128 random bits that name an invitation; unrelated to the share's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct InvitationId(pub Uuid);

/// 128 random bits that order associations made in the same millisecond. Not visible to clients.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct AssociationId(pub Uuid);

const SHARE: &str = "resource-share/";
const INVITATION: &str = "resource-share-invitation/";

/// `arn:{partition}:ram:{region}:{owner}:resource-share/{uuid}` (reference §1.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ShareArn {
    /// The account that owns the share.
    pub owner: AccountId,
    /// The share's home Region.
    pub region: Region,
    /// The id in the resource part.
    pub id: ShareId,
}

/// `arn:{partition}:ram:{region}:{sender}:resource-share-invitation/{uuid}` (reference §1.1).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct InvitationArn {
    /// The account that owns the share and sent the invitation.
    pub sender: AccountId,
    /// The share's home Region.
    pub region: Region,
    /// The id in the resource part.
    pub id: InvitationId,
}

impl ShareArn {
    /// Reads the ARN of a resource share; `None` when the text is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (owner, region, id) = parse_ram_arn(text, SHARE)?;
        Some(Self { owner, region, id: ShareId(id) })
    }
}

impl InvitationArn {
    /// Reads the ARN of an invitation; `None` when the text is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let (sender, region, id) = parse_ram_arn(text, INVITATION)?;
        Some(Self { sender, region, id: InvitationId(id) })
    }
}

impl fmt::Display for ShareArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_ram_arn(f, self.region, self.owner, SHARE, self.id.0)
    }
}

impl fmt::Display for InvitationArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_ram_arn(f, self.region, self.sender, INVITATION, self.id.0)
    }
}

fn parse_ram_arn(text: &str, prefix: &str) -> Option<(AccountId, Region, Uuid)> {
    let arn = Arn::parse(text).ok()?;
    if arn.service() != "ram" {
        return None;
    }
    let region: Region = arn.region().parse().ok()?;
    if arn.partition() != region.partition().as_str() {
        return None;
    }
    let account = arn.account().parse().ok()?;
    let id = arn.resource().strip_prefix(prefix)?;
    // AWS: ids are lower-case and hyphenated, the version nibble is never checked (reference §1.1).
    if id.len() != 36 || id.bytes().any(|b| b.is_ascii_uppercase()) {
        return None;
    }
    Some((account, region, Uuid::try_parse(id).ok()?))
}

fn write_ram_arn(
    f: &mut fmt::Formatter<'_>,
    region: Region,
    account: AccountId,
    prefix: &str,
    id: Uuid,
) -> fmt::Result {
    write!(f, "arn:{}:ram:{region}:{account}:{prefix}{}", region.partition().as_str(), id.hyphenated())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHARE_ARN: &str =
        "arn:aws:ram:eu-west-1:111111111111:resource-share/b6b70cb4-d009-2817-d33a-73456b6a1135";

    #[test]
    fn a_share_arn_prints_as_it_was_read() {
        let arn = ShareArn::parse(SHARE_ARN).unwrap();
        assert_eq!(arn.owner.as_str(), "111111111111");
        assert_eq!(arn.to_string(), SHARE_ARN);
    }

    #[test]
    fn the_partition_follows_the_region() {
        let china = SHARE_ARN.replace("arn:aws:", "arn:aws-cn:").replace("eu-west-1", "cn-north-1");
        assert_eq!(ShareArn::parse(&china).unwrap().to_string(), china);
        assert_eq!(ShareArn::parse(&SHARE_ARN.replace("arn:aws:", "arn:aws-cn:")), None);
    }

    #[test]
    fn anything_else_is_no_share_arn() {
        for text in [
            "",
            "rs-b6b70cb4",
            &SHARE_ARN.replace("resource-share/", "resource-share-invitation/"),
            &SHARE_ARN.replace(":ram:", ":ec2:"),
            &SHARE_ARN.replace("b6b70cb4", "B6B70CB4"),
            &SHARE_ARN.replace('-', ""),
            &SHARE_ARN.replace("111111111111", "aws"),
            &format!("{SHARE_ARN},{SHARE_ARN}"),
        ] {
            assert_eq!(ShareArn::parse(text), None, "{text}");
        }
    }
}
