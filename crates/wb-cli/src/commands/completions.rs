//! `wb completions` and `wb man`: both made from the command line itself.

use anyhow::Result;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;

use crate::cli::Cli;

/// Print completions for a shell
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints completions.
pub fn run(args: &Completions) -> Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "wb", &mut script);
    crate::output::line(String::from_utf8(script)?.trim_end())
}

/// Prints the manual page: the program, then each command.
pub fn man() -> Result<()> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for command in command
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
    {
        sections(command, &format!("wb {}", command.get_name()), &mut page)?;
    }
    crate::output::line(String::from_utf8(page)?.trim_end())
}

fn sections(command: &clap::Command, name: &str, page: &mut Vec<u8>) -> Result<()> {
    use std::io::Write as _;
    let nouns: Vec<&clap::Command> = command
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
        .collect();
    for command in &nouns {
        sections(command, &format!("{name} {}", command.get_name()), page)?;
    }
    if nouns.is_empty() {
        writeln!(page, ".SH {}", name.to_uppercase())?;
        let man = clap_mangen::Man::new(command.clone());
        man.render_description_section(&mut *page)?;
        man.render_options_section(&mut *page)?;
    }
    Ok(())
}
