//! Regions and the partitions they belong to.

use std::fmt;
use std::str::FromStr;

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize, Serializer};

/// The longest region name that is accepted, in bytes.
pub const REGION_LEN_MAX: usize = 32;

/// The name of a region: one to 32 lower-case letters, digits and hyphens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region {
    // Padded with zero bytes, which sort before every byte of a name: the derived order is that of the text.
    bytes: [u8; REGION_LEN_MAX],
    len: u8,
}

/// The text is not one to 32 lower-case letters, digits and hyphens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a region is 1 to 32 lower-case letters, digits and hyphens")]
pub struct InvalidRegion;

impl Region {
    /// The name.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("a region is ASCII")
    }

    /// The partition that the name belongs to, told by its prefix; names of no known prefix are of `aws`.
    pub fn partition(&self) -> Partition {
        const PREFIXES: [(&str, Partition); 7] = [
            ("cn-", Partition::AwsCn),
            ("us-gov-", Partition::AwsUsGov),
            ("us-iso-", Partition::AwsIso),
            ("us-isob-", Partition::AwsIsoB),
            ("eu-isoe-", Partition::AwsIsoE),
            ("us-isof-", Partition::AwsIsoF),
            ("eusc-", Partition::AwsEusc),
        ];
        let name = self.as_str();
        PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix)).map_or(Partition::Aws, |(_, p)| *p)
    }
}

impl FromStr for Region {
    type Err = InvalidRegion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if text.is_empty() || text.len() > REGION_LEN_MAX || !is_name {
            return Err(InvalidRegion);
        }
        let mut bytes = [0; REGION_LEN_MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        let len = u8::try_from(text.len()).expect("at most REGION_LEN_MAX");
        Ok(Self { bytes, len })
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl AsRef<str> for Region {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// A partition: a group of regions with accounts, ARNs and DNS names of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Partition {
    /// `aws`, the commercial regions.
    Aws,
    /// `aws-cn`, the regions in China.
    AwsCn,
    /// `aws-us-gov`, GovCloud.
    AwsUsGov,
    /// `aws-iso`, US ISO.
    AwsIso,
    /// `aws-iso-b`, US ISOB.
    AwsIsoB,
    /// `aws-iso-e`, EU ISOE.
    AwsIsoE,
    /// `aws-iso-f`, US ISOF.
    AwsIsoF,
    /// `aws-eusc`, the European Sovereign Cloud.
    AwsEusc,
}

/// The text names no partition that RAM runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a partition")]
pub struct UnknownPartition;

impl Partition {
    /// Every partition.
    pub const ALL: [Self; 8] = [
        Self::Aws,
        Self::AwsCn,
        Self::AwsUsGov,
        Self::AwsIso,
        Self::AwsIsoB,
        Self::AwsIsoE,
        Self::AwsIsoF,
        Self::AwsEusc,
    ];

    /// The name, as in the second field of an ARN.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
            Self::AwsIso => "aws-iso",
            Self::AwsIsoB => "aws-iso-b",
            Self::AwsIsoE => "aws-iso-e",
            Self::AwsIsoF => "aws-iso-f",
            Self::AwsEusc => "aws-eusc",
        }
    }

    /// The region that stands for the partition where something is global.
    pub fn global_region(self) -> &'static str {
        match self {
            Self::Aws => "us-east-1",
            Self::AwsCn => "cn-northwest-1",
            Self::AwsUsGov => "us-gov-west-1",
            Self::AwsIso => "us-iso-east-1",
            Self::AwsIsoB => "us-isob-east-1",
            Self::AwsIsoE => "eu-isoe-west-1",
            Self::AwsIsoF => "us-isof-south-1",
            Self::AwsEusc => "eusc-de-east-1",
        }
    }

    /// What the DNS names of the partition's endpoints end in.
    pub fn dns_suffix(self) -> &'static str {
        match self {
            Self::Aws | Self::AwsUsGov => "amazonaws.com",
            Self::AwsCn => "amazonaws.com.cn",
            Self::AwsIso => "c2s.ic.gov",
            Self::AwsIsoB => "sc2s.sgov.gov",
            Self::AwsIsoE => "cloud.adc-e.uk",
            Self::AwsIsoF => "csp.hci.ic.gov",
            Self::AwsEusc => "amazonaws.eu",
        }
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Partition {
    type Err = UnknownPartition;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|partition| partition.as_str() == text).ok_or(UnknownPartition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(text: &str) -> Region {
        text.parse().unwrap()
    }

    #[test]
    fn names() {
        let longest = "a".repeat(REGION_LEN_MAX);
        for good in ["us-east-1", "a", "0", "-", longest.as_str()] {
            assert_eq!(region(good).as_str(), good);
            assert_eq!(region(good).to_string(), good);
        }
        let too_long = "a".repeat(REGION_LEN_MAX + 1);
        for bad in ["", "US-EAST-1", "us east", "us_east", "é", too_long.as_str()] {
            assert_eq!(bad.parse::<Region>(), Err(InvalidRegion), "{bad:?}");
        }
    }

    #[test]
    fn order_is_that_of_the_text() {
        let mut regions = ["us-east-1", "a", "ab", "us-east-10", "us", "-"].map(region);
        regions.sort();
        assert_eq!(regions.map(|r| r.to_string()), ["-", "a", "ab", "us", "us-east-1", "us-east-10"]);
    }

    #[test]
    fn json_form_is_a_string() {
        let region: Region = serde_json::from_str("\"eu-west-1\"").unwrap();
        assert_eq!(serde_json::to_string(&region).unwrap(), "\"eu-west-1\"");
        assert!(serde_json::from_str::<Region>("\"EU\"").is_err());
    }

    #[test]
    fn partitions_of_regions() {
        let cases = [
            ("us-east-1", Partition::Aws),
            ("mx-central-1", Partition::Aws),
            ("cn-northwest-1", Partition::AwsCn),
            ("us-gov-east-1", Partition::AwsUsGov),
            ("us-iso-west-1", Partition::AwsIso),
            ("us-isob-west-1", Partition::AwsIsoB),
            ("eu-isoe-west-1", Partition::AwsIsoE),
            ("us-isof-east-1", Partition::AwsIsoF),
            ("eusc-de-east-1", Partition::AwsEusc),
            ("local", Partition::Aws),
        ];
        for (name, partition) in cases {
            assert_eq!(region(name).partition(), partition, "{name}");
        }
    }

    #[test]
    fn partitions_hold_their_global_region() {
        for partition in Partition::ALL {
            assert_eq!(region(partition.global_region()).partition(), partition);
            assert_eq!(partition.to_string().parse(), Ok(partition));
            assert!(!partition.dns_suffix().is_empty());
        }
        assert_eq!("aws-moon".parse::<Partition>(), Err(UnknownPartition));
    }
}
