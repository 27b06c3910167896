//! The keyboard as the system tells it, key by key: a remote desktop wants the place
//! of each key, left and right, and keys that the toolkit has no name for. Only
//! listened to while a desktop has the keyboard.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use winit::application::ApplicationHandler;
use winit::event::{DeviceEvent, DeviceId, StartCause, WindowEvent};
use winit::event_loop::ActiveEventLoop;
use winit::keyboard::{Key, PhysicalKey};
use winit::window::WindowId;

/// Keys that wait for a frame at most; nobody types so many between two.
const QUEUE_MAX: usize = 512;

/// A key that went down or up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawKey {
    /// Where it is on the keyboard.
    pub place: PhysicalKey,
    /// What it means, modifiers considered.
    pub meaning: Key,
    /// Down or up.
    pub down: bool,
}

/// The keys since the last frame; clones share them.
#[derive(Clone, Default)]
pub struct RawKeys(Arc<Waiting>);

#[derive(Default)]
struct Waiting {
    wanted: AtomicBool,
    keys: Mutex<Vec<RawKey>>,
}

impl RawKeys {
    /// Listens from now on, or no more.
    pub fn want(&self, wanted: bool) {
        if self.0.wanted.swap(wanted, Ordering::AcqRel) != wanted {
            self.0.keys.lock().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// A key went down or up.
    pub fn push(&self, key: RawKey) {
        if self.0.wanted.load(Ordering::Acquire) {
            let mut keys = self.0.keys.lock().unwrap_or_else(PoisonError::into_inner);
            if keys.len() < QUEUE_MAX {
                keys.push(key);
            }
        }
    }

    /// The keys since the last call, oldest first.
    pub fn take(&self) -> Vec<RawKey> {
        std::mem::take(&mut *self.0.keys.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The application of the window, with an ear on the keyboard.
pub struct Listening<A> {
    app: A,
    keys: RawKeys,
}

impl<A> Listening<A> {
    /// Hands everything on to `app`, and keys to `keys` as well.
    pub fn new(app: A, keys: RawKeys) -> Self {
        Self { app, keys }
    }
}

impl<T: 'static, A: ApplicationHandler<T>> ApplicationHandler<T> for Listening<A> {
    fn window_event(&mut self, on: &ActiveEventLoop, window: WindowId, event: WindowEvent) {
        // What is made up when the window gets the keyboard was not typed to it.
        if let WindowEvent::KeyboardInput { event: key, is_synthetic: false, .. } = &event {
            self.keys.push(RawKey {
                place: key.physical_key,
                meaning: key.logical_key.clone(),
                down: key.state.is_pressed(),
            });
        }
        self.app.window_event(on, window, event);
    }
    fn new_events(&mut self, on: &ActiveEventLoop, cause: StartCause) {
        self.app.new_events(on, cause);
    }
    fn resumed(&mut self, on: &ActiveEventLoop) {
        self.app.resumed(on);
    }
    fn user_event(&mut self, on: &ActiveEventLoop, event: T) {
        self.app.user_event(on, event);
    }
    fn device_event(&mut self, on: &ActiveEventLoop, device: DeviceId, event: DeviceEvent) {
        self.app.device_event(on, device, event);
    }
    fn about_to_wait(&mut self, on: &ActiveEventLoop) {
        self.app.about_to_wait(on);
    }
    fn suspended(&mut self, on: &ActiveEventLoop) {
        self.app.suspended(on);
    }
    fn exiting(&mut self, on: &ActiveEventLoop) {
        self.app.exiting(on);
    }
    fn memory_warning(&mut self, on: &ActiveEventLoop) {
        self.app.memory_warning(on);
    }
}
