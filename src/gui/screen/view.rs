//! The desktop widget: paints a [`Screen`], and gives it keys, mouse and clipboard.
//! What the person copies here goes there only with the keys that paste.

use egui::{
    Color32, ColorImage, Context, CursorIcon, Event, EventFilter, Id, MouseWheelUnit,
    PointerButton, Pos2, Rect, Response, Role, Sense, TextureHandle, TextureOptions, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};
use winit::keyboard::ModifiersState;

use crate::connect::screen::{MouseButton, Place, Pointer, ScreenInput, ScreenSize};
use crate::model::lang::Lang;
use crate::secret::SecretText;

use super::keyboard::Keyboard;
use super::model::{Picture, Screen};
use super::raw::RawKeys;

/// One notch of a wheel (MS-RDPBCGR section 2.2.8.1.1.3.1.1.3).
const NOTCH: f32 = 120.0;
/// Points that a touch pad scrolls for a notch.
const NOTCH_POINTS: f32 = 50.0;

/// What the widget keeps between frames.
#[derive(Default)]
pub struct ScreenView {
    keyboard: Keyboard,
    texture: Option<TextureHandle>,
    pointer: Option<(std::sync::Arc<Pointer>, Option<TextureHandle>)>,
    held: Vec<MouseButton>,
    wheel: Vec2,
    last: Option<(u16, u16)>,
    listening: bool,
    /// The pass that painted it last.
    shown: u64,
}

/// Where the desktop lies in the window.
#[derive(Clone, Copy)]
struct Lie {
    rect: Rect,
    /// Points for a pixel of the desktop.
    scale: f32,
}

impl ScreenView {
    /// Paints the desktop in all the room there is and takes this frame's input.
    pub fn show(
        &mut self,
        ui: &mut Ui,
        id: Id,
        screen: &Screen,
        keys: &RawKeys,
        lang: Lang,
    ) -> Response {
        self.shown = ui.ctx().cumulative_pass_nr();
        let room = ui.available_rect_before_wrap();
        ui.advance_cursor_after_rect(room);
        let response = ui.interact(room, id, Sense::click_and_drag());
        let live = screen.ended().is_none();
        if live && !ui.is_sizing_pass() {
            screen.want(screen_size(ui, room.size()));
        }
        self.draw(ui, screen);
        let (width, height) = screen.size();
        let lie = lie(room, width, height, ui.pixels_per_point());
        ui.painter().rect_filled(room, 0.0, Color32::BLACK);
        if let Some(texture) = &self.texture {
            let all = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            ui.painter().image(texture.id(), lie.rect, all, Color32::WHITE);
        }
        let typing = response.has_focus() && ui.input(|i| i.focused) && live;
        self.listen(typing, screen, keys);
        if response.has_focus() {
            self.typed(ui, id, screen, keys);
        }
        if live {
            take_dropped(ui, screen);
        }
        if live && width > 0 {
            self.mouse(ui, &response, lie, screen);
        }
        if response.hovered() && live {
            self.pointer_ui(ui, lie, screen);
        }
        if let Some(text) = screen.take_clipboard().filter(|_| typing || response.hovered()) {
            text.expose(|text| ui.ctx().copy_text(text.to_owned()));
        }
        let name = lang.pick("Bureau distant", "Remote desktop");
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
        response
    }

    /// Lets go of what is held, if this desktop was not painted in the present pass:
    /// something else is in front, or the vault was locked.
    pub fn rest(&mut self, ctx: &Context, screen: &Screen, keys: &RawKeys) {
        if self.shown != ctx.cumulative_pass_nr() {
            self.listen(false, screen, keys);
            (self.texture, self.pointer) = (None, None);
        }
    }

    fn listen(&mut self, typing: bool, screen: &Screen, keys: &RawKeys) {
        if typing != self.listening {
            self.listening = typing;
            keys.want(typing);
            if !typing {
                self.keyboard.let_go();
                self.held.clear();
                screen.send(ScreenInput::LetGo);
            }
        }
    }

