//! Who can be accepted together: a flow from this instance with capacities by distance.
//!
//! Sets that can be accepted together are the independent sets of a matroid (a gammoid). So looking at one instance
//! after the other gives the largest set there is, the first in order, and who could not be accepted once never can.

use std::collections::VecDeque;

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

    /// For each node the edge by which a unit can come to it from a node; none where none can.
    fn reach(&self, from: usize) -> Vec<Option<usize>> {
        let mut by = vec![None; self.of.len()];
        let mut waiting = VecDeque::from([from]);
        while let Some(node) = waiting.pop_front() {
            for edge in &self.of[node] {
                let Edge { to, room } = self.edges[*edge];
                if room > 0 && to != from && by[to].is_none() {
                    by[to] = Some(*edge);
                    waiting.push_back(to);
                }
            }
        }
        by
    }

    /// Sends one unit to a node, by the edges that [`Network::reach`] found.
    fn send(&mut self, by: &[Option<usize>], mut to: usize) {
        while let Some(edge) = by[to] {
            // Room without bound stays so: no more than a few hundred units ever go.
            self.edges[edge].room = self.edges[edge].room.saturating_sub(1);
            self.edges[edge ^ 1].room = self.edges[edge ^ 1].room.saturating_add(1);
            to = self.edges[edge ^ 1].to;
        }
    }
}

/// Who is accepted, by place.
pub(super) fn accepted(graph: &Graph) -> Vec<usize> {
    let mut network = Network::of(graph, |at| graph.capacity(at) - 1, usize::MAX);
    let me = comes_in(0);
    let mut accepted = Vec::new();
    let mut by = network.reach(me);
    for at in 1..graph.ids.len() {
        if by[comes_in(at)].is_none() {
            continue;
        }
        network.send(&by, comes_in(at));
        accepted.push(at);
        by = network.reach(me);
    }
    accepted
}

/// How many ways to an instance share no instance in between.
pub(super) fn disjoint_ways(graph: &Graph, subject: usize) -> usize {
    // An arrow carries one way: nobody stands between its two ends.
    let mut network = Network::of(graph, |at| if at == 0 { usize::MAX } else { 1 }, 1);
    let mut ways = 0;
    loop {
        let by = network.reach(comes_in(0));
        if by[comes_in(subject)].is_none() {
            return ways;
        }
        network.send(&by, comes_in(subject));
        ways += 1;
    }
}
