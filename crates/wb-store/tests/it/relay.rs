//! What a hub relays, in a real file, followed by real nodes.

mod changes;
mod doctor;
mod follower;
mod forget;
mod harbour;
mod lines;
mod listings;
mod members;
mod notices;
mod push;
mod random;
mod recover;
mod snapshots;
