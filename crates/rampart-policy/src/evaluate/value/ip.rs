//! IP addresses and ranges of them, of both versions.

use std::net::IpAddr;

/// An address or a range in CIDR notation. Host bits of the range are cleared; an IPv4 address mapped into IPv6 is the
/// IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Network {
    V4 { network: u32, mask: u32 },
    V6 { network: u128, mask: u128 },
}

const MAPPED_PREFIX_LEN: u32 = 96;

impl Network {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, len) = match text.split_once('/') {
            None => (text, None),
            Some((address, len)) => (address, Some(parse_len(len)?)),
        };
        let (address, len) = match (address.parse::<IpAddr>().ok()?, len) {
            (IpAddr::V6(v6), Some(len)) if len >= MAPPED_PREFIX_LEN => match v6.to_ipv4_mapped() {
                Some(v4) => (IpAddr::V4(v4), Some(len - MAPPED_PREFIX_LEN)),
                None => (IpAddr::V6(v6), Some(len)),
            },
            (address, None) => (address.to_canonical(), None),
            (address, len) => (address, len),
        };
        match address {
            IpAddr::V4(v4) => {
                let mask = leading_ones(len.unwrap_or(32), 32)?;
                let mask = u32::try_from(mask).ok()?;
                Some(Self::V4 { network: v4.to_bits() & mask, mask })
            }
            IpAddr::V6(v6) => {
                let mask = leading_ones(len.unwrap_or(128), 128)?;
                Some(Self::V6 { network: v6.to_bits() & mask, mask })
            }
        }
    }

    pub(crate) fn contains(self, address: IpAddr) -> bool {
        match (self, address) {
            (Self::V4 { network, mask }, IpAddr::V4(v4)) => v4.to_bits() & mask == network,
            (Self::V6 { network, mask }, IpAddr::V6(v6)) => v6.to_bits() & mask == network,
            _ => false,
        }
    }
}

pub(crate) fn parse_address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn parse_len(text: &str) -> Option<u32> {
    let is_number = (1..=3).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// `len` ones and zeros up to `width` bits.
fn leading_ones(len: u32, width: u32) -> Option<u128> {
    let all = u128::MAX >> (128 - width);
    match width.checked_sub(len)? {
        128 => Some(0),
        zeros => Some(all >> zeros << zeros),
    }
}