    /// The part of the texture that is new.
    fn draw(&mut self, ui: &Ui, screen: &Screen) {
        let texture = &mut self.texture;
        let ctx = ui.ctx();
        let (width, height) = screen.size();
        let fits = texture.as_ref().is_some_and(|t| t.size() == size_of(width, height));
        let most = ctx.input(|i| i.max_texture_side);
        screen.paint(!fits, |picture, new| {
            let (width, height) = picture.size();
            if width == 0 || usize::from(width.max(height)) > most {
                *texture = None;
                return;
            }
            let options = TextureOptions::LINEAR;
            let fits = texture.as_ref().is_some_and(|t| t.size() == size_of(width, height));
            match texture {
                Some(texture) if fits => {
                    for place in new.iter().filter(|place| place.pixels() > 0) {
                        let at = [usize::from(place.x), usize::from(place.y)];
                        texture.set_partial(at, image(picture, *place), options);
                    }
                }
                _ => {
                    let all = Place { x: 0, y: 0, width, height };
                    *texture = Some(ctx.load_texture("desktop", image(picture, all), options));
                }
            }
        });
    }

    fn typed(&mut self, ui: &Ui, id: Id, screen: &Screen, keys: &RawKeys) {
        let all =
            EventFilter { tab: true, horizontal_arrows: true, vertical_arrows: true, escape: true };
        ui.memory_mut(|m| m.set_focus_lock_filter(id, all));
        let (events, mods) = ui.input_mut(|i| {
            let events: Vec<Event> = i.events.extract_if(.., |e| is_typed(e)).collect();
            (events, i.modifiers)
        });
        let mut pasted = events.into_iter().filter_map(|event| match event {
            Event::Paste(text) => Some(SecretText::new(text)),
            _ => None,
        });
        let window = window_modifiers(mods);
        for key in keys.take() {
            if self.keyboard.pastes(&key, window)
                && let Some(text) = pasted.next()
            {
                // It has to be there before the key that pastes it.
                screen.send_clipboard(text);
            }
            for input in self.keyboard.take(&key, window) {
                screen.send(input);
            }
        }
        pasted.for_each(|text| screen.send_clipboard(text));
    }

    fn mouse(&mut self, ui: &Ui, response: &Response, lie: Lie, screen: &Screen) {
        let over = response.contains_pointer();
        if response.is_pointer_button_down_on() && !response.has_focus() {
            response.request_focus();
        }
        let events = ui.input(|i| i.events.clone());
        for event in events {
            match event {
                Event::PointerMoved(at) if over || !self.held.is_empty() => {
                    self.moved(lie, at, screen);
                }
                Event::PointerButton { pos, button, pressed: true, .. } if over => {
                    let button = button_of(button);
                    self.moved(lie, pos, screen);
                    if !self.held.contains(&button) {
                        self.held.push(button);
                    }
                    screen.send(ScreenInput::Button { button, down: true });
                }
                Event::PointerButton { pos, button, pressed: false, .. } => {
                    let button = button_of(button);
                    if let Some(place) = self.held.iter().position(|held| *held == button) {
                        self.held.remove(place);
                        self.moved(lie, pos, screen);
                        screen.send(ScreenInput::Button { button, down: false });
                    }
                }
                Event::MouseWheel { unit, delta, .. } if over => self.wheel(unit, delta, screen),
                _ => {}
            }
        }
    }

    fn moved(&mut self, lie: Lie, at: Pos2, screen: &Screen) {
        let (width, height) = screen.size();
        let to = |at: f32, side: u16| (at / lie.scale).clamp(0.0, f32::from(side) - 1.0) as u16;
        let (x, y) = (to(at.x - lie.rect.left(), width), to(at.y - lie.rect.top(), height));
        if self.last.replace((x, y)) != Some((x, y)) {
            screen.send(ScreenInput::Move { x, y });
        }
    }

    fn wheel(&mut self, unit: MouseWheelUnit, delta: Vec2, screen: &Screen) {
        self.wheel += match unit {
            MouseWheelUnit::Line => delta * NOTCH,
            MouseWheelUnit::Point => delta * (NOTCH / NOTCH_POINTS),
            MouseWheelUnit::Page => delta * (8.0 * NOTCH),
        };
        let whole = vec2(self.wheel.x.trunc(), self.wheel.y.trunc());
        self.wheel -= whole;
        for (turn, sideways) in [(whole.y, false), (-whole.x, true)] {
            let turn = turn.clamp(-8.0 * NOTCH, 8.0 * NOTCH) as i16;
            if turn != 0 {
                screen.send(ScreenInput::Wheel { turn, sideways });
            }
        }
    }

