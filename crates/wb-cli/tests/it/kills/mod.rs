//! The program, killed at any moment of any act: nothing is lost, nothing comes twice, and the next sync
//! converges.
//!
//! Kills that hit inside a transaction are counted and not guessed ([`moment`]). `WB_KILLS` says how many
//! each act gets; the table at the end goes to standard output.

mod acts;
mod check;
mod moment;
mod world;

use std::sync::Mutex;

use self::acts::{ACTS, Act, Victim};
use self::moment::{Aim, Hit};
use self::world::{Templates, World};
use crate::support::chance::Chance;
use crate::support::database::{live_lines, live_lines_in};
use crate::support::instance::run;
use crate::support::process::Up;

/// Kills of each act, unless `WB_KILLS` says otherwise.
const KILLS: usize = 22;
/// Kills of all acts together that the project promises.
const KILLS_MIN: usize = 200;
/// Tries for each kill: an act that ends before the moment came is begun again.
const TRIES_PER_KILL: usize = 6;
/// One of so many acts is done again where the kill left it, and must go through.
const AGAIN: usize = 4;
/// Acts at one time: each waits for the disk now and then.
const WORKERS: usize = 2;

/// What the kills of one act hit.
#[derive(Debug, Clone, Copy, Default)]
struct Row {
    kills: usize,
    transactions: usize,
    checkpoints: usize,
}

impl Row {
    fn count(&mut self, hit: Hit) {
        self.kills += 1;
        match hit {
            Hit::Transaction => self.transactions += 1,
            Hit::Checkpoint => self.checkpoints += 1,
            Hit::Between => {}
        }
    }

    fn add(self, other: Self) -> Self {
        Self {
            kills: self.kills + other.kills,
            transactions: self.transactions + other.transactions,
            checkpoints: self.checkpoints + other.checkpoints,
        }
    }
}

#[test]
fn nothing_is_lost_or_doubled_whatever_moment_a_process_is_killed_at() {
    let kills = std::env::var("WB_KILLS").map_or(KILLS, |text| text.parse().expect("a number"));
    let templates = Templates::new();
    let waiting: Mutex<Vec<&Act>> = Mutex::new(ACTS.iter().rev().collect());
    let done: Mutex<Vec<(&str, Row)>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let next = waiting.lock().expect("nobody panics with it").pop();
                    let Some(act) = next else { return };
                    let row = kill_often(act, &templates, kills);
                    let mut done = done.lock().expect("nobody panics with it");
                    done.push((act.name, row));
                }
            });
        }
    });
    let rows = done.into_inner().expect("nobody panicked with it");
    let all = rows
        .iter()
        .fold(Row::default(), |sum, (_, row)| sum.add(*row));
    println!(
        "{:<22} {:>6} {:>22} {:>16}",
        "act", "kills", "inside a transaction", "in a checkpoint"
    );
    for (name, row) in rows.iter().chain([&("together", all)]) {
        let Row {
            kills,
            transactions,
            checkpoints,
        } = row;
        println!("{name:<22} {kills:>6} {transactions:>22} {checkpoints:>16}");
    }
    if kills >= KILLS {
        assert!(all.kills >= KILLS_MIN, "only {} kills", all.kills);
    }
    assert!(
        all.transactions * 4 >= all.kills,
        "too few hit a transaction"
    );
}

/// Kills one act many times, lets it end, and looks whether everybody holds the same afterwards.
fn kill_often(act: &Act, templates: &Templates, kills: usize) -> Row {
    let mut chance = Chance::announced(act.name);
    let mut world = World::new(templates);
    (act.set_up)(&mut world);
    let (mut row, mut aim) = (Row::default(), Aim::new());
    for _ in 0..kills * TRIES_PER_KILL {
        if row.kills == kills {
            break;
        }
        (act.begin)(&mut world);
        let (hit, said) = run_and_kill(act, &mut world, &mut aim, &mut chance);
        if let Some(hit) = hit {
            row.count(hit);
        }
        (act.check)(&mut world, said.contains(act.says));
        // What was cut off is begun again by whoever did it, and goes through.
        if act.can_be_repeated && chance.below(AGAIN) == 0 {
            run(&mut (act.command)(&world)).ends(0);
            (act.check)(&mut world, true);
        }
    }
    (act.end)(&mut world);
    converges(&mut world);
    row
}

/// Runs an act and kills who is to be killed. The hit is `None` where the act ended before.
fn run_and_kill(
    act: &Act,
    world: &mut World<'_>,
    aim: &mut Aim,
    chance: &mut Chance,
) -> (Option<Hit>, String) {
    let mut running = Up::start(&mut (act.command)(world));
    let pid = running.pid();
    let is_over = || moment::has_ended(pid);
    let hit = match act.victim {
        Victim::Command => {
            let hit = aim.stop(pid, chance, is_over);
            running.end_it();
            hit
        }
        Victim::Hub => {
            let hub = world.hub();
            let hit = aim.stop(hub.pid(), chance, is_over);
            hub.kill();
            running.end();
            hub.back();
            hit
        }
    };
    let homes = [&world.north.home, &world.south.home];
    for home in homes
        .into_iter()
        .filter(|home| home.join("guard.json").exists())
    {
        check::guard_fits(home);
    }
    (hit, running.said())
}

/// One sync of each, and North, hub and South hold the same of North.
fn converges(world: &mut World<'_>) {
    if !world.south.home.exists() {
        world.put("south-founded", &world.south.home);
    }
    let link = world.hub().link();
    let north = world.north_id().to_owned();
    world.north.ok(&["hub", "register", &link]);
    world.north.ok(&["sync"]);
    world.south.ok(&["hub", "register", &link]);
    world.south.ok(&["follow", &north]);
    world.south.ok(&["sync"]);
    let own = live_lines(&world.north.home, &north);
    assert_eq!(own.len(), acts::LINES);
    let hub = world.hub().instance.file("hub.db");
    assert!(live_lines_in(&hub, &north) == own, "the hub holds the same");
    assert!(
        live_lines(&world.south.home, &north) == own,
        "South holds the same"
    );
    check::is_sound(&world.north);
    check::is_sound(&world.south);
    check::is_sound(&world.hub().instance);
    for instance in [&world.north, &world.south] {
        let again = instance.json(&["sync"]).remove(0);
        assert_eq!(
            (&again["pulled"]["new"], &again["pushed"]["deltas"]),
            (&0.into(), &0.into())
        );
    }
}
