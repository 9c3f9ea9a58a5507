//! Properties: what holds for every input, tried on random ones.

mod entry;
mod json;
mod leave;
mod line;
mod live;
mod requests;
mod status;
mod time;
mod trust;
mod trust_flow;
