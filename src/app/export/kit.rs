//! The recovery kit as one page to print and lock away: code, QR code, and what
//! it is for. The only export that holds a secret; it goes to the caller as
//! bytes and is written nowhere here.

use krilla::page::PageSettings;
use qrcode::{Color, EcLevel, QrCode};

use super::ExportError;
use super::typeset::{self, Faces, fill, ink};
use super::words::minute;
use crate::model::lang::Lang;
use crate::model::time::Time;

const WIDTH: f32 = 595.28;
const HEIGHT: f32 = 841.89;
const LEFT: f32 = 62.0;
const BLACK: (u8, u8, u8) = (20, 22, 26);
const GREY: (u8, u8, u8) = (96, 100, 110);
const HEAD: (u8, u8, u8) = (33, 53, 87);
const BAND: (u8, u8, u8) = (244, 245, 248);

/// What the page says besides the code.
#[derive(Clone, Debug)]
pub struct KitMeta<'a> {
    /// Name of the vault, usually its file name.
    pub vault: &'a str,
    /// Whose kit.
    pub member: &'a str,
    /// Public fingerprint of the vault.
    pub fingerprint: &'a str,
    /// When it was made.
    pub at: Time,
    /// Language of the page.
    pub lang: Lang,
}

/// The page as a PDF. The bytes hold the code: wipe them after use.
///
/// # Errors
/// The code is too long for a QR code, or the document cannot be made.
pub fn kit_pdf(code: &str, meta: &KitMeta<'_>) -> Result<Vec<u8>, ExportError> {
    let Faces { regular, bold, mono } = &Faces::load()?;
    let lang = meta.lang;
    let title = lang.pick("Kit de secours", "Recovery kit");
    let mut document = typeset::document(title, "Poterne", meta.at, lang)?;
    let settings = PageSettings::from_wh(WIDTH, HEIGHT).expect("A4 has a size");
    let mut page = document.start_page_with(settings);
    let mut surface = page.surface();
    let s = &mut surface;

    ink(s, HEAD);
    bold.draw(s, LEFT, 98.0, 30.0, title);
    let mut y = 132.0;
    for (name, value) in [
        (lang.pick("Coffre", "Vault"), meta.vault),
        (lang.pick("Membre", "Member"), meta.member),
        (lang.pick("Établi le (UTC)", "Made on (UTC)"), &minute(meta.at)),
        (lang.pick("Empreinte", "Fingerprint"), meta.fingerprint),
    ] {
        // A vault that is not written yet has no fingerprint.
        if value.is_empty() {
            continue;
        }
        ink(s, GREY);
        regular.draw(s, LEFT, y, 10.5, name);
        ink(s, BLACK);
        for line in regular.wrap(value, 10.5, WIDTH - 2.0 * LEFT - 110.0).iter().take(3) {
            regular.draw(s, LEFT + 110.0, y, 10.5, line);
            y += 15.0;
        }
        y += 3.0;
    }

    y += 16.0;
    let groups: Vec<&str> = code.split(['-', ' ']).filter(|g| !g.is_empty()).collect();
    let rows: Vec<String> = groups.chunks(3).map(|row| row.join("  ")).collect();
    let box_height = 34.0 + 30.0 * rows.len() as f32;
    ink(s, BAND);
    fill(s, LEFT, y, WIDTH - 2.0 * LEFT, box_height);
    ink(s, GREY);
    let label = lang.pick("Code de secours", "Recovery code");
    regular.draw(s, LEFT + 18.0, y + 20.0, 9.5, label);
    ink(s, BLACK);
    for (i, row) in rows.iter().enumerate() {
        mono.draw(s, LEFT + 18.0, y + 48.0 + 30.0 * i as f32, 24.0, row);
    }
    y += box_height + 22.0;

    let qr = QrCode::with_error_correction_level(code, EcLevel::Q)
        .map_err(|e| ExportError::Document(e.to_string()))?;
    let cells = qr.width();
    let cell = 150.0 / cells as f32;
    // Runs of dark cells in one rectangle each, so that no seams show.
    let colors = qr.to_colors();
    ink(s, (0, 0, 0));
    for (row, line) in colors.chunks(cells).enumerate() {
        let mut x = 0;
        while x < cells {
            let dark = line[x..].iter().take_while(|c| **c == Color::Dark).count();
            if dark > 0 {
                let (left, top) = (LEFT + 18.0 + x as f32 * cell, y + row as f32 * cell);
                fill(s, left, top, dark as f32 * cell, cell + 0.05);
            }
            x += dark.max(1);
        }
    }
    let aside = LEFT + 200.0;
    let mut line_y = y + 12.0;
    let why = lang.pick(
        "Ce code ouvre le coffre à la place du mot de passe, du téléphone et de cet ordinateur. Il sert quand l’un d’eux est perdu\u{a0}: «\u{a0}poterne recover\u{a0}», ou «\u{a0}J’ai perdu mon mot de passe ou mon téléphone\u{a0}» à l’ouverture.",
        "This code opens the vault in place of the password, the phone and this computer. It is for when one of them is lost: \"poterne recover\", or \"I lost my password or my phone\" when unlocking.",
    );
    ink(s, BLACK);
    for line in regular.wrap(why, 10.5, WIDTH - LEFT - aside) {
        regular.draw(s, aside, line_y, 10.5, &line);
        line_y += 15.0;
    }
    y += 150.0 + 34.0;

    ink(s, HEAD);
    bold.draw(s, LEFT, y, 13.0, lang.pick("À faire maintenant", "To do now"));
    y += 22.0;
    let steps = match lang {
        Lang::Fr => [
            "Imprimez cette page, puis supprimez le fichier PDF.",
            "Gardez-la sous clé, loin de l’ordinateur\u{a0}: qui la tient ouvre le coffre.",
            "Ne la photographiez pas, ne l’envoyez pas par courriel.",
            "Un nouveau kit annule celui-ci\u{a0}; détruisez alors cette page.",
        ],
        Lang::En => [
            "Print this page, then delete the PDF file.",
            "Keep it locked away from the computer: whoever holds it opens the vault.",
            "Do not photograph it, do not send it by mail.",
            "A new kit cancels this one; destroy this page then.",
        ],
    };
    for (i, step) in (1..).zip(steps) {
        ink(s, HEAD);
        bold.draw(s, LEFT, y, 10.5, &format!("{i}."));
        ink(s, BLACK);
        for line in regular.wrap(step, 10.5, WIDTH - 2.0 * LEFT - 18.0) {
            regular.draw(s, LEFT + 18.0, y, 10.5, &line);
            y += 15.0;
        }
        y += 4.0;
    }
    ink(s, GREY);
    regular.draw(s, LEFT, HEIGHT - 48.0, 8.0, &format!("Poterne {}", env!("CARGO_PKG_VERSION")));
    surface.finish();
    page.finish();
    typeset::finish(document)
}
