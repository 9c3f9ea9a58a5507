//! The names of the rules that bytes from outside can break (spec: all pages).
//!
//! A rule has one name everywhere: in the spec, the vectors, errors, logs and the inbox.

use std::fmt;

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// A rule of the formats, named when bytes break it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule {
            $($(#[$doc])* $variant,)*
        }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The rule's name in the spec.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

rules! {
    /// A line of more than `LINE_BYTES_MAX` bytes, or an identity entry of more than `IDENTITY_ENTRY_BYTES_MAX`.
    LineTooLong = "line_too_long",
    /// Bytes that are not UTF-8.
    NotUtf8 = "not_utf8",
    /// A NUL character, raw or escaped.
    Nul = "nul",
    /// Something RFC 8259 does not allow.
    NotJson = "not_json",
    /// A JSON value that is not an object.
    NotAnObject = "not_an_object",
    /// More than `JSON_DEPTH_MAX` levels.
    TooDeep = "too_deep",
    /// The same key twice in one object.
    DuplicateKey = "duplicate_key",
    /// A number that some readers would round.
    NumberOutOfRange = "number_out_of_range",
    /// A line without the layout of a signed line.
    NotSignedLine = "not_signed_line",
    /// A payload of another type than belongs here.
    WrongType = "wrong_type",
    /// A signature that does not verify strictly.
    BadSignature = "bad_signature",
    /// A public key that is no good point.
    WeakKey = "weak_key",
    /// An identity entry with a missing or malformed member.
    IdentityMalformed = "identity_malformed",
    /// More than `IDENTITY_ENTRIES_MAX` entries.
    IdentityTooLong = "identity_too_long",
    /// An identity log of another instance than expected.
    WrongId = "wrong_id",
    /// A log that does not start with `found`, or has a second one.
    NotFoundFirst = "not_found_first",
    /// An entry with a wrong number.
    WrongN = "wrong_n",
    /// An entry that does not name the one before.
    WrongPrev = "wrong_prev",
    /// An entry with a wrong era.
    WrongEra = "wrong_era",
    /// A rotation that changes the recovery commitment.
    RecoveryChanged = "recovery_changed",
    /// A recovery by a key nobody committed to.
    RecoveryNotCommitted = "recovery_not_committed",
    /// A recovery that keeps the used words.
    RecoveryReused = "recovery_reused",
    /// A header with a missing or malformed member.
    HeaderMalformed = "header_malformed",
    /// More than `DELTA_ENTRIES_MAX` entries.
    TooManyEntries = "too_many_entries",
    /// More than `DELTA_BYTES_MAX` bytes of lines.
    DeltaTooLarge = "delta_too_large",
    /// A record line with a missing or malformed member.
    LineMalformed = "line_malformed",
    /// A line of another origin than its feed.
    LineOrigin = "line_origin",
    /// A line of another scope than its feed.
    LineScope = "line_scope",
    /// An entry that is not in canonical form.
    EntryMalformed = "entry_malformed",
    /// Another number of items than the header says.
    WrongEntries = "wrong_entries",
    /// More bytes of lines than the header says.
    WrongBytes = "wrong_bytes",
    /// A header whose era or key is not that of the identity entry it names.
    WrongKey = "wrong_key",
    /// Entries that do not have the header's root.
    WrongRoot = "wrong_root",
    /// Two entries of one id in one delta.
    TwoEntriesOfOneId = "two_entries_of_one_id",
    /// A header by an old key above its last head.
    AboveLastHead = "above_last_head",
    /// A header that names another generation than its log has.
    WrongGeneration = "wrong_generation",
    /// A header under an earlier identity entry than the one before it.
    IdentityDecreases = "identity_decreases",
    /// A put whose revision is not above the live one.
    RevNotAbove = "rev_not_above",
    /// A retract whose revision is below the live one.
    RetractBelowLive = "retract_below_live",
    /// An entry that drops another line than the live one.
    WrongDrops = "wrong_drops",
    /// An entry that changes a record's kind.
    KindChanged = "kind_changed",
    /// A delta or snapshot whose live set is not the one its header commits to.
    WrongLive = "wrong_live",
    /// A filling line that contradicts its entry.
    FillMismatch = "fill_mismatch",
    /// Body hashes that do not lead to the head.
    WrongChain = "wrong_chain",
    /// Items that are not in rising order of id.
    WrongOrder = "wrong_order",
    /// A section with another number of things than announced.
    WrongCount = "wrong_count",
    /// A snapshot that lists a live record as retracted.
    RetractedLive = "retracted_live",
    /// A section this version does not know.
    UnknownSection = "unknown_section",
    /// A file that is not a bundle, or ends too early.
    NotABundle = "not_a_bundle",
    /// A bundle that ends before its end line.
    Truncated = "truncated",
    /// A bundle whose end line does not fit its bytes.
    WrongDigest = "wrong_digest",
    /// Bytes after the end line.
    TrailingData = "trailing_data",
    /// A bundle whose sections are not those its head lists.
    ContentsMismatch = "contents_mismatch",
    /// Two programs without a common version.
    VersionSkew = "version_skew",
    /// A file that is larger than a limit, or unpacks to too much.
    TooLarge = "too_large",
    /// A want file that is not well formed.
    WantMalformed = "want_malformed",
    /// A receipt that is not well formed.
    ReceiptMalformed = "receipt_malformed",
    /// A reply to a notice is not of its form.
    ReplyMalformed = "reply_malformed",
    /// An envelope with a missing or malformed member.
    EnvelopeMalformed = "envelope_malformed",
    /// A body that is not the one its envelope names.
    EnvelopeMismatch = "envelope_mismatch",
    /// An envelope that is over, or lasts longer than any may.
    EnvelopeExpired = "envelope_expired",
    /// A body that no sealing key held here opens.
    NotForUs = "not_for_us",
    /// What was sealed is not a statement, its content and zero bytes.
    SealedMalformed = "sealed_malformed",
    /// A statement that does not fit its envelope or its content.
    SealedMismatch = "sealed_mismatch",
    /// A statement that does not name its reader.
    NotInAudience = "not_in_audience",
    /// A purpose this version does not know.
    UnknownPurpose = "unknown_purpose",
    /// Something else in an envelope than its purpose says.
    SealedContent = "sealed_content",
    /// What was sealed is not a letter and zero bytes.
    LetterMalformed = "letter_malformed",
    /// A letter that does not fit the mail it came in.
    LetterMismatch = "letter_mismatch",
    /// A letter of a known kind whose body has another form.
    LetterBody = "letter_body",
    /// A vouch alone with a missing or malformed member.
    LoneVouchMalformed = "lone_vouch_malformed",
    /// A vouch alone whose parts are not of one thing.
    LoneVouchDiffers = "lone_vouch_differs",
}

impl Rule {
    /// Whether a single line breaks it, whatever it stands for.
    #[must_use]
    pub fn is_strict_json(self) -> bool {
        self <= Self::NumberOutOfRange
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
