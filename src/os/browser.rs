//! The browser of this desktop. Gets an address and nothing else.

/// Opens `address`; false when there is no browser, or no desktop to show one.
pub fn open(address: &str) -> bool {
    shows_browsers() && webbrowser::open(address).is_ok()
}

/// Whether something could show a page: the program that BROWSER names, a
/// desktop, or the one around WSL. Without any, the usual openers wait for ever
/// or claim success.
fn shows_browsers() -> bool {
    let given = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(windows, target_os = "macos"))
        || ["BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"].into_iter().any(given)
}
