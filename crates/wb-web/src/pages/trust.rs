//! How far other communities are trusted here, and by whose word: as a picture and as two tables, of which the tables say
//! everything that the picture does; and one page for each community with why.

use std::collections::BTreeMap;

use askama::Template;
use wb_core::id::InstanceId;
use wb_node::query::trust::{VouchView, word};
use wb_node::query::trust_graph::{Graph, WhyPage, graph, why_page};
use wb_node::view::NamedView;

use crate::answer::Answer;
use crate::limits::THINGS_SHOWN_MAX;
use crate::shell::Shell;
use crate::visit::{Trouble, Visit};

/// Communities that are drawn; of more the tables alone are read more easily.
const DRAWN_MAX: usize = 60;
/// Characters of a name in its box, which are of one size however wide the picture is.
const NAME_CHARS: usize = 14;
/// Points from one column to the next, from one row to the next, and of a box: two columns with what is around them are 18
/// letters' heights wide, and so stand on the narrowest phone (320 points) without being made smaller.
const COLUMN: usize = 152;
const ROW: usize = 58;
const BOX_WIDTH: usize = 120;
const BOX_HEIGHT: usize = 46;
/// Points before the first column and above the first row.
const MARGIN: usize = 2;
/// Points after the last column, where arrows within it bend.
const BEYOND: usize = 14;
/// How far an arrow within a column reaches out at most, a little more than it comes.
const BEND: usize = 16;
/// Points of a letter's height: the picture grows with the size of text that its reader chose.
const LETTER: f64 = 16.0;

/// A community as it is drawn.
struct Drawn {
    /// Where its page is; none for this community.
    path: Option<String>,
    name: String,
    level: u8,
    x: usize,
    y: usize,
}

impl Drawn {
    fn text_x(&self) -> usize {
        self.x + BOX_WIDTH / 2
    }

    /// Where the name stands, and where the level does.
    fn name_y(&self) -> usize {
        self.y + if self.path.is_some() { 19 } else { 28 }
    }

    fn level_y(&self) -> usize {
        self.y + 36
    }
}

/// A word of one for another as it is drawn.
struct Arrow {
    path: String,
    /// Whether it was given here by hand.
    by_hand: bool,
}

/// The picture.
struct Picture {
    width: usize,
    height: usize,
    drawn: Vec<Drawn>,
    arrows: Vec<Arrow>,
}

impl Picture {
    const BOX_WIDTH: usize = BOX_WIDTH;
    const BOX_HEIGHT: usize = BOX_HEIGHT;

    /// Points in heights of a letter.
    fn letters(points: &usize) -> String {
        #[expect(
            clippy::cast_precision_loss,
            reason = "at most 60 rows or columns of points"
        )]
        let points = *points as f64;
        format!("{}rem", points / LETTER)
    }

    /// Columns by how far each is from here; none where there is nobody or there are too many.
    fn of(graph: &Graph) -> Option<Self> {
        if graph.places.is_empty() || graph.places.len() > DRAWN_MAX {
            return None;
        }
        // Whom no way leads to stands in a column after all others.
        let far = graph.places.iter().filter_map(|place| place.distance);
        let beyond = far.max().unwrap_or_default() + 1;
        let mut columns: BTreeMap<usize, usize> = BTreeMap::from([(0, 1)]);
        let mut drawn = vec![Drawn {
            path: None,
            name: short(&graph.name),
            level: 0,
            x: MARGIN,
            y: MARGIN,
        }];
        let mut at: BTreeMap<InstanceId, usize> = BTreeMap::from([(graph.me, 0)]);
        for place in &graph.places {
            let column = place.distance.unwrap_or(beyond);
            let row = columns.entry(column).or_default();
            at.insert(place.id, drawn.len());
            drawn.push(Drawn {
                path: Some(format!("/trust/{}", place.id)),
                name: short(&place.name),
                level: place.level,
                x: MARGIN + column * COLUMN,
                y: MARGIN + *row * ROW,
            });
            *row += 1;
        }
        let by_hand = graph
            .places
            .iter()
            .filter(|place| place.standing == Some("approved"))
            .map(|place| (graph.me, place.id, true));
        let by_vouch = graph
            .vouches
            .iter()
            .filter(|vouch| vouch.counts_not.is_none())
            .map(|vouch| (vouch.issuer.id, vouch.subject.id, false));
        let arrows = by_hand.chain(by_vouch).filter_map(|(from, to, by_hand)| {
            let (from, to) = (at.get(&from)?, at.get(&to)?);
            (from != to).then(|| Arrow {
                path: arrow(&drawn[*from], &drawn[*to]),
                by_hand,
            })
        });
        let arrows = arrows.collect();
        let rows = columns.values().max().copied().unwrap_or(1);
        let last = columns.keys().max().copied().unwrap_or_default();
        Some(Self {
            width: MARGIN + last * COLUMN + BOX_WIDTH + BEYOND,
            height: 2 * MARGIN + (rows - 1) * ROW + BOX_HEIGHT,
            drawn,
            arrows,
        })
    }
}

