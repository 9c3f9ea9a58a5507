//! `wb-fuzz list | seeds FOLDER | run TARGET FILE…`: the targets without libFuzzer.
//!
//! `seeds` writes for each target what the vectors say; `run` replays inputs, for example the one that
//! libFuzzer left behind when it found something.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["list"] => {
            for target in wb_fuzz::ALL {
                println!("{}", target.name);
            }
        }
        ["seeds", folder] => write_seeds(Path::new(folder)),
        ["run", name, files @ ..] => {
            let Some(target) = wb_fuzz::target(name) else {
                eprintln!("wb-fuzz: no target `{name}`");
                return ExitCode::from(2);
            };
            for file in files {
                println!("{file}");
                (target.run)(&std::fs::read(file).expect("the file can be read"));
            }
        }
        _ => {
            eprintln!("usage: wb-fuzz list | seeds FOLDER | run TARGET FILE...");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn write_seeds(folder: &Path) {
    for target in wb_fuzz::ALL {
        let folder = folder.join(target.name);
        std::fs::create_dir_all(&folder).expect("a folder is made");
        for (n, seed) in (target.seeds)().into_iter().enumerate() {
            std::fs::write(folder.join(format!("{n:04}")), seed).expect("a seed is written");
        }
    }
}
