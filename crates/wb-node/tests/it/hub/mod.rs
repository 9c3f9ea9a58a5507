//! Nodes and a hub over real sockets: what sync promises, one test for each promise.

mod attacks;
mod away;
mod clocks;
mod crowd;
mod distrust;
mod dry_run;
mod hostile_answers;
mod joining;
mod lies;
mod live;
mod new_log;
mod often;
mod older;
mod own_copy;
mod privacy;
mod raw;
mod restored;
mod restoring;
mod seam;
mod signatures;
mod snapshots;
mod stand_in;
mod twice;
mod two_hubs;
mod world;
