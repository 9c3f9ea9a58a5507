//! One program for all targets; `WB_FUZZ` names the target. libFuzzer brings `main`.
#![no_main]

mod memory;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use wb_fuzz::Target;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;

/// Seeds that are run before memory is counted; each target loads what it keeps with the first.
const WARM_UPS: usize = 3;

static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("WB_FUZZ").expect("WB_FUZZ names a target; see scripts/fuzz");
    let target = wb_fuzz::target(&name).expect("WB_FUZZ names a target that exists");
    // What a target loads once is neither memory nor time of an input.
    for seed in (target.seeds)().iter().take(WARM_UPS) {
        (target.run)(seed);
    }
    target
});

fuzz_target!(init: drop(*TARGET), |input: &[u8]| {
    let target = *TARGET;
    let before = memory::start();
    (target.run)(input);
    let held = memory::peak().saturating_sub(before);
    let allowed = target.memory.allowed(input.len());
    assert!(
        held <= allowed,
        "{held} bytes were held for an input of {}; {allowed} are allowed",
        input.len()
    );
});
