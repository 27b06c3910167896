//! OpenVPN: what drives the distribution's `openvpn`, which it never replaces.

pub mod management;