    /// The far side's pointer instead of that of this machine.
    fn pointer_ui(&mut self, ui: &Ui, lie: Lie, screen: &Screen) {
        let pointer = screen.pointer();
        let known =
            self.pointer.as_ref().is_some_and(|(of, _)| std::sync::Arc::ptr_eq(of, &pointer));
        if !known {
            let texture = match &*pointer {
                Pointer::Shape { width, height, pixels, .. } => {
                    let size = size_of(*width, *height);
                    let whole = pixels.len() == size[0] * size[1] * 4 && !pixels.is_empty();
                    let image = whole.then(|| ColorImage::from_rgba_unmultiplied(size, pixels));
                    image.map(|i| ui.ctx().load_texture("pointer", i, TextureOptions::LINEAR))
                }
                Pointer::Ordinary | Pointer::Hidden => None,
            };
            self.pointer = Some((pointer.clone(), texture));
        }
        let Some(at) = ui.input(|i| i.pointer.hover_pos()).filter(|at| lie.rect.contains(*at))
        else {
            return;
        };
        match (&*pointer, self.pointer.as_ref().and_then(|(_, texture)| texture.as_ref())) {
            (Pointer::Ordinary, _) => {}
            (Pointer::Shape { width, height, hot_x, hot_y, .. }, Some(texture)) => {
                ui.ctx().set_cursor_icon(CursorIcon::None);
                let vec = |x: u16, y: u16| vec2(f32::from(x), f32::from(y)) * lie.scale;
                let rect = Rect::from_min_size(at - vec(*hot_x, *hot_y), vec(*width, *height));
                let all = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
                ui.painter().image(texture.id(), rect, all, Color32::WHITE);
            }
            (Pointer::Hidden | Pointer::Shape { .. }, _) => {
                ui.ctx().set_cursor_icon(CursorIcon::None);
            }
        }
    }
}

/// What was dropped on the window while the desktop is in front.
fn take_dropped(ui: &Ui, screen: &Screen) {
    let dropped = ui.input_mut(|i| std::mem::take(&mut i.raw.dropped_files));
    let paths: Vec<_> = dropped.iter().map(|file| file.path().to_owned()).collect();
    if !paths.is_empty() {
        screen.drop_files(paths);
    }
}

fn size_of(width: u16, height: u16) -> [usize; 2] {
    [usize::from(width), usize::from(height)]
}

fn image(picture: &Picture, place: Place) -> ColorImage {
    let mut pixels = Vec::with_capacity(place.pixels());
    for row in picture.rows(place) {
        pixels.extend(row.chunks_exact(4).map(|p| Color32::from_rgb(p[0], p[1], p[2])));
    }
    ColorImage::new(size_of(place.width, place.height), pixels)
}

/// The desktop that fills the room, pixel for pixel.
pub fn screen_size(ui: &Ui, room: Vec2) -> ScreenSize {
    let scale = ui.pixels_per_point();
    let side = |points: f32| (points * scale).round().clamp(1.0, 8192.0) as u16;
    ScreenSize {
        width: side(room.x),
        height: side(room.y),
        scale: (scale * 100.0).round().clamp(100.0, 500.0) as u16,
    }
    .fitting()
}

/// In the middle, as large as it fits; pixel for pixel where it nearly does, so that
/// text stays sharp.
fn lie(room: Rect, width: u16, height: u16, pixels_per_point: f32) -> Lie {
    let size = vec2(f32::from(width.max(1)), f32::from(height.max(1)));
    let fit = (room.width() / size.x).min(room.height() / size.y).max(0.01);
    let exact = 1.0 / pixels_per_point;
    let near = fit >= exact && (fit - exact) * size.max_elem() < 4.0;
    let scale = if near { exact } else { fit };
    let round = |x: f32| (x * pixels_per_point).round() / pixels_per_point;
    let corner = room.center() - size * scale / 2.0;
    let corner = pos2(round(corner.x), round(corner.y));
    Lie { rect: Rect::from_min_size(corner, size * scale), scale }
}

fn is_typed(event: &Event) -> bool {
    matches!(
        event,
        Event::Key { .. }
            | Event::Text(_)
            | Event::Paste(_)
            | Event::Copy
            | Event::Cut
            | Event::Ime(_)
    )
}

fn button_of(button: PointerButton) -> MouseButton {
    match button {
        PointerButton::Primary => MouseButton::Left,
        PointerButton::Secondary => MouseButton::Right,
        PointerButton::Middle => MouseButton::Middle,
        PointerButton::Extra1 => MouseButton::Back,
        PointerButton::Extra2 => MouseButton::Forward,
    }
}

fn window_modifiers(mods: egui::Modifiers) -> ModifiersState {
    let mut state = ModifiersState::empty();
    state.set(ModifiersState::SHIFT, mods.shift);
    state.set(ModifiersState::CONTROL, mods.ctrl);
    state.set(ModifiersState::ALT, mods.alt);
    state
}
