//! Start-up only: no argument opens the window, anything else is the command line.

use std::process::ExitCode;

fn main() -> ExitCode {
    poterne::cli::main()
}
