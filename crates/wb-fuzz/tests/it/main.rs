//! Replays the targets over the vectors and over the kept corpus, without libFuzzer.

mod replay;
