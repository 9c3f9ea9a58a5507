//! Pairing two nodes: the link that one gives to the other, and the words that both compare (spec: peers).

use std::fmt;
use std::str::FromStr;

use bip39::Language;

use crate::hash;
use crate::id::{InstanceId, Token};
use crate::limits::{ADDRESS_CHARS_MAX, LINK_ADDRESSES_MAX};

/// How often the hash behind the words is taken again: finding other ids or tokens of the same words costs
/// that much more, and showing them a few milliseconds.
const ROUNDS: u32 = 65_536;
/// Safety words that both sides compare.
///
/// Whoever stands between two, and shows each a pair of its own making, searches on both sides at once: of w
/// bits it finds two pairs with the same words in about 2^(w/2) tries. So there are twice as many words as
/// would do against a search on one side.
pub const SAFETY_WORDS: u32 = 8;
/// Words in a group; people read and hear them so.
const GROUP_WORDS: usize = 4;
/// What stands between two groups.
const BETWEEN: &str = " / ";
/// Bits of a word.
const WORD_BITS: u32 = 11;
/// What stands for an address where there is none.
const NO_ADDRESS: &str = "wb:pair";
/// The page of a node that its links lead to.
const PAGE: &str = "/pair";
/// The token of a pair that was made without a link.
pub const NO_TOKEN: Token = Token([0; 16]);

/// The words that two people compare: two groups of four, with ` / ` between them.
///
/// ```
/// use wb_core::id::InstanceId;
/// use wb_core::pairing::{NO_TOKEN, safety_words};
/// let (elm, oak) = (InstanceId([1; 32]), InstanceId([2; 32]));
/// assert_eq!(safety_words(elm, oak, &NO_TOKEN), safety_words(oak, elm, &NO_TOKEN));
/// ```
///
/// # Panics
/// Never: a number of eleven bits is within the list.
#[must_use]
pub fn safety_words(one: InstanceId, other: InstanceId, token: &Token) -> String {
    let mut hash = hash::safety_words(&one.min(other), &one.max(other), token);
    for _ in 0..ROUNDS {
        hash = hash::safety_words_again(&hash);
    }
    let (first, _) = hash.0.split_at(16);
    let bits = u128::from_be_bytes(first.try_into().expect("sixteen of 32 bytes"));
    let list = Language::English.word_list();
    let words = (1..=SAFETY_WORDS).map(|place| {
        let number = bits >> (u128::BITS - place * WORD_BITS) & ((1 << WORD_BITS) - 1);
        list[usize::try_from(number).expect("eleven bits")]
    });
    let words: Vec<_> = words.collect();
    let groups = words.chunks(GROUP_WORDS).map(|group| group.join(" "));
    groups.collect::<Vec<_>>().join(BETWEEN)
}

/// A link that pairs. It holds a secret: whoever has it may ask to be paired, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairLink {
    /// Where its maker is reached, best first; none where nobody reaches it. They are of whoever wrote the
    /// link: nothing was connected to, and not all may be allowed.
    pub addresses: Vec<String>,
    /// Who made it.
    pub id: InstanceId,
    /// The secret.
    pub token: Token,
}

impl fmt::Display for PairLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.addresses.first() {
            Some(first) => write!(f, "{first}{PAGE}")?,
            None => f.write_str(NO_ADDRESS)?,
        }
        write!(f, "#{}.{}", self.id, self.token)?;
        for more in self.addresses.iter().skip(1) {
            write!(f, ",{more}")?;
        }
        Ok(())
    }
}

/// What is wrong with a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It has no part after `#`, or leads elsewhere.
    #[error("it is no link that pairs: such a link has /pair# in it, an id and a token")]
    Form,
    /// The id is none.
    #[error("what follows `#` does not begin with an instance id (64 hex digits)")]
    Id,
    /// The token is none.
    #[error("the token after the id is cut short or changed (32 hex digits)")]
    Token,
    /// An address is none of the network or too long, or there are too many.
    #[error(
        "it has more than {LINK_ADDRESSES_MAX} addresses, or one that is too long or does not begin with https:// or http://"
    )]
    Addresses,
}

/// Whether an address leads over the network. A folder is only ever named by who owns the computer.
fn is_of_network(address: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| {
        address
            .strip_prefix(scheme)
            .is_some_and(|rest| !rest.is_empty())
    })
}

impl FromStr for PairLink {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let (place, rest) = text.trim().split_once('#').ok_or(LinkError::Form)?;
        let mut parts = rest.split(',');
        let (id, token) = parts
            .next()
            .and_then(|secret| secret.split_once('.'))
            .ok_or(LinkError::Token)?;
        let first = match place.strip_suffix(PAGE) {
            _ if place == NO_ADDRESS => None,
            Some(first) => Some(first),
            None => return Err(LinkError::Form),
        };
        let addresses: Vec<String> = first.into_iter().chain(parts).map(str::to_owned).collect();
        let is_wrong =
            |address: &String| !is_of_network(address) || address.len() > ADDRESS_CHARS_MAX;
        if addresses.len() > LINK_ADDRESSES_MAX || addresses.iter().any(is_wrong) {
            return Err(LinkError::Addresses);
        }
        Ok(Self {
            addresses,
            id: id.parse().map_err(|_| LinkError::Id)?,
            token: token.parse().map_err(|_| LinkError::Token)?,
        })
    }
}
