//! Text as neighbours write it, from a fixed seed.

/// Words, the frequent first.
const WORDS: &str = "the a of to and in is for on with that it as this are be was not have from or by \
at we you can if all but they an our has will there when which do more one so about also after \
garden bike ladder drill neighbour street kitchen weekend morning evening lend borrow return key \
house door window paint repair roof water pump hose seeds tomato compost shelf move van truck help \
children school lift drive station train doctor appointment shopping heavy bag dog walk cat feed \
holiday plants mail parcel pick up drop off meeting community hall chairs tables music guitar lesson \
language german english spanish practise computer printer laptop phone setup install wifi cable \
sewing machine jacket zip fix broken light lamp fuse battery charger tool saw screwdriver wood plank \
please thanks would could maybe tomorrow next week today hour minutes free available someone anyone \
know good really great happy sorry late early near far corner behind front shop market bakery bread \
cake coffee tea dinner cook recipe vegetables fruit apple pear plum harvest share spare extra old new \
large small blue red green number bell ring call message answer ask question offer need looking found \
lost keys wallet child seat stroller tent camping stove cooler grill party birthday balloon costume";

/// What people help with.
pub const CATEGORIES: [&str; 10] = [
    "tools",
    "transport",
    "childcare",
    "garden",
    "repair",
    "food",
    "teaching",
    "moving",
    "errands",
    "it-help",
];

/// Where.
pub const PLACES: [&str; 10] = [
    "north",
    "south",
    "east",
    "west",
    "old town",
    "harbour",
    "station",
    "hill",
    "riverside",
    "market",
];

/// One sentence in about this many words ends.
const WORDS_PER_SENTENCE: u64 = 11;

/// Numbers that look random and are the same in every run (SplitMix64).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice for one purpose.
    pub fn new(purpose: u64, index: u64, revision: u64) -> Self {
        let mut dice = Self(purpose);
        for part in [index, revision] {
            dice.0 = dice.next() ^ part;
        }
        dice
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below a bound; the bias of the remainder is far below what anybody could measure here.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// One of several.
    pub fn pick<'s>(&mut self, of: &[&'s str]) -> &'s str {
        let index = self.below(of.len() as u64);
        of[usize::try_from(index).expect("it is below a length")]
    }
}

/// Writes text.
pub struct Writer {
    words: Vec<&'static str>,
    /// Sums of the weights up to each word.
    sums: Vec<f64>,
}

impl Default for Writer {
    fn default() -> Self {
        let words: Vec<&str> = WORDS.split_whitespace().collect();
        let mut sum = 0.0;
        let sums = (0_u32..).zip(&words).map(|(rank, _)| {
            // Frequent words are frequent, as in any language.
            sum += f64::from(rank + 4).powf(-0.8);
            sum
        });
        let sums = sums.collect();
        Self { words, sums }
    }
}

impl Writer {
    /// One word; the first of the list most often.
    pub fn word(&self, dice: &mut Dice) -> &'static str {
        let all = self.sums.last().copied().unwrap_or_default();
        let fraction =
            f64::from(u32::try_from(dice.next() >> 32).expect("32 bits")) / 4_294_967_296.0;
        let place = self.sums.partition_point(|sum| *sum <= fraction * all);
        self.words[place.min(self.words.len() - 1)]
    }

    /// A text of at most so many bytes, and nearly that.
    pub fn text(&self, dice: &mut Dice, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 16);
        let mut starts = true;
        while text.len() < bytes {
            let word = self.word(dice);
            if starts {
                text.push_str(&capitalised(word));
            } else {
                text.push_str(word);
            }
            starts = dice.below(WORDS_PER_SENTENCE) == 0;
            text.push_str(if starts { ". " } else { " " });
        }
        text.truncate(bytes - 1);
        text.truncate(text.trim_end().len());
        text.push('.');
        text
    }
}

/// With a capital letter; the words are ASCII.
pub fn capitalised(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}
