//! Private keys in the forms that only OpenSSL reads, such as the encrypted PEM of
//! before OpenSSH's own: turned into PKCS#8, which both engines read. It is the
//! OpenSSL that libssh2 is built on. Only ever in a session process.

use zeroize::Zeroizing;

use crate::secret::SecretText;

#[cfg(unix)]
mod ffi {
    use std::ffi::{c_char, c_int, c_long, c_void};

    pub enum Bio {}
    pub enum Key {}
    pub enum Info {}

    // bio.h, pem.h, x509.h, evp.h and err.h of OpenSSL 3.
    unsafe extern "C" {
        pub fn BIO_new_mem_buf(bytes: *const c_void, len: c_int) -> *mut Bio;
        pub fn BIO_free(bio: *mut Bio) -> c_int;
        pub fn PEM_read_bio_PrivateKey(
            from: *mut Bio,
            into: *mut *mut Key,
            ask: *const c_void,
            passphrase: *const c_char,
        ) -> *mut Key;
        pub fn EVP_PKEY2PKCS8(key: *const Key) -> *mut Info;
        pub fn EVP_PKEY_free(key: *mut Key);
        pub fn i2d_PKCS8_PRIV_KEY_INFO(info: *const Info, out: *mut *mut u8) -> c_int;
        pub fn PKCS8_PRIV_KEY_INFO_free(info: *mut Info);
        pub fn ERR_clear_error();
    }

    /// Longest text that is taken for a key.
    pub const MOST: c_long = 1 << 20;
}

/// The key in `text` as PKCS#8 in PEM. Nothing where it cannot be read, with that
/// passphrase or at all.
#[cfg(unix)]
pub fn pkcs8(text: &str, passphrase: Option<&SecretText>) -> Option<Zeroizing<String>> {
    // Never null, or OpenSSL would ask on the terminal.
    let mut phrase = Zeroizing::new(Vec::new());
    if let Some(given) = passphrase {
        phrase.reserve_exact(given.expose(str::len) + 1);
        given.expose(|p| phrase.extend_from_slice(p.as_bytes()));
    }
    phrase.push(0);
    let len = i32::try_from(text.len()).ok().filter(|len| i64::from(*len) <= ffi::MOST)?;
    let mut der = Zeroizing::new(Vec::new());
    // SAFETY: each pointer is what the function before it gave, and is freed once;
    // the text and the passphrase, which ends in a zero, live through the reading,
    // and the room is as long as the first call said.
    unsafe {
        let bio = ffi::BIO_new_mem_buf(text.as_ptr().cast(), len);
        if bio.is_null() {
            return None;
        }
        let null = std::ptr::null_mut();
        let key = ffi::PEM_read_bio_PrivateKey(bio, null, std::ptr::null(), phrase.as_ptr().cast());
        ffi::BIO_free(bio);
        if !key.is_null() {
            let info = ffi::EVP_PKEY2PKCS8(key);
            ffi::EVP_PKEY_free(key);
            if !info.is_null() {
                let len = ffi::i2d_PKCS8_PRIV_KEY_INFO(info, std::ptr::null_mut());
                der.resize(usize::try_from(len).unwrap_or(0), 0);
                let mut to = der.as_mut_ptr();
                if der.is_empty() || ffi::i2d_PKCS8_PRIV_KEY_INFO(info, &raw mut to) != len {
                    der.clear();
                }
                ffi::PKCS8_PRIV_KEY_INFO_free(info);
            }
        }
        ffi::ERR_clear_error();
    }
    (!der.is_empty()).then(|| {
        let body = Zeroizing::new(data_encoding::BASE64.encode(&der));
        let mut pem = Zeroizing::new(String::with_capacity(body.len() + 64));
        for part in ["-----BEGIN PRIVATE KEY-----\n", &body, "\n-----END PRIVATE KEY-----\n"] {
            pem.push_str(part);
        }
        pem
    })
}

/// There libssh2 is built on what Windows brings.
#[cfg(not(unix))]
pub fn pkcs8(_text: &str, _passphrase: Option<&SecretText>) -> Option<Zeroizing<String>> {
    None
}
