//! What people do and see in a browser, over the real program.

mod held;
mod helping;
mod journeys;
mod keyboard;
mod pages;
mod trusting;
