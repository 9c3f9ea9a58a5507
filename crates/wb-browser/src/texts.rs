//! What people of a street write: as people do, or as somebody does who means harm.

/// A member.
#[derive(Debug)]
pub(crate) struct Person {
    pub handle: &'static str,
    pub name: String,
    pub about: String,
    pub role: &'static str,
}

/// A request, by one of the members.
#[derive(Debug)]
pub(crate) struct Need {
    pub by: &'static str,
    pub title: String,
    pub description: String,
    pub scope: &'static str,
}

/// Everything that is written.
#[derive(Debug)]
pub struct Texts {
    pub(crate) people: Vec<Person>,
    pub(crate) needs: Vec<Need>,
    /// Answers from the next community and from home to the first request.
    pub(crate) answers: [String; 2],
    pub(crate) gratitude: String,
    pub(crate) support: String,
    pub(crate) examples: [String; 2],
    pub(crate) fun: String,
    /// Name and need of a community that waits for a decision.
    pub(crate) stranger: [String; 2],
    /// About somebody who joins.
    pub(crate) newcomer: String,
}

fn person(handle: &'static str, name: &str, about: &str, role: &'static str) -> Person {
    Person {
        handle,
        name: name.to_owned(),
        about: about.to_owned(),
        role,
    }
}

fn need(by: &'static str, title: &str, description: &str, scope: &'static str) -> Need {
    Need {
        by,
        title: title.to_owned(),
        description: description.to_owned(),
        scope,
    }
}

impl Texts {
    /// As neighbours write.
    #[must_use]
    pub fn neighbours() -> Self {
        Self {
            people: vec![
                person("maren", "Maren Holt", "Keeps the key to the garden shed. Here since the first winter.", "steward"),
                person("joris", "Joris with the van", "A van, two strong arms, and most Saturdays free.", "member"),
                person("amina", "Amina Yusuf", "Nurse on nights. I can look at a wound and read a letter from a clinic.", "member"),
                person("teo", "Teo", "Fixes bicycles on the third floor, no questions asked.", "member"),
            ],
            needs: vec![
                need("teo", "Sewing machine for a weekend", "I would like to take in three pairs of trousers. I bring it back with fresh bobbins.", "private"),
                need("joris", "Somebody who reads Dutch", "A letter from the water board, two pages. I think it is about a refund, and would rather not guess.", "private"),
                need("amina", "Two hours of quiet on Tuesday", "I come off three nights in a row, and the little ones are home. Could somebody take them to the playground from two to four?", "public"),
                need("maren", "A ladder that reaches the gutter", "About five metres. The one in the shed stops a hand below it.\nI can fetch it, and there is plum cake.", "public"),
                need("amina", "A lift to the clinic on Thursday", "For my mother, at a quarter to nine, and back around noon. She walks with a frame that folds.\nThe tram has steps.", "public"),
            ],
            answers: [
                "Thursday is my day off. I will be at the door at half past eight; the frame fits behind the seat.".to_owned(),
                "If it gets late, I can wait with her at the clinic and bring her home.".to_owned(),
            ],
            gratitude: "For the soup on the stairs in February. I have not forgotten it.".to_owned(),
            support: "I drive on Thursdays, and I am good with forms that nobody understands.".to_owned(),
            examples: ["A trip to the tip".to_owned(), "Reading a letter from an office".to_owned()],
            fun: "There is a cat in the courtyard that belongs to everybody.".to_owned(),
            stranger: ["Birch Yard".to_owned(), "A cot for a guest in the spring".to_owned()],
            newcomer: "Moved in above the bakery".to_owned(),
        }
    }

    /// As nobody should have to read: script, marks that turn the direction of text around, words without
    /// end, several writings.
    #[must_use]
    pub fn hostile() -> Self {
        let script = "<script>window.hostile = 1</script><img src=x onerror='window.hostile = 1'>";
        let turned = "safe\u{202e}gnp.exe \u{2066}\u{2067}\u{200f}";
        let wordless = "W".repeat(10 * 1_024);
        let scripts = "مرحبا بكم שלום 👩‍👩‍👧‍👦🏳️‍🌈 Z\u{351}\u{36b}\u{343}\u{36a}\u{302}a\u{351}\u{36b}l\u{343}\u{36a}g";
        let short = "M".repeat(75);
        let all = format!(
            "{script}\n{turned}\n{wordless}\n{scripts}\n\"'></textarea></bdi></title>{{{{7*7}}}}"
        );
        let name = |mark: &str| format!("{mark}{}", "N".repeat(60));
        Self {
            people: vec![
                person("maren", &name("\u{202e}"), &all, "steward"),
                person("joris", &name("<b>"), &all, "member"),
                person("amina", &name("👩‍👩‍👧‍👦"), &all, "member"),
                person("teo", &name("مرحبا"), &all, "member"),
            ],
            needs: vec![
                need(
                    "teo",
                    &format!("{script}{}", "T".repeat(100)),
                    &all,
                    "private",
                ),
                need(
                    "amina",
                    &format!("{script}{turned}{}", "T".repeat(80)),
                    &all,
                    "public",
                ),
                need(
                    "amina",
                    &format!("{script}{scripts}{}", "T".repeat(50)),
                    &all,
                    "public",
                ),
            ],
            answers: [all.clone(), all.clone()],
            gratitude: all.clone(),
            support: all.clone(),
            examples: [all.clone(), wordless.clone()],
            fun: script.to_owned(),
            stranger: [short, format!("{script}{turned}")],
            newcomer: all,
        }
    }
}
