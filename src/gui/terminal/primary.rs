//! Offers selected text as the X11 and Wayland primary selection, pasted there
//! by the middle button. Runs on a thread of its own, since the clipboard's
//! owner may be slow; does nothing where there is no such selection.

/// Makes `text` the primary selection.
#[cfg(all(unix, not(target_os = "macos")))]
pub(super) fn offer(text: String) {
    use std::sync::mpsc::{Sender, channel};
    use std::sync::{Mutex, OnceLock, PoisonError};

    static OWNER: OnceLock<Mutex<Sender<String>>> = OnceLock::new();
    let owner = OWNER.get_or_init(|| {
        let (sender, receiver) = channel::<String>();
        let run = move || {
            use arboard::{Clipboard, LinuxClipboardKind, SetExtLinux};
            let Ok(mut clipboard) = Clipboard::new() else { return };
            while let Ok(text) = receiver.recv() {
                // A refusal leaves the old selection, which is all there is to do.
                let _ = clipboard.set().clipboard(LinuxClipboardKind::Primary).text(text);
            }
        };
        // Without the thread the receiver is gone and offers are dropped.
        let _ = std::thread::Builder::new().name("primary".to_owned()).spawn(run);
        Mutex::new(sender)
    });
    let _ = owner.lock().unwrap_or_else(PoisonError::into_inner).send(text);
}

/// There is no primary selection here.
#[cfg(not(all(unix, not(target_os = "macos"))))]
pub(super) fn offer(_text: String) {}