/// A curve from the right edge of one box to the left edge of another; within a column, or back, around the right edges.
fn arrow(from: &Drawn, to: &Drawn) -> String {
    let middle = BOX_HEIGHT / 2;
    let (x, y, end_y) = (from.x + BOX_WIDTH, from.y + middle, to.y + middle);
    if to.x > from.x {
        let (end, bend) = (to.x, COLUMN - BOX_WIDTH);
        return format!(
            "M{x} {y} C{} {y} {} {end_y} {end} {end_y}",
            x + bend,
            end.saturating_sub(bend)
        );
    }
    let end = to.x + BOX_WIDTH;
    let out = x.max(end) + BEND;
    format!("M{x} {y} C{out} {y} {out} {end_y} {end} {end_y}")
}

fn short(name: &str) -> String {
    if name.chars().count() <= NAME_CHARS {
        return name.to_owned();
    }
    let start: String = name.chars().take(NAME_CHARS - 1).collect();
    format!("{start}…")
}

/// The name of one in a table.
fn called(one: &NamedView) -> String {
    one.name.clone().unwrap_or_else(|| one.id.short())
}

/// What was decided about it, in words.
fn standing(standing: Option<&str>) -> &'static str {
    match standing {
        Some("approved") => "accepted by hand",
        Some("blocked") => "refused",
        Some("vouched") => "shown by vouches",
        Some(_) => "waits",
        None => "nothing of it is here",
    }
}

#[derive(Template)]
#[template(path = "trust.html")]
struct Page {
    shell: Shell,
    graph: Graph,
    picture: Option<Picture>,
    is_steward: bool,
    /// Communities and vouches beyond those that are listed.
    more: (usize, usize),
}

impl Page {
    fn path(&self, one: &NamedView) -> Option<String> {
        (one.id != self.graph.me).then(|| format!("/trust/{}", one.id))
    }
}

/// Everybody.
pub fn page(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let mut graph = graph(visit.node()?)?;
    let picture = Picture::of(&graph);
    let more = (
        graph.places.len().saturating_sub(THINGS_SHOWN_MAX),
        graph.vouches.len().saturating_sub(THINGS_SHOWN_MAX),
    );
    // The nearest first, and of vouches those that count.
    graph.places.truncate(THINGS_SHOWN_MAX);
    graph
        .vouches
        .sort_by_key(|vouch| vouch.counts_not.is_some());
    graph.vouches.truncate(THINGS_SHOWN_MAX);
    let page = Page {
        picture,
        more,
        graph,
        is_steward: visit.is_steward(),
        shell: visit.shell("Trust"),
    };
    Ok(Answer::page(page.render()?))
}

#[derive(Template)]
#[template(path = "trust_why.html")]
struct Why {
    shell: Shell,
    why: WhyPage,
    own: InstanceId,
    is_steward: bool,
    is_admin: bool,
}

impl Why {
    /// Lists of vouches with their headings.
    fn lists(&self) -> [(&'static str, &[VouchView]); 2] {
        [
            ("Who vouches for it", &self.why.of_it),
            ("For whom it vouches", &self.why.by_it),
        ]
    }

    fn path(&self, one: &NamedView) -> Option<String> {
        (one.id != self.own).then(|| format!("/trust/{}", one.id))
    }

    /// Whether somebody can decide about it by hand here.
    fn can_be_decided(&self) -> bool {
        matches!(self.why.standing, Some("waiting" | "vouched"))
    }

    fn is_approved(&self) -> bool {
        self.why.standing == Some("approved")
    }

    /// Whether this community can vouch for it.
    fn can_be_vouched_for(&self) -> bool {
        matches!(self.why.standing, Some("waiting" | "vouched" | "approved"))
    }
}

/// One community.
pub fn why(visit: &mut Visit<'_>) -> Result<Answer, Trouble> {
    let id = visit.param("home").parse().map_err(|_| Trouble::NotFound)?;
    let node = visit.node()?;
    let (own, mut why) = (node.own_id(), why_page(node, id)?);
    for list in [&mut why.of_it, &mut why.by_it] {
        list.sort_by_key(|vouch| vouch.counts_not.is_some());
        list.truncate(THINGS_SHOWN_MAX);
    }
    let title = format!("Why {}", why.trust.name);
    let page = Why {
        why,
        own,
        is_steward: visit.is_steward(),
        is_admin: visit.is_admin(),
        shell: visit.shell(title),
    };
    Ok(Answer::page(page.render()?))
}
