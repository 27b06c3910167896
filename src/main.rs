//! Start-up only: no argument opens the window, anything else is the command line.

use std::process::ExitCode;

use poterne::connect::launch::Launch;

fn main() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|a| a == Launch::SESSION_HOST) {
        return poterne::connect::host::main();
    }
    poterne::cli::main()
}
