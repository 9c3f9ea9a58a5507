//! Who can be accepted together: a flow from this instance with capacities by distance.
//!
//! Sets that can be accepted together are the independent sets of a matroid (a gammoid). So looking at one instance
//! after the other gives the largest set there is, the first in order, and who could not be accepted once never can.
//!
//! A way is looked for backwards, from whom it should lead to: most are found within a few steps. Where none leads to an
//! instance, everything that was looked at is cut off from here, and stays so: whatever is sent goes along what can be
//! reached, and opens no way out of that. So a search that fails is paid for once.

use super::graph::Graph;

/// A unit may go along an arrow, or back along one that carries units already.
#[derive(Debug, Clone, Copy)]
struct Edge {
    to: usize,
    /// Units that still fit.
    room: usize,
}

/// Each instance is two nodes, what comes in and what it passes on; edges stand in pairs, each beside its reverse.
struct Network {
    edges: Vec<Edge>,
    of: Vec<Vec<usize>>,
    /// Nodes to which nothing can come any more.
    is_cut_off: Vec<bool>,
    /// While a way is looked for: the edge by which a unit gets from a node to where it should.
    onward: Vec<Option<usize>>,
}

const fn comes_in(at: usize) -> usize {
    2 * at
}

const fn passes_on(at: usize) -> usize {
    2 * at + 1
}

impl Network {
    fn of(graph: &Graph, passed_on: impl Fn(usize) -> usize, by_arrow: usize) -> Self {
        let mut network = Self {
            edges: Vec::new(),
            of: vec![Vec::new(); 2 * graph.ids.len()],
            is_cut_off: vec![false; 2 * graph.ids.len()],
            onward: vec![None; 2 * graph.ids.len()],
        };
        for (at, arrows) in graph.arrows.iter().enumerate() {
            network.add(comes_in(at), passes_on(at), passed_on(at));
            for arrow in arrows {
                network.add(passes_on(at), comes_in(arrow.to), by_arrow);
            }
        }
        network
    }

    fn add(&mut self, from: usize, to: usize, room: usize) {
        self.of[from].push(self.edges.len());
        self.edges.push(Edge { to, room });
        self.of[to].push(self.edges.len());
        self.edges.push(Edge { to: from, room: 0 });
    }

    /// Sends one unit from a node to another; says whether there is a way for it. It is always the same node that it
    /// comes from: what is cut off from one is not from another.
    fn send(&mut self, from: usize, to: usize) -> bool {
        let (is_found, looked_at) = self.look_back(from, to);
        let mut at = from;
        while is_found && at != to {
            let edge = self.onward[at].expect("each node of a way has an edge onward");
            // Room without bound stays so: no more than a few hundred units ever go.
            self.edges[edge].room = self.edges[edge].room.saturating_sub(1);
            self.edges[edge ^ 1].room = self.edges[edge ^ 1].room.saturating_add(1);
            at = self.edges[edge].to;
        }
        for node in looked_at {
            self.onward[node] = None;
            self.is_cut_off[node] |= !is_found;
        }
        is_found
    }

    /// Looks for a way by which a unit gets from a node to another: whether there is one, and what was looked at.
    fn look_back(&mut self, from: usize, to: usize) -> (bool, Vec<usize>) {
        let mut looked_at = vec![to];
        let mut waiting = vec![to];
        while let Some(node) = waiting.pop() {
            if node == from {
                return (true, looked_at);
            }
            // Who vouches for an instance stands there from the nearest to the farthest: the nearest is looked at first.
            for edge in self.of[node].iter().rev() {
                let (before, way) = (self.edges[*edge].to, edge ^ 1);
                let is_new =
                    before != to && self.onward[before].is_none() && !self.is_cut_off[before];
                if is_new && self.edges[way].room > 0 {
                    self.onward[before] = Some(way);
                    looked_at.push(before);
                    waiting.push(before);
                }
            }
        }
        (false, looked_at)
    }
}

/// Who is accepted, by place.
pub(super) fn accepted(graph: &Graph) -> Vec<usize> {
    let mut network = Network::of(graph, |at| graph.capacity(at) - 1, usize::MAX);
    (1..graph.ids.len())
        .filter(|at| network.send(comes_in(0), comes_in(*at)))
        .collect()
}

/// How many ways to an instance share no instance in between.
pub(super) fn disjoint_ways(graph: &Graph, subject: usize) -> usize {
    // An arrow carries one way: nobody stands between its two ends.
    let mut network = Network::of(graph, |at| if at == 0 { usize::MAX } else { 1 }, 1);
    let mut ways = 0;
    while network.send(comes_in(0), comes_in(subject)) {
        ways += 1;
    }
    ways
}
