//! Every limit of the formats, with what it protects (spec: conventions, limits).

/// Bytes of one line without its LF; protects the memory of a reader.
pub const LINE_BYTES_MAX: usize = 262_144;
/// Bytes of a record's body when this program writes it; leaves room for the envelope in a line.
pub const BODY_BYTES_MAX: usize = LINE_BYTES_MAX - 4_096;
/// Objects and arrays inside each other; protects the stack.
pub const JSON_DEPTH_MAX: usize = 32;
/// Magnitude of a number (2^53); protects readers in languages with one number type.
pub const NUMBER_MAX: u64 = 9_007_199_254_740_992;
/// Entries in one delta; bounds the path that proves one record to ten hashes.
pub const DELTA_ENTRIES_MAX: usize = 1_024;
/// Bytes of all record lines of a delta, each with its LF; protects memory for one delta.
pub const DELTA_BYTES_MAX: u64 = 33_554_432;
/// Bytes of an entry that stands alone: no canonical one is longer, so none is kept to see.
pub const ENTRY_BYTES_MAX: usize = 320;
/// Entries of one identity log; protects whoever must verify it at first contact.
pub const IDENTITY_ENTRIES_MAX: usize = 1_024;
/// Bytes of one entry of an identity log, signature included; protects the memory of whoever reads a whole
/// log before it can verify it. An entry of this version has about 700.
pub const IDENTITY_ENTRY_BYTES_MAX: usize = 4_096;
/// Items in one `chain` or `retracted` line of a snapshot.
pub const CHUNK_ITEMS_MAX: usize = 1_000;
/// Feed sections in one bundle: what the line of its head can list.
pub const BUNDLE_FEEDS_MAX: usize = 1_500;
/// Sections in one stream, of feeds and of identity logs; protects the memory for what came of them.
pub const STREAM_SECTIONS_MAX: usize = 2 * BUNDLE_FEEDS_MAX;
/// Plain bytes per compressed byte once [`BUNDLE_RATIO_FREE_BYTES`] have come; stops decompression bombs.
pub const BUNDLE_RATIO_MAX: u64 = 200;
/// Plain bytes to which [`BUNDLE_RATIO_MAX`] does not apply yet.
pub const BUNDLE_RATIO_FREE_BYTES: u64 = 16 * 1_024 * 1_024;
/// Plain bytes of one bundle; protects the disk of an importer.
pub const BUNDLE_BYTES_MAX: u64 = 64 * 1_024 * 1_024 * 1_024;
/// Characters of a title.
pub const TITLE_CHARS_MAX: usize = 200;
/// Characters of a description, comment, note or personalisation text.
pub const TEXT_CHARS_MAX: usize = 20_000;
/// Characters of a handle, a display name or the name of an instance.
pub const NAME_CHARS_MAX: usize = 80;
/// Characters of any URL.
pub const ADDRESS_CHARS_MAX: usize = 2_048;
/// Helpers one status event can have heard.
pub const HEARD_MAX: usize = 15;
/// Items in any list or object inside a record body.
pub const LIST_ITEMS_MAX: usize = 64;
/// Months a vouch may last.
pub const VOUCH_MONTHS_MAX: u32 = 24;
/// Records of the kind vouch of one issuer that are looked at, the first by id; bounds the work that one feed costs whoever
/// carries it.
pub const VOUCHES_READ_PER_ISSUER: u64 = 1_000;
/// Live vouches of level trusted or more that one issuer may hold.
pub const VOUCHES_PER_ISSUER_MAX: usize = 20;
/// Bytes of one body of the sync API after decoding, either way; protects memory. One delta always fits.
pub const SYNC_BODY_BYTES_MAX: usize = 67_108_864;
/// Bytes of a body that a recipient reads before it knows who sends it; protects memory and time.
pub const BODY_UNCHECKED_BYTES_MAX: u64 = 65_536;
/// Bytes after which a page of the sync API ends; bounds memory and what is lost with a connection.
pub const PAGE_BYTES_TARGET: usize = 4_194_304;
/// Seconds an answer may wait for something new; shorter than the idle time-out of common proxies.
pub const WAIT_SECONDS_MAX: u64 = 55;
/// Members in one page of a hub's directory.
pub const DIRECTORY_PAGE_MAX: usize = 200;
/// Feeds in one page of heads.
pub const HEADS_PAGE_MAX: usize = 1_000;
/// Kinds that are told of one feed, and asked for at once; protects whoever reads the heads of many.
pub const FEED_KINDS_MAX: usize = 64;
/// Instances in a follow list.
pub const FOLLOWS_MAX: usize = 10_000;
/// Lines in a sample.
pub const LINES_NEWEST_MAX: usize = 50;
/// Seconds of `retry_after` that a client waits out within one call; a longer wait ends it.
pub const RETRY_AFTER_WAITED_MAX: u64 = 10;
/// How often one request is repeated because of `retry_after`; ends what never is granted.
pub const RETRIES_MAX: u32 = 5;
/// Members of one hub's directory that a client reads; protects its memory and its reader's patience.
pub const DIRECTORY_READ_MAX: usize = 10_000;
/// Feeds whose heads a client reads of one hub; protects its memory.
pub const HEADS_READ_MAX: usize = 100_000;
/// Seconds a signed request is valid at most.
pub const REQUEST_SECONDS_MAX: u64 = 120;
/// Seconds a request may come from the future: clocks of honest machines differ by less.
pub const CLOCK_AHEAD_SECONDS_MAX: u64 = 30;
/// Addresses in a link that pairs; keeps it short enough to be shown as a code.
pub const LINK_ADDRESSES_MAX: usize = 4;
/// Pairs that were asked for without a link and wait for an answer; protects the list that a person reads.
pub const PAIRS_ASKED_MAX: usize = 100;
/// Bytes that one peer may fill of a node; protects its disk.
pub const PEER_BYTES_MAX: u64 = 1_073_741_824;
/// Live records that one peer may have at a node; protects its disk.
pub const PEER_RECORDS_MAX: u64 = 500_000;
/// Bytes of the body of one envelope; protects the memory of whoever opens or relays it.
pub const ENVELOPE_BYTES_MAX: usize = 16_777_216;
/// Bytes of the call that gives an envelope of the largest size, in base64 and with its line.
pub const ENVELOPE_CALL_BYTES_MAX: usize = ENVELOPE_BYTES_MAX.div_ceil(3) * 4 + 65_536;
/// Instances one envelope can be sealed to, and an audience can have; protects the line, and the work of sealing.
pub const ENVELOPE_RECIPIENTS_MAX: usize = 64;
/// Days an envelope lasts; protects the disk of a hub, and bounds how long an old sealing key matters.
pub const ENVELOPE_DAYS: i64 = 30;
/// Envelopes of one origin to one recipient that a hub keeps; protects its disk and the recipient's patience.
pub const ENVELOPES_PER_PAIR_MAX: u64 = 50;
/// Milliseconds after which an envelope that no want answered is given to a hub again, and after which whoever has nothing
/// waiting is given the rest from what it confirmed; bounds traffic, and how long a loss lasts.
pub const ENVELOPE_AGAIN_MS: i64 = 2 * 24 * 60 * 60 * 1_000;
/// Hashes of envelopes or letters that one call says are there; bounds how long a hub is busy with one member.
pub const TAKEN_HASHES_MAX: usize = 1_000;
/// Wants in a day with which a member asks for what it was given already; bounds what is sealed for one.
pub const WANTS_AGAIN_MAX: u64 = 4;
/// Bytes of envelopes of one origin that a hub keeps; protects its disk.
pub const ENVELOPES_BYTES_MAX: u64 = 268_435_456;
/// Bytes of the body of one letter; protects whoever carries it. The longest line fits, sealed.
pub const LETTER_BYTES_MAX: usize = 327_680;
/// Bytes of the call that gives a letter of the largest size, in base64 and with its line.
pub const LETTER_CALL_BYTES_MAX: usize = LETTER_BYTES_MAX.div_ceil(3) * 4 + 65_536;
/// Letters of one sender to one recipient that a hub keeps; protects the recipient's patience, and the disk of the hub.
pub const LETTERS_PER_PAIR_MAX: u64 = 50;
/// Threads of letters of one accepted origin that are kept; protects the disk of whoever accepted it.
pub const LETTERS_KEPT_MAX: u64 = 2_000;
/// Bytes of one vouch alone; protects whoever reads one that somebody sent. A log of some 900 entries fits.
pub const LONE_VOUCH_BYTES_MAX: usize = 1_048_576;
/// Hashes of the path that proves one record of a delta: those of a tree of [`DELTA_ENTRIES_MAX`] leaves.
pub const PATH_HASHES_MAX: usize = 10;
/// Vouches of one answer of a hub; bounds the work of one call.
pub const VOUCHES_PAGE_MAX: usize = 50;
/// Vouches that a client reads for one question; protects it from a hub that never ends.
pub const VOUCHES_READ_MAX: usize = 1_000;
/// Bytes of letters of one origin that a hub keeps; protects its disk.
pub const LETTERS_BYTES_MAX: u64 = 67_108_864;
/// Milliseconds after which a letter without a receipt is given again; bounds traffic, and how long a loss lasts.
pub const LETTER_AGAIN_MS: i64 = 24 * 60 * 60 * 1_000;
/// Characters of a reply: with the name of its author before it, it is a comment still.
pub const REPLY_CHARS_MAX: usize = 19_500;
/// Characters of an e-mail address or a number in a letter; protects pages.
pub const CONTACT_CHARS_MAX: usize = 320;
/// Characters of what is said along with an offer of help, its answer or thanks; protects pages that list several.
pub const OFFER_CHARS_MAX: usize = 4_000;
/// Characters of the reason of a notice; whoever it is about reads it on a phone.
pub const NOTICE_REASON_CHARS_MAX: usize = 500;
/// Characters of the note of a notice; protects pages.
pub const NOTICE_NOTE_CHARS_MAX: usize = 4_000;
/// Characters of a reply to a notice; protects pages.
pub const NOTICE_REPLY_CHARS_MAX: usize = 2_000;
/// Notices about one instance that a hub tells it of at once; protects memory.
pub const NOTICES_ABOUT_MAX: usize = 100;
/// Offers that one instance makes to one request, whatever became of them; protects its author's patience, and disk.
pub const OFFERS_PER_REQUEST_MAX: u64 = 32;
/// Offers of one member that are neither answered nor over; protects authors elsewhere from one who offers everything.
pub const OFFERS_PER_MEMBER_MAX: u64 = 20;
/// Newcomers by the codes of one issuer about whom something is not decided; protects stewards, and letters to that issuer.
pub const REDEMPTIONS_WAITING_MAX: usize = 20;
/// Redemptions of one origin that an issuer decides about within a day; protects its file, and the patience of who invited.
pub const REDEMPTIONS_PER_DAY_MAX: u64 = 50;
/// Days without an answer of the issuer after which a steward decides about a newcomer; as long as a letter lasts.
pub const REDEMPTION_DAYS: i64 = ENVELOPE_DAYS;
/// Bytes of the manifest of a backup; protects the memory of a reader.
pub const BACKUP_MANIFEST_BYTES_MAX: usize = 65_536;
/// Bytes of one part of a backup; protects the disk of a reader, together with its free space.
pub const BACKUP_PART_BYTES_MAX: u64 = 1 << 40;
/// Work of scrypt behind the passphrase of a backup, as a power of two: 128 MiB and half a second a guess.
pub const BACKUP_SCRYPT_LOG_N: u8 = 17;
/// Work of scrypt that is done for a backup from elsewhere; protects memory and time of a reader.
pub const BACKUP_SCRYPT_LOG_N_MAX: u8 = 20;
