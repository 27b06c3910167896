//! Seeds of one-time codes, as an address and as a picture.

use poterne::app::qr;
use poterne::crypto::totp::Seed;
use poterne::model::time::Time;

use super::{MIB, fuzz, within};

fn same_seed(a: &Seed, b: &Seed) -> bool {
    a.secret.expose(|x| b.secret.expose(|y| x == y))
        && (a.digits, a.period, a.algorithm) == (b.digits, b.period, b.algorithm)
        && (&a.issuer, &a.account) == (&b.issuer, &b.account)
}

#[test]
fn otpauth_addresses() {
    let valid = [
        "otpauth://totp/Dupont%20%26%20Fils:zo%C3%A9@dupont.example?secret=GEZDGNBVGY3TQOJQGEZDGNBV\
         GY3TQOJQ&issuer=Dupont&algorithm=SHA256&digits=8&period=60",
        "otpauth://totp/a%3Ab?secret=GEZDGNBV",
        "OTPAUTH://TOTP/:x?Secret=gezd-gnbv======&Algorithm=hmac-sha-512#fragment",
        "gezd gnbv gy3t qojq",
    ];
    fuzz(6000, valid.iter().map(|t| t.as_bytes().to_vec()).collect(), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(seed) = within(MIB, || Seed::parse(&text)) {
            let again = seed.to_uri().expose(Seed::parse).expect("what was just printed");
            assert!(same_seed(&seed, &again), "{text}");
            for now in [i64::MIN, -1, 0, 59, i64::MAX] {
                let (code, left) = seed.code(Time(now));
                assert_eq!(code.len(), usize::from(seed.digits));
                assert!((1..=86_400).contains(&left));
            }
        }
    });
}

/// A QR code as a picture file.
pub fn picture(text: &str, format: image::ImageFormat) -> Vec<u8> {
    let code = qrcode::QrCode::new(text).expect("it fits");
    let (side, dots) = (code.width() + 8, code.to_colors());
    let scale = 3;
    let picture = image::GrayImage::from_fn(side as u32 * scale, side as u32 * scale, |x, y| {
        let at = |v: u32| (v / scale) as usize;
        let inside = |v: usize| v.checked_sub(4).filter(|v| *v < side - 8);
        let dark = inside(at(x))
            .zip(inside(at(y)))
            .is_some_and(|(x, y)| dots[y * (side - 8) + x] == qrcode::Color::Dark);
        image::Luma([if dark { 0 } else { 255 }])
    });
    let mut out = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut out, format).expect("into memory");
    out.into_inner()
}

#[test]
fn qr_pictures() {
    let uri = "otpauth://totp/Dupont:zoe?secret=GEZDGNBVGY3TQOJQ&issuer=Dupont";
    let png = picture(uri, image::ImageFormat::Png);
    assert!(qr::text(&png).is_some_and(|t| t.expose(|t| t == uri)));
    let jpeg = picture(uri, image::ImageFormat::Jpeg);
    // A picture that claims 60,000 × 60,000 dots.
    let mut vast = png.clone();
    vast[16..24].copy_from_slice(&[0, 0, 0xEA, 0x60, 0, 0, 0xEA, 0x60]);
    assert!(within(8 * MIB, || qr::text(&vast)).is_none());
    fuzz(120, vec![png, jpeg], |bytes| {
        let _ = within(400 * MIB, || qr::text(bytes));
    });
}

/// Damages the dots rather than the file, so that it is the code that is wrong.
#[test]
fn damaged_qr_codes() {
    let texts = ["otpauth://totp/a?secret=GEZDGNBV", "0123456789", "HTTPS://EXAMPLE"];
    let valid = texts.map(|t| image::load_from_memory(&picture(t, image::ImageFormat::Png)));
    let valid = valid.map(|p| p.expect("a picture").into_luma8());
    let dots: Vec<Vec<u8>> = valid.iter().map(|p| p.as_raw().clone()).collect();
    let sides: Vec<u32> = valid.iter().map(image::GrayImage::width).collect();
    fuzz(120, dots, |bytes| {
        for side in &sides {
            let mut dots = bytes.to_vec();
            dots.resize((side * side) as usize, 255);
            let picture = image::GrayImage::from_raw(*side, *side, dots).expect("so many dots");
            let mut file = std::io::Cursor::new(Vec::new());
            picture.write_to(&mut file, image::ImageFormat::Png).expect("into memory");
            let _ = qr::text(file.get_ref());
        }
    });
}
