//! Help, manual pages and completions, all from the one table of commands.

use std::io;
use std::path::PathBuf;

use clap::{Command, CommandFactory};
use clap_complete::Shell;

use crate::app::api::AppError;
use crate::app::text;
use crate::model::lang::Lang;

use super::args::Cli;
use super::fields;
use super::french;
use super::say::{self, bi, other};

/// The commands and flags, with help in `lang`.
pub fn command(lang: Lang) -> Command {
    let command = Cli::command();
    match lang {
        Lang::En => command,
        Lang::Fr => translate(command, ""),
    }
}

/// Puts the French help over the English one. `path` names the parent commands.
fn translate(command: Command, path: &str) -> Command {
    let here = format!("{path}{}", command.get_name());
    let mut command = command.help_template(french::TEMPLATE).disable_help_flag(true).arg(
        clap::Arg::new("help")
            .short('h')
            .long("help")
            .help("Affiche cette aide")
            .action(clap::ArgAction::Help),
    );
    if let Some(about) = french::about(&here) {
        command = command.about(about).long_about(None);
    }
    if path.is_empty() {
        command = command.disable_version_flag(true).arg(
            clap::Arg::new("version")
                .short('V')
                .long("version")
                .help("Affiche la version")
                .action(clap::ArgAction::Version),
        );
    }
    let settings = fields::settings();
    command = command.mut_args(|arg| {
        let id = arg.get_id().as_str().to_owned();
        let arg = match arg.get_help_heading() {
            Some("Settings") => arg.help_heading("Réglages"),
            Some("Global options") => arg.help_heading("Options générales"),
            _ => arg,
        };
        if let Some((field, kinds)) = settings.iter().find(|(field, _)| field.id == id) {
            return arg.help(fields::setting_help(Lang::Fr, field, kinds));
        }
        match french::help(&here, &id) {
            Some(help) => arg.help(help).long_help(None),
            None => arg,
        }
    });
    let below = format!("{here} ");
    let names: Vec<String> =
        command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(name, |sub| translate(sub, &below));
    }
    command.subcommand_help_heading("Commandes").next_help_heading("Options")
}

pub fn completions(lang: Lang, shell: Shell) {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command(lang), "poterne", &mut text);
    say::raw(&text);
}

pub fn man(lang: Lang, out: Option<PathBuf>) -> Result<(), AppError> {
    let mut command = command(lang);
    command.build();
    match out {
        Some(folder) => pages(&command, &folder).map_err(|error| {
            let cause = text::cause(&error);
            other(
                bi(
                    format!("Les pages ne peuvent pas être écrites\u{a0}: {}.", cause.fr),
                    format!("The pages cannot be written: {}.", cause.en),
                ),
                bi("Choisissez un dossier qui existe.", "Choose a folder that exists."),
            )
        }),
        None => {
            let mut text = Vec::new();
            clap_mangen::Man::new(command).render(&mut text).expect("writing to memory");
            say::raw(&text);
            Ok(())
        }
    }
}

fn pages(command: &Command, folder: &std::path::Path) -> io::Result<()> {
    let man = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    man.render(&mut text)?;
    let name = command.get_display_name().unwrap_or(command.get_name());
    std::fs::write(folder.join(format!("{name}.1")), text)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        pages(sub, folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each(command: &Command, path: &str, check: &mut dyn FnMut(&str, &Command)) {
        let here = format!("{path}{}", command.get_name());
        check(&here, command);
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            each(sub, &format!("{here} "), check);
        }
    }

    #[test]
    fn the_table_of_commands_is_sound_in_both_languages() {
        command(Lang::En).debug_assert();
        command(Lang::Fr).debug_assert();
    }

    #[test]
    fn every_command_and_flag_has_help_in_french() {
        let mut missing = Vec::new();
        each(&Cli::command(), "", &mut |here, command| {
            if french::about(here).is_none() {
                missing.push(here.to_owned());
            }
            for arg in command.get_arguments() {
                let id = arg.get_id().as_str();
                let setting = fields::settings().iter().any(|(field, _)| field.id == id);
                if !setting && !matches!(id, "help" | "version") && french::help(here, id).is_none()
                {
                    missing.push(format!("{here} [{id}]"));
                }
            }
        });
        assert!(missing.is_empty(), "no French help: {missing:#?}");
    }
}
